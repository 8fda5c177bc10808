"""`Track`, one row of `Features`, and the check of an index in ``features[…]``."""

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

from idt.checks import type_and_shape
from idt.errors import DataError, OutOfRange
from idt.features.columns import COLUMNS


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Track:
    """One track of `Features`, with the same attribute names and one axis less; None where a column is absent.

    Attributes
    ----------
    frame : int32
        Index of the frame at which the track ends.
    scale, length : float32
    mean, std : (2,) float32
    position : (3,) float32
    points : (L + 1, 2) float32
    trajectory : (2 L,) float32
    hog, hof, mbhx, mbhy : (96,), (108,), (96,), (96,) float32
    skip : uint8
    projected : dict of str to (D,) float32
    """

    frame: Any = None
    scale: Any = None
    mean: Any = None
    std: Any = None
    length: Any = None
    position: Any = None
    points: Any = None
    trajectory: Any = None
    hog: Any = None
    hof: Any = None
    mbhx: Any = None
    mbhy: Any = None
    skip: Any = None
    projected: dict[str, np.ndarray] | None = None

    def __repr__(self):
        lines = ["Track"]
        for name in COLUMNS:
            value = getattr(self, name)
            if value is not None:
                small = np.size(value) <= 3
                lines.append(f"  {name:<11}{value if small else f'{value.shape} {value.dtype}'}")
        lines += [f"  projected {name} {values.shape}" for name, values in (self.projected or {}).items()]
        return "\n".join(lines)


def checked_index(index, count):
    """Return an index into ``count`` tracks as numpy takes it, or refuse it.

    Parameters
    ----------
    index : int, slice, (n,) bool or (m,) int
        Negative numbers count from the end.
    count : int

    Returns
    -------
    int, slice or ndarray

    Raises
    ------
    OutOfRange
        If it reaches beyond the tracks; a `DataError` and an `IndexError`.
    DataError
        If it is none of these.
    """
    if isinstance(index, slice):
        return index
    if isinstance(index, int | np.integer) and not isinstance(index, bool):
        number = operator.index(index)
        if not -count <= number < count:
            raise OutOfRange(f"index {number} is out of range for {count} tracks")
        return number
    if isinstance(index, list) and not index:
        return np.zeros(0, np.intp)
    chosen = np.asarray(index) if isinstance(index, list | np.ndarray) or hasattr(index, "__array__") else None
    if chosen is None or chosen.ndim != 1 or chosen.dtype.kind not in "biu":
        remedy = "; a column is an attribute" if isinstance(index, str) else ""
        raise DataError(f"index must be a number, a slice, (n,) bool or (m,) int, got {type_and_shape(index)}{remedy}")
    if chosen.dtype.kind == "b":
        if len(chosen) != count:
            raise OutOfRange(f"index of {len(chosen)} truth values does not fit {count} tracks")
    elif len(chosen) and not (-count <= chosen.min() and chosen.max() < count):
        raise OutOfRange(f"index from {chosen.min()} to {chosen.max()} does not fit {count} tracks")
    return chosen
