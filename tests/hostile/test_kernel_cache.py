"""Compiled code on the disk is that of the sources as they are, whole, or it is not used."""

import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest

from idt.jit.cache import STALE, SUFFIX, KernelFiles
from idt.kernels.sampling import free_centres
from tests.kills import ROOT

PART = """
from idt.jit.kernel import inner
STEP = 1
@inner()
def add(x):
    return x + 1
"""

WHOLE = """
from numba import float64
from idt.jit.kernel import kernel
from idt.kernels.part import STEP, add
@kernel((float64,))
def step(x):
    return add(x) + 10 * STEP + 100
"""


@pytest.fixture
def house(tmp_path):
    """A copy of the rooms that kernels need, with kernels of our own: ``house(words)`` evaluates words beside them."""
    (tmp_path / "idt/kernels").mkdir(parents=True)
    shutil.copytree(ROOT / "idt/jit", tmp_path / "idt/jit", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "idt/__init__.py").write_text("")
    shutil.copy(ROOT / "idt/kernels/__init__.py", tmp_path / "idt/kernels")
    (tmp_path / "idt/kernels/part.py").write_text(PART)
    (tmp_path / "idt/kernels/whole.py").write_text(WHOLE)

    def evaluate(words="cache.source_digest('idt.kernels.whole')", bytecode=False, **variables):
        code = f"from idt.kernels.whole import step\nfrom idt.jit import cache\nprint({words})"
        options = [] if bytecode else ["-B"]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path), **variables}
        for name in ("NUMBA_CACHE_DIR", "PYTHONDONTWRITEBYTECODE"):
            environment.pop(name, None)
        done = subprocess.run(
            [sys.executable, *options, "-c", code], env=environment, capture_output=True, text=True, check=True,
            cwd=tmp_path,
        )  # fmt: skip
        return done.stdout.strip()

    return evaluate


def edit(path, before, after):
    """Change a file so that neither its size nor its time tell."""
    status = path.stat()
    text = path.read_text()
    assert before in text
    assert len(before) == len(after)
    path.write_text(text.replace(before, after))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_an_edit_that_keeps_size_and_time_is_compiled_anew(house, tmp_path):
    assert house("step(0.0)") == "111.0"
    kernels = tmp_path / "idt/kernels"
    made = set((kernels / "__pycache__").glob(f"*{SUFFIX}"))
    assert len(made) == 1
    edit(kernels / "whole.py", "+ 100", "+ 200")
    assert house("step(0.0)") == "211.0"
    # What no source makes any more is removed.
    now = set((kernels / "__pycache__").glob(f"*{SUFFIX}"))
    assert len(now) == 1
    assert now != made
    # Damaged in any way, it is made again, and nothing that is in it is unpickled.
    (path,) = now
    data = path.read_bytes()
    place = tmp_path / "OWNED"
    stranger = pickle.dumps(Opens(str(place)))
    for damaged in (data[:-1], data[:32] + stranger):
        path.write_bytes(damaged)
        assert house("step(0.0)") == "211.0"
        assert path.read_bytes() != damaged
    assert not place.exists()


class Opens:
    """Makes a file when it is unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return open, (self.place, "w")


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("kernels/whole.py", "+ 100", "+ 200"),
        ("kernels/part.py", "x + 1", "x + 2"),
        ("kernels/part.py", "STEP = 1", "STEP = 2"),
        ("jit/kernel.py", '"nogil": True', '"nogil": None'),
        ("jit/cache.py", "3600.0", "3601.0"),
    ],
)
def test_the_code_depends_on_the_content_of_every_file_that_it_is_made_of(house, tmp_path, file, before, after):
    first = house()
    assert house(PYTHONHASHSEED="7") == first
    edit(tmp_path / "idt" / file, before, after)
    assert house() != first


def test_byte_code_that_is_older_than_its_source_does_not_pass_for_it(house, tmp_path):
    source = tmp_path / "idt/kernels/whole.py"
    house(bytecode=True)
    # Python takes the byte code for that of the source, which has the same size and time: old code runs.
    edit(source, "+ 100", "+ 200")
    stale = house(bytecode=True)
    # Byte code knows the time to the second.
    later = os.stat(source).st_mtime + 10
    os.utime(source, (later, later))
    assert house(bytecode=True) != stale


def test_settings_that_change_the_code_count(house):
    assert house(NUMBA_BOUNDSCHECK="1") != house()
    assert house(NUMBA_NUM_THREADS="1") == house()


# The files.

STEM = f"idt.kernels.sampling.free_centres.{sys.implementation.cache_tag}."


@pytest.fixture
def store(tmp_path):
    return KernelFiles(str(tmp_path), free_centres.py_func)


def test_a_byte_changed_anywhere_is_noticed(store, tmp_path):
    store.save("key", {"code": bytes(range(200))})
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    assert store.load("key") == {"code": bytes(range(200))}
    random = np.random.default_rng(0)
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged)
        assert store.load("key") is None
    for size in range(len(data)):
        path.write_bytes(data[:size])
        assert store.load("key") is None
    path.write_bytes(data + b"\0")
    assert store.load("key") is None
    store.save("key", 5)
    assert store.load("key") == 5


def test_what_cannot_be_read_or_replaced_counts_as_absent(store, tmp_path):
    store.save("key", 5)
    (path,) = tmp_path.iterdir()
    path.unlink()
    path.mkdir()
    assert store.load("key") is None
    with pytest.raises(OSError, match=path.name):
        store.save("key", 5)
    assert list(tmp_path.iterdir()) == [path]
    shutil.rmtree(tmp_path)
    assert store.load("key") is None
    assert store.is_empty()


def test_an_index_of_numba_is_neither_read_nor_removed(store, tmp_path):
    index = tmp_path / f"{STEM}nbi"
    index.write_bytes(b"garbage")
    assert store.is_empty()
    assert store.load("key") is None
    store.save("key", 5)
    assert store.load("key") == 5
    assert index.exists()


def test_code_of_other_functions_and_other_types_stays_and_that_of_old_sources_goes(store, tmp_path):
    old = "feedfeedfeedfeed.0123456789abcdef.kernel"
    other_python, other_function = STEM.replace("cpython", "pypy"), STEM.replace("centres", "centres_too")
    names = [stem + old for stem in (STEM, other_python, other_function)]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    store.save("one", 1)
    store.save("two", 2)
    assert (store.load("one"), store.load("two")) == (1, 2)
    assert [(tmp_path / name).exists() for name in names] == [False, True, True]


def test_what_a_killed_compiler_left_is_removed_when_it_is_old(store, tmp_path):
    old, young = (tmp_path / f"{STEM}{name}.part" for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    assert STALE < 24 * 3600
    store.save("key", 5)
    assert (old.exists(), young.exists()) == (False, True)
