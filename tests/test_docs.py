"""The documents are held to the code: commands exist, have help, and what they name exists."""

import importlib
import re
from pathlib import Path

import pytest

from tests.commands import scripts

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAP = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")


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


def rooms_of_the_map():
    """The rooms that the map names, such as ``idt/steps``, with the words that stand beside each."""
    text = MAP.split("```")[1].removeprefix("text")
    rooms, place, house = {}, "", ""
    for line in text.strip().splitlines():
        house_line, room_line = re.match(r"(\w+)/ ", line), re.match(r"  ([\w/]+)/ ", line)
        if house_line:
            house = place = house_line[1]
        elif room_line:
            place = f"{house}/{room_line[1]}"
        elif line.startswith("  ") and not line.startswith("   "):
            place = house
        rooms.setdefault(place, []).extend(re.findall(r"\w+", line))
    return rooms


def test_the_map_names_every_room_and_every_file_in_it():
    found = rooms_of_the_map()
    for package in ("idt", "encoding", "classify"):
        for path in (ROOT / package).rglob("*.py"):
            room = path.parent.relative_to(ROOT).as_posix()
            assert room in found, f"{room}/ is not on the map, docs/map.md"
            if path.stem != "__init__":
                assert path.stem in found[room], f"{room}/{path.name} is not on the map, docs/map.md"


def test_the_map_names_no_room_that_is_not_there():
    for room in rooms_of_the_map():
        assert (ROOT / room).is_dir(), f"docs/map.md names {room}/, which is not there"


def exists(name):
    """Whether a dotted name is a module, or something in one: a function, a class, an attribute or a field."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            if part in getattr(thing, "__annotations__", {}):
                return True
            if not hasattr(thing, part):
                return False
            thing = getattr(thing, part)
        return True
    return False


def test_names_in_backticks_exist():
    folders = ("idt", "encoding", "classify", "tests", "benchmarks", "docs")
    paths = [path for folder in folders for kind in ("*.py", "*.md") for path in (ROOT / folder).rglob(kind)]
    for path in [*paths, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        text = path.read_text(encoding="utf-8")
        for name in set(re.findall(r"(?<!`)`((?:idt|encoding|classify|benchmarks)(?:\.\w+)+)`(?!`)", text)):
            assert exists(name), f"{path.relative_to(ROOT)} names `{name}`, which does not exist"


def test_a_name_that_does_not_exist_is_found():
    assert exists("idt.steps.flow.expand")
    assert exists("idt.frames.video.Frame.gray")
    assert not exists("idt.steps.flow.expnd")
    assert not exists("encoding.fisher")
