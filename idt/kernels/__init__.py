"""Numba loops, raw: arrays in, arrays out, nothing checked. Call the public functions of the step instead."""
