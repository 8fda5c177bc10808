"""A process that compiles kernels and calls none: it does without what only calls need."""

import functools
import gc
import importlib
import sys

from numba.core import sigutils
from numba.core.codegen import JITCPUCodegen
from numba.core.types import Function

from idt.jit.kernel import SIGNATURES

CALLED_BY_PYTHON = "_ZN7cpython"
"""How numba's names of the functions begin through which Python calls compiled code."""


def compile_declared(dispatcher):
    """Compile the kernel ``dispatcher`` for the types that it declares, and keep the code."""
    # As a call does: a tuple of types, under which the code is found again.
    types, _ = sigutils.normalize_signature(SIGNATURES[dispatcher])
    dispatcher.compile(types)


@functools.cache
def take_short_cuts():
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
