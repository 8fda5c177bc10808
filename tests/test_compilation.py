"""Kernels are compiled ahead for the types they are called with, and loaded without the compiler."""

import importlib
import subprocess
import sys

import pytest
from numba.core import sigutils

from idt import compilation, kernels, workers
from tests import golden

SMALL_KERNEL = "idt.kernels.sampling", "free_centres"

CALLED = """
import sys
import idt
from numba.core.dispatcher import Dispatcher
from numba.core.sigutils import normalize_signature
from idt import kernels
idt.extract(sys.argv[1], end=20)
print("scipy.linalg" in sys.modules)
declared = {kernel: [normalize_signature(types)[0]] for kernel, types in kernels.SIGNATURES.items()}
for name, module in list(sys.modules.items()):
    for value in vars(module).values() if name.startswith("idt.kernels.") else ():
        # Those without a wrapper are parts of others.
        if isinstance(value, Dispatcher) and "no_cpython_wrapper" not in value.targetoptions:
            if value.signatures != declared.get(value, []):
                print(value.__qualname__, value.signatures, declared.get(value))
"""


def test_extraction_calls_every_kernel_with_the_types_declared_and_needs_no_compiler_once_they_are_compiled():
    words = [sys.executable, "-c", CALLED, str(golden.video("wave"))]
    subprocess.run(words, check=True, capture_output=True)
    assert subprocess.run(words, check=True, capture_output=True, text=True).stdout == "False\n"


def test_missing_kernels_are_compiled_in_other_processes_and_found_there(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(compilation, "missing_kernels", lambda: [SMALL_KERNEL])
    assert compilation.compile_missing(processes=1) == 0
    assert not list(tmp_path.rglob("*.nbi"))
    assert compilation.compile_missing(processes=2) == 1
    (index,) = tmp_path.rglob("*.nbi")
    assert index.name.startswith("sampling.free_centres")
    found = "from idt import compilation; print(compilation.missing_kernels())"
    missing = subprocess.run([sys.executable, "-c", found], check=True, capture_output=True, text=True).stdout
    assert repr(SMALL_KERNEL) not in missing
    assert "surf_detect" in missing.partition(")")[0]


def test_what_could_not_be_compiled_ahead_is_left_to_the_first_call(monkeypatch):
    monkeypatch.setattr(compilation, "missing_kernels", lambda: [SMALL_KERNEL])
    monkeypatch.setattr(workers, "run", lambda *_, **__: iter([(0, workers.Lost("its process was killed"))]))
    assert compilation.compile_missing(processes=2) == 0


def test_nothing_is_missing_once_all_is_compiled(monkeypatch):
    compilation.compile_missing(processes=2)
    for module, name in compilation.missing_kernels():
        pytest.fail(f"{module}.{name} is missing")
    monkeypatch.setattr(workers, "run", lambda *_, **__: pytest.fail("nothing is left to compile"))
    assert compilation.compile_missing() == 0
    for dispatcher, signature in kernels.SIGNATURES.items():
        assert getattr(importlib.import_module(dispatcher.__module__), dispatcher.__name__) is dispatcher
        assert isinstance(sigutils.normalize_signature(signature)[0], tuple)
