"""The forms of a feature file: which datasets it holds, and how each number lies in them.

=========  ===========================================================================================================
plain      every column of `columns.COLUMNS`; histograms in fixed point, round(1024 · x) as uint16
float32    the same with histograms as float32: exact
compact    points as the first one (int32) and the steps from each to the next (int16), all in 1/64 pixel, and the
           trajectory descriptor as float16; the rest as above
projected  the frame, scale, position and frame step of each track and, instead of its descriptors, their coordinates
           along the axes of a codebook (`projection`) as float16: all that encoding with that codebook needs
=========  ===========================================================================================================

What is lost: in fixed point 1/2048; of a point 1/128 pixel, which does not add up along the track; of a float16 one
part in 2048. The steps are taken one after the other, what is projected being what the other form would have held,
so that converting a file gives what extracting into that form gives.
"""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np

from idt import layout
from idt.errors import DataError
from idt.features.columns import COLUMNS
from idt.features.projection import Projected
from idt.params import ExtractionParams

FORMAT = "idt-features"
VERSION = 1
LATER = 2
"""The version of compact and projected files, which came later."""
VERSIONS = (VERSION, LATER)

FIXED_POINT = 1024
"""Steps of a stored histogram between 0 and 1."""

GRID = 64
"""Steps of a compact point between two pixels."""

KEPT = ("frame", "scale", "position", "skip")
"""The columns of a projected file: what encoding asks of a track besides its descriptors."""

PLACES = {name: f"{'descriptors' if name in layout.DESCRIPTORS else 'tracks'}/{name}" for name in COLUMNS}
"""Where each column lies in a file."""

STORAGE = ("float32", "compact", "projected")
"""Entries of stored parameters that say how the numbers are stored, not what they are."""


def stored_params(params, *, float32=False, compact=False, projection=None):
    """What a feature file records as ``params``: those of the extraction, and the form.

    Parameters
    ----------
    params : ExtractionParams, dict or None
        None for rows that others wrote.
    float32, compact, projection
        As for `Writer`.

    Returns
    -------
    dict or None
        With ``"float32"`` besides the parameters; histograms that are not normalised do not fit fixed point, so these
        are stored as float32 in any case. ``"compact"`` is there if it is true, ``"projected"``, which names the
        codebook, if there is one.

    Raises
    ------
    DataError
        If a dict holds an unknown parameter or a wrong value, the projection does not fit, or rows that others wrote,
        which are kept exactly, shall take another form.
    """
    if params is None:
        if compact or projection is not None:
            raise DataError("rows that others wrote are kept as they are, so they can be neither compact nor projected")
        return None
    if isinstance(params, dict):
        params = ExtractionParams.from_options(**extraction_params(params))
    stored = {**dataclasses.asdict(params), "float32": float32 or params.local_norm == "none"}
    if compact:
        stored["compact"] = True
    if projection is not None:
        projection.check_fits(stored)
        stored["projected"] = projection.identity
    return stored


def extraction_params(stored):
    """Return the ``stored`` parameters without those of the form; None stays None."""
    return stored and {name: value for name, value in stored.items() if name not in STORAGE}


class Field(NamedTuple):
    """A dataset of a feature file.

    Attributes
    ----------
    place : str
    shape : tuple of int
        Of a row.
    dtype : str
    inner : tuple of int
        Of a row in a chunk.
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


class AsItIs:
    """A column stored as it is."""

    def __init__(self, name, shape):
        self.name = name
        # x and y of the points, and the time of the position, lie in chunks of their own: they compress better apart.
        inner = {"points": (*shape[:1], 1), "position": (1,)}.get(name, shape)
        fill = {"position": math.nan, "skip": 1}.get(name, 0)
        self.fields = {name: Field(PLACES[name], shape, COLUMNS[name][0], inner, fill)}

    def encode(self, values):
        """Arrays of the fields for those of the column."""
        return {self.name: values}

    def decode(self, stored):
        """The column for the arrays of its fields."""
        return stored[self.name]


class Half(AsItIs):
    """A column as float16."""

    def __init__(self, name, shape):
        super().__init__(name, shape)
        self.fields = {name: self.fields[name]._replace(dtype="float16")}

    def encode(self, values):
        """Rounded to float16."""
        return {self.name: halved(values, self.name)}

    def decode(self, stored):
        """As float32."""
        return stored[self.name].astype(np.float32)


class FixedPoint(AsItIs):
    """A histogram as round(1024 · x)."""

    def __init__(self, name, shape):
        super().__init__(name, shape)
        self.fields = {name: self.fields[name]._replace(dtype="uint16", scale=1 / FIXED_POINT)}

    def encode(self, values):
        """In whole steps; what does not fit is refused."""
        steps = np.rint(values * np.float32(FIXED_POINT))
        largest = np.iinfo(np.uint16).max
        if len(steps) and not (steps.min() >= 0 and steps.max() <= largest):
            raise DataError(
                f"{self.name} must lie in [0, {largest / FIXED_POINT:.2f}] to be stored in fixed point,"
                f" got {values.min()} to {values.max()}; store it with --float32"
            )
        return {self.name: steps.astype(np.uint16)}

    def decode(self, stored):
        """As float32."""
        return stored[self.name] * np.float32(1 / FIXED_POINT)


class Steps(AsItIs):
    """Points as the first one and the steps from each to the next, in 1/64 pixel."""

    def __init__(self, name, shape):
        self.name = name
        grid = {"scale": 1 / GRID}
        self.fields = {
            "start": Field("tracks/start", (2,), "int32", (1,), **grid),
            "steps": Field("tracks/steps", (shape[0] - 1, 2), "int16", (shape[0] - 1, 1), **grid),
        }

    def encode(self, values):
        """Rounded to the grid first, so that the roundings of the steps do not add up."""
        grid = np.rint(values * np.float64(GRID))
        steps = np.diff(grid, axis=1)
        if len(values) and (abs(grid).max() > np.iinfo(np.int32).max or abs(steps).max() > np.iinfo(np.int16).max):
            raise DataError(
                f"points must move less than {2**15 // GRID} pixels a step to be stored as differences,"
                f" got {abs(steps).max() / GRID:.0f}; store them without --compact"
            )
        return {"start": grid[:, 0].astype(np.int32), "steps": steps.astype(np.int16)}

    def decode(self, stored):
        """As float32 pixels."""
        grid = np.concatenate([stored["start"][:, None], stored["steps"]], axis=1).cumsum(axis=1, dtype=np.int64)
        return (grid / GRID).astype(np.float32)


class Form:
    """How the columns of a feature file are stored.

    Parameters
    ----------
    stored : dict or None
        As from `stored_params`.
    shapes : dict of str to tuple
        Of a row of each column, as from `row_shapes`.
    projection : Projection, optional
        For writing a projected file.
    codebook, widths : str and dict of str to int, optional
        For reading one: the identity of the projection, and the coordinates of each block.

    Attributes
    ----------
    fields : dict of str to Field
    columns : list of str
        The columns that can be read back.
    """

    def __init__(self, stored, shapes, *, projection=None, codebook=None, widths=None):
        self._codecs = {name: _codec(name, shape, stored) for name, shape in shapes.items()}
        self._projection = projection
        self._codebook = codebook
        self.widths = widths if projection is None else projection.widths
        self.columns = [name for name in self._codecs if self.widths is None or name in KEPT]
        self.fields = {key: field for name in self.columns for key, field in self._codecs[name].fields.items()}
        for name, width in (self.widths or {}).items():
            self.fields[f"projected/{name}"] = Field(f"projected/{name}", (width,), "float16", (width,))

    def encode(self, columns):
        """Arrays of the fields.

        Parameters
        ----------
        columns : dict of str to ndarray
            Some rows of every column.

        Returns
        -------
        dict of str to ndarray
            By the names of the fields, in their dtypes.

        Raises
        ------
        DataError
            If numbers do not fit the form.
        """
        found = {}
        for name in self.columns:
            found.update(self._codecs[name].encode(columns[name]))
        if self._projection is not None:
            rounded = {name: self.rounded(name, columns[name]) for name in layout.DESCRIPTORS}
            for name, values in self._projection.apply(rounded).items():
                found[f"projected/{name}"] = halved(values, f"the projected {name}")
        return found

    def rounded(self, name, values):
        """A column as it would be read back."""
        codec = self._codecs[name]
        return codec.decode(codec.encode(values))

    def decode(self, name, read):
        """A column.

        Parameters
        ----------
        name : str
            Of `columns`, or ``"projected"``.
        read : callable
            Gives the rows of a field for its name.

        Returns
        -------
        ndarray or Projected
        """
        if name == "projected":
            blocks = {block: read(f"projected/{block}").astype(np.float32) for block in self.widths}
            return Projected(self._codebook, blocks)
        codec = self._codecs[name]
        return codec.decode({key: read(key) for key in codec.fields})


def row_shapes(params, points):
    """Shape of a row of every column in a file, but for the frame step.

    Parameters
    ----------
    params : dict or None
        None for rows that others wrote: the release's layout.
    points : tuple of int or None
        Shape of the points of such rows; None where they have none.

    Returns
    -------
    dict of str to tuple
    """
    if params is None:
        sizes = layout.block_sizes()
    else:
        sizes = layout.block_sizes(params["length"], params["cells"], params["time_cells"])
        points = (params["length"] + 1, 2)
    shapes: dict[str, Any] = {name: row for name, (_, row) in COLUMNS.items() if name not in ("skip", "points")}
    shapes.update({name: (size,) for name, size in sizes.items()})
    return shapes if points is None else {**shapes, "points": tuple(points)}


def halved(values, name):
    """Return ``values`` as float16; those beyond its range are refused under their ``name``."""
    largest = float(np.finfo(np.float16).max)
    if len(values) and not abs(values).max() <= largest:
        raise DataError(f"{name} must lie within ±{largest:.0f} to be stored as float16, got {abs(values).max():.3g}")
    return values.astype(np.float16)


def _codec(name, shape, stored):
    """How a column is stored."""
    if stored is None:
        return AsItIs(name, shape)
    if name in layout.HISTOGRAMS and not stored["float32"]:
        return FixedPoint(name, shape)
    if stored.get("compact") and name in ("points", "trajectory"):
        return (Steps if name == "points" else Half)(name, shape)
    return AsItIs(name, shape)
