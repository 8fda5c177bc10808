"""Compiling the kernels before they are called, in several processes: numba compiles one function at a time in each."""

import contextlib
import gc
import importlib
import os
import pkgutil

from numba.core import sigutils

from idt import kernels, workers
from idt.stages import stage

PROCESSES = 4
"""At most; the longest kernel takes a sixth of all the time."""


def compile_missing(processes=None):
    """Compile the kernels of extraction of which the cache has no code, if there are several and cores for them.

    What this fails to do, for whatever reason, the first call of a kernel does.

    Parameters
    ----------
    processes : int, optional
        At most so many; by default as many as there are cores, up to `PROCESSES`.

    Returns
    -------
    int
        Kernels compiled.
    """
    compiled = 0
    with stage("compilation"), contextlib.suppress(Exception):
        missing = missing_kernels()
        if len(missing) > 1 and processes is None:
            from joblib import cpu_count

            processes = min(cpu_count(), PROCESSES)
        processes = min(processes or 1, len(missing))
        if processes > 1:
            for _, end in workers.run(_compile, missing, jobs=processes):
                compiled += not isinstance(end, workers.Lost)
    return compiled


def missing_kernels():
    """Module and name of every kernel to compile, those first that take longest: in the order of the files' sizes."""
    sizes = {}
    for module in pkgutil.iter_modules(kernels.__path__, f"{kernels.__name__}."):
        sizes[module.name] = os.path.getsize(importlib.import_module(module.name).__file__ or os.devnull)
    missing = [
        (dispatcher.__module__, dispatcher.__name__)
        for dispatcher in kernels.SIGNATURES
        if dispatcher.__module__ in sizes and kernels.is_missing(dispatcher)
    ]
    return sorted(missing, key=lambda kernel: sizes[kernel[0]], reverse=True)


def _compile(module, name):
    # The process has little else to do, and no time to look for garbage among a compiler's many objects.
    gc.disable()
    # numba tries what it knows of array[index] in the order of imports: for text, for lists, … unless arrays are first.
    importlib.import_module("numba.core.typing.arraydecl")
    dispatcher = getattr(importlib.import_module(module), name)
    # As a call does: a tuple of types, under which the code is found again.
    types, _ = sigutils.normalize_signature(kernels.SIGNATURES[dispatcher])
    dispatcher.compile(types)
