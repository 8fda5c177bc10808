"""Compiled loops of the encodings: raw, unchecked, numpy, numba and math only. Call the public functions instead."""

# Before numba is imported: it decides what numba takes its settings from.
from idt.jit import settings as settings
