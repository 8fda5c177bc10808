"""Codecs between a column of a feature file and its datasets."""

import math
from typing import NamedTuple

import numpy as np

from idt.errors import DataError
from idt.features.features import COLUMNS
from idt.params import layout

FIXED_POINT_LEVELS = 1024
"""Number of quantisation levels of a stored histogram between 0 and 1."""

GRID = 64
"""Number of quantisation levels of a compact point in one pixel."""

PLACES = {name: f"{'descriptors' if name in layout.DESCRIPTORS else 'tracks'}/{name}" for name in COLUMNS}
"""Path of the dataset of each column in a file."""


class Field(NamedTuple):
    """A dataset of a feature file: path, shape, dtype, chunk shape, fill value and scale.

    Attributes
    ----------
    place : str
    shape : tuple of int
        Of a row.
    dtype : str
    inner : tuple of int
        Shape of a row within one chunk.
    fill : number
    scale : float or None
        Its attribute ``scale_factor``.
    """

    place: str
    shape: tuple
    dtype: str
    inner: tuple
    fill: float = 0
    scale: float | None = None


class Plain:
    """Codec of a column stored unchanged.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Of a row.

    Attributes
    ----------
    fields : dict of str to Field
        The datasets of the column.
    """

    def __init__(self, name, shape):
        self.name = name
        # x and y of the points, and x, y and time of the position, have chunks of their own, because this compresses
        # better.
        inner = {"points": (*shape[:1], 1), "position": (1,)}.get(name, shape)
        fill = {"position": math.nan, "skip": 1}.get(name, 0)
        self.fields = {name: Field(PLACES[name], shape, COLUMNS[name][0], inner, fill)}

    def encode(self, values):
        """Return the array of each field for ``values``, a block of rows of the column."""
        return {self.name: values}

    def decode(self, stored):
        """Return the column from ``stored``, the array of each field."""
        return stored[self.name]


class Float16(Plain):
    """Codec of a column stored as float16."""

    def __init__(self, name, shape):
        super().__init__(name, shape)
        self.fields = {name: self.fields[name]._replace(dtype="float16")}

    def encode(self, values):
        """Round ``values`` to float16."""
        return {self.name: as_float16(values, self.name)}

    def decode(self, stored):
        """Return ``stored`` as float32."""
        return stored[self.name].astype(np.float32)


class FixedPoint(Plain):
    """Codec of a histogram stored as round(1024 · x)."""

    def __init__(self, name, shape):
        super().__init__(name, shape)
        self.fields = {name: self.fields[name]._replace(dtype="uint16", scale=1 / FIXED_POINT_LEVELS)}

    def encode(self, values):
        """Round ``values`` to integers; a value out of range is refused."""
        steps = np.rint(values * np.float32(FIXED_POINT_LEVELS))
        largest = np.iinfo(np.uint16).max
        if len(steps) and not (steps.min() >= 0 and steps.max() <= largest):
            raise DataError(
                f"{self.name} must lie in [0, {largest / FIXED_POINT_LEVELS:.2f}] to be stored in fixed point,"
                f" got {values.min()} to {values.max()}; store it with --float32"
            )
        return {self.name: steps.astype(np.uint16)}

    def decode(self, stored):
        """Return ``stored`` as float32."""
        return stored[self.name] * np.float32(1 / FIXED_POINT_LEVELS)


class Differences(Plain):
    """Codec of points stored as the first one and the differences between consecutive ones, in 1/64 pixel."""

    def __init__(self, name, shape):
        self.name = name
        grid = {"scale": 1 / GRID}
        self.fields = {
            "start": Field("tracks/points/start", (2,), "int32", (1,), **grid),
            "steps": Field("tracks/points/steps", (shape[0] - 1, 2), "int16", (shape[0] - 1, 1), **grid),
        }

    def encode(self, values):
        """Return the first points and the steps of ``values`` on the grid.

        The points are rounded before the differences are taken, because otherwise the rounding errors would add up.
        """
        grid = np.rint(values * np.float64(GRID))
        steps = np.diff(grid, axis=1)
        if len(values) and (abs(grid).max() > np.iinfo(np.int32).max or abs(steps).max() > np.iinfo(np.int16).max):
            raise DataError(
                f"points must move less than {2**15 // GRID} pixels a step to be stored as differences,"
                f" got {abs(steps).max() / GRID:.0f}; store them without --compact"
            )
        return {"start": grid[:, 0].astype(np.int32), "steps": steps.astype(np.int16)}

    def decode(self, stored):
        """Return ``stored`` as float32 pixels."""
        grid = np.concatenate([stored["start"][:, None], stored["steps"]], axis=1).cumsum(axis=1, dtype=np.int64)
        return (grid / GRID).astype(np.float32)


def as_float16(values, name):
    """Return ``values`` as float16; a value beyond its range is refused under the ``name`` of the column."""
    largest = float(np.finfo(np.float16).max)
    if len(values) and not abs(values).max() <= largest:
        raise DataError(f"{name} must lie within ±{largest:.0f} to be stored as float16, got {abs(values).max():.3g}")
    return values.astype(np.float16)


def codec_of(name, shape, stored):
    """Choose the codec of a column.

    Parameters
    ----------
    name : str
    shape : tuple of int
        Of a row.
    stored : dict or None
        As from `idt.features.column_storage.stored_params`.

    Returns
    -------
    Plain
    """
    if stored is None:
        return Plain(name, shape)
    if name in layout.HISTOGRAMS and not stored["float32"]:
        return FixedPoint(name, shape)
    if stored.get("compact") and name in ("points", "trajectory"):
        return (Differences if name == "points" else Float16)(name, shape)
    return Plain(name, shape)
