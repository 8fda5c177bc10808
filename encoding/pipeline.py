"""Feature files to a codebook and vectors; what is up to date is left alone, and nothing is begun that must be refused.

A codebook file is up to date if it was fitted on the same training files with the same parameters; a vectors file, if
it was made of the same files with the same parameters and the same codebook, or one that is fitted in the same way.
"""

import contextlib
from pathlib import Path
from typing import NamedTuple

from encoding.codebook import CODEBOOK_FORMAT, CODEBOOK_VERSION, Codebook
from encoding.descriptors.inputs import Inputs, combined, digests
from encoding.encode import Summary, encode_files, encode_video, layout_of, width_of
from encoding.fitting import fit_inputs, steps_of
from encoding.vectors_file import VECTORS_FORMAT, VECTORS_VERSION, VectorsWriter, open_vectors
from idt.command import error_line
from idt.errors import DataError
from idt.files import hdf5
from idt.workers.in_order import surviving
from idt.workers.processes import Lost
from idt.workers.profile import stage


class Made(NamedTuple):
    """What became of a file.

    Attributes
    ----------
    path : Path
    content : Codebook, Summary or None
        What it holds; of vectors that are up to date nothing is read.
    up_to_date : bool
        Nothing was done.
    """

    path: Path
    content: Codebook | Summary | None
    up_to_date: bool


class Failure(str):
    """Why a video has no vector, in one line."""


@contextlib.contextmanager
def no_progress(stage, total):
    """Show no progress of ``stage``: a context manager of a function to be called ``total`` times."""
    yield lambda: None


def codebook_path(output):
    """Name the codebook of the vectors file ``output``: ``vectors.codebook.h5`` beside ``vectors.h5``."""
    output = Path(output)
    return output.with_name(output.name.removesuffix(".h5") + ".codebook.h5")


def fit(
    files, names, output, params, *, train=None, labels=None, overwrite=False, progress=no_progress, jobs=1, threads=1
):
    """Fit a codebook into its file, unless that is up to date.

    Parameters
    ----------
    files : list of str or Path
    names : list of str
        Of the videos.
    output : str or Path
    params : BlockParams
        Of any encoding.
    train : list of str, optional
        Names of the videos to fit on; all by default.
    labels : dict of str to str, optional
        Classes of the videos to fit on, for stacked Fisher vectors.
    overwrite : bool
        Replace a file that was made otherwise.
    progress : callable
        Like `no_progress`.
    jobs : int
        Videos at once, in processes.
    threads : int
        Threads of the mixtures.

    Returns
    -------
    Made

    Raises
    ------
    DataError
        As `fit_codebook`, or if the output exists and is another.
    OSError
        If a file cannot be read or written.
    """
    inputs = Inputs.of(files, names, descriptors=params.descriptors)
    train = _training(inputs, train)
    source = _fitting_source(_digests(inputs, progress), train, labels)
    if _is_current(output, _codebook_kind(params), source, overwrite):
        return Made(Path(output), Codebook.load(output), True)
    codebook = _fitted(inputs, train, labels, params, progress, jobs, threads)
    codebook.save(output, source=source, overwrite=overwrite)
    return Made(Path(output), codebook, False)


def fit_and_encode(
    files, names, output, params, *, train=None, labels=None, overwrite=False, progress=no_progress, jobs=1, threads=1
):
    """Fit a codebook beside a vectors file and write that, each unless it is up to date.

    Parameters
    ----------
    files, names, params, train, labels, overwrite, progress, jobs, threads
        As `fit`.
    output : str or Path
        The vectors; the codebook goes to `codebook_path`.

    Returns
    -------
    codebook, vectors : Made

    Raises
    ------
    DataError
        As `fit` and `encode_files`; before anything is done if an output exists and is another.
    OSError
        If a file cannot be read or written.
    """
    inputs = Inputs.of(files, names, descriptors=params.descriptors)
    train = _training(inputs, train)
    found = _digests(inputs, progress)
    fitting = _fitting_source(found, train, labels)
    encoding = {"kind": "features", "digest": combined(found), "training": fitting["digest"]}
    path, output = codebook_path(output), Path(output)
    fitted = _is_current(path, _codebook_kind(params), fitting, overwrite)
    encoded = _is_current(output, _vectors_kind(params), encoding, overwrite)
    if fitted:
        codebook = Codebook.load(path)
    else:
        codebook = _fitted(inputs, train, labels, params, progress, jobs, threads)
        codebook.save(path, source=fitting, overwrite=overwrite)
    if encoded:
        with open_vectors(output) as vectors:
            encoded = vectors.codebook == codebook.digest
        if not (encoded or overwrite):
            raise DataError(f"{output} was made with another codebook than {path}; {hdf5.REMEDY}")
    summary = None
    if not encoded:
        summary = _encoded(inputs, output, codebook, params, encoding, overwrite, progress, jobs, threads)
    return Made(path, codebook, fitted), Made(output, summary, encoded)


def encode(files, names, output, codebook, params, *, overwrite=False, progress=no_progress, jobs=1, threads=1):
    """Encode with a codebook that is given, unless the vectors are up to date.

    Parameters
    ----------
    files, names, overwrite, progress, jobs, threads
        As `fit`.
    output : str or Path
        The vectors.
    codebook : Codebook
    params : BlockParams
        As from `Codebook.params_with`.

    Returns
    -------
    Made

    Raises
    ------
    DataError
        As `encode_files`, or if the output exists and is another.
    OSError
        If a file cannot be read or written.
    """
    inputs = Inputs.of(files, names, descriptors=tuple(codebook.sizes))
    codebook.check_fits(inputs)
    source = {"kind": "features", "digest": combined(_digests(inputs, progress)), "codebook": codebook.digest}
    if _is_current(output, _vectors_kind(params), source, overwrite):
        return Made(Path(output), None, True)
    summary = _encoded(inputs, output, codebook, params, source, overwrite, progress, jobs, threads)
    return Made(Path(output), summary, False)


def encode_videos(videos, output, codebook, params, *, overwrite=False, progress=no_progress, jobs=1, threads=1):
    """Extract and encode videos in one pass, unless the vectors are up to date.

    Parameters
    ----------
    videos : list of encoding.descriptors.sources.VideoSource
    output : str or Path
        The vectors of those that can be read.
    codebook, params, overwrite, progress, jobs, threads
        As `encode`.

    Returns
    -------
    made : Made
    failed : dict of str to str
        Why a video has no vector, by its name. They are recorded, so that the vectors are not up to date while a video
        is missing.

    Raises
    ------
    DataError
        If the output exists and is another, or no video can be read.
    OSError
        If the output cannot be written.

    Notes
    -----
    The vectors are those of `idt-extract` and `encode`, bit by bit.
    """
    found = {}
    with stage("digests of the videos"), progress("file", len(videos)) as update:
        asked = ((_digest, video) for video in videos)
        for video, tried in zip(videos, _attempts(asked, jobs), strict=True):
            found[video.name] = tried
            update()
    failed = {name: str(tried) for name, tried in found.items() if isinstance(tried, Failure)}
    source = {"kind": "videos", "digest": combined(found), "codebook": codebook.digest}
    missing = {"missing": sorted(failed)} if failed else {}
    if _is_current(output, _vectors_kind(params), {**source, **missing}, overwrite):
        return Made(Path(output), None, True), failed
    layout, empty, done = layout_of(codebook, params), [], 0
    left = [video for video in videos if video.name not in failed]
    tasks = ((encode_video, video, codebook, params, threads) for video in left)
    with (
        stage("videos to vectors"),
        progress("video", len(left)) as update,
        VectorsWriter(
            output, layout=layout, codebook=codebook.digest, params=params, source=source, overwrite=overwrite
        ) as writer,
    ):
        for video, tried in zip(left, _attempts(tasks, jobs), strict=True):
            name = video.name
            update()
            if isinstance(tried, Failure):
                failed[name] = str(tried)
                continue
            writer.append(name, tried.vector, empty=not tried.tracks)
            done += 1
            if not tried.tracks:
                empty.append(name)
        if not done:
            name, reason = next(iter(failed.items()))
            raise DataError(f"none of {len(videos)} videos can be read; {name}: {reason}")
        writer.record_missing(failed)
    return Made(Path(output), Summary(done, width_of(layout), empty), False), failed


def _training(inputs, train):
    """Names to fit on, sorted."""
    missing = sorted(set(train or ()) - set(inputs.names))
    if missing:
        raise DataError(f"the videos to fit on must be among those given, missing are {', '.join(missing)}")
    return sorted(inputs.names if train is None else set(train))


def _digests(inputs, progress):
    with stage("digests of the features"), progress("file", len(inputs)) as update:
        return digests(inputs.sources, update=update)


def _fitting_source(found, train, labels):
    source = {"kind": "features", "digest": combined({name: found[name] for name in train})}
    if labels is not None:
        source["labels_digest"] = combined({name: labels.get(name) for name in train})
    return source


def _digest(video):
    return video.digest()


def _attempts(tasks, jobs):
    """`_attempt` for each, in processes that may die of it."""
    for tried in surviving(_attempt, tasks, jobs):
        yield Failure(tried.reason) if isinstance(tried, Lost) else tried


def _attempt(function, *arguments):
    """The result, or a `Failure`, so that the other videos go on."""
    try:
        return function(*arguments)
    except (DataError, OSError, MemoryError) as error:
        return Failure(error_line(error))
    except Exception as error:  # a bug, in OpenCV's decoders as likely as here, and no reason to stop the rest
        return Failure(f"{type(error).__name__}: {error_line(error)}")


def _codebook_kind(params):
    return {"format": CODEBOOK_FORMAT, "version": CODEBOOK_VERSION, "params": params.fitting()}


def _vectors_kind(params):
    return {"format": VECTORS_FORMAT, "version": VECTORS_VERSION, "params": params}


def _is_current(path, kind, source, overwrite):
    """Whether a file need not be made; refused if it must not. A long step may follow: its folder is made now."""
    state = hdf5.matches(path, **kind, source=source)
    if state not in ("absent", "current") and not overwrite:
        raise DataError(state)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return state == "current"


def _fitted(inputs, train, labels, params, progress, jobs, threads):
    # While mixtures are fitted nothing else runs: the processes' share is theirs.
    workers = {"jobs": jobs, "threads": max(jobs, threads)}
    with stage("codebook"), progress("step", steps_of(inputs, [train], params)) as update:
        return fit_inputs(inputs, train, params, labels=labels, update=update, **workers)


def _encoded(inputs, output, codebook, params, source, overwrite, progress, jobs, threads):
    workers = {"jobs": jobs, "threads": threads}
    with stage("vectors"), progress("video", len(inputs)) as update:
        return encode_files(
            inputs.sources,
            inputs.names,
            codebook,
            output,
            params=params,
            source=source,
            overwrite=overwrite,
            update=update,
            **workers,
        )
