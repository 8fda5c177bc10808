"""The documents are held to the code: commands exist, have help, and what they name exists."""

import configparser
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def scripts():
    """The console scripts of setup.cfg: name → function."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["options.entry_points"]["console_scripts"].split("\n")
    found = {}
    for line in filter(None, map(str.strip, lines)):
        name, target = (part.strip() for part in line.split("="))
        module, function = target.split(":")
        found[name] = getattr(importlib.import_module(module), function)
    return found


def shell_lines():
    """Lines of the README's shell examples, without comments."""
    blocks = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    return [line.split("#")[0].strip() for block in blocks for line in block.splitlines() if line.split("#")[0].strip()]


@pytest.mark.parametrize("name", list(scripts()))
def test_every_command_is_in_the_readme_and_has_help(name, capsys):
    assert re.search(rf"\b{name}\b", README), f"{name} is not in the README"
    with pytest.raises(SystemExit) as left:
        scripts()[name](["--help"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert out.rstrip().splitlines()[-1].startswith(f"example: {name} ")


def test_the_readme_uses_commands_and_options_that_exist(capsys):
    known = scripts()
    for line in shell_lines():
        name, *words = line.split()
        if name in ("make", "pip"):
            continue
        with pytest.raises(SystemExit):
            known[name](["--help"])
        text = capsys.readouterr().out
        for option in (word.split("=")[0] for word in words if word.startswith("-")):
            assert re.search(rf"(?<![\w-]){option}(?![\w-])", text), f"{name} has no option {option}"


def test_the_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"`?make ([a-z]+)", README)) - {"test", "therefore"} | {"test"}:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_map_names_every_module_of_idt():
    start = README.index("idt/          ")
    text = README[start : README.index("encoding/", start)]
    for path in (ROOT / "idt").glob("*.py"):
        if path.stem != "__init__":
            assert re.search(rf"\b{path.stem}\b", text), f"{path.name} is not on the README's map"
