"""What numba is asked beyond its documentation: how kernels are compiled and kept, and vectors by hand.

kernel      the decorator of all kernels, their options and their cache
float8      eight float32 numbers as one value
intrinsics  np.empty, np.zeros, min and max for kernels
"""
