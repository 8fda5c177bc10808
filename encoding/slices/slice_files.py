"""Feature files to files of slices, one a video; what is up to date is left alone.

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
    no_slices,
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
    """Result of slicing: the ``paths`` of all files, and how many of them were ``current`` before."""

    paths: list[Path]
    current: int


def slice_files(files, names, folder, codebook, params, *, cut=Cut(), run=RunOptions()):
    """Slice videos, one file each.

    Parameters
    ----------
    files : list of str or Path
        Feature files.
    names : list of str
        Of the videos.
    folder : str or Path
        Gets ``NAME.h5`` for each.
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
        (source, path, codebook, params, cut, run.threads, run.overwrite, inputs.projection is not None)
        for source, path in zip(inputs.sources, paths, strict=True)
    ]
    current = 0
    with run.progress("video", len(tasks)) as update:
        for stayed in in_order(_slice_file, tasks, run.jobs):
            current += stayed
            update()
    return SlicesMade(paths, current)


def find_slices(given):
    """Find the files of slices that words of a command line stand for.

    Parameters
    ----------
    given : list of str
        Files, and folders, of which all files of slices are taken by name.

    Returns
    -------
    list of Path

    Raises
    ------
    DataError
        If one stands for nothing.
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


def read_info(path):
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
    """Slice one video; return whether its file was there already."""
    made_of = {"kind": "features", "name": source.name, "digest": source.digest(), "codebook": codebook.digest}
    recorded = recorded_params(params, cut)
    if is_current(
        path, format=SLICES_FORMAT, version=SLICES_VERSION, params=recorded, source=made_of, overwrite=overwrite
    ):
        return True
    slices = no_slices(source.name, codebook, params, info=read_info(source.path), cut=cut)
    rows = slice_rows(source, codebook, params, cut=cut, threads=threads, projected=projected)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_slices(path, slices, params=params, rows=rows, source=made_of, overwrite=overwrite)
    return False
