"""The wheel, installed far from this checkout: what it holds is enough."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from tests import golden
from tests.commands import ROOT, scripts

BUILT = ("idt", "encoding", "classify", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")
"""What of the checkout the wheel is built from."""

BUILDERS = "70.1"
"""The first setuptools that builds a wheel without another package."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout, built without the network in a copy of it."""
    have = tuple(map(int, metadata.version("setuptools").split(".")[:2])) if _has("setuptools") else (0,)
    if have < tuple(map(int, BUILDERS.split("."))):
        reason = f"setuptools {BUILDERS} or later builds the wheel; `make test` installs it"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in BUILT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, source)
    _run(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-w", out, source)
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def place(wheel, tmp_path_factory):
    """An environment with the wheel, and with the libraries that the tests run with."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    python = folder / "bin/python"
    modules = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # The folder of this environment's libraries, but not what the .pth files in it point to, such as this checkout.
    libraries = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    (modules / "libraries.pth").write_text("\n".join(sorted(libraries)))
    _run(python, "-m", "pip", "install", "--no-deps", "--no-index", "--ignore-installed", wheel, cwd=folder)
    # Compiled code is found by the content of the sources, which are the same.
    for room in ("idt", "encoding"):
        for kept in (ROOT / room / "kernels/__pycache__").glob("*.kernel"):
            (modules / room / "kernels/__pycache__").mkdir(exist_ok=True)
            shutil.copy(kept, modules / room / "kernels/__pycache__")
    return folder


def test_the_wheel_holds_every_module_and_table_and_nothing_else(wheel):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    ours = {path.relative_to(ROOT) for name in BUILT[:3] for path in (ROOT / name).rglob("*") if path.is_file()}
    assert held == {str(path) for path in ours if "__pycache__" not in path.parts}


@pytest.mark.parametrize("name", list(scripts()))
def test_every_command_of_the_wheel_has_help(name, place):
    assert _run(place / "bin" / name, "--help", cwd=place).splitlines()[-1].startswith(f"example: {name} ")


def test_the_wheel_extracts_a_video(place):
    where = _run(place / "bin/python", "-c", "import idt; print(idt.__file__)", cwd=place)
    assert Path(where.strip()).is_relative_to(place)
    said = _run(place / "bin/idt-extract", golden.video("disc"), "--end", 20, "-o", place / "disc.h5", cwd=place)
    assert "disc.h5: " in said
    count = "import idt; print(len(idt.load('disc.h5')))"
    assert int(_run(place / "bin/python", "-c", count, cwd=place)) > 0


def _run(*words, **options):
    """Run a program that must succeed, in an environment that names no folder of ours: its stdout."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        list(map(str, words)), env=environment, capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _has(name):
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
