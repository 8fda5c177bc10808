"""Feature files to a codebook and vectors; what is up to date is left alone, and nothing is begun that must be refused.

A codebook file is up to date if it was fitted on the same training files with the same parameters; a vectors file, if
it was made of the same files with the same parameters and a codebook that is, or would be, the same.
"""

import contextlib
from pathlib import Path
from typing import Any, NamedTuple

from encoding.codebook import CODEBOOK_FORMAT, CODEBOOK_VERSION, Codebook
from encoding.encoder import Summary, encode_files
from encoding.inputs import Inputs, combined, digests
from encoding.store import VECTORS_FORMAT, VECTORS_VERSION
from idt import hdf5
from idt.errors import DataError


class Made(NamedTuple):
    """What became of a file.

    Attributes
    ----------
    path : Path
    content : Codebook, Summary or None
        What was written; of vectors that are up to date nothing is read.
    up_to_date : bool
        Nothing was done.
    """

    path: Path
    content: Codebook | Summary | None
    up_to_date: bool


@contextlib.contextmanager
def no_progress(stage, total):
    """A progress that shows nothing: `fit` and `fit_and_encode` call it with a word and a number of steps."""
    yield lambda: None


def codebook_path(output):
    """Where the codebook of a vectors file lies: ``vectors.codebook.h5`` beside ``vectors.h5``."""
    output = Path(output)
    return output.with_name(output.name.removesuffix(".h5") + ".codebook.h5")


def fit(files, names, output, params, *, train=None, overwrite=False, progress=no_progress, **workers):
    """Fit a codebook into its file, unless that is up to date.

    Parameters
    ----------
    files : list of str or Path
    names : list of str
        Of the videos.
    output : str or Path
    params : EncodingParams
    train : list of str, optional
        Names of the videos to fit on; all by default.
    overwrite : bool
        Replace a file that was made otherwise.
    progress : callable
        Like `no_progress`.
    **workers
        ``jobs`` and ``threads``.

    Returns
    -------
    Made

    Raises
    ------
    DataError
        As `Codebook.fit`, or if the output exists and is another.
    OSError
        If a file cannot be read or written.
    """
    inputs = Inputs.of(files, names, descriptors=params.descriptors)
    with progress("file", len(files)) as update:
        found = digests(files, names, update=update)
    plan = _Fit(inputs, output, params, train, found)
    plan.refuse(overwrite)
    return plan.run(progress, workers)


def fit_and_encode(files, names, output, params, *, train=None, overwrite=False, progress=no_progress, **workers):
    """Fit a codebook beside a vectors file and write that, each unless it is up to date.

    Parameters
    ----------
    files, names, params, train, overwrite, progress, **workers
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
    with progress("file", len(files)) as update:
        found = digests(files, names, update=update)
    codebook = _Fit(inputs, codebook_path(output), params, train, found)
    vectors = _Encode(inputs, output, params, {"digest": combined(found), "training": codebook.source["digest"]})
    codebook.refuse(overwrite)
    vectors.refuse(overwrite)
    made = codebook.run(progress, workers)
    return made, vectors.run(made.content, progress, workers)


def encode(files, names, output, codebook, params, *, overwrite=False, progress=no_progress, **workers):
    """Encode with a codebook that is given, unless the vectors are up to date.

    Parameters
    ----------
    files, names, overwrite, progress, **workers
        As `fit`.
    output : str or Path
    codebook : Codebook
    params : EncodingParams
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
    with progress("file", len(files)) as update:
        found = digests(files, names, update=update)
    vectors = _Encode(inputs, output, params, {"digest": combined(found), "codebook": codebook.digest})
    vectors.refuse(overwrite)
    return vectors.run(codebook, progress, workers)


class _Output:
    """A file to be made, and whether it is there already."""

    def __init__(self, path, *, form, version, params, source):
        self.path, self.source, self._params = Path(path), source, params
        self._state = hdf5.matches(path, format=form, version=version, params=params, source=source)

    @property
    def current(self):
        return self._state == "current"

    def refuse(self, overwrite):
        """Refuse to replace a file unasked; a later step may take long, and its folder must be there in the end."""
        if not (overwrite or self.current or self._state == "absent"):
            raise DataError(self._state)
        self.path.parent.mkdir(parents=True, exist_ok=True)


class _Fit(_Output):
    def __init__(self, inputs, path, params, train, found):
        self._inputs, self._fitting = inputs, params
        self._train = sorted(inputs.names if train is None else train)
        missing = [name for name in self._train if name not in found]
        if missing:
            raise DataError(f"the training list names videos that are not given: {', '.join(missing)}")
        source = {"kind": "features", "digest": combined({name: found[name] for name in self._train})}
        super().__init__(path, form=CODEBOOK_FORMAT, version=CODEBOOK_VERSION, params=params.fitting(), source=source)

    def run(self, progress, workers):
        if self.current:
            return Made(self.path, Codebook.load(self.path), True)
        steps = len(self._train) + (1 if self._fitting.joint else len(self._inputs.sizes))
        with progress("fit", steps) as update:
            (codebook,) = Codebook.fit_each(self._inputs, [self._train], self._fitting, update=update, **workers)
        codebook.save(self.path, source=self.source, overwrite=True)
        return Made(self.path, codebook, False)


class _Encode(_Output):
    def __init__(self, inputs, path, params, source):
        self._inputs, self._shaping = inputs, params
        super().__init__(path, form=VECTORS_FORMAT, version=VECTORS_VERSION, params=params, source=source)

    def run(self, codebook, progress, workers):
        if self.current:
            return Made(self.path, None, True)
        options: dict[str, Any] = {"params": self._shaping, "source": self.source, "overwrite": True, **workers}
        with progress("video", len(self._inputs)) as update:
            summary = encode_files(
                self._inputs.items, self._inputs.names, codebook, self.path, update=update, **options
            )
        return Made(self.path, summary, False)
