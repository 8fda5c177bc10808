"""Fitting codebooks to training videos: sample their descriptors, then fit the models of every block to the sample.

The rows of every video are read once (`encoding.descriptors.sample`), also for several training sets at a time. The
result depends neither on the order of the videos nor on the number of workers.

Source: docs/method/encoding.md, sections 3 to 5.
"""

from typing import NamedTuple

import numpy as np

from encoding.codebook import Codebook
from encoding.coders.coder import Block
from encoding.coders.registry import encoding_of
from encoding.coders.stacked import first_layer_params, fit_second_layer
from encoding.descriptors.inputs import Inputs, columns_of
from encoding.descriptors.sample import Sample, choose, read_chosen
from encoding.models.pca import PCA
from encoding.params import EncodingParams
from idt.errors import DataError
from idt.params.bounds import JOBS, THREADS
from idt.workers.in_order import in_order

JOINT = "joint"
"""Name of the block that holds all descriptors side by side."""

ONE_VIDEO = (
    "a codebook cannot be fitted on one video: the Fisher vector of a mixture's own descriptors is near zero; "
    "give more videos, or name a codebook that is fitted already (--codebook)"
)


def fit_codebook(videos, names=None, params=None, *, labels=None, jobs=1, threads=1, update=None):
    """Fit a codebook to training videos.

    Parameters
    ----------
    videos : list of str, Path, Features or (n, d) arrays
        At least two: paths of feature files, features, or plain descriptors.
    names : list of str, optional
        Their names, as for `encoding.descriptors.inputs.Inputs.of`: the sample depends on them.
    params : BlockParams, optional
        The parameters of any encoding, such as `BovwParams`; the standard Fisher vectors by default.
    labels : dict of str to str, optional
        Class of each video by its name, for stacked Fisher vectors; see `encoding.coders.stacked.fit_second_layer`.
    jobs : int
        Files read at once, in processes.
    threads : int
        Threads of the mixtures.
    update : callable, optional
        Called after each video is read and each block is fitted; `count_updates` says how often.

    Returns
    -------
    Codebook
        Independent of the order of the videos, of ``jobs`` and of ``threads``.

    Raises
    ------
    DataError
        If there are fewer descriptors than components, only one video has tracks, videos differ in kind or
        parameters, or vectors would be too large.
    OSError
        If a file cannot be read.

    Notes
    -----
    docs/method/encoding.md, sections 3 to 5.

    Examples
    --------
    >>> codebook = fit_codebook(["a.h5", "b.h5"], params=VladParams(k=64))  # doctest: +SKIP
    >>> codebook.save("vlad.codebook.h5")  # doctest: +SKIP
    """
    params = params or EncodingParams()
    inputs = Inputs.of(videos, names, descriptors=params.descriptors)
    return fit_inputs(inputs, inputs.names, params, labels=labels, jobs=jobs, threads=threads, update=update)


def fit_inputs(inputs, train, params, *, labels=None, jobs=1, threads=1, update=None):
    """Fit a codebook to some of the videos of ``inputs``.

    Parameters
    ----------
    inputs : Inputs
        With the descriptors that ``params`` name.
    train : collection of str
        Names of the videos to fit on.
    params : BlockParams
    labels, jobs, threads, update
        As `fit_codebook`.

    Returns
    -------
    Codebook

    Raises
    ------
    DataError
        As `fit_codebook`, and if a name belongs to no video.
    OSError
        If a file cannot be read.
    """
    (codebook,) = fit_codebooks(inputs, [train], params, labels=labels, jobs=jobs, threads=threads, update=update)
    return codebook


def fit_codebooks(inputs, sets, params, *, labels=None, jobs=1, threads=1, update=None):
    """Fit a codebook to each of several training sets, such as those of the folds, reading the videos once.

    Parameters
    ----------
    inputs : Inputs
        With the descriptors that ``params`` name.
    sets : list of collection of str
        Names of the training videos of each set.
    params : BlockParams
    labels, jobs, threads, update
        As `fit_codebook`.

    Yields
    ------
    Codebook
        Each equals the codebook that `fit_codebook` fits to the videos of its set alone.

    Raises
    ------
    DataError
        As `fit_inputs`.
    OSError
        If a file cannot be read.
    """
    workers = _checked_workers(jobs, threads, update)
    for train, sampled in zip(sets, _sample_sets(inputs, sets, params, workers), strict=True):
        yield _fit_set(sampled, inputs, train, params, labels, workers)


def count_updates(inputs, sets, params):
    """Count how often `fit_codebooks` calls its ``update``.

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


def _checked_workers(jobs, threads, update):
    """Check the numbers of workers; return them and the update function as keyword arguments."""
    workers = {"jobs": JOBS.check("jobs", jobs), "threads": THREADS.check("threads", threads)}
    return {**workers, "update": update or _no_update}


class _Sampled(NamedTuple):
    """A ``sample``, the number of ``videos`` that have descriptors, and the number of these descriptors, ``rows``."""

    sample: Sample
    videos: int
    rows: int


def _sample_sets(inputs, sets, params, workers):
    """Sample the descriptors of each training set, and read each video once."""
    sizes = list(inputs.sizes.values())
    params.check_size([sum(sizes)] if params.joint else sizes)
    _check_sets(inputs, sets)
    wanted = set().union(*sets)
    sources = [source for source in inputs.sources if source.name in wanted]
    counts = {source.name: source.count(params.skips) for source in sources}
    chosen = [choose({name: counts[name] for name in names}, params.sample, seed=params.seed) for names in sets]
    read_rows = [
        np.unique(np.concatenate([of_set[source.name].rows for of_set in chosen if source.name in of_set]))
        for source in sources
    ]
    tasks = ((source, rows, inputs.sizes, params.skips) for source, rows in zip(sources, read_rows, strict=True))
    read = {}
    for source, rows, values in zip(sources, read_rows, in_order(read_chosen, tasks, workers["jobs"]), strict=True):
        read[source.name] = rows, values
        workers["update"]()
    return [
        _Sampled(Sample(of_set, read), sum(counts[name] > 0 for name in of_set), sum(counts[name] for name in of_set))
        for of_set in chosen
    ]


def _check_sets(inputs, sets):
    """Refuse videos that no codebook can be fitted on."""
    if inputs.projection_digest is not None:
        raise DataError(
            f"{inputs.sources[0].label} is stored along the axes of a codebook, so no other can be fitted on it; encode"
            " it with that one (--codebook), or extract it without --project"
        )
    for names in sets:
        missing = sorted(set(names) - set(inputs.names))
        if missing:
            raise DataError(f"videos to fit on are missing: {', '.join(missing)}")
        if len(set(names)) == 1:
            raise DataError(ONE_VIDEO)


def _fit_set(sampled, inputs, train, params, labels, workers):
    """Fit the codebook of one sample."""
    blocks = _fit_blocks(sampled, inputs, params, workers)
    if params.encoding == "stacked":
        blocks = fit_second_layer(blocks, inputs, sorted(set(train)), params, labels, **workers)
    sampling = {"videos": sampled.videos, "seen": sampled.rows, "sampled": len(sampled.sample)}
    return Codebook(tuple(blocks), params.fitting(), inputs.params, sampling, params.encoding)


def _fit_blocks(sampled, inputs, params, workers):
    """Fit the blocks; of stacked vectors only the first layer."""
    sample = sampled.sample
    if sampled.videos == 1:
        raise DataError(f"{ONE_VIDEO}; only one of the videos given has tracks")
    sample_coder = encoding_of(params.encoding).sample_coder
    # The first layer of stacked vectors has a number of components of its own.
    coder_params = first_layer_params(params) if params.encoding == "stacked" else params
    if len(sample) < max(2, coder_params.fewest_descriptors):
        raise DataError(
            f"k={coder_params.k} components need at least as many descriptors, the sample holds {len(sample)} of "
            f"{sampled.videos} videos; use a smaller k or more videos"
        )
    columns = columns_of(inputs.sizes)
    parts = [(name, {name: size}, columns[name]) for name, size in inputs.sizes.items()]
    if params.joint and len(parts) > 1:
        parts = [(JOINT, inputs.sizes, slice(0, sum(inputs.sizes.values())))]
    blocks = []
    for name, sizes, part in parts:
        rows = sample.columns(part)
        pca = None if params.pca is None else PCA(column_share=params.pca, whiten=params.whiten).fit(rows)
        rows = rows if pca is None else pca.project(rows)
        blocks.append(Block(name, sizes, pca, sample_coder.fit(rows, coder_params, threads=workers["threads"])))
        workers["update"]()
    return blocks


def _no_update():
    """Do nothing, for a caller who gives no ``update``."""
