"""Project descriptors onto the principal axes of a codebook: smaller files, for encoding with this codebook only.

A codebook file (``fv-encode``) holds for each block of descriptors a mean m, a projection P and the variances σ² along
the axes. A descriptor x becomes P (x − m); if the codebook whitens, each coordinate is then divided by its σ.
`Projection` reads only these three arrays; `Projected` holds the coordinates of tracks.

Left out: the inverse, because half of the axes are dropped and the descriptors cannot be restored.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from idt.errors import DataError
from idt.files import hdf5
from idt.params import layout

CODEBOOK_FORMAT = "idt-codebook"
CODEBOOK_VERSION = 2

ARRAY_PREFIXES = ("volume", "second")
"""Prefixes of arrays of a codebook that have a group of their own, because HDF5 keeps the links of a group in a heap if
there are more than 8."""


def array_path(block, array):
    """Return the path of the dataset that holds an array of a codebook.

    Parameters
    ----------
    block : str
    array : str
        Such as ``"mean"`` or ``"volume_mean"``.
    """
    prefix, _, rest = array.partition("_")
    return f"blocks/{block}/{prefix}/{rest}" if prefix in ARRAY_PREFIXES else f"blocks/{block}/{array}"


LARGEST_COMPONENT = 1.001
"""Largest magnitude of a component of an axis. An axis has length 1; the rest is a margin for rounding."""

LARGEST_MEAN = 1e17
"""Largest magnitude of a mean of descriptors, whose square float32 can hold."""


class Axes(NamedTuple):
    """A block of descriptors and its principal axes.

    Attributes
    ----------
    name : str
    sizes : dict of str to int
        Number of columns of each descriptor that the block concatenates; d in all.
    mean : (d,) float32
    matrix : (D, d) float64
        The projection P; if the codebook whitens, each row is divided by its σ.
    """

    name: str
    sizes: dict
    mean: np.ndarray
    matrix: np.ndarray


@dataclass(frozen=True, eq=False)
class Projected:
    """Coordinates of the descriptors of tracks along the axes of a codebook.

    Attributes
    ----------
    codebook : str
        Identity of the projection, as from `identity`.
    blocks : dict of str to (n, D) float32
    """

    codebook: str
    blocks: dict

    def __post_init__(self):
        counts = {len(values) for values in self.blocks.values()}
        if len(counts) != 1 or any(np.ndim(values) != 2 for values in self.blocks.values()):
            raise DataError(f"projected blocks must be (n, D), of one n, got {[*map(np.shape, self.blocks.values())]}")
        blocks = {name: np.ascontiguousarray(values, np.float32) for name, values in self.blocks.items()}
        object.__setattr__(self, "blocks", blocks)

    def __len__(self):
        return len(next(iter(self.blocks.values())))

    def take(self, index):
        """Return the coordinates of the tracks ``index``, as for an array."""
        return Projected(self.codebook, {name: values[index] for name, values in self.blocks.items()})

    @classmethod
    def concatenate(cls, parts):
        """Concatenate the coordinates of several chunks.

        Parameters
        ----------
        parts : sequence of Projected or None

        Returns
        -------
        Projected or None
            None if all parts are.

        Raises
        ------
        DataError
            If they are not of one codebook.
        """
        made = {None if part is None else (part.codebook, *part.blocks) for part in parts}
        if len(made) > 1:
            raise DataError("features that are joined must be projected by one codebook, or none of them be projected")
        if parts[0] is None:
            return None
        blocks = {name: np.concatenate([part.blocks[name] for part in parts]) for name in parts[0].blocks}
        return cls(parts[0].codebook, blocks)


@dataclass(frozen=True, eq=False)
class Projection:
    """The principal axes of a codebook.

    Attributes
    ----------
    path : str
        The codebook's file.
    identity : str
        As from the function `identity`.
    axes : tuple of Axes
    feature_params : dict
        Parameters by which the features were extracted that the codebook was fitted to.
    """

    path: str
    identity: str
    axes: tuple
    feature_params: dict

    @classmethod
    def load(cls, path):
        """Read the axes of a codebook file.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        Projection

        Raises
        ------
        DataError
            If it is no codebook, damaged, or was fitted without a PCA or on features whose parameters are not
            recorded.
        OSError
            If it does not exist or cannot be read.
        """
        with hdf5.open_checked(path, format=CODEBOOK_FORMAT, versions=CODEBOOK_VERSION) as file:
            features = hdf5.json_attribute(file, "features")
            if features is None:
                raise DataError(
                    f"{path} was fitted on rows without recorded parameters, so no extraction can have the same;"
                    " use a codebook of features from idt-extract"
                )
            params = hdf5.json_attribute(file, "params") or {}
            if params.get("pca") is None:
                raise DataError(f"{path} was fitted without a PCA, so it has no axes to store descriptors along")
            whiten = params.get("whiten") is True
            found = [_read_block(file, name, sizes, whiten) for name, sizes in _read_sizes(file)]
            digest = hdf5.attribute(file, "digest", str)
        arrays = {axes.name: stored for axes, stored in found}
        return cls(str(path), identity(digest, arrays), tuple(axes for axes, _ in found), features)

    @property
    def widths(self):
        """Return the number of coordinates of each block: dict of str to int."""
        return {axes.name: len(axes.matrix) for axes in self.axes}

    def check_fits(self, params):
        """Refuse features whose extraction parameters differ from those of the codebook.

        Parameters
        ----------
        params : dict
            Parameters of an extraction. Those that the codebook does not record may have any value.

        Raises
        ------
        DataError
            If a parameter differs.
        """
        differ = [name for name in self.feature_params if self.feature_params[name] != params.get(name)]
        if differ:
            fitted, asked = (", ".join(f"{k}={it.get(k)}" for k in differ) for it in (self.feature_params, params))
            raise DataError(f"{self.path} was fitted on features with {fitted}, this run asks for {asked}")

    def apply(self, columns):
        """Project descriptors.

        Parameters
        ----------
        columns : dict of str to (n, d) float32
            Each descriptor under its name.

        Returns
        -------
        dict of str to (n, D) float64
        """
        found = {}
        for axes in self.axes:
            rows = np.concatenate([columns[name] for name in axes.sizes], axis=1)
            # Computed in float64: once it is rounded to float16, the result does not depend on the order of additions.
            found[axes.name] = (rows - axes.mean).astype(np.float64) @ axes.matrix.T
        return found


def identity(digest, arrays):
    """Return a digest that identifies a projection.

    Parameters
    ----------
    digest : str
        Digest of the codebook, which covers more than the projection.
    arrays : dict of str to tuple of ndarray
        For each block its mean (d,), projection (D, d) and variances (D,) as stored.

    Returns
    -------
    str
        The codebook's digest, and 16 digits of a digest of the arrays, so that a damaged codebook is not taken for the
        intact one.
    """
    found = hashlib.sha256()
    for name, block in sorted(arrays.items()):
        for values in block:
            found.update(f"{name} {values.shape} ".encode())
            found.update(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())
    return f"{digest}/{found.hexdigest()[:16]}"


def _read_sizes(file):
    """Read name and sizes (`Axes.sizes`) of each block of a codebook: list of (str, dict)."""
    listed = hdf5.json_attribute(file, "blocks", list)
    try:
        blocks = [(block["name"], dict(block["sizes"])) for block in listed]
    except (ValueError, TypeError, KeyError):
        blocks = []
    known = blocks and all(
        isinstance(name, str)
        and sizes
        and all(part in layout.DESCRIPTORS and type(size) is int for part, size in sizes.items())
        for name, sizes in blocks
    )
    if not known:
        raise DataError(f"{file.filename} is no codebook of iDT features, got blocks {listed!r:.80}")
    return blocks


def _read_block(file, name, sizes, whiten):
    """Read the `Axes` of a block, and the arrays that they are computed from."""
    place = f"blocks/{name}"
    projection = hdf5.read(file, f"{place}/projection", shape=(None, None), dtype=np.float32)
    rows, columns = projection.shape
    mean = hdf5.read(file, f"{place}/mean", shape=(columns,), dtype=np.float32)
    variances = hdf5.read(file, f"{place}/variances_along", shape=(rows,), dtype=np.float64)
    stored: Any = (mean, projection, variances)
    if not (rows and columns and all(np.isfinite(values).all() for values in stored)):
        raise DataError(f"{file.filename}: the axes of {name} must be finite and not empty; fit the codebook anew")
    if abs(projection).max() > LARGEST_COMPONENT or (variances < 0).any() or abs(mean).max() > LARGEST_MEAN:
        raise DataError(f"{file.filename}: the axes of {name} must be directions with variances; fit the codebook anew")
    if sum(sizes.values()) != columns:
        raise DataError(f"{file.filename}: the axes of {name} must have the columns of {sizes}, got {columns}")
    matrix = projection.astype(np.float64)
    if whiten:
        matrix /= np.sqrt(np.where(variances > 0, variances, 1.0))[:, None]
    return Axes(name, sizes, mean, matrix), stored
