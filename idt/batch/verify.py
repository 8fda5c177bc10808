"""Verify feature files: their format, counts, finite values, and whether the source video is there.

A file was complete when it got its final name. Later, the disk may have lost bytes, a copy may have been cut short, or
the video may have been replaced.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from idt.command import error_line
from idt.errors import DataError
from idt.features import content_digest, feature_file
from idt.features.columns import COLUMNS
from idt.features.reader import open_features
from idt.files import hdf5
from idt.files.source_file import open_source
from idt.files.walk import walk


class Finding(NamedTuple):
    """Result of verifying one feature file: the fault, or None, and whether the source video was found."""

    path: Path
    fault: str | None
    source_found: bool = True


def find_feature_files(folder):
    """Find the feature files below a folder, sorted; other files of ours are skipped.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    list of Path

    Raises
    ------
    DataError
        If there is no such folder, or no feature file in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; name the one that idt-extract wrote to")
    found = sorted(
        path
        for path in walk(folder, follow=True).files
        if path.suffix == ".h5" and path.is_file() and not _is_of_another_kind(path)
    )
    if not found:
        raise DataError(f"{folder} holds no feature files (.h5)")
    return found


def check_feature_file(path):
    """Verify a whole feature file, block by block.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Finding

    Notes
    -----
    It is no fault if the video is not where it was, or if the source was no file: then no digests are
    compared.
    """
    path = Path(path)
    try:
        source = _check_content(path)
        found = source_is_there(path, source)
    except (DataError, OSError) as problem:
        return Finding(path, error_line(problem))
    return Finding(path, None, found)


def _check_content(path):
    """Read every dataset, and return the provenance of the file."""
    head = feature_file.header(path)
    if head.source is None:
        raise DataError(f"{path} does not record its source; make it anew")
    camera = head.camera
    if camera is not None and head.frames is not None and len(camera) != head.frames:
        raise DataError(f"{path}: camera has {len(camera)} rows for {head.frames} frames; make it anew")
    if camera is not None:
        _refuse_infinite(path, "camera/homography", camera.homography)
    for part in feature_file.iter_rows(path):
        columns = {name: getattr(part, name) for name in COLUMNS}
        if part.projected is not None:
            columns.update(part.projected.blocks)
        for name, values in columns.items():
            if values is None:
                continue
            # The times of a stream of unknown length are NaN.
            known = values[:, :2] if name == "position" and head.frames is None else values
            _refuse_infinite(path, name, known)
    with open_features(path) as reader:
        recorded = hdf5.attribute(reader.file, content_digest.ATTRIBUTE, str, None)
        if recorded not in (None, content_digest.digest_of_file(reader, feature_file.CHUNK)):
            raise DataError(f"{path} has changed since its digest was recorded; make it anew")
    return head.source


def _refuse_infinite(path, name, values):
    bad = values.size - np.count_nonzero(np.isfinite(values))
    if bad:
        raise DataError(f"{path}: {name} must be finite, got {bad} NaN or infinite values; make it anew")


def source_is_there(path, source):
    """Tell whether the ``source`` that the feature file ``path`` records is there.

    Raises
    ------
    DataError
        If it has changed since.
    """
    where, wanted = source.get("path"), source.get("digest")
    if not (isinstance(where, str) and where and wanted):
        return False
    if source.get("kind") == "images":
        from idt.frames.sources import find_reader

        try:
            reader = find_reader(where)
        except DataError:
            return False
        found = reader.digest()
    elif os.path.isfile(where):
        with open_source(where) as file:
            found = file.digest()
    else:
        return False
    if found != wanted:
        made_from = f"{path} was made from {where} with digest {wanted!s:.12}"
        raise DataError(f"{made_from}, but that has digest {found:.12} now; make it anew")
    return True


def _is_of_another_kind(path):
    """Tell whether a file is one of ours, but not a feature file."""
    try:
        form = hdf5.format_of(path) or feature_file.FORMAT
    except (DataError, OSError):
        return False
    return form.startswith("idt-") and form != feature_file.FORMAT
