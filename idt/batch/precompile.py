"""Compile the kernels before their first call, in several processes: numba compiles one at a time in each."""

import contextlib
import gc
import importlib
import os
import pkgutil

from idt import kernels
from idt.jit.kernel import SIGNATURES, is_missing
from idt.workers import processes
from idt.workers.profile import stage

PROCESSES = 4
"""Largest number of processes; more would hardly help, because all wait for the longest kernel."""


def compile_missing(jobs=None):
    """Compile the kernels of an extraction that are not in the cache, if there are several of them and several cores.

    A kernel that this function does not compile, for whatever reason, is compiled at its first call.

    Parameters
    ----------
    jobs : int, optional
        Processes, at most; by default as many as there are cores, up to `PROCESSES`.

    Returns
    -------
    int
        Number of kernels compiled.
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
    """Return module and name of every kernel that is not in the cache, those in the largest source files first."""
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
    # A compiler makes many objects that live on, so searching them for garbage takes time for nothing.
    gc.disable()
    dispatcher = getattr(importlib.import_module(module), name)
    dispatcher.compile(SIGNATURES[dispatcher])
