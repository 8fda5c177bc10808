"""Every help page and every message, held to one form.

A help text or message is one line without double spaces, names nothing internal, and ends as all the others do. Helps
are read from the parsers of all commands, messages from the calls in the source that raise or print them.

python -m tests.test_messages  prints all of them, to be read in one go.
"""

import argparse
import ast
import re
import shlex
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.test_bounds import PARSERS

ROOT = Path(__file__).resolve().parent.parent

SAYING = {"say", "warn", "error", "on_note"}
"""Functions that print a message; those that raise one are called ...Error, or are of `RAISING`."""

RAISING = {"Unsound", "ArgumentTypeError", "OutOfRange"}

FORMS = {
    "two spaces, or more than one line": r"\s\s|[\n\t]",
    "spaces at an end": r"\A\s|\s\Z",
    "punctuation at the end": r"[.:;,]\Z",
    "a private name": r"(?<![\w.*/<>…-])_+[a-z]\w*|\bself\.",
    "the path of a module": r"\b(?:idt|encoding|classify)(?:\.[a-z_]\w*){2,}",
    "marks of reStructuredText": r"`",
    "a name of an exception": r"\b\w+Error\b|\bTraceback\b",
    "a value that was not put in": r"\{\}|%s|%d",
}
"""What neither a help text nor a message has: its name → pattern."""

CAPITALS = {"OpenCV", "X"}
"""Names that a message may begin with; all others begin in lower case, because the command's name stands before it."""

EXCEPTIONS = {
    "keypoints must be Keypoints as from idt.steps.surf.detect, got …",  # for callers in Python, who import it
}


class Message(NamedTuple):
    """A message of the source: where it is, and its ``text`` with … for what is put in."""

    place: str
    text: str


def text_of(node):
    """The text of an expression with … for what is put in; None if it has no text of its own."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [text_of(side) for side in (node.left, node.right)]
        return None if sides == [None, None] else "".join("…" if side is None else side for side in sides)
    return None


@cache
def messages():
    """Every message of the packages, in the order of the files and lines."""
    found = []
    for path in sorted(path for room in ("idt", "encoding", "classify") for path in (ROOT / room).rglob("*.py")):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        for call in sorted(calls, key=lambda call: call.lineno):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            if name in SAYING | RAISING or name.endswith("Error"):
                texts = filter(None, map(text_of, call.args))
                found += [Message(f"{path.relative_to(ROOT)}:{call.lineno}", text) for text in texts if text != "…"]
    return found


@cache
def helps():
    """Every text of the help of every command: (command, option or heading, text)."""
    found = []
    for name, parser in PARSERS.items():
        found += [(name, f"heading {group.title}", group.title) for group in parser._action_groups]
        for action in parser._actions:
            if action.help is not argparse.SUPPRESS:
                flag = action.option_strings[-1] if action.option_strings else action.metavar or action.dest
                found.append((name, flag, action.help))
    return found


def faults(text):
    """What is wrong with the form of a text."""
    return [fault for fault, pattern in FORMS.items() if re.search(pattern, text)]


def test_a_fault_is_seen():
    assert faults("the file {} is wrong") == ["a value that was not put in"]
    assert faults("see  encoding.models.gmm.") == ["two spaces, or more than one line", "punctuation at the end"] + [
        "the path of a module"
    ]
    assert faults("call _fitted first") == ["a private name"]
    assert faults("a.txt holds no lists *_test_split1.txt") == []


def test_messages_are_found_whatever_they_are_made_of():
    assert len(messages()) > 900
    assert {message.place.partition("/")[0] for message in messages()} == {"idt", "encoding", "classify"}


def test_every_message_has_the_one_form():
    wrong = [f"{m.place}: {m.text!r} has {faults(m.text)}" for m in messages() if faults(m.text)]
    assert [line for line in wrong if not any(text in line for text in EXCEPTIONS)] == []


def test_every_message_begins_in_lower_case_or_with_a_name():
    begins = [(message, re.match(r"\w+", message.text)) for message in messages()]
    assert [m for m, word in begins if word and word[0][0].isupper() and word[0] not in CAPITALS] == []


def test_every_help_has_the_one_form():
    assert [(name, flag, text, faults(text)) for name, flag, text in helps() if not text or faults(text)] == []


@pytest.mark.parametrize("name", PARSERS)
def test_the_help_says_every_default(name):
    silent = (None, False, True, [], (), argparse.SUPPRESS)
    said = [action for action in PARSERS[name]._actions if action.option_strings and action.default not in silent]
    assert [action.option_strings for action in said if "default" not in action.help] == []


@pytest.mark.parametrize("name", PARSERS)
def test_a_help_begins_with_sentences_and_ends_with_a_line_that_can_be_pasted(name):
    parser = PARSERS[name]
    assert re.fullmatch(r"[A-Z][^\n]*\.", parser.description)
    assert [fault for fault in faults(parser.description) if fault != "punctuation at the end"] == []
    command, *words = shlex.split(parser.epilog.removeprefix("example: "))
    assert command == name
    parser.parse_args(words)


if __name__ == "__main__":
    for name, parser in PARSERS.items():
        print(f"== {name} ==\n\n{parser.format_help()}")  # noqa: T201
    print("\n".join(f"{message.place}: {message.text}" for message in messages()))  # noqa: T201
