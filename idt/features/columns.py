"""The columns of tracks (docs/method/extraction.md, section 9): dtype, shape and range, and the relative time."""

import numpy as np

from idt.checks import type_and_shape
from idt.errors import DataError
from idt.params.layout import DESCRIPTORS, block_sizes

COLUMNS: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "frame": ("int32", ()),
    "scale": ("float32", ()),
    "mean": ("float32", (2,)),
    "std": ("float32", (2,)),
    "length": ("float32", ()),
    "position": ("float32", (3,)),
    "points": ("float32", (None, 2)),
    "skip": ("uint8", ()),
    **dict.fromkeys(DESCRIPTORS, ("float32", (None,))),
}
"""Dtype and shape of a row of each column; ``None`` is any size."""

LAST_POSITION = 0.999
"""Largest relative position, so that a cell of the spatio-temporal pyramid is always floor(cells · position).

Method: docs/method/extraction.md, section 9.1.
"""


def checked_column(name, value):
    """Return ``value`` as a contiguous array of the dtype of column ``name``; refuse another shape or range.

    Raises
    ------
    DataError
        If its shape or kind is another, or an integer does not fit the dtype.
    """
    dtype, row = COLUMNS[name]
    value = np.asarray(value)
    fits = value.ndim == 1 + len(row) and all(
        want in (None, have) for have, want in zip(value.shape[1:], row, strict=True)
    )
    if not fits or value.dtype.kind not in ("iu" if dtype != "float32" else "fiu"):
        wanted = ", ".join(["n", *("any" if size is None else str(size) for size in row)])
        raise DataError(f"{name} must be {dtype} of shape ({wanted}), got {type_and_shape(value)}")
    if dtype != "float32" and not np.array_equal(value, value.astype(dtype)):
        raise DataError(f"{name} must fit into {dtype}, got numbers from {value.min()} to {value.max()}")
    return np.ascontiguousarray(value, dtype)


def empty_columns(length=15, cells=2, time_cells=3):
    """Return arrays without rows for all columns except ``skip``, as ``length``, ``cells`` and ``time_cells`` ask."""
    rows = {"points": (length + 1, 2)}
    rows.update({name: (size,) for name, size in block_sizes(length, cells, time_cells).items()})
    return {
        name: np.empty((0, *rows.get(name, row)), dtype) for name, (dtype, row) in COLUMNS.items() if name != "skip"
    }


def time_position(frame, *, length, first, frames):
    """Compute the relative time of tracks: their middle on a scale from the first frame, 0, to the last, 1.

    Parameters
    ----------
    frame : (n,) int
        Frame at which each track ends.
    length : int or (n,) int
        Frames that a track spans: its steps ("L") times its frame step.
    first, frames : int
        First frame and number of frames.

    Returns
    -------
    (n,) float32
        (end frame − L/2 − first frame) / frames, clamped to [0, 0.999].

    Notes
    -----
    docs/method/extraction.md, section 9.1; L/2 is 7.5 for the default length, not rounded down.
    """
    middle = (np.asarray(frame, np.float64) - np.asarray(length) / 2 - first) / max(frames, 1)
    return np.clip(middle, 0, LAST_POSITION).astype(np.float32)
