"""HDF5 files of ours, written whole or not at all, with their format, version and provenance as root attributes.

`create` opens one under a temporary name; `idt.files.hdf5` reads it. Source: docs/method/files.md, section 1.
"""

import contextlib
import json

import h5py

from idt import __version__
from idt.files import atomic, versions
from idt.files.provenance import plain


class ResultFile(h5py.File):
    """An `h5py.File` that holds back an error of the disk until HDF5 has closed the file.

    HDF5 cannot close a file that it cannot write: it complains once more when the process ends, or crashes.
    Therefore every write succeeds as far as HDF5 can tell, and `check_disk` or `create` raises the first failure.

    Parameters
    ----------
    part : idt.files.atomic.Part
    """

    def __init__(self, part):
        part.quiet = True
        self._part = part
        # The format of HDF5 1.10: its chunk index is smaller, and attributes may exceed 64 KB.
        super().__init__(part, "w", libver=("v110", "v110"))

    def check_disk(self):
        """Raise the first failure of the disk, if there was one; for those who write for a long time."""
        if self._part.failure is not None:
            raise self._part.failure from None

    def discard(self):
        """Close without writing what is still in memory."""
        self._part.ignores = True
        # After a failure HDF5 may read back what was never written; nothing of the file is kept.
        with contextlib.suppress(Exception):
            self.close()


@contextlib.contextmanager
def create(path, *, format, version, params, source, overwrite=False, made_with=None):
    """Write a file of ours, complete or not at all.

    Parameters
    ----------
    path : str or Path
    format : str
        Such as ``"idt-features"``.
    version : int
    params : dataclass, dict or None
        The options that the numbers depend on.
    source : dict or None
        What the file is made from: its ``"digest"`` and all else that it depends on, besides the entries
        `idt.files.provenance.DESCRIPTIVE`.
    overwrite : bool
        Replace a file that exists.
    made_with : dict, optional
        Versions that the numbers were computed with, where they are copied from another file; by default those of this
        run (`idt.files.versions`).

    Yields
    ------
    ResultFile
        An open `h5py.File` with its root attributes; it takes the name ``path`` when the block ends without an
        exception.

    Raises
    ------
    DataError
        If ``path`` exists and ``overwrite`` is false.
    OSError
        If the disk is full or ``path`` cannot be written, in one line; nothing is left then.
    """
    with atomic.replacing(path, overwrite=overwrite) as part:
        file = ResultFile(part)
        try:
            file.attrs["format"] = format
            file.attrs["version"] = version
            file.attrs["tool"] = f"improved-dense-trajectories {__version__}"
            set_json(file, "params", params)
            set_json(file, "source", source)
            set_json(file, "made_with", versions.made_with(format, params, source) if made_with is None else made_with)
            yield file
            file.close()
            file.check_disk()
        except BaseException:
            file.discard()
            file.check_disk()
            raise


def set_json(file, name, values):
    """Record ``values``, a dataclass, dict or None, as the root attribute ``name`` of ``file``, in JSON."""
    file.attrs[name] = json.dumps(plain(values), sort_keys=True)
