"""Stacked Fisher vectors: a Fisher vector of Fisher vectors of sub-volumes, beside the plain one.

The first layer of a block consists of the Fisher vectors of densely placed sub-volumes of the video, normalised as
plain ones are. A max-margin projection (`encoding.models.max_margin`) reduces each to some 200 numbers. It is learnt
with the labels of the training videos; without labels it is the principal components. A PCA follows. The second layer
is the Fisher vector of the reduced vectors under a mixture of its own.

A sub-volume ``3x3x30`` is a third of the width, a third of the height and 30 frames; neighbours overlap by half in all
three directions. A track belongs to the sub-volumes that contain its middle (relative position, middle frame).
Sub-volumes with fewer than ``least`` tracks are skipped. Time is divided from frame 0 on into *halves*,
stretches of half a sub-volume's length. A sub-volume is two neighbouring halves, and the first one begins with the half
that holds the first track. So a video shorter than a sub-volume has one sub-volume in time, with all its frames.
Statistics are summed up by half, and those of neighbouring halves are added.

Source: docs/method/encoding.md, section 11; Peng, Zou, Qiao & Peng, ECCV 2014.
"""

import numpy as np

from encoding.coders.fisher import FisherCoder
from encoding.coders.pooling import CellPool, SliceCellSums, sum_by_slice_and_cell
from encoding.descriptors.sample import Reservoir
from encoding.descriptors.track_columns import TrackColumns
from encoding.grids import volume_sizes
from encoding.models.estimator_input import LARGEST_NUMBER
from encoding.models.gmm import DiagonalGMM
from encoding.models.max_margin import MaxMarginProjection
from encoding.models.pca import PCA
from encoding.params import EncodingParams
from idt.checks import checked_range
from idt.errors import DataError
from idt.workers.blas import product
from idt.workers.in_order import in_order

SECOND_LAYER_CELL = "stacked"
"""The cell under which a layout lists the second layer."""

TRACK_COLUMNS = ("frame", "position", "skip")


class StackedCoder:
    """Coder of stacked Fisher vectors, which holds both layers of a block.

    Parameters
    ----------
    first : FisherCoder
    projection : (m, D) float32
        Max-margin projection of the first layer's vectors.
    pca : PCA
        PCA of the projected vectors.
    second : FisherCoder
    """

    def __init__(self, first, projection, pca, second):
        self.first, self.projection, self.pca, self.second = first, projection, pca, second

    @classmethod
    def read(cls, read, params, width):
        """Build a coder from the arrays of a file; ``read(name, *shape)`` returns one array."""
        first = FisherCoder.read(read, {"k": params["first_k"]}, width)
        projection = read("volume_projection", None, 2 * width * params["first_k"])
        components = read("volume_components", None, len(projection))
        checked_range(projection, -LARGEST_NUMBER, LARGEST_NUMBER, "the projection of the second layer")
        pca = PCA.from_file(
            read("volume_mean", len(projection)),
            components,
            read("volume_variances_along", len(components), dtype=np.float64),
            whiten=params["whiten"],
        )
        second = FisherCoder.read(lambda name, *shape: read(f"second_{name}", *shape), params, len(components))
        return cls(first, projection, pca, second)

    def arrays(self):
        """Return the fitted arrays under the names that they have in a file."""
        return {
            **self.first.arrays(),
            "volume_projection": self.projection,
            "volume_mean": self.pca.mean_,
            "volume_components": self.pca.components_,
            "volume_variances_along": self.pca.explained_variance_,
            **{f"second_{name}": values for name, values in self.second.arrays().items()},
        }

    def pool(self, params):
        """Return an empty pool."""
        return StackedPool(self, params)

    def cells(self, params):
        """Return the cells of the vector with their sizes: first the plain vector's, then the second layer's."""
        plain = self.first.cells(params) if params.plain else []
        return [*plain, (SECOND_LAYER_CELL, self.second.size(params))]

    def reduce(self, vectors):
        """Reduce first-layer vectors (n, D) float32 to descriptors of the second layer."""
        return self.pca.project(product(vectors, self.projection.T))


class StackedPool:
    """The descriptors of one video: summed up for the plain vector, kept for the sub-volumes until the end.

    Parameters
    ----------
    coder : StackedCoder
    params : StackedParams
    """

    def __init__(self, coder, params):
        self._coder, self._params = coder, params
        self._plain = CellPool(coder.first, params) if params.plain else None
        self._parts: list = []
        self._threads = 1

    def add(self, rows, tracks, threads=1):
        """Take in projected descriptors and their `TrackColumns`."""
        self._threads = threads
        if self._plain is not None:
            self._plain.add(rows, tracks, threads)
        if len(rows):
            self._parts.append((rows, tracks))

    def vector(self):
        """Return the normalised plain vector and the second layer's, one after the other."""
        coder, params = self._coder, self._params
        total = coder.second.empty_sums(params)
        for vectors in volume_vectors(coder.first, params, self._parts, threads=self._threads):
            total += coder.second.sum_codes(coder.reduce(vectors), params, self._threads)
        stacked = coder.second.vector(total, params)
        return stacked if self._plain is None else np.concatenate([self._plain.vector(), stacked])


def volume_vectors(first, params, parts, *, threads=1):
    """Compute the first-layer vectors of the sub-volumes of a video.

    Parameters
    ----------
    first : FisherCoder
    params : StackedParams
    parts : list of (rows, TrackColumns)
        Projected descriptors (n, D) float32; tracks with frames, positions and skips.
    threads : int
        The result does not depend on it.

    Yields
    ------
    (m, 2·K·D) float32
        Vectors of the sub-volumes of one size that begin at one time.
    """
    if not parts:
        return
    rows = np.concatenate([part for part, _ in parts])
    tracks = TrackColumns.joined([part for _, part in parts])
    layer = first_layer_params(params)
    for size in volume_sizes(params.volumes):
        half, grid = size.frames // 2, (2 * size.width, 2 * size.height)
        number = np.floor(tracks.middle_frames() / half).astype(np.int64)
        order = np.argsort(number, kind="stable")
        earliest, latest = int(number.min()), int(number.max())
        before: dict = {}
        for i in range(earliest, latest + 1):
            chosen = order[slice(*np.searchsorted(number[order], (i, i + 1)))]
            part = [(rows[chosen], tracks.take(chosen))]
            now = sum_by_slice_and_cell(first, layer, part, length=half, grid=grid, threads=threads).sums
            if i > earliest or earliest == latest:
                found = _vectors_at(first, layer, SliceCellSums(half, grid, {**before, **now}), params.least)
                if len(found):
                    yield found
            before = now


def first_layer_params(params):
    """Return the parameters of the first layer's Fisher vectors: k, sample and power from ``params``, else defaults."""
    return EncodingParams(k=params.first_k, sample=max(params.sample, params.first_k), power=params.power)


def fit_second_layer(blocks, inputs, names, params, labels=None, *, jobs=1, threads=1, update=None):
    """Fit the second layer of every block.

    Parameters
    ----------
    blocks : list of Block
        With the first layer's `FisherCoder`.
    inputs : Inputs
    names : list of str
        Names of the training videos, sorted.
    params : StackedParams
    labels : dict of str to str, optional
        Class of every training video; without them principal components replace the max-margin projection.
    jobs : int
        Videos at once, in processes.
    threads : int
        Threads of the mixtures.
    update : callable, optional
        Called after each video of each block.

    Returns
    -------
    list of Block

    Raises
    ------
    DataError
        If the training videos have too few sub-volumes, or one has no label.
    """
    missing = sorted(set(names) - set(labels)) if labels is not None else []
    if missing:
        raise DataError(f"every training video needs a label, {missing[0]} and {len(missing) - 1} more have none")
    sources = {source.name: source for source in inputs.sources}
    done = []
    for block in blocks:
        reservoir = Reservoir(params.volume_sample, seed=params.seed)
        tasks = ((sources[name], block, params) for name in names)
        for name, vectors in zip(names, in_order(_volumes_of, tasks, jobs), strict=True):
            reservoir.add(name, vectors)
            if update is not None:
                update()
        n = min(reservoir.n_seen, params.volume_sample)
        if n < max(2, params.k):
            raise DataError(
                f"k={params.k} components of the second layer need at least as many sub-volumes, {len(names)} videos "
                f"have {n} of {params.least} tracks or more; use a smaller k or least, or more videos"
            )
        vectors, origins = reservoir.result()
        classes = None if labels is None else [labels[name] for name in origins]
        projection = MaxMarginProjection(params.reduced, random_state=params.seed).fit(vectors, classes).components_
        reduced = product(vectors, projection.T)
        pca = PCA(column_share=params.pca, whiten=params.whiten).fit(reduced)
        gmm = DiagonalGMM(params.k, random_state=params.seed, threads=threads).fit(pca.project(reduced))
        done.append(block._replace(coder=StackedCoder(block.coder, projection, pca, FisherCoder(gmm))))
    return done


def _volumes_of(source, block, params):
    """Compute the first-layer vectors of the sub-volumes of one video, (m, 2·K·D) float32."""
    parts = source.batches(block.sizes, columns=TRACK_COLUMNS, skips=params.skips)
    projected = [(block.project(rows), tracks) for rows, tracks in parts if len(rows)]
    width = block.coder.size(first_layer_params(params))
    return np.concatenate([np.empty((0, width), np.float32), *volume_vectors(block.coder, params, projected)])


def _vectors_at(first, params, slices, least):
    """Compute the vectors of the sub-volumes that two neighbouring halves in time hold, (m, D) float32."""
    columns, rows = slices.grid
    vectors = []
    for x in range(columns - 1):
        for y in range(rows - 1):
            total = slices.total(first, params, columns=range(x, x + 2), rows=range(y, y + 2))
            if total.n >= least:
                vectors.append(first.vector(total, params))
    return np.array(vectors, np.float32)
