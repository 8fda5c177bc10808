"""Where compiled kernels have no folder, a run has one for all of its processes."""

import collections
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from idt.workers import kernel_folder
from tests.kills import ROOT

COUNTING = """
import os
from numba.core import event

class Written(event.Listener):
    def on_start(self, event):
        pass

    def on_end(self, event):
        if not event.data["dispatcher"].__module__.startswith("idt.kernels"):
            return
        with open(os.environ["COMPILED"], "a") as file:
            print(os.getpid(), event.data["dispatcher"].__qualname__, file=file)

event.register("numba:compile", Written())
"""
"""Appended to a copy of `idt.jit`: a line in a file for every function of ours compiled."""

COMMAND = """
import os, sys
from idt.command import command

KERNELS = [("idt.kernels.sampling", "free_centres"), ("idt.kernels.tracks", "advance")]

@command
def main(arguments):
    # Not before: numba reads the variable when it is imported.
    from idt.batch import precompile
    from idt.workers import processes
    precompile.missing_kernels = lambda: KERNELS
    precompile.compile_missing(jobs=2)
    list(processes.run(precompile._compile, KERNELS * 2, jobs=2))
    precompile._compile(*KERNELS[0])
    print(os.environ["NUMBA_CACHE_DIR"])
    return 0

sys.exit(main())
"""
"""A command whose processes need the same kernels."""


@pytest.fixture
def homeless(monkeypatch, tmp_path):
    """Nowhere to keep compiled kernels, not even for root: each folder of numba's would lie in a file."""
    file = tmp_path / "file"
    file.touch()
    for name in (kernel_folder.VARIABLE, "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(file / name))
    monkeypatch.setattr(kernel_folder, "_KERNELS", str(file))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    kernel_folder._remove()


def test_a_run_without_a_folder_has_one_that_only_this_user_may_look_into_until_its_end(homeless):
    given = kernel_folder.environment()
    folder = Path(given["NUMBA_CACHE_DIR"])
    assert kernel_folder.environment() == given
    assert folder.stat().st_mode & 0o777 == 0o700
    (folder / "kernel").touch()
    kernel_folder._remove()
    assert not folder.exists()


def test_a_folder_that_can_be_written_to_is_enough(homeless, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "not/yet/there"))
    assert kernel_folder.environment() == {}
    # It would be another one wherever we are run.
    monkeypatch.setenv("NUMBA_CACHE_DIR", "kernels")
    assert kernel_folder.environment() != {}
    kernel_folder._remove()
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert kernel_folder.environment() == {}


def test_without_room_for_temporary_folders_every_process_compiles_for_itself(homeless, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    assert kernel_folder.environment() == {}


@pytest.mark.slow
def test_a_run_without_a_folder_compiles_each_kernel_once_in_all_its_processes(tmp_path):
    copy, places, log = tmp_path / "copy", tmp_path / "tmp", tmp_path / "compiled.txt"
    places.mkdir()
    shutil.copytree(ROOT / "idt", copy / "idt", ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "idt/kernels/__pycache__").touch()
    with open(copy / "idt/jit/__init__.py", "a") as file:
        file.write(COUNTING)
    environment = {**os.environ, "HOME": os.devnull, "PYTHONPATH": str(copy), "TMPDIR": str(places)}
    environment |= {"COMPILED": str(log), "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", COMMAND], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.startswith(str(places))
    compiled = collections.Counter(line.split()[1] for line in log.read_text().splitlines())
    assert {"free_centres", "advance"} <= compiled.keys()
    assert set(compiled.values()) == {1}
    assert list(places.iterdir()) == []
