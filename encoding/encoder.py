"""Fisher vectors of videos: one vector each, block by block, from their descriptors and a codebook.

Of each block: project (`encoding.pca`), sum up under the mixture (`encoding.fisher`), power, intra, norm
(`encoding.normalize`); then the blocks side by side. A video is read once, some rows at a time, and one without tracks
has the zero vector. `FisherEncoder` is the scikit-learn transformer, `encode_files` writes a vectors file.

Source: spec, encoding 4, 6, 7; Wang & Schmid 2013.
"""

from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from encoding import normalize
from encoding.codebook import Codebook
from encoding.fisher import Statistics, from_statistics, statistics, vector_size
from encoding.inputs import Inputs, columns_of, combined, digests, projected_rows_of, rows_of
from encoding.parallel import in_order
from encoding.params import EncodingParams
from encoding.store import WHOLE, VectorsWriter


class Encoded(NamedTuple):
    """The ``vector`` (d,) float32 of a video with ``tracks`` tracks; zero if there are none."""

    vector: np.ndarray
    tracks: int


class Summary(NamedTuple):
    """What `encode_files` wrote: ``videos`` vectors of ``columns`` numbers; the ``empty`` videos have no tracks."""

    videos: int
    columns: int
    empty: list


def encode_video(item, name, codebook, params, threads=1, projected=False):
    """Encode one video.

    Parameters
    ----------
    item, name
        As `encoding.inputs.rows_of`.
    codebook : Codebook
        That fits the descriptors (`Codebook.check_fits`).
    params : EncodingParams
        As from `Codebook.params_with`.
    threads : int
        The result does not depend on it.
    projected : bool
        The descriptors are stored along the codebook's axes.

    Returns
    -------
    Encoded

    Raises
    ------
    DataError
        If descriptors are not finite, or a file is damaged.
    """
    if projected:
        widths = {block.name: block.pca.n_components_ for block in codebook.blocks}
        pieces = projected_rows_of(item, name, widths)
    else:
        pieces = _projections(item, name, codebook)
    sums = [Statistics.empty(*block.gmm.means_.shape) for block in codebook.blocks]
    for piece in pieces:
        for i, block in enumerate(codebook.blocks):
            sums[i] += statistics(piece[i], block.gmm, best=params.best, threads=threads)
    vectors = [
        normalised(from_statistics(total, block.gmm, orders=params.orders), block.gmm.means_.shape, params)
        for total, block in zip(sums, codebook.blocks, strict=True)
    ]
    return Encoded(np.concatenate(vectors), sums[0].n)


def _projections(item, name, codebook):
    """Coordinates of one video along the axes of every block, some rows at a time."""
    columns = columns_of(codebook.sizes)
    for rows in rows_of(item, name, codebook.sizes):
        parts = [[columns[descriptor] for descriptor in block.sizes] for block in codebook.blocks]
        yield [
            block.pca.transform(rows[:, these[0].start : these[-1].stop])
            for block, these in zip(codebook.blocks, parts, strict=True)
        ]


def normalised(vector, shape, params):
    """The normalisation of one block: power, intra, norm.

    Parameters
    ----------
    vector : (m,) float32
        Of `encoding.fisher.from_statistics`.
    shape : (int, int)
        Components K and dimensions D of the mixture.
    params : EncodingParams

    Returns
    -------
    (m,) float32

    Notes
    -----
    Spec, encoding 7.
    """
    vector = normalize.signed_power(vector, exponent=params.power)
    if params.intra:
        vector = normalize.intra(vector, size=shape[1], start=shape[0] - 1 if params.zero_order else 0)
    if params.norm == "none":
        return vector
    return normalize.l2(vector) if params.norm == "l2" else normalize.l1(vector)


def layout_of(codebook, params):
    """Which columns of a vector belong to which block.

    Parameters
    ----------
    codebook : Codebook
    params : EncodingParams

    Returns
    -------
    list of dict
        As `encoding.store.check_layout` describes.
    """
    parts, first = [], 0
    for block in codebook.blocks:
        size = vector_size(*block.gmm.means_.shape, orders=params.orders)
        parts.append({"block": block.name, "cell": WHOLE, "first": first, "size": size})
        first += size
    return parts


def width_of(layout):
    """Numbers of a vector."""
    return layout[-1]["first"] + layout[-1]["size"]


def encode(inputs, codebook, params, *, jobs=1, threads=1):
    """Encode videos, one after the other.

    Parameters
    ----------
    inputs : Inputs
    codebook : Codebook
    params : EncodingParams
        As from `Codebook.params_with`.
    jobs : int
        Videos at once, in processes.
    threads : int
        Threads for each.

    Yields
    ------
    Encoded
        In the order of the inputs; independent of ``jobs`` and ``threads``.

    Raises
    ------
    DataError
        If the codebook does not fit the descriptors or the parameters, or as `encode_video`.
    """
    codebook.params_with(**params.fitting())
    codebook.check_fits(inputs)
    projected = inputs.projected is not None
    videos = zip(inputs.items, inputs.names, strict=True)
    tasks = ((item, name, codebook, params, threads, projected) for item, name in videos)
    yield from in_order(encode_video, tasks, jobs)


def encode_files(
    files, names, codebook, output, *, params=None, source=None, jobs=1, threads=1, overwrite=False, update=None
):
    """Encode feature files into a vectors file.

    Parameters
    ----------
    files : list of str or Path
    names : list of str or None
        Of the videos; None for `encoding.files.names_of`.
    codebook : Codebook
    output : str or Path
        It appears when it is complete; read it with `encoding.store.load_vectors`.
    params : EncodingParams, optional
        The standard normalisation by default.
    source : dict, optional
        What the file records of its making; by default a digest of the files and that of the codebook.
    jobs, threads
        As `encode`.
    overwrite : bool
        Replace a file that exists.
    update : callable, optional
        Called after each video.

    Returns
    -------
    Summary

    Raises
    ------
    DataError
        As `encode`, and if ``output`` exists and ``overwrite`` is false.
    OSError
        If a file cannot be read or the output not be written.
    """
    params = params or codebook.params_with()
    inputs = Inputs.of(files, names, descriptors=tuple(codebook.sizes))
    if source is None:
        source = {"digest": combined(digests(inputs.items, inputs.names)), "codebook": codebook.digest}
    layout, empty = layout_of(codebook, params), []
    found = encode(inputs, codebook, params, jobs=jobs, threads=threads)
    with VectorsWriter(
        output, layout=layout, codebook=codebook.digest, params=params, source=source, overwrite=overwrite
    ) as writer:
        for name, encoded in zip(inputs.names, found, strict=True):
            writer.append(name, encoded.vector, empty=not encoded.tracks)
            if not encoded.tracks:
                empty.append(name)
            if update is not None:
                update()
    return Summary(len(inputs), width_of(layout), empty)


class FisherEncoder(TransformerMixin, BaseEstimator):
    """Videos to Fisher vectors, as a scikit-learn transformer.

    A sample for scikit-learn is a video: a (n, d) array of descriptors, `Features`, or the path of a feature file. So
    ``X`` is a list of these, all of one kind.

    Parameters
    ----------
    k : int
        Components of the mixture of each block.
    blocks : str
        Descriptors to take, such as ``"hog,mbhx,mbhy"``; plain arrays are one block, whatever this says.
    joint, pca, whiten, sample, seed, zero_order, best, power, intra, norm
        As `encoding.params.EncodingParams`.
    jobs : int
        Videos at once, in processes; worth it for files.
    threads : int
        Threads of the mixtures. The result depends neither on this nor on ``jobs``.

    Attributes
    ----------
    codebook_ : Codebook
    layout_ : list of dict
        Which columns of a vector belong to which block.

    Notes
    -----
    Spec, encoding. The defaults are the standard recipe.
    """

    def __init__(
        self,
        k=EncodingParams.k,
        *,
        blocks=EncodingParams.blocks,
        joint=EncodingParams.joint,
        pca=EncodingParams.pca,
        whiten=EncodingParams.whiten,
        sample=EncodingParams.sample,
        seed=EncodingParams.seed,
        zero_order=EncodingParams.zero_order,
        best=EncodingParams.best,
        power=EncodingParams.power,
        intra=EncodingParams.intra,
        norm=EncodingParams.norm,
        jobs=1,
        threads=1,
    ):
        self.k = k
        self.blocks = blocks
        self.joint = joint
        self.pca = pca
        self.whiten = whiten
        self.sample = sample
        self.seed = seed
        self.zero_order = zero_order
        self.best = best
        self.power = power
        self.intra = intra
        self.norm = norm
        self.jobs = jobs
        self.threads = threads

    @classmethod
    def from_codebook(cls, codebook, *, jobs=1, threads=1, **options):
        """An encoder as if fitted, of a codebook fitted elsewhere.

        Parameters
        ----------
        codebook : Codebook
        jobs, threads : int
        **options
            Other parameters, such as ``power``.

        Returns
        -------
        FisherEncoder

        Raises
        ------
        DataError
            If an option is unknown or contradicts the codebook.
        """
        params = codebook.params_with(**options)
        encoder = cls(**vars(params), jobs=jobs, threads=threads)
        return encoder._learnt(codebook, params)

    def fit(self, X, y=None):
        """Fit a codebook.

        Parameters
        ----------
        X : list of (n, d) arrays, Features, or paths
            At least two videos.
        y : ignored

        Returns
        -------
        FisherEncoder
            Itself.

        Raises
        ------
        DataError
            As `Codebook.fit`.
        """
        params = self._params()
        return self._learnt(Codebook.fit(X, params=params, jobs=self.jobs, threads=self.threads), params)

    def transform(self, X):
        """Encode videos.

        Parameters
        ----------
        X : list of (n, d) arrays, Features, or paths
            Of the kind that it was fitted on.

        Returns
        -------
        (m, D) float32
            One row each; zero for a video without tracks.

        Raises
        ------
        DataError
            If the codebook does not fit the descriptors, or they are not finite.
        """
        check_is_fitted(self, "codebook_")
        params = self.codebook_.params_with(**vars(self._params()))
        inputs = Inputs.of(X, descriptors=tuple(self.codebook_.sizes))
        out = np.empty((len(inputs), width_of(layout_of(self.codebook_, params))), np.float32)
        found = encode(inputs, self.codebook_, params, jobs=self.jobs, threads=self.threads)
        for i, encoded in enumerate(found):
            out[i] = encoded.vector
        return out

    def _params(self):
        """The parameters, checked."""
        return EncodingParams(**{name: getattr(self, name) for name in EncodingParams.__dataclass_fields__})

    def _learnt(self, codebook, params):
        """Set the learned attributes."""
        self.codebook_ = codebook
        self.layout_ = layout_of(codebook, params)
        return self
