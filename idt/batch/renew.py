"""Files of an earlier release into the present form: text of a fixed length, a checksum for every number.

The text of such a file lies in global heaps, on which libhdf5 may crash, loop, or fill the memory if they are forged.
So the file is read in a process of its own, which has limits on memory and time and may die. Chunks that are deflated
are copied as they are; all else is written anew by `idt.files.result_file`.
"""

import os
import resource
from pathlib import Path

from idt.errors import DataError
from idt.features.projection import place_of
from idt.features.storage import PLAIN
from idt.files import atomic, hdf5, outputs, result_file
from idt.files.hdf5 import earlier as hdf5_earlier
from idt.workers import processes

VERSIONS = {
    "idt-features": {1: 3, 2: 4},
    "idt-codebook": {1: 2},
    "idt-vectors": {1: 2},
    "idt-model": {1: 2},
    "idt-scores": {1: 2},
}
"""Version of each format that an earlier release wrote → the same content in the present form."""

SUFFIXES = (".h5", ".hdf5")
"""Of a target that is HDF5."""

MOVED = {"tracks/start": "tracks/points/start", "tracks/steps": "tracks/points/steps"}
"""Datasets of feature files that have another place now."""

MEMORY = 1 << 28
"""Bytes of address space that reading may take beyond those of the imports and three times those of the file."""

SECONDS = 60
"""Seconds of computing for a file, and one more for every `RATE` bytes."""

RATE = 5_000_000


def applies(source, target, storage):
    """Tell whether converting a file means to rewrite it in the present form.

    Parameters
    ----------
    source, target : str or Path
    storage : idt.features.storage.Storage
        The form that is asked for.

    Raises
    ------
    DataError
        If the source was written by an earlier release, and the target shall not be HDF5 of the plain form.
    OSError
        If the source does not exist or cannot be read.
    """
    if not hdf5.is_of_earlier_release(source):
        return False
    if Path(target).suffix not in SUFFIXES or storage != PLAIN:
        raise DataError(f"{source} was written by an earlier release; rewrite it first: idt-convert {source} -o NEW.h5")
    return True


def renew(source, target, *, overwrite=False):
    """Rewrite a file of an earlier release, whatever its format.

    Parameters
    ----------
    source, target : str or Path
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Raises
    ------
    DataError
        If the source is damaged or not ours, or the target is the source, or exists and may not be replaced.
    OSError
        If a file cannot be read or written; no incomplete target is left.
    """
    outputs.check([target], [source], overwrite=overwrite)
    running = processes.run(renew_here, [(str(source), str(target), overwrite, SECONDS)])
    try:
        ((_, found),) = running
    finally:
        running.close()
    if isinstance(found, processes.Lost):
        atomic.sweep(Path(target).parent, [Path(target).name])
        raise DataError(f"{source} is damaged, and reading it ended its process ({found.reason}); make it anew")


def renew_here(source, target, overwrite, seconds):
    """Rewrite the file ``source`` as ``target``, as `renew`, in this process, which is given limits.

    Parameters
    ----------
    source, target : str
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.
    seconds : int
        Of computing, besides those for the size of the file.

    Raises
    ------
    DataError
        As `renew`.
    OSError
        As `renew`.
    """
    size = os.path.getsize(source)
    _limit(seconds + size // RATE, MEMORY + 3 * size)
    try:
        with hdf5_earlier.opened(source) as file:
            rewrite(file, source, target, overwrite)
    except MemoryError:
        raise DataError(f"{source} is damaged: reading it takes more memory than it has bytes; make it anew") from None


def _limit(seconds, memory):
    """Give this process so many more seconds, and so much more memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    memory += pages * resource.getpagesize()
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds += int(used.ru_utime + used.ru_stime)
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def rewrite(file, source, target, overwrite):
    """Copy an open file of an earlier release.

    Parameters
    ----------
    file : h5py.File
        As from `idt.files.hdf5.earlier.opened`.
    source, target : str or Path
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Raises
    ------
    DataError
        If no release wrote such a file, or the target exists and may not be replaced.
    OSError
        If the target cannot be written.
    """
    attributes = dict(hdf5_earlier.attributes(file))
    form, version = attributes.pop("format", None), attributes.pop("version", None)
    if version not in VERSIONS.get(form, {}):
        raise DataError(f"{source} has version {version!s:.20} of {form!s:.60}, which no release wrote; make it anew")
    del attributes["tool"]
    with result_file.create(
        target, format=form, version=VERSIONS[form][version], params=None, source=None, overwrite=overwrite
    ) as out:
        for name, value in attributes.items():
            result_file.set_attribute(out, name, value)
        for name, dataset in hdf5_earlier.datasets(file):
            block = name.split("/")
            if form == "idt-scores" and block[0] == "descriptors":
                continue
            place = place_of(*block[1:]) if form == "idt-codebook" and len(block) == 3 else MOVED.get(name, name)
            _copy(dataset, out, place)
            out.check_disk()
        if form == "idt-scores":
            shape = file["scores"].shape
            values = hdf5_earlier.stacked(file, "descriptors", attributes["blocks"], shape)
            result_file.write_array(out, "descriptors", values)


def _copy(dataset, out, name):
    """Copy one dataset and its attributes."""
    if (texts := hdf5_earlier.text_of(dataset)) is not None:
        result_file.write_text(out, name, texts)
    elif hdf5_earlier.is_deflated(dataset):
        hdf5_earlier.copy_chunks(dataset, out, name)
    elif dataset.chunks and dataset.maxshape[0] is None:
        height, *rest = dataset.chunks
        shape = dataset.shape[1:]
        copied = result_file.growing_array(out, name, shape=shape, chunks=(height, *rest), dtype=dataset.dtype)
        copied.resize(len(dataset), axis=0)
        for first in range(0, len(dataset), height):
            copied[first : first + height] = dataset[first : first + height]
    else:
        result_file.write_array(out, name, dataset[...])
    for key, value in hdf5_earlier.attributes(dataset):
        result_file.set_attribute(out[name], key, value)
