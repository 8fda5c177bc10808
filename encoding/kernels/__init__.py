"""Compiled loops of the encodings: raw, unchecked, numpy, numba and math only. Call the public functions instead."""
