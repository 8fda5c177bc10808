"""Numba loops, raw: arrays in, arrays out, nothing checked. Call the public functions of `idt.steps` instead."""

# This must come before numba is imported, because it decides where numba reads its settings.
from idt.jit import settings as settings
