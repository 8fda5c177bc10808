"""Feature files to files of slices, one a video; files that are up to date stay as they are.

Source: docs/method/files.md, section 9.
"""

import os
from pathlib import Path
from typing import NamedTuple

from encoding.descriptors.inputs import Inputs
from encoding.slices.cut import Cut
from encoding.slices.slice_sums import check_sums
from encoding.slices.slices_file import (
    SLICES_FORMAT,
    SLICES_VERSION,
    empty_slices,
    recorded_params,
    save_slices,
    slice_rows,
)
from idt.errors import DataError
from idt.features import feature_file
from idt.files import hdf5, outputs
from idt.files.provenance import is_current
from idt.files.walk import walk
from idt.workers.in_order import in_order
from idt.workers.run_options import RunOptions


class SlicesMade(NamedTuple):
    """Result of slicing: the ``paths`` of all files, and how many of them were ``current``, up to date before."""

    paths: list[Path]
    current: int


def slice_files(files, names, folder, codebook, params, *, cut=Cut(), run=RunOptions()):
    """Slice videos, one file each.

    Parameters
    ----------
    files : list of str or Path
        Feature files.
    names : list of str
        Names of the videos.
    folder : str or Path
        Folder that gets ``NAME.h5`` for each video.
    codebook : Codebook
    params : BlockParams
        As from `encoding.codebook.Codebook.params_with`.
    cut : Cut
    run : RunOptions

    Returns
    -------
    SlicesMade

    Raises
    ------
    DataError
        If the codebook does not fit the features, the encoding has no sums, or a file exists that may not be replaced.
    OSError
        If a file cannot be read or written.
    """
    check_sums(codebook, params)
    paths = [Path(folder) / f"{name}.h5" for name in names]
    outputs.check(paths, files, overwrite=run.overwrite)
    inputs = Inputs.of(files, names, descriptors=tuple(codebook.sizes))
    codebook.check_fits(inputs)
    tasks = [
        (source, path, codebook, params, cut, run.threads, run.overwrite, inputs.projection_digest is not None)
        for source, path in zip(inputs.sources, paths, strict=True)
    ]
    current = 0
    with run.progress("video", len(tasks)) as update:
        for was_current in in_order(_slice_file, tasks, run.jobs):
            current += was_current
            update()
    return SlicesMade(paths, current)


def find_slices(given):
    """Find the files of slices that the words of a command line name.

    Parameters
    ----------
    given : list of str
        Files, and folders; of a folder all files of slices are taken, in the order of their names.

    Returns
    -------
    list of Path

    Raises
    ------
    DataError
        If a folder holds no file of slices.
    """
    found: list[Path] = []
    for word in given:
        if not os.path.isdir(word):
            found.append(Path(word))
            continue
        below = [path for path in walk(word).files if path.suffix == ".h5" and hdf5.format_of(path) == SLICES_FORMAT]
        if not below:
            raise DataError(f"{word} is a folder without files of slices; make them with fv-encode --slices")
        found += below
    return found


def read_rate_and_frames(path):
    """Read the frame rate and the number of frames of the video of a feature file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    fps : float
        NaN if unknown.
    frames : int

    Raises
    ------
    DataError
        If the file does not tell the number of frames.
    OSError
        If it cannot be read.
    """
    features = feature_file.header(path)
    if features.frames is None:
        raise DataError(f"{path} does not tell how many frames its video has; extract it with idt-extract")
    return features.fps, features.frames


def _slice_file(source, path, codebook, params, cut, threads, overwrite, projected):
    """Slice one video, unless its file is up to date; return whether it was."""
    made_of = {"kind": "features", "name": source.name, "digest": source.digest(), "codebook": codebook.digest}
    recorded = recorded_params(params, cut)
    if is_current(
        path, format=SLICES_FORMAT, version=SLICES_VERSION, params=recorded, source=made_of, overwrite=overwrite
    ):
        return True
    slices = empty_slices(source.name, codebook, params, rate_and_frames=read_rate_and_frames(source.path), cut=cut)
    rows = slice_rows(source, codebook, params, cut=cut, threads=threads, projected=projected)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_slices(path, slices, params=params, rows=rows, source=made_of, overwrite=overwrite)
    return False
