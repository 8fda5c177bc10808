"""What numba is asked beyond its documentation: how kernels are compiled and kept, and explicit vectors.

settings        none from the current folder
kernel          the decorator of all kernels, and their options
cache           compiled code on the disk
short_cuts      a process that only compiles
float8          eight float32 numbers as one value
float8_memory   loads, stores and look-ups of such values
intrinsics      np.empty, np.zeros, min and max for kernels
"""

# Before anything of ours imports numba.
from idt.jit import settings as settings
