"""The datasets of a feature file, and how each stores its numbers.

=========  ===========================================================================================================
plain      every column of `columns.COLUMNS`; histograms in fixed point, round(1024 · x) as uint16
float32    the same with histograms as float32: exact
compact    points as the first one (int32) and the steps from each to the next (int16), all in 1/64 pixel, and the
           trajectory descriptor as float16; the rest as above
projected  the frame, scale, position and frame step of each track and, instead of its descriptors, their coordinates
           along the axes of a codebook (`projection`) as float16: all that encoding with that codebook needs
snippets   the same four columns of snippets, with blocks of networks (`network_blocks`) as float32
=========  ===========================================================================================================

Rounding errors: fixed point, 1/2048; points, 1/128 pixel, which does not add up along the track; float16, one
part in 2048. Descriptors are rounded before they are projected, so that converting a plain file gives the same numbers
as extracting into a projected one.
"""

import dataclasses
from typing import Any

import numpy as np

from idt.errors import DataError
from idt.features.column_codecs import Field, as_float16, codec_of
from idt.features.columns import COLUMNS
from idt.features.network_blocks import checked_blocks, decoded_block, is_of_snippets, stored_width
from idt.features.projection import Projected
from idt.features.storage import PLAIN, VERSION
from idt.params import layout
from idt.params.extraction import ExtractionParams

PROJECTED_COLUMNS = ("frame", "scale", "position", "skip")
"""The columns of projected files and of files of snippets: those that encoding needs besides descriptors."""

STORAGE_ENTRIES = ("float32", "compact", "projected", "network")
"""Entries of stored parameters that say how the numbers are stored, not what they are."""


def stored_params(params, storage=PLAIN):
    """Return the parameters that a feature file records: those of the extraction, and how columns are stored.

    Parameters
    ----------
    params : ExtractionParams, dict or None
        None for rows that others wrote.
    storage : Storage

    Returns
    -------
    dict or None
        The parameters, and entries about storage. ``"float32"`` is always there. It is also true if histograms are not
        normalised, because such histograms do not fit fixed point. ``"compact"`` is there if it is true.
        ``"projected"``, which names the codebook, and ``"network"``, which describes blocks, are there if the file has
        them.

    Raises
    ------
    DataError
        If a dict holds an unknown parameter or a wrong value, the projection does not fit, or ``storage`` asks for
        another form than plain for rows that others wrote.
    """
    storage = storage.loaded()
    if params is None:
        if storage.version != VERSION:
            raise DataError("rows that others wrote are kept as they are, so they can be neither compact nor projected")
        return None
    if isinstance(params, dict):
        params = ExtractionParams.from_options(**extraction_params(params))
    stored = {**dataclasses.asdict(params), "float32": storage.float32 or params.local_norm == "none"}
    if storage.compact:
        stored["compact"] = True
    if storage.project is not None:
        storage.project.check_fits(stored)
        stored["projected"] = storage.project.identity
    if storage.network is not None:
        if storage.project is not None:
            raise DataError("blocks of networks are not projected; leave out --project or --maps")
        stored["network"] = checked_blocks(storage.network)
    return stored


def extraction_params(stored):
    """Return the ``stored`` parameters without the entries about storage; None stays None."""
    return stored and {name: value for name, value in stored.items() if name not in STORAGE_ENTRIES}


class ColumnStorage:
    """The datasets in which a feature file stores its columns.

    Parameters
    ----------
    stored : dict or None
        As from `stored_params`.
    shapes : dict of str to tuple
        Of a row of each column, as from `row_shapes`.
    projection : Projection, optional
        For writing a projected file.
    codebook, widths : str and dict of str to int, optional
        For reading a projected file: the identity of the projection, and the number of coordinates of each block.

    Attributes
    ----------
    fields : dict of str to Field
        The datasets of the file.
    columns : list of str
        The columns that can be read back.
    widths : dict of str to int or None
        Number of coordinates of each projected block; None if the file is not projected.
    network : dict or None
        Description of blocks of networks.
    """

    def __init__(self, stored, shapes, *, projection=None, codebook=None, widths=None):
        self._codecs = {name: codec_of(name, shape, stored) for name, shape in shapes.items()}
        self._projection = projection
        self._codebook = codebook
        self.widths = widths if projection is None else projection.widths
        self.network = (stored or {}).get("network")
        is_reduced = self.widths is not None or is_of_snippets(self.network)
        self.columns = [name for name in self._codecs if not is_reduced or name in PROJECTED_COLUMNS]
        self.fields = {key: field for name in self.columns for key, field in self._codecs[name].fields.items()}
        for name, width in (self.widths or {}).items():
            self.fields[f"projected/{name}"] = Field(f"projected/{name}", (width,), "float16", (width,))
        for name in self.blocks:
            width = stored_width(self.network, name)
            self.fields[f"network/{name}"] = Field(f"network/{name}", (width,), "float32", (width,))

    @property
    def blocks(self):
        """Return the names of the blocks pooled from networks: list of str."""
        return [] if self.network is None else list(self.network["blocks"])

    def decode_block(self, name, read, maxima):
        """Return the network block ``name``; ``read`` is as for `decode`, ``maxima`` has the divisors of each block."""
        return decoded_block(self.network, name, read(f"network/{name}"), maxima.get(name))

    def encode(self, columns):
        """Encode columns into the arrays of the fields.

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
                found[f"projected/{name}"] = as_float16(values, f"the projected {name}")
        for name in self.blocks:
            found[f"network/{name}"] = columns[f"network/{name}"]
        return found

    def rounded(self, name, values):
        """Return a column as it would be read back."""
        codec = self._codecs[name]
        return codec.decode(codec.encode(values))

    def decode(self, name, read):
        """Decode a column.

        Parameters
        ----------
        name : str
            Of `columns`, or ``"projected"``.
        read : callable
            ``read(field)`` returns the rows of the field of this name.

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
    """Return the shape of a row of every column in a file, without the frame step.

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
    if is_of_snippets((params or {}).get("network")):
        return {name: shape for name, shape in shapes.items() if name in PROJECTED_COLUMNS}
    return shapes if points is None else {**shapes, "points": tuple(points)}
