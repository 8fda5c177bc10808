"""What numba is asked beyond its documentation: how kernels are compiled and kept, and explicit vectors.

kernel          the decorator of all kernels, their options and their cache
float8          eight float32 numbers as one value
float8_memory   loads, stores and look-ups of such values
intrinsics      np.empty, np.zeros, min and max for kernels
"""
