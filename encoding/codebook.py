"""Codebooks: what is learnt from a sample of training descriptors, block by block, and its file.

Of each block a mean and a projection (`encoding.models.pca`) and what its encoding needs: a mixture
(`encoding.models.gmm`) for Fisher vectors, words (`encoding.models.kmeans`) for bags of words and VLAD, a second layer
for stacked Fisher vectors. Fitting reads every video once (`encoding.descriptors.reservoir`), also for several training
sets at a time, and depends neither on their order nor on the number of workers.

Format ``idt-codebook``, version 1 (docs/method/files.md, section 4): in ``blocks/NAME`` the datasets ``mean``
(d,), ``projection`` (D, d), ``variances_along`` (D,) float64 if there is a PCA; ``weights`` (K,), ``means`` and
``variances`` (K, D) of a mixture, or ``centres`` (K, D) and ``distortion`` (1,) of words; those of a second layer as
`encoding.coders.stacked` names them; all else float32. Root attributes besides those of all our files: ``encoding``,
its name; ``blocks``, the JSON list of their names with the sizes of their descriptors; ``features``, the JSON of the
parameters that the features were extracted with; ``sampling``, the JSON of what was sampled; ``digest``, the SHA-256 of
all that a vector depends on.
"""

import functools
import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from encoding.coders.coder import Block
from encoding.coders.registry import kind_of
from encoding.coders.stacked import first_layer, stack
from encoding.descriptors.reservoir import Reservoir, sample_video
from encoding.descriptors.sources import Inputs, columns_of, differences, label_of
from encoding.models.pca import PCA
from encoding.params import EncodingParams
from idt.bounds import JOBS, THREADS
from idt.errors import DataError
from idt.features.projection import CODEBOOK_FORMAT, CODEBOOK_VERSION, identity
from idt.files import hdf5, result_file
from idt.workers.in_order import in_order

JOINT = "joint"
"""The block of all descriptors side by side."""

ONE_VIDEO = (
    "a codebook cannot be fitted on one video: the Fisher vector of what a mixture was fitted on is near zero; "
    "give more videos, or a codebook that is fitted already with --codebook"
)


@dataclass(frozen=True)
class Codebook:
    """A fitted codebook.

    Attributes
    ----------
    blocks : tuple of Block
    params : dict
        The parameters that it depends on, `BlockParams.fitting`.
    features : dict or None
        Parameters that the features were extracted with, but for the segment; None for rows that others wrote and for
        arrays.
    sampling : dict
        ``"videos"`` that had tracks, ``"seen"`` descriptors of theirs and ``"sampled"`` ones.
    encoding : str
        ``"fisher"``, ``"bovw"``, ``"vlad"`` or ``"stacked"``.
    """

    blocks: tuple[Block, ...]
    params: dict[str, Any]
    features: dict[str, Any] | None
    sampling: dict[str, int]
    encoding: str = EncodingParams.encoding

    @classmethod
    def fit(cls, items, names=None, params=None, *, labels=None, jobs=1, threads=1, update=None):
        """Fit a codebook to training videos.

        Parameters
        ----------
        items : list of str, Path, Features or (n, d) arrays
            At least two videos.
        names : list of str, optional
            Their names, as for `encoding.descriptors.sources.Inputs.of`: the sample depends on them.
        params : BlockParams, optional
            Of any encoding; the standard Fisher vectors by default.
        labels : dict of str to str, optional
            Class of each video, for stacked Fisher vectors; see `encoding.coders.stacked.stack`.
        jobs : int
            Files read at once, in processes.
        threads : int
            Threads of the mixtures.
        update : callable, optional
            Called after each video is read and each block is fitted; `steps_of` says how often.

        Returns
        -------
        Codebook
            Independent of the order of the videos, of ``jobs`` and of ``threads``.

        Raises
        ------
        DataError
            If there are fewer descriptors than components, only one video has tracks, videos do not fit together, or
            vectors would be too large.

        Notes
        -----
        docs/method/encoding.md, sections 3 to 5.
        """
        inputs = Inputs.of(items, names, descriptors=(params or EncodingParams()).descriptors)
        return next(
            cls.fit_each(inputs, [inputs.names], params, labels=labels, jobs=jobs, threads=threads, update=update)
        )

    @classmethod
    def fit_each(cls, inputs, sets, params=None, *, labels=None, jobs=1, threads=1, update=None):
        """Fit a codebook to each of several training sets, such as those of the folds, reading the videos once.

        Parameters
        ----------
        inputs : Inputs
            With the descriptors that ``params`` name.
        sets : list of collection of str
            Names of the training videos of each.
        params, labels, jobs, threads, update
            As `fit`.

        Yields
        ------
        Codebook
            Each equal to that of `fit` on its videos alone.

        Raises
        ------
        DataError
            As `fit`, and if a set names a video that is not there.
        """
        params = params or EncodingParams()
        JOBS.check("jobs", jobs)
        THREADS.check("threads", threads)
        sizes = list(inputs.sizes.values())
        params.check_size([sum(sizes)] if params.joint else sizes)
        update = update or (lambda: None)
        if inputs.projected is not None:
            raise DataError(
                f"{label_of(inputs.items[0], inputs.names[0])} is stored along the axes of a codebook, so no other can"
                " be fitted on it; encode it with that one (--codebook), or extract it without --project"
            )
        for names in sets:
            missing = sorted(set(names) - set(inputs.names))
            if missing:
                raise DataError(f"videos to fit on are missing: {', '.join(missing)}")
            if len(set(names)) == 1:
                raise DataError(ONE_VIDEO)
        reservoir = Reservoir(params.sample, sets)
        wanted = set().union(*sets)
        videos = [(item, name) for item, name in zip(inputs.items, inputs.names, strict=True) if name in wanted]
        work = functools.partial(sample_video, size=params.sample, seed=params.seed, steps=params.steps)
        tasks = ((item, name, inputs.sizes, reservoir.limit(name)) for item, name in videos)
        for (_, name), sampled in zip(videos, in_order(work, tasks, jobs), strict=True):
            reservoir.put(name, sampled)
            update()
        for i in range(len(sets)):
            found = cls._fitted(reservoir.sample(i), inputs, params, threads, update)
            if params.encoding == "stacked":
                workers = {"jobs": jobs, "threads": threads, "update": update}
                blocks = stack(found.blocks, inputs, sorted(set(sets[i])), params, labels, **workers)
                found = replace(found, blocks=tuple(blocks))
            yield found

    @classmethod
    def _fitted(cls, sample, inputs, params, threads, update):
        """The codebook of one sample."""
        if sample.n_videos == 1:
            raise DataError(f"{ONE_VIDEO}; only one of the videos given has tracks")
        first = kind_of(params.encoding).first
        # The first layer of stacked vectors has a number of components of its own.
        first_params = first_layer(params) if params.encoding == "stacked" else params
        if len(sample) < max(2, first_params.k):
            raise DataError(
                f"k={first_params.k} components need at least as many descriptors, the sample holds {len(sample)} of "
                f"{sample.n_videos} videos; use a smaller k or more videos"
            )
        columns = columns_of(inputs.sizes)
        parts = [(name, {name: size}, columns[name]) for name, size in inputs.sizes.items()]
        if params.joint and len(parts) > 1:
            parts = [(JOINT, inputs.sizes, slice(0, sum(inputs.sizes.values())))]
        blocks = []
        for name, sizes, part in parts:
            rows = sample.columns(part)
            pca = None if params.pca is None else PCA(params.pca, whiten=params.whiten).fit(rows)
            rows = rows if pca is None else pca.transform(rows)
            blocks.append(Block(name, sizes, pca, first.fit(rows, first_params, threads=threads)))
            update()
        sampling = {"videos": sample.n_videos, "seen": sample.n_seen, "sampled": len(sample)}
        return cls(tuple(blocks), params.fitting(), inputs.params, sampling, params.encoding)

    @functools.cached_property
    def digest(self):
        """SHA-256 of all that a vector depends on, 64 hexadecimal digits."""
        found = hashlib.sha256(self._described().encode())
        for block in self.blocks:
            for name, values in block.arrays().items():
                found.update(f"{block.name}/{name} {values.shape}".encode())
                found.update(values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes())
        return found.hexdigest()

    @property
    def projection(self):
        """What features stored along its axes are called, as `idt.features.projection.identity`; None without a PCA."""
        arrays = {
            block.name: (block.pca.mean_, block.pca.components_, block.pca.explained_variance_)
            for block in self.blocks
            if block.pca is not None
        }
        return identity(self.digest, arrays) if arrays else None

    @property
    def widths(self):
        """Numbers of coordinates along the axes of each block that has a PCA: dict of str to int."""
        return {block.name: block.pca.n_components_ for block in self.blocks if block.pca is not None}

    @property
    def sizes(self):
        """Columns of each descriptor that is needed, in the order of a row: dict of str to int."""
        return {name: size for block in self.blocks for name, size in block.sizes.items()}

    def params_with(self, **options):
        """Parameters of vectors made with this codebook.

        Parameters
        ----------
        **options
            Parameters of the encoding that are given. One that the codebook was fitted with otherwise is refused.

        Returns
        -------
        BlockParams

        Raises
        ------
        DataError
            If an option is unknown or contradicts the codebook.
        """
        params = kind_of(self.encoding).params.from_options(**{**self.params, **options})
        for name, value in params.fitting().items():
            if value != self.params[name]:
                raise DataError(f"the codebook was fitted with {name}={self.params[name]}, this run asks for {value}")
        return params

    def check_fits(self, inputs):
        """Refuse descriptors that are not of the kind that the codebook was fitted on.

        Parameters
        ----------
        inputs : Inputs

        Raises
        ------
        DataError
            If the features were extracted with other parameters, or have other sizes.
        """
        first = label_of(inputs.items[0], inputs.names[0])
        if inputs.projected is not None:
            # The axes say which features they are of: nothing else need be compared.
            if inputs.projected != self.projection:
                raise DataError(
                    f"{first} is stored along the axes of the codebook with digest {inputs.projected!s:.12}…, so it can"
                    f" only be encoded with that one, got one with digest {self.digest:.12}…"
                )
            return
        if inputs.sizes.keys() == self.sizes.keys() and inputs.params != self.features:
            fitted, found = differences(self.features, inputs.params)
            raise DataError(
                f"the codebook was fitted on features with {fitted}, {first} has {found}; "
                "extract them alike, or fit another codebook"
            )
        if inputs.sizes != self.sizes:
            fitted, found = (", ".join(f"{name} of {n}" for name, n in it.items()) for it in (self.sizes, inputs.sizes))
            raise DataError(f"the codebook was fitted on {fitted} columns, {first} has {found}; fit another codebook")

    def save(self, path, *, source=None, overwrite=False):
        """Write a codebook file; equal codebooks of equal sources give equal bytes.

        Parameters
        ----------
        path : str or Path
        source : dict, optional
            What it was fitted on, with its ``"digest"``.
        overwrite : bool
            Replace a file that exists.

        Raises
        ------
        DataError
            If ``path`` exists and ``overwrite`` is false.
        OSError
            If the disk is full or ``path`` cannot be written.
        """
        with result_file.create(
            path,
            format=CODEBOOK_FORMAT,
            version=CODEBOOK_VERSION,
            params=self.params,
            source=source,
            overwrite=overwrite,
        ) as file:
            file.attrs["encoding"] = self.encoding
            file.attrs["blocks"] = json.dumps([{"name": block.name, "sizes": block.sizes} for block in self.blocks])
            file.attrs["features"] = json.dumps(self.features, sort_keys=True)
            file.attrs["sampling"] = json.dumps(self.sampling, sort_keys=True)
            file.attrs["digest"] = self.digest
            for block in self.blocks:
                for name, values in block.arrays().items():
                    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
                    file.create_dataset(f"blocks/{block.name}/{name}", data=values)

    @classmethod
    def load(cls, path):
        """Read a codebook file.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        Codebook

        Raises
        ------
        DataError
            If it is of another format or version, damaged, or its numbers are not those that its digest is of.
        OSError
            If it does not exist or cannot be read.
        """
        with hdf5.open_checked(path, format=CODEBOOK_FORMAT, versions=CODEBOOK_VERSION) as file:
            try:
                encoding = hdf5.attribute(file, "encoding", str)
                kind = kind_of(encoding)
                params = kind.params.from_options(**(hdf5.json_attribute(file, "params") or {})).fitting()
                found = cls(
                    tuple(
                        _read_block(file, described, params, kind.coder)
                        for described in hdf5.json_attribute(file, "blocks", list)
                    ),
                    params,
                    hdf5.json_attribute(file, "features"),
                    hdf5.json_attribute(file, "sampling") or {},
                    encoding,
                )
            except (DataError, KeyError, TypeError, AttributeError) as problem:
                raise DataError(f"{path} is no codebook that can be used: {problem}; fit it anew") from None
            if not found.blocks or hdf5.attribute(file, "digest", str) != found.digest:
                raise DataError(f"{path} does not hold the numbers that its digest is of; fit it anew")
        return found

    def _described(self):
        """What a vector depends on besides arrays, as text."""
        parts = [{"name": block.name, "sizes": list(block.sizes.items())} for block in self.blocks]
        described = [CODEBOOK_FORMAT, CODEBOOK_VERSION, self.encoding, self.params, self.features, parts]
        return json.dumps(described, sort_keys=True)


def steps_of(inputs, sets, params):
    """How often `Codebook.fit_each` calls its ``update``.

    Parameters
    ----------
    inputs : Inputs
    sets : list of collection of str
    params : BlockParams

    Returns
    -------
    int
    """
    blocks = 1 if params.joint else len(inputs.sizes)
    videos = sum(len(set(names)) for names in sets) if params.encoding == "stacked" else 0
    return len(set().union(*sets)) + blocks * (len(sets) + videos)


def _read_block(file, described, params, coder):
    """A block from its group."""
    name, sizes = described["name"], {key: int(size) for key, size in described["sizes"].items()}
    width = sum(sizes.values())

    def read(part, *shape, dtype=np.float32):
        return hdf5.read(file, f"blocks/{name}/{part}", shape=shape, dtype=dtype)

    pca = None
    if params["pca"] is not None:
        components = read("projection", None, width)
        pca = PCA.from_parameters(
            read("mean", width),
            components,
            read("variances_along", len(components), dtype=np.float64),
            whiten=params["whiten"],
        )
        width = len(components)
    return Block(name, sizes, pca, coder.read(read, params, width))
