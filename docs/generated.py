"""Pages that are made of the code: one a command, from its parser, and one a package, from its docstrings.

Every command of setup.cfg and every module below idt, encoding and classify gets an entry, so that none is forgotten. A
room is a folder of Python modules: one of the three packages or a package within it.
"""

import argparse
import ast
import configparser
import importlib
import os
import sys
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "_generated"
PACKAGES = ("idt", "encoding", "classify")


class _ParserFound(BaseException):
    """Exception that carries the parser of a command out of the command."""

    def __init__(self, parser):
        super().__init__()
        self.parser = parser


def parsers():
    """Return the parsers of all commands: name → `argparse.ArgumentParser`."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    found = {}
    for line in config["options.entry_points"]["console_scripts"].strip().splitlines():
        name, _, target = (part.strip() for part in line.partition("="))
        module, _, function = target.partition(":")
        found[name] = _parser(name, getattr(importlib.import_module(module), function))
    return found


def _parser(name, function):
    def hand_over(parser, *_, **__):
        raise _ParserFound(parser)

    with mock.patch.object(sys, "argv", [name]), mock.patch.object(argparse.ArgumentParser, "parse_args", hand_over):
        from idt.command import Parser

        with mock.patch.object(Parser, "parse_args", hand_over):
            try:
                function([])
            except _ParserFound as found:
                return found.parser
    raise RuntimeError(f"{name} has no parser")


def command_page(name, parser):
    """Return the page of a command as Markdown."""
    formatter = parser._get_formatter()
    with mock.patch.dict(os.environ, {"COLUMNS": "100"}):
        usage = parser.format_usage().rstrip()
    lines = [f"# {name}", "", *_escaped_lines(parser.description), "", "```text", usage, "```", ""]
    for group in parser._action_groups:
        actions = [action for action in group._group_actions if action.help != argparse.SUPPRESS]
        if not actions:
            continue
        lines += [f"## {group.title.capitalize()}", "", *_escaped_lines(group.description), ""]
        for action in actions:
            lines += [f"`{_flags(formatter, action)}`", f": {_escaped(formatter._expand_help(action)) or '–'}", ""]
    *text, example = (parser.epilog or "").strip().splitlines() or [""]
    if text:
        lines += ["## More", "", *_escaped_lines("\n".join(text)), ""]
    if example.startswith("example: "):
        lines += ["## Example", "", "```sh", example.removeprefix("example: "), "```", ""]
    elif example:
        lines += [_escaped(example), ""]
    return "\n".join(lines)


def _flags(formatter, action):
    """Return the flags and the placeholder of an option, or the placeholder of a positional argument."""
    if not action.option_strings:
        return formatter._metavar_formatter(action, action.dest)(1)[0]
    return formatter._format_action_invocation(action)


def _escaped_lines(text):
    return [_escaped(line) for line in (text or "").strip().splitlines()]


def _escaped(text):
    """Escape the characters of a help text that Markdown would interpret."""
    for mark in "\\`*_<>[]$|":
        text = text.replace(mark, f"\\{mark}")
    return text


def rooms():
    """Return all rooms with their modules: dotted name → list of dotted names."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            room = ".".join(parts[:-1])
            found.setdefault(room, [])
            if parts[-1] != "__init__":
                found[room].append(".".join(parts))
    return found


def room_page(room, modules):
    """Return the page of a room as reStructuredText."""
    lines = [room, "=" * len(room), "", f".. module:: {room}", ""]
    first, _, more = _docstring(room).partition("\n")
    lines += (
        [first, "", "::", "", *(f"   {line}".rstrip() for line in more.strip("\n").splitlines()), ""]
        if more
        else [first, ""]
    )
    lines += ["Terms: :doc:`glossary </glossary>`.", ""]
    names = _names_of(room)
    if names:
        lines += ["Public names:", "", *(f"- :py:obj:`~{home}.{name}`" for name, home in names.items()), ""]
    for module in modules:
        lines += [module, "-" * len(module), "", f".. automodule:: {module}"]
        if ".kernels" in module:
            lines += ["   :no-members:"]
        lines += [""]
    return "\n".join(lines)


def _names_of(room):
    """Return the names that a package exports, each with the module that defines it."""
    package = importlib.import_module(room)
    names = getattr(package, "__all__", [])
    return {name: getattr(getattr(package, name), "__module__", room) for name in names}


def write(app=None):
    """Write the pages whose content has changed into ``docs/_generated``, and remove those of modules that are gone."""
    pages = {}
    found = parsers()
    listed = "\n".join(found)
    pages["commands/index.md"] = (
        "# Commands\n\nThe last line of each `--help` is an example to paste. The [glossary](../../glossary.md) has the"
        " terms. Exit status: 0 done, 1 a bug of"
        " ours, 2 wrong input or options, 3 some of many inputs failed, 128 + n ended by signal n.\n\n"
        "| command | does |\n|---|---|\n"
        + "".join(f"| [{name}]({name}.md) | {_first(parser.description)} |\n" for name, parser in found.items())
        + f"\n```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    )
    pages |= {f"commands/{name}.md": command_page(name, parser) for name, parser in found.items()}
    api = rooms()
    rows = [f"- :doc:`{room} <{room}>`: {_docstring(room).partition(chr(10))[0]}" for room in api]
    tree = "\n".join(f"   {room}" for room in api)
    pages["api/index.rst"] = (
        "API\n===\n\nA page for each folder of the three packages. The :doc:`glossary </glossary>` has the terms."
        " Start with :py:obj:`idt.api.extract`,"
        " :py:obj:`encoding.encoders.fisher.FisherEncoder` and :py:obj:`classify.evaluation.evaluate.evaluate`.\n\n"
        + "\n".join(rows)
        + f"\n\n.. toctree::\n   :hidden:\n\n{tree}\n"
    )
    pages |= {f"api/{room}.rst": room_page(room, modules) for room, modules in api.items()}
    for name, content in pages.items():
        path = OUT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            path.write_text(content, encoding="utf-8")
    for folder in ("api", "commands"):
        for path in (OUT / folder).iterdir():
            if f"{folder}/{path.name}" not in pages:
                path.unlink()


def _first(text):
    """Return the first sentence of a description."""
    return _escaped(" ".join((text or "").split()).partition(". ")[0].rstrip("."))


def _docstring(room):
    """Return the docstring of a package, or the name of the package if it has none."""
    path = ROOT.joinpath(*room.split("."), "__init__.py")
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or room


def is_skipped(app, what, name, thing, skip, options):
    """Tell Sphinx what to leave out.

    These are fields of named tuples, which the table of the class has, methods made by scikit-learn, and names that a
    module imports from outside the three packages.
    """
    of_sklearn = name.startswith("set_") and name.endswith("_request")
    elsewhere = what == "module" and not str(getattr(thing, "__module__", "idt")).startswith(PACKAGES)
    return True if type(thing).__name__ == "_tuplegetter" or of_sklearn or elsewhere else skip


def as_text(app, what, name, thing, options, lines):
    """Escape bars, which are absolute values in our docstrings and never substitutions."""
    lines[:] = [line.replace("|", r"\|") if line.lstrip() == line or "``" not in line else line for line in lines]
