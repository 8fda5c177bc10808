"""Feature files to a codebook and vectors; files that are up to date stay, and mistakes are refused before any work.

A codebook file is up to date if it was fitted on the same training files with the same parameters. A vectors file is up
to date if it was made from the same files with the same parameters and the same codebook. To tell
whether the codebook is the same, `encode` compares its digest, and `fit_and_encode` also the digest of its training
files.
"""

from pathlib import Path
from typing import NamedTuple

from encoding.codebook import CODEBOOK_FORMAT, CODEBOOK_VERSION, Codebook
from encoding.descriptors.inputs import Inputs, combine_digests, digests
from encoding.encode_files import WrittenVectors, encode_files
from encoding.fitting import count_updates, fit_inputs
from encoding.vectors_file import VECTORS_FORMAT, VECTORS_VERSION, open_vectors
from idt.errors import DataError
from idt.files import locks, outputs
from idt.files.provenance import REMEDY, is_current
from idt.workers.profile import stage
from idt.workers.run_options import RunOptions


class FileResult(NamedTuple):
    """Result of one stage: the file, its content, and whether it was up to date.

    Attributes
    ----------
    path : Path
    content : Codebook, WrittenVectors or None
        Content of the file; None for vectors that are up to date, because they are not read.
    up_to_date : bool
        Whether the file was up to date, so that nothing was done.
    """

    path: Path
    content: Codebook | WrittenVectors | None
    up_to_date: bool


def codebook_path(output):
    """Name the codebook of the vectors file ``output``: ``vectors.codebook.h5`` beside ``vectors.h5``."""
    output = Path(output)
    return output.with_name(output.name.removesuffix(".h5") + ".codebook.h5")


def fit(files, names, output, params, *, train=None, labels=None, run=RunOptions()):
    """Fit a codebook and write its file, unless the file is up to date.

    Parameters
    ----------
    files : list of str or Path
    names : list of str
        Names of the videos.
    output : str or Path
    params : BlockParams
        Parameters of any encoding.
    train : list of str, optional
        Names of the videos to fit on; all by default.
    labels : dict of str to str, optional
        Classes of the videos to fit on, for stacked Fisher vectors.
    run : RunOptions

    Returns
    -------
    FileResult

    Raises
    ------
    DataError
        As `fit_codebook`, or if the output exists and was made otherwise.
    OSError
        If a file cannot be read or written.
    """
    outputs.check([output], files, overwrite=run.overwrite)
    inputs = Inputs.of(files, names, descriptors=params.descriptors)
    train = _training_names(inputs, train)
    source = _fitting_source(_digests(inputs, run), train, labels)
    with locks.held(files=[output], say=run.say):
        if is_current(output, **_codebook_identity(params), source=source, overwrite=run.overwrite):
            return FileResult(Path(output), Codebook.load(output), True)
        codebook = _fit_inputs(inputs, train, labels, params, run)
        codebook.save(output, source=source, overwrite=run.overwrite)
    return FileResult(Path(output), codebook, False)


def fit_and_encode(files, names, output, params, *, train=None, labels=None, run=RunOptions()):
    """Fit a codebook, encode with it, and write both files, each unless it is up to date.

    Parameters
    ----------
    files, names, params, train, labels, run
        As `fit`.
    output : str or Path
        The vectors; the codebook goes to `codebook_path`.

    Returns
    -------
    codebook, vectors : FileResult

    Raises
    ------
    DataError
        As `fit` and `encode_files`; before any work if an output exists and was made otherwise.
    OSError
        If a file cannot be read or written.
    """
    path, output = codebook_path(output), Path(output)
    outputs.check([path, output], files, overwrite=run.overwrite)
    inputs = Inputs.of(files, names, descriptors=params.descriptors)
    train = _training_names(inputs, train)
    digest_of = _digests(inputs, run)
    fitting = _fitting_source(digest_of, train, labels)
    encoding = {"kind": "features", "digest": combine_digests(digest_of), "training": fitting["digest"]}
    with locks.held(files=[path, output], say=run.say):
        fitted = is_current(path, **_codebook_identity(params), source=fitting, overwrite=run.overwrite)
        encoded = is_current(output, **vectors_identity(params), source=encoding, overwrite=run.overwrite)
        if fitted:
            codebook = Codebook.load(path)
        else:
            codebook = _fit_inputs(inputs, train, labels, params, run)
            codebook.save(path, source=fitting, overwrite=run.overwrite)
        encoded = encoded and was_encoded_with(output, codebook, wording=f"than {path}", overwrite=run.overwrite)
        summary = None if encoded else _encode_inputs(inputs, output, codebook, params, encoding, run)
    return FileResult(path, codebook, fitted), FileResult(output, summary, encoded)


def was_encoded_with(path, codebook, *, wording, overwrite=False):
    """Tell whether vectors that are up to date in all other respects were made with this very codebook.

    Parameters
    ----------
    path : str or Path
        A vectors file.
    codebook : Codebook
    wording : str
        How the message goes on after "another codebook".
    overwrite : bool or collection of path
        Whether vectors of another codebook may be replaced.

    Returns
    -------
    bool

    Raises
    ------
    DataError
        If the vectors were made with another codebook and ``overwrite`` is false.
    """
    with open_vectors(path) as vectors:
        same = vectors.codebook == codebook.digest
    if not (same or overwrite):
        raise DataError(f"{path} was made with another codebook {wording}; {REMEDY}")
    return same


def encode(files, names, output, codebook, params, *, run=RunOptions()):
    """Encode with a codebook that is given, unless the vectors are up to date.

    Parameters
    ----------
    files, names, run
        As `fit`.
    output : str or Path
        The vectors.
    codebook : Codebook
    params : BlockParams
        As from `Codebook.params_with`.

    Returns
    -------
    FileResult

    Raises
    ------
    DataError
        As `encode_files`, or if the output exists and was made otherwise.
    OSError
        If a file cannot be read or written.
    """
    outputs.check([output], files, overwrite=run.overwrite)
    inputs = Inputs.of(files, names, descriptors=tuple(codebook.sizes))
    codebook.check_fits(inputs)
    source = {"kind": "features", "digest": combine_digests(_digests(inputs, run)), "codebook": codebook.digest}
    with locks.held(files=[output], say=run.say):
        if is_current(output, **vectors_identity(params), source=source, overwrite=run.overwrite):
            return FileResult(Path(output), None, True)
        return FileResult(Path(output), _encode_inputs(inputs, output, codebook, params, source, run), False)


def _training_names(inputs, train):
    """Return the names of the videos to fit on, sorted."""
    missing = sorted(set(train or ()) - set(inputs.names))
    if missing:
        raise DataError(f"the videos to fit on must be among those given, missing are {', '.join(missing)}")
    return sorted(inputs.names if train is None else set(train))


def _digests(inputs, run):
    """Return the digest of each input by its name, with progress."""
    with stage("digests of the features"), run.progress("file", len(inputs)) as update:
        return digests(inputs.sources, update=update)


def _fitting_source(digest_of, train, labels):
    """Return the provenance of a codebook: digests of its training files and of their labels."""
    source = {"kind": "features", "digest": combine_digests({name: digest_of[name] for name in train})}
    if labels is not None:
        source["labels_digest"] = combine_digests({name: labels.get(name) for name in train})
    return source


def _codebook_identity(params):
    """Return the format, version and parameters of a codebook file."""
    return {"format": CODEBOOK_FORMAT, "version": CODEBOOK_VERSION, "params": params.fitting()}


def vectors_identity(params):
    """Return the format, version and parameters of a vectors file, given the ``params`` of its encoding."""
    return {"format": VECTORS_FORMAT, "version": VECTORS_VERSION, "params": params}


def _fit_inputs(inputs, train, labels, params, run):
    """Fit a codebook, with progress."""
    # While mixtures are fitted nothing else runs, so the fit uses the cores of all processes.
    workers = {"jobs": run.jobs, "threads": max(run.jobs, run.threads)}
    with stage("codebook"), run.progress("step", count_updates(inputs, [train], params)) as update:
        return fit_inputs(inputs, train, params, labels=labels, update=update, **workers)


def _encode_inputs(inputs, output, codebook, params, source, run):
    """Encode into the output, as a stage of its own in the profile."""
    with stage("vectors"):
        return encode_files(inputs.sources, inputs.names, codebook, output, params=params, source=source, run=run)
