"""The pages of docs/ are held to the code: their commands parse, their Python runs, no module is left out."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import cv2
import pytest

import idt
from tests import scenes
from tests.commands import ROOT, scripts

sys.path.insert(0, str(ROOT / "docs"))
import generated

sys.path.remove(str(ROOT / "docs"))

DOCS = ROOT / "docs"
PAGES = sorted([path for folder in (DOCS, DOCS / "howto") for path in folder.glob("*.md")] + [ROOT / "README.md"])
PARSERS = generated.parsers()
OTHERS = {"make", "pip", "python", "kubectl"}
"""Programs of others in our shell examples."""


def blocks(path, language):
    """Code blocks of a page, each with its line."""
    text = path.read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    return [(text.count("\n", 0, match.start()) + 1, match[1]) for match in found]


def commands(path):
    """Words of every command of a page's shell blocks, comments and pipes left out."""
    found = []
    for line, block in blocks(path, "sh"):
        for text in block.replace("\\\n", " ").splitlines():
            for part in re.split(r" (?:&&|\|) ", text):
                words = shlex.split(part, comments=True)
                if words:
                    found.append((line, words))
    return found


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_of_the_pages_parse(path, working_folder):
    for line, (name, *words) in commands(path):
        if name in OTHERS:
            continue
        assert name in PARSERS, f"{path.name}:{line}: no command {name}"
        try:
            PARSERS[name].parse_args(words)
        except SystemExit as left:
            if left.code:
                pytest.fail(f"{path.name}:{line}: {name} {' '.join(words)} is refused")


def test_every_command_is_on_a_page_of_its_own_and_in_a_guide():
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    for name, parser in PARSERS.items():
        page = generated.command_page(name, parser)
        for action in parser._actions:
            for option in action.option_strings:
                assert option in page
        assert re.search(rf"\b{name}\b", text), f"{name} is in no guide"
    assert PARSERS.keys() == scripts().keys()


def test_every_module_is_in_the_api():
    pages = [generated.package_page(name, modules) for name, modules in generated.modules_by_package().items()]
    for package in generated.PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            assert any(f"module:: {name}\n" in page for page in pages), name


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A folder with what the pages speak of, made once: a video, features, vectors, a report."""
    folder = tmp_path_factory.mktemp("documents")
    (folder / "features").mkdir()
    for name, velocity in (("disc", (-2, 0)), ("walk", (2, 1))):
        frames = scenes.moving_patch(20, velocity=velocity, background=(-1, 0))
        idt.save(idt.extract(frames, preset="fast"), folder / f"features/{name}.h5")
    shutil.copy(folder / "features/walk.h5", folder / "features.h5")
    writer = cv2.VideoWriter(str(folder / "video.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, frames.shape[:0:-1])
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    words = [str(folder / "features"), "-o", str(folder / "vectors.h5"), "--k", "4", "--quiet"]
    assert scripts()["fv-encode"](words) == 0
    (folder / "report").mkdir()
    mistake = '{"name": "run/1", "label": "run", "predicted": "walk", "fold": "one"}'
    report = f'{{"dataset": "folder", "accuracy": 0.5, "interval": null, "mistakes": [{mistake}]}}'
    (folder / "report/report.json").write_text(report)
    return folder


RUN = [path for path in PAGES if blocks(path, "python")]


@pytest.mark.slow
@pytest.mark.parametrize("path", RUN, ids=lambda path: path.name)
def test_python_of_the_pages_runs(path, prepared, tmp_path, monkeypatch, capsys):
    shutil.copytree(prepared, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    files = sorted(str(file) for file in Path("features").iterdir()) * 2
    frames = [picture.image for picture in idt.draw("video.avi", zoom=1)]
    namespace = {"files": files[:2], "labels": ["disc", "walk"], "frames": frames}
    for line, block in blocks(path, "python"):
        code = compile("\n" * line + block, str(path), "exec")
        exec(code, namespace)


def test_a_command_that_does_not_parse_is_found():
    with pytest.raises(SystemExit):
        PARSERS["idt-extract"].parse_args(["video.avi", "--no-such-option"])
