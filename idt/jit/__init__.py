"""Compilation and cache of the kernels, and SIMD vectors: the only package that uses undocumented names of numba.

settings        numba reads no settings from the current folder
kernel          the decorator of all kernels, and their options
cache           compiled code on the disk
float8          eight float32 numbers as one value
float8_memory   loads, stores and look-ups of such values
"""

# This must come before numba is imported, because it decides where numba reads its settings.
from idt.jit import settings as settings
