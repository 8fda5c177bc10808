"""Files of the sums of the slices of one video, to and from HDF5.

Format ``idt-slices``, version 1: ``index`` (s,) int64 rising, ``tracks`` (s,) int64, and ``means`` (s, m) float32 or
float16, the sums divided by the number of tracks. Root attributes besides the common ones: ``name``,
``codebook`` (digest), ``fps``, ``frames``, ``lag``.

Source: docs/method/files.md, section 9.
"""

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from encoding.slices.cut import LENGTH, Cut
from encoding.slices.slice_sums import slice_sums
from encoding.slices.stored_means import StoredMeans
from encoding.slices.windows import widths_of
from idt.errors import DataError
from idt.files import hdf5, result_file
from idt.files.provenance import REMEDY, as_json_values
from idt.params.layout import block_sizes

SLICES_FORMAT = "idt-slices"
SLICES_VERSION = 1

CHUNK = 1 << 20
"""Number of bytes that are written at once."""

CHUNK_COLUMNS = 1 << 13
"""Largest number of columns of a chunk."""


@dataclass(frozen=True)
class Slices:
    """Sums of the slices of one video.

    Attributes
    ----------
    name : str
        The video.
    index : (s,) int64
        Numbers of the slices that have tracks, rising; slice i has the frames from i · length.
    tracks : (s,) int64
        Number of tracks of each slice.
    means : (s, m) float32 or float16
        Sums divided by the number of tracks.
    length : int
        Frames of a slice.
    assign : str
        One of `encoding.slices.cut.ASSIGN`.
    codebook : str
        Digest of the codebook.
    fps : float
        Frames a second, NaN if unknown.
    frames : int
        Frames of the video.
    lag : float
        Frames by which the middles of a slice's tracks lie before the middle of the slice: half the length of a track
        if tracks are assigned by their end.
    """

    name: str
    index: np.ndarray
    tracks: np.ndarray
    means: Any
    length: int
    assign: str
    codebook: str
    fps: float
    frames: int
    lag: float = 0.0

    @property
    def count(self):
        """Number of slices of the video, including those without tracks."""
        return -(-self.frames // self.length)


def slice_video(source, codebook, params, *, rate_and_frames, cut=Cut(), threads=1, projected=False):
    """Sum up the slices of a video in memory.

    Parameters
    ----------
    source, codebook, params, cut, threads, projected
        As `encoding.slices.slice_sums.slice_sums`.
    rate_and_frames : tuple
        Frames a second and number of frames of the video.

    Returns
    -------
    Slices

    Raises
    ------
    DataError
        As `encoding.slices.slice_sums.slice_sums`, and if float16 does not hold a mean.
    """
    found = list(slice_rows(source, codebook, params, cut=cut, threads=threads, projected=projected))
    empty = empty_slices(source.name, codebook, params, rate_and_frames=rate_and_frames, cut=cut)
    return replace(
        empty,
        index=np.array([each.number for each in found], np.int64),
        tracks=np.array([each.tracks for each in found], np.int64),
        means=np.array([each.mean for each in found], cut.dtype).reshape(len(found), empty.means.shape[1]),
    )


class SliceRow(NamedTuple):
    """Number of a slice, its number of tracks, and its mean (m,) float32 or float16."""

    number: int
    tracks: int
    mean: np.ndarray


def slice_rows(source, codebook, params, *, cut=Cut(), threads=1, projected=False):
    """Yield the rows of a file of slices one after the other, because all of them may not fit into memory.

    Parameters
    ----------
    source, codebook, params, cut, threads, projected
        As `encoding.slices.slice_sums.slice_sums`.

    Yields
    ------
    SliceRow

    Raises
    ------
    DataError
        As `slice_video`.
    """
    most = np.finfo(cut.dtype).max
    for each in slice_sums(source, codebook, params, cut=cut, threads=threads, projected=projected):
        mean = each.sums / each.tracks
        if np.abs(mean).max() > most:
            raise DataError(
                f"{source.label}: a mean of {np.abs(mean).max():.3g} is beyond float16; keep slices as float32"
            )
        yield SliceRow(each.number, each.tracks, mean.astype(cut.dtype))


def empty_slices(name, codebook, params, *, rate_and_frames, cut=Cut()):
    """Return an empty `Slices` for a video whose slices are not known yet.

    Parameters
    ----------
    name : str
    codebook : Codebook
    params : BlockParams
    rate_and_frames : tuple
        Frames a second and number of frames.
    cut : Cut

    Returns
    -------
    Slices
        Without rows.
    """
    nothing, (fps, frames) = np.empty(0, np.int64), rate_and_frames
    means = np.empty((0, sum(widths_of(codebook, params))), cut.dtype)
    lag = lag_of(codebook, cut)
    return Slices(name, nothing, nothing, means, cut.length, cut.assign, codebook.digest, fps, frames, lag)


def lag_of(codebook, cut):
    """Compute `Slices.lag`, a float: the ``codebook`` records the length of a track, the ``cut`` how it is assigned."""
    # Rows of other programs have tracks of the release's length.
    track_length = {"length": codebook.features["length"]} if codebook.features else {}
    # The trajectory block has an x and a y for each step, so a quarter of its size is half the length.
    return 0.0 if cut.assign == "middle" else block_sizes(**track_length)["trajectory"] / 4


def save_slices(path, slices, *, params, rows=None, source=None, overwrite=False):
    """Write the slices of a video.

    Parameters
    ----------
    path : str or Path
    slices : Slices
    rows : iterable of SliceRow, optional
        Rows to write one by one, instead of those in ``slices``, which then only describes the video (`empty_slices`).
    params : BlockParams
        The options of the encoding.
    source : dict, optional
        Provenance that the file records, with its ``"digest"``.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced.
    OSError
        If the disk is full or ``path`` cannot be written; nothing is left then.
    """
    recorded = recorded_params(params, Cut(slices.length, slices.assign, slices.means.dtype == np.float16))
    with result_file.create(
        path, format=SLICES_FORMAT, version=SLICES_VERSION, params=recorded, source=source, overwrite=overwrite
    ) as file:
        for name in ("name", "codebook"):
            result_file.set_attribute(file, name, getattr(slices, name))
        result_file.set_attribute(file, "fps", float(slices.fps))
        result_file.set_attribute(file, "frames", int(slices.frames))
        result_file.set_attribute(file, "lag", float(slices.lag))
        if rows is None:
            rows = map(SliceRow, slices.index.tolist(), slices.tracks.tolist(), slices.means)
        index, tracks = _write_rows(file, rows, slices.means.shape[1], slices.means.dtype)
        result_file.write_array(file, "index", index)
        result_file.write_array(file, "tracks", tracks)


def _write_rows(file, rows, width, dtype):
    """Write the means of slices, some at a time; return the slices' numbers and their counts of tracks."""
    height = max(1, CHUNK // max(1, width * np.dtype(dtype).itemsize))
    chunks = (height, max(1, min(width, CHUNK_COLUMNS)))
    means = result_file.growing_array(file, "means", shape=(width,), chunks=chunks, dtype=dtype)
    index, tracks = [], []
    waiting: list[np.ndarray] = []
    # None marks the end, after which the last rows are written.
    for each in itertools.chain(rows, [None]):
        if each is not None:
            index.append(each.number)
            tracks.append(each.tracks)
            waiting.append(each.mean)
        if waiting and (each is None or len(waiting) == height):
            means.resize(len(index), axis=0)
            means[len(index) - len(waiting) :] = np.array(waiting)
            waiting.clear()
            file.check_disk()
    return np.array(index, np.int64), np.array(tracks, np.int64)


def recorded_params(params, cut):
    """Return the options that a file of slices records, a dict: the ``params`` of the encoding and the ``cut``."""
    return {**as_json_values(params), "slices": cut.length, "assign": cut.assign, "float16": cut.float16}


def load_slices(path, *, codebook=None):
    """Read the slices of a video.

    Parameters
    ----------
    path : str or Path
    codebook : Codebook, optional
        The codebook that they must have been made with.

    Returns
    -------
    Slices
        The means stay in the file (`encoding.slices.stored_means.StoredMeans`). If they are damaged, the error is
        therefore raised only when they are read.

    Raises
    ------
    DataError
        If the file is of another format or version, damaged, contradicts itself, or was made with another codebook.
    OSError
        If it does not exist or cannot be read.
    """
    with hdf5.open_checked(path, format=SLICES_FORMAT, versions=SLICES_VERSION) as file:
        params = hdf5.json_attribute(file, "params") or {}
        dtype = np.float16 if params.get("float16") is True else np.float32
        index, tracks = (hdf5.read(file, name, shape=(None,), dtype=np.int64) for name in ("index", "tracks"))
        shape = hdf5.dataset(file, "means", shape=(len(index), None), dtype=dtype).shape
        means = StoredMeans(path, tuple(shape), dtype, format=SLICES_FORMAT, version=SLICES_VERSION)
        found = Slices(
            name=hdf5.attribute(file, "name", str),
            index=index,
            tracks=tracks,
            means=means,
            length=params.get("slices", 0),
            assign=params.get("assign", ""),
            codebook=hdf5.attribute(file, "codebook", str),
            fps=hdf5.attribute(file, "fps", float, math.nan),
            frames=hdf5.attribute(file, "frames", int),
            lag=hdf5.attribute(file, "lag", float),
        )
    if type(found.length) is not int or not LENGTH.low <= found.length <= LENGTH.high or len(tracks) != len(index):
        raise DataError(f"{path} contradicts itself; {REMEDY}")
    if not 0 <= found.lag <= LENGTH.high:
        raise DataError(f"{path}: the lag must be from 0 to {LENGTH.high:g}; {REMEDY}")
    valid = not len(index) or (index[0] >= 0 and (np.diff(index) > 0).all() and (tracks > 0).all())
    if not valid or (len(index) and index[-1] >= found.count):
        raise DataError(f"{path} lists slices that its video does not have; {REMEDY}")
    if codebook is not None and found.codebook != codebook.digest:
        raise DataError(f"{path} was made with another codebook; slice the video anew, or give that codebook")
    return found
