"""Kernels are compiled ahead for the types they are called with, and loaded without the compiler."""

import subprocess
import sys

import pytest
from numba import njit

from idt.batch import precompile
from idt.jit import cache
from idt.jit import kernel as jit
from idt.kernels import flow
from idt.workers import processes
from tests import golden

# One alone, one that allocates, one with a part of its own.
SMALL_KERNELS = [
    ("idt.kernels.sampling", "free_centres"), ("idt.kernels.tracks", "advance"), ("idt.kernels.selection", "measure"),
]  # fmt: skip

CALLED = """
import sys
import idt
from numba.extending import is_jitted
from idt.jit import kernel as jit
idt.extract(sys.argv[1], end=20)
idt.extract(sys.argv[1], end=20, preset="fast")
print(sum(sum(kernel.stats.cache_misses.values()) for kernel in jit.SIGNATURES))
for name, module in list(sys.modules.items()):
    for label, value in vars(module).items() if name.startswith("idt.kernels.") else ():
        # Those with an underscore are parts of others.
        if is_jitted(value) and not label.startswith("_"):
            declared = [jit.SIGNATURES[value]] if value in jit.SIGNATURES else []
            if value.signatures != declared:
                print(label, value.signatures, declared)
"""


@pytest.mark.slow
def test_extraction_calls_every_kernel_with_the_types_declared_and_needs_no_compiler_once_they_are_compiled():
    words = [sys.executable, "-c", CALLED, str(golden.video("wave"))]
    subprocess.run(words, check=True, capture_output=True)
    assert subprocess.run(words, check=True, capture_output=True, text=True).stdout == "0\n"


def test_a_kernel_is_compiled_anew_when_any_file_that_it_is_made_of_changes():
    assert flow.estimate.__module__ == "idt.kernels.flow"
    files = cache.sources("idt.kernels.flow")
    assert {"idt.kernels.flow", "idt.kernels.median", "idt.jit.float8", "idt.jit.float8_memory"} <= files


@pytest.mark.slow
def test_missing_kernels_are_compiled_in_other_processes_and_found_there(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(precompile, "missing_kernels", lambda: SMALL_KERNELS)
    assert precompile.compile_missing(jobs=1) == 0
    assert not list(tmp_path.rglob("*.kernel"))
    assert precompile.compile_missing(jobs=2) == 3
    assert {path.name.partition(".cpython")[0] for path in tmp_path.rglob("*.kernel")} == {
        f"{module}.{name}" for module, name in SMALL_KERNELS
    }
    code = (
        "from idt.batch import precompile; from idt.jit.kernel import SIGNATURES\n"
        "missing = precompile.missing_kernels(); print(len(SIGNATURES) - len(missing), missing)"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found.startswith("3 [")
    assert not any(repr(kernel) in found for kernel in SMALL_KERNELS)


def test_what_could_not_be_compiled_ahead_is_left_to_the_first_call(monkeypatch):
    monkeypatch.setattr(precompile, "missing_kernels", lambda: SMALL_KERNELS)
    monkeypatch.setattr(processes, "run", lambda *_, **__: iter([(0, processes.Lost("its process was killed"))]))
    assert precompile.compile_missing(jobs=2) == 0
    # Of a kernel that does not exist the process tells; none is lost, and nothing is raised.
    monkeypatch.undo()
    monkeypatch.setattr(precompile, "missing_kernels", lambda: [("idt.kernels.sampling", "no_such_kernel")] * 2)
    assert precompile.compile_missing(jobs=2) == 0
    monkeypatch.setattr(precompile, "missing_kernels", lambda: 1 / 0)
    assert precompile.compile_missing() == 0


def test_without_a_folder_or_room_for_it_compiled_code_is_not_kept(monkeypatch):
    def refuse_to_write(*_):
        raise OSError("no space left")

    def refuse_to_cache(*, cache=False, **options):
        if cache:
            raise RuntimeError("no locator available")
        return njit(**options)

    def half(x):
        return x / 2

    monkeypatch.setattr(cache.KernelFiles, "save", refuse_to_write)
    assert jit.kernel()(half)(3.0) == 1.5
    monkeypatch.setattr(jit, "njit", refuse_to_cache)
    homeless = jit.kernel()(half)
    assert not jit.is_missing(homeless)
    assert homeless(3.0) == 1.5


def test_nothing_is_missing_once_all_is_compiled(monkeypatch):
    precompile.compile_missing(jobs=2)
    for module, name in precompile.missing_kernels():
        pytest.fail(f"{module}.{name} is missing")
    monkeypatch.setattr(processes, "run", lambda *_, **__: pytest.fail("nothing is left to compile"))
    assert precompile.compile_missing() == 0
