"""Numba loops, raw: arrays in, arrays out, nothing checked. Call the public functions of the step instead."""

# Before numba is imported: it decides what numba takes its settings from.
from idt.jit import settings as settings
