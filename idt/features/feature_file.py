"""Feature files: `Features` to and from HDF5.

Format ``idt-features``, version 3, as in docs/method/files.md, section 2:
``tracks/…`` and ``descriptors/…`` hold one row per track, ``camera/…`` one per frame. Histograms are stored in fixed
point, round(1024 · x) as uint16, with the factor in their attribute ``scale_factor``; all other columns unchanged.

Version 4 has two smaller forms (`column_storage`). A compact file has the parameter ``compact``. It holds
``tracks/points/start`` (n, 2) int32 and ``tracks/points/steps`` (n, L, 2) int16 of ``scale_factor`` 1/64 in place of
``tracks/points``, and ``descriptors/trajectory`` as float16. A projected file has the parameter ``projected``, which
names the codebook. It holds ``tracks/frame``, ``scale``, ``position`` and ``skip``, and ``projected/NAME`` (n, D)
float16 for every block of the codebook. The root attribute ``projected`` lists the names and D as JSON. The file has no
camera. Version 5 has blocks of networks (`network_blocks`).

`load` and `iter_rows` take the authors' own forms as well (`idt.features.release.rows`). `Writer` appends while a
video streams.
"""

import dataclasses

from idt.errors import DataError
from idt.features.column_storage import ColumnStorage, extraction_params, stored_params
from idt.features.columns import COLUMNS
from idt.features.features import Features
from idt.features.reader import PROJECTED, open_features
from idt.features.release import rows as release_rows
from idt.features.storage import FORMAT, PLAIN, VERSIONS, Storage
from idt.features.writer import CHUNK, VideoInfo, Writer
from idt.files import hdf5, provenance
from idt.params.layout import NETWORK_BLOCK

__all__ = [
    "FORMAT",
    "PLAIN",
    "VERSIONS",
    "Storage",
    "VideoInfo",
    "Writer",
    "extraction_params",
    "header",
    "is_current",
    "iter_rows",
    "load",
    "rounded",
    "save",
    "stored_params",
    "truncation",
]


def save(features, path, *, float32=False, compact=False, project=None, overwrite=False):
    """Write a feature file at once.

    Parameters
    ----------
    features : Features
        Its ``source`` and ``made_with`` are recorded. If it has no source, the file records that the features came from
        arrays.
    path : str or Path
    float32 : bool
        Store histograms as float32 instead of fixed point; histograms of imported rows are stored as float32 in any
        case.
    compact : bool
        Store points as differences in 1/64 pixel and the trajectory descriptor as float16.
    project : str or Path, optional
        Store descriptors along the axes of this codebook, and only few other columns (`Storage`).
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Raises
    ------
    DataError
        As `Writer`, or if ``project`` names no codebook.
    OSError
        If the disk is full or ``path`` cannot be written.
    """
    if features.network is not None:
        raise DataError(f"{path}: blocks of networks are written by idt-extract --maps only; extract the video anew")
    with Writer(
        path,
        params=features.params,
        source=features.source or {"kind": "arrays"},
        video=VideoInfo.of(features),
        storage=Storage(float32, compact, project),
        overwrite=overwrite,
        made_with=features.made_with,
    ) as writer:
        writer.append(features)
        # Unknown times stay unknown: ``frames`` of a chunk is not the number of frames of the video.
        writer.finish(features.frames, fill=False)


def load(path):
    """Read features: a feature file, or the release's text or binary rows.

    Parameters
    ----------
    path : str or Path
        HDF5, text of 436 columns (gzipped or not) or float32 rows of 466 numbers, recognised by content.

    Returns
    -------
    Features
        Histograms are float32. A projected file gives `Features.projected` in place of the descriptors.

    Raises
    ------
    DataError
        If the file is of none of these kinds, damaged, or of another version.
    OSError
        If it does not exist or cannot be read.
    """
    if not hdf5.is_hdf5(path):
        return Features.concatenate(release_rows.read_blocks(path))
    with open_features(path) as reader:
        return dataclasses.replace(reader.read(0, reader.count, reader.columns), camera=reader.camera())


def header(path):
    """Read the metadata of a feature file, without its rows.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Features
        Of no rows, with the columns, the camera and the metadata of the file.

    Raises
    ------
    DataError
        As `load`, and if the file is not ours.
    OSError
        If it does not exist or cannot be read.
    """
    with open_features(path) as reader:
        return dataclasses.replace(reader.read(0, 0, reader.columns), camera=reader.camera())


def iter_rows(path, *, rows=4 * CHUNK, columns=None):
    """Read features block by block, so that memory does not grow with the length of the file.

    Parameters
    ----------
    path : str or Path
        Of any kind that `load` takes.
    rows : int
        Rows at once.
    columns : sequence of str, optional
        Names of the columns to read, such as ``("hog", "position")``; the others are None. By default all columns are
        read. ``"projected"`` stands for all blocks of a projected file.

    Yields
    ------
    Features
        Without camera. At least one, which may be empty.

    Raises
    ------
    DataError
        As `load`, and if a column is unknown or absent.
    OSError
        If the file does not exist or cannot be read.
    """
    unknown = sorted(name for name in {*(columns or ())} - {*COLUMNS, PROJECTED} if not NETWORK_BLOCK.fullmatch(name))
    if unknown or rows < 1:
        raise DataError(f"columns must be among {', '.join(COLUMNS)} and rows at least 1, got {unknown} and {rows}")
    if not hdf5.is_hdf5(path):
        for part in release_rows.read_blocks(path, rows=rows):
            wanted = part.columns() if columns is None else {name: part.need(name) for name in columns}
            yield dataclasses.replace(part, **{**dict.fromkeys(COLUMNS), **wanted})
        return
    with open_features(path) as reader:
        for first in range(0, reader.count or 1, rows):
            yield reader.read(first, first + rows, reader.columns if columns is None else columns)


def rounded(features, columns):
    """Return columns with the numbers that a feature file would give back, for a run that writes none.

    Parameters
    ----------
    features : Features
        Of an extraction.
    columns : sequence of str
        ``"skip"`` may be absent from the features, whose frame step is 1 then.

    Returns
    -------
    Features
        Histograms in fixed point and back; the other columns as they are.

    Raises
    ------
    DataError
        If a column is absent, or a histogram does not fit fixed point.
    """
    columns = [name for name in columns if name != "skip" or features.skip is not None]
    shapes = {name: features.need(name).shape[1:] for name in columns}
    form = ColumnStorage(stored_params(features.params), shapes)
    values = {name: form.rounded(name, getattr(features, name)) for name in columns}
    return Features(**values, params=features.params, source=features.source)


def is_current(path, *, params, source, overwrite=False, made_with=None):
    """Tell whether a feature file is up to date, as `idt.files.provenance.is_current`.

    Parameters
    ----------
    path : str or Path
    params : dict or None
        As from `stored_params`.
    source : dict
    overwrite : bool or collection of path
        Replace a file at this path that was made otherwise.
    made_with : dict, optional
        As for `idt.files.result_file.create`.

    Returns
    -------
    bool

    Raises
    ------
    DataError
        If another file exists and ``overwrite`` is false.
    """
    return provenance.is_current(
        path,
        format=FORMAT,
        version=VERSIONS,
        params=params,
        source=source,
        overwrite=overwrite,
        made_with=made_with,
    )


def truncation(path):
    """Return the note about frames that were missing from the video of a feature file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    str or None
        None if nothing was known to be missing.

    Raises
    ------
    DataError
        If it is no feature file of this version.
    OSError
        If it does not exist or cannot be read.
    """
    with hdf5.open_checked(path, format=FORMAT, versions=VERSIONS) as file:
        return (hdf5.json_attribute(file, "source") or {}).get("truncation")
