"""Files of the sums of the slices of one video, to and from HDF5.

Format ``idt-slices``, version 1: ``index`` (s,) int64 rising, ``tracks`` (s,) int64, and ``means`` (s, m) float32 or
float16, the sums divided by the number of tracks. Root attributes besides those of all our files: ``name``,
``codebook`` (digest), ``fps``, ``frames``, ``lag``.

Source: docs/method/files.md, section 9.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from encoding.slices.cut import LENGTH, Cut
from encoding.slices.slice_sums import slice_sums
from encoding.slices.windows import widths_of
from idt.errors import DataError
from idt.files import hdf5, result_file
from idt.files.provenance import REMEDY, plain
from idt.params.layout import block_sizes

SLICES_FORMAT = "idt-slices"
SLICES_VERSION = 1


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
        Frames by which the middles of the tracks of a slice lie before the slice's own: half the length of a track
        where tracks count at their end.
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
        """Slices of the video, those without tracks among them."""
        return -(-self.frames // self.length)


def slice_video(source, codebook, params, *, info, cut=Cut(), threads=1, projected=False):
    """Sum up the slices of a video in memory.

    Parameters
    ----------
    source, codebook, params, cut, threads, projected
        As `encoding.slices.slice_sums.slice_sums`.
    info : tuple
        Frames a second and number of frames of the video.

    Returns
    -------
    Slices

    Raises
    ------
    DataError
        As `encoding.slices.slice_sums.slice_sums`, and if float16 does not hold a mean.
    """
    found = list(slice_sums(source, codebook, params, cut=cut, threads=threads, projected=projected))
    width = sum(widths_of(codebook, params))
    means = np.array([each.sums / each.tracks for each in found]).reshape(len(found), width)
    if means.size and np.abs(means).max() > np.finfo(cut.dtype).max:
        raise DataError(
            f"{source.label}: a mean of {np.abs(means).max():.3g} is beyond float16; keep slices as float32"
        )
    fps, frames = info
    return Slices(
        source.name,
        np.array([each.number for each in found], np.int64),
        np.array([each.tracks for each in found], np.int64),
        means.astype(cut.dtype),
        cut.length,
        cut.assign,
        codebook.digest,
        fps,
        frames,
        lag_of(codebook, cut),
    )


def lag_of(codebook, cut):
    """Compute `Slices.lag`, a float, of tracks of the features of a ``codebook`` with a ``cut``."""
    # Rows that others wrote have tracks of the release's length.
    track_length = {"length": codebook.features["length"]} if codebook.features else {}
    return 0.0 if cut.assign == "middle" else block_sizes(**track_length)["trajectory"] / 4


def save_slices(path, slices, *, params, source=None, overwrite=False):
    """Write the slices of a video.

    Parameters
    ----------
    path : str or Path
    slices : Slices
    params : BlockParams
        The options of the encoding.
    source : dict, optional
        What the file records of its making, with its ``"digest"``.
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
        result_file.write_array(file, "index", slices.index)
        result_file.write_array(file, "tracks", slices.tracks)
        result_file.write_array(file, "means", slices.means)


def recorded_params(params, cut):
    """Return the options that a file of slices records, a dict: the ``params`` of the encoding and the ``cut``."""
    return {**plain(params), "slices": cut.length, "assign": cut.assign, "float16": cut.half}


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
        means = hdf5.read(file, "means", shape=(len(index), None), dtype=dtype)
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
    if not (np.isfinite(means).all() and 0 <= found.lag <= LENGTH.high):
        raise DataError(f"{path}: means and lag must be finite; {REMEDY}")
    rising = not len(index) or (index[0] >= 0 and (np.diff(index) > 0).all() and (tracks > 0).all())
    if not rising or (len(index) and index[-1] >= found.count):
        raise DataError(f"{path} lists slices that its video does not have; {REMEDY}")
    if codebook is not None and found.codebook != codebook.digest:
        raise DataError(f"{path} was made with another codebook; slice the video anew, or give that codebook")
    return found
