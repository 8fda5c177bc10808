"""Compiling the kernels before they are called, in several processes: numba compiles one function at a time in each."""

import contextlib
import functools
import gc
import importlib
import os
import pkgutil
import sys

from numba.core import sigutils
from numba.core.codegen import JITCPUCodegen
from numba.core.types import Function

from idt import kernels
from idt.jit.kernel import SIGNATURES, is_missing
from idt.workers import processes
from idt.workers.profile import stage

PROCESSES = 4
"""At most; the longest kernel takes a sixth of all the time."""
CALLED_BY_PYTHON = "_ZN7cpython"
"""How numba's names of the functions begin through which Python calls compiled code."""


def compile_missing(jobs=None):
    """Compile the kernels of extraction of which the cache has no code, if there are several and cores for them.

    What this fails to do, for whatever reason, the first call of a kernel does.

    Parameters
    ----------
    jobs : int, optional
        Processes, at most; by default as many as there are cores, up to `PROCESSES`.

    Returns
    -------
    int
        Kernels compiled.
    """
    compiled = 0
    with stage("compilation"), contextlib.suppress(Exception):
        missing = missing_kernels()
        if len(missing) > 1 and jobs is None:
            from joblib import cpu_count

            jobs = min(cpu_count(), PROCESSES)
        jobs = min(jobs or 1, len(missing))
        if jobs > 1:
            for _, end in processes.run(_compile, missing, jobs=jobs):
                compiled += not isinstance(end, processes.Lost)
    return compiled


def missing_kernels():
    """Module and name of every kernel to compile, those first that take longest: in the order of the files' sizes."""
    sizes = {}
    for module in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."):
        sizes[module.name] = os.path.getsize(importlib.import_module(module.name).__file__ or os.devnull)
    missing = [
        (dispatcher.__module__, dispatcher.__name__)
        for dispatcher in SIGNATURES
        if dispatcher.__module__ in sizes and is_missing(dispatcher)
    ]
    return sorted(missing, key=lambda kernel: sizes[kernel[0]], reverse=True)


def _compile(module, name):
    _take_short_cuts()
    dispatcher = getattr(importlib.import_module(module), name)
    # As a call does: a tuple of types, under which the code is found again.
    types, _ = sigutils.normalize_signature(SIGNATURES[dispatcher])
    dispatcher.compile(types)


@functools.cache
def _take_short_cuts():
    """Let numba, in this process, do only what code needs that is kept and not called here: two thirds of the work."""
    # The process has little else to do, and no time to look for garbage among a compiler's many objects.
    gc.disable()
    # No kernel calls linear algebra, for which numba would import it.
    sys.modules.setdefault("scipy", None)  # type: ignore[arg-type]
    # numba tries what it knows of array[index] in the order of imports: for text, for lists, … unless arrays are first.
    importlib.import_module("numba.core.typing.arraydecl")
    # What an operator or a built-in function makes of some types is looked up once, not wherever it stands.
    look_up, known = Function.get_call_type, {}

    def look_up_once(function, context, args, kws):
        key = function, args, tuple(kws.items())
        if key not in known:
            known[key] = look_up(function, context, args, kws)
        return known[key]

    Function.get_call_type = look_up_once  # type: ignore[method-assign]
    # Functions that only compiled ones call become part of these; as what they are themselves nobody needs them.
    add_module, set_env = JITCPUCodegen._add_module, JITCPUCodegen.set_env

    def add_if_called(codegen, module):
        if any(function.name.startswith(CALLED_BY_PYTHON) for function in module.functions):
            add_module(codegen, module)

    def set_env_if_called(codegen, name, env):
        if codegen._engine.is_symbol_defined(name):
            set_env(codegen, name, env)

    JITCPUCodegen._add_module = add_if_called  # type: ignore[method-assign]
    JITCPUCodegen.set_env = set_env_if_called  # type: ignore[method-assign]
