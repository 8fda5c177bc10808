"""The current folder may be full of a stranger's files: no process of ours runs them or takes settings from them."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from idt.imports import environment
from idt.workers import processes, worker
from idt.workers.in_order import in_order, in_order_or_lost
from tests import kills, perils

ROOT = kills.ROOT

OWNED = "open({place!r}, 'w').close()"
"""What a stranger's module does when it is imported."""

NAMES = "json joblib pickle numpy cv2 encodings site sitecustomize usercustomize idt struct socket".split()
"""Modules of the current folder: Python's, others' and ours, and what Python looks for when it starts."""


@pytest.fixture
def trap(tmp_path, monkeypatch):
    """A folder, the current one, whose modules and settings leave a file when they are used: that file."""
    place = tmp_path / "OWNED"
    here = tmp_path / "here"
    here.mkdir()
    for name in NAMES:
        (here / f"{name}.py").write_text(OWNED.format(place=str(place)))
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield place
    processes.end_idle()


# Modules.


def test_processes_that_may_die_import_nothing_from_it(trap):
    sys.path.insert(0, "")
    assert list(processes.run(perils.double, [(2,)])) == [(0, 4)]
    assert not trap.exists()


def test_processes_that_are_kept_import_nothing_from_it(trap):
    assert list(in_order(perils.double, [(2,), (3,)], jobs=2)) == [4, 6]
    assert list(in_order_or_lost(perils.double, [(2,), (3,)], jobs=2)) == [4, 6]
    assert not trap.exists()


def test_the_process_of_a_thread_imports_nothing_from_it(trap):
    processes._own.__dict__.clear()
    assert processes.call(perils.double, 2) == 4
    processes._own.__dict__.clear()
    assert not trap.exists()


def test_relative_entries_of_the_search_path_are_not_handed_on(trap):
    for entry in (".", "", "../here", "sub"):
        sys.path.insert(0, entry)
    ((_, (_, _, _, found)),) = processes.run(perils.which, [()])
    assert all(map(os.path.isabs, found))
    assert str(trap.parent / "here") not in found
    assert not trap.exists()


@pytest.mark.parametrize("command", sorted(kills.MODULES))
def test_a_command_imports_nothing_from_it_where_pythonpath_has_an_empty_entry(trap, command):
    # As after PYTHONPATH=$PYTHONPATH:/opt/lib, where it was not set. Python itself starts before we do.
    for path in Path().glob("*.py"):
        if path.stem not in ("joblib", "cv2"):
            path.unlink()
    module, _, function = kills.MODULES[command].partition(":")
    script = trap.parent / "script"
    script.write_text(
        f"import sys\nfrom {module} import {function} as main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "import joblib\nprint(joblib.__file__)\n"
    )
    variables = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}"}
    done = subprocess.run([sys.executable, script, "--help"], env=variables, capture_output=True, text=True)
    assert "site-packages" in done.stdout.splitlines()[-1], done.stderr
    assert not trap.exists()


def test_whoever_names_the_current_folder_still_imports_from_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), "/opt"])
    for value, kept in ((f".{os.pathsep}", True), (f"{tmp_path}{os.pathsep}", True), ("", True), (":/opt", False)):
        monkeypatch.setattr(sys, "path", [str(tmp_path), "/opt"])
        monkeypatch.setenv("PYTHONPATH", value)
        environment.clean_search_path()
        assert (str(tmp_path) in sys.path) == kept, value


# Programs and libraries.


def test_opencv_leaves_no_library_path_that_means_the_current_folder(trap, monkeypatch):
    code = (
        "import os, idt.imports.opencv, idt.frames.video\n"
        "print(repr(os.environ.get('LD_LIBRARY_PATH')), idt.imports.opencv.cv2.__file__)"
    )
    variables = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = {worker.search_path()!r}\n{code}"],
        env=variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = ast.literal_eval(done.stdout.split(" ")[0])
    assert "" not in (found or "/").split(":")


def test_libraries_of_the_current_folder_are_not_loaded_by_our_processes(trap, monkeypatch):
    # A library that is none ends the process that would load it.
    Path("libc.so.6").write_text("no library")
    Path("libm.so.6").write_text("no library")
    for value in ("", ":", "/opt/lib:", ".:/opt/lib"):
        monkeypatch.setenv("LD_LIBRARY_PATH", value)
        assert list(processes.run(perils.double, [(2,)])) == [(0, 4)]


def test_programs_of_the_current_folder_are_not_run(trap, monkeypatch):
    Path("uname").write_text(f"#!/bin/sh\n: > {trap}\n")
    Path("uname").chmod(0o755)
    monkeypatch.setenv("PATH", f":{os.environ['PATH']}")
    monkeypatch.setenv("LD_LIBRARY_PATH", ":")
    environment.clean_environment()
    assert not os.environ["PATH"].startswith(":")
    assert "LD_LIBRARY_PATH" not in os.environ
    subprocess.run(["uname"], check=True, capture_output=True)
    assert not trap.exists()


def test_only_one_module_imports_opencv():
    found = {
        str(path.relative_to(ROOT))
        for path in sources()
        if re.search(r"^\s*(?:import cv2|from cv2 import)", path.read_text(), re.MULTILINE)
    }
    assert found == {"idt/imports/opencv.py"}


# Settings.


def test_numba_takes_no_settings_from_it_when_it_is_imported_or_compiles(trap):
    pytest.importorskip("yaml")
    Path(".numba_config.yaml").write_text(f"cache_dir: {trap.parent / 'stranger'}\nopt: 0\n")
    for first in ("idt.kernels.sampling", "idt.jit.kernel", "encoding.kernels.posteriors", "idt.batch.precompile"):
        code = (
            f"import sys; sys.path[:] = {worker.search_path()!r}\n"
            f"import {first}\nfrom numba import config\nfrom idt.kernels.sampling import free_centres\n"
            "before = config.CACHE_DIR, str(config.OPT)\nconfig.reload_config()\n"
            "assert before == (config.CACHE_DIR, str(config.OPT))\n"
            "import yaml\nprint(repr(config.CACHE_DIR), int(config.OPT), free_centres._cache.cache_path)"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-W", "error", "-c", code], capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith("'' 3 "), done.stdout
        assert "stranger" not in done.stdout


def test_a_relative_cache_folder_of_numba_keeps_nothing(trap):
    code = (
        f"import sys; sys.path[:] = {worker.search_path()!r}\n"
        "from idt.kernels.sampling import free_centres\nprint(type(free_centres._cache).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "NUMBA_CACHE_DIR": "cache"},
    )  # fmt: skip
    assert done.stdout == "NullCache\n"


def test_numba_is_first_imported_by_way_of_its_settings():
    allowed = ("idt/jit/", "idt/kernels/", "encoding/kernels/")
    found = [
        str(path.relative_to(ROOT))
        for path in sources()
        if re.search(r"^\s*(?:import|from) (?:numba|llvmlite)\b", path.read_text(), re.MULTILINE)
    ]
    assert [path for path in found if not path.startswith(allowed)] == []
    for room in ("idt/kernels", "encoding/kernels", "idt/jit"):
        assert "from idt.jit import settings" in (ROOT / room / "__init__.py").read_text()


def test_pictures_are_drawn_without_settings_of_the_current_folder(trap):
    pytest.importorskip("matplotlib")
    from classify.reports.plots import confusion_png

    counts, classes = np.eye(2, dtype=int), np.array(["a", "b"])
    before = confusion_png(counts, classes)
    for content in (b"figure.facecolor: red\naxes.grid: True\ntext.usetex: True\n", b"\xff\xfe\x00 no text"):
        Path("matplotlibrc").write_bytes(content)
        processes.end_idle()
        assert confusion_png(counts, classes) == before


def test_a_fifo_as_matplotlibrc_does_not_hang(trap):
    pytest.importorskip("matplotlib")
    from classify.reports.plots import costs_png

    os.mkfifo("matplotlibrc")
    processes.end_idle()
    assert costs_png(["a"], [1.0], [50.0], "accuracy")[:4] == b"\x89PNG"


# Every way to start a process.

STARTERS = r"""(?x) \b(?: Popen | subprocess\.\w+ | os\.(?:fork|forkpty|system|popen|exec\w+|spawn\w+|posix_spawn\w*)
    | pty\.\w+ | (?:from|import)[ ](?:joblib|loky|multiprocessing|concurrent|asyncio)\b[^\n]* | joblib\.\w+
    | multiprocessing\.\w+\( | Parallel\( | ProcessPool\w* | Process\( | create_subprocess\w* | runpy ) """
"""What starts processes, or comes from where there is something that does."""

KNOWN = {
    "idt/workers/worker.py": {"subprocess.Popen", "subprocess.TimeoutExpired", "subprocess.DEVNULL"},
    # These start none.
    "idt/workers/processes.py": {"from multiprocessing.connection import wait"},
    "idt/workers/read_ahead.py": {"from concurrent.futures import ThreadPoolExecutor"},
    "idt/workers/threads.py": {"from concurrent.futures import Future, ThreadPoolExecutor, wait"},
    "encoding/models/expectation.py": {"from concurrent.futures import ThreadPoolExecutor"},
    "encoding/models/kmeans.py": {"from concurrent.futures import ThreadPoolExecutor"},
    "classify/svm/kernel_machines.py": {"from concurrent.futures import ThreadPoolExecutor"},
    "classify/svm/pairwise.py": {"from concurrent.futures import ThreadPoolExecutor"},
    "idt/batch/extract_many.py": {"from joblib import cpu_count"},
    "idt/batch/precompile.py": {"from joblib import cpu_count"},
    "encoding/encoders/video_encoder.py": {"import joblib", "joblib.effective_n_jobs"},
}
"""The one way in which we start processes, and what only looks like it."""


def sources():
    """Files of ours that users run."""
    return [path for room in ("idt", "encoding", "classify") for path in sorted((ROOT / room).rglob("*.py"))]


def without_words(path):
    """The source of a file without docstrings and comments."""
    return ast.unparse(_no_docstrings(ast.parse(path.read_text())))


def _no_docstrings(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [
                part for part in node.body
                if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
            ] or [ast.Pass()]  # fmt: skip
    return tree


def test_every_way_in_which_we_start_a_process_is_known():
    found = {}
    for path in sources():
        ways = set(re.findall(STARTERS, without_words(path)))
        if ways:
            found[str(path.relative_to(ROOT))] = ways
    assert found == KNOWN


def test_that_one_way_is_isolated():
    words = worker.interpreter()
    assert words[:2] == [sys.executable, "-I"]
    assert 'interpreter(), "-c"' in (ROOT / "idt/workers/worker.py").read_text().replace("*", "")


def test_counting_the_cores_starts_no_process(monkeypatch):
    import joblib

    from idt.batch.extract_many import threads_for

    monkeypatch.setattr(subprocess, "Popen", lambda *words, **_: pytest.fail(f"started {words}"))
    assert threads_for(8, 2) >= 1
    assert joblib.effective_n_jobs(-1) >= 1


def test_python_that_our_instructions_start_in_a_folder_of_the_users_is_isolated():
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "examples/kubernetes.yaml"):
        for line in path.read_text().splitlines():
            assert not re.search(r"\bpython3? -[cm] ", line) or "-m benchmarks" in line or "-m pip" in line, (
                path,
                line,
            )


def test_dask_of_our_own_tests_imports_nothing_from_it():
    for path in (ROOT / "tests").rglob("*.py"):
        assert not re.search(r'"-m", "(?:dask|distributed)"', path.read_text()) or path.name == Path(__file__).name
