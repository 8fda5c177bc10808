"""Compiled loops of the encodings: raw, unchecked, numpy, numba and math only. Call the public functions instead."""

# Import this before numba, because the module decides where numba takes its settings from.
from idt.jit import settings as settings
