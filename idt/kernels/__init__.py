"""Numba loops, raw: arrays in, arrays out, nothing checked. Call the public functions of the step instead."""

from typing import Any

INNER: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options of a kernel that only kernels of its own file call: it becomes part of them, and is cached with them."""
