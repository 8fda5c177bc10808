"""`Features`: the tracks of a video and their descriptors, one array per column of docs/method/extraction.md,
section 9; `Camera`: its motion.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from idt import layout
from idt.checks import describe
from idt.errors import DataError
from idt.features.projection import Projected

COLUMNS: dict[str, tuple[str, tuple[int | None, ...]]] = {
    "frame": ("int32", ()),
    "scale": ("float32", ()),
    "mean": ("float32", (2,)),
    "std": ("float32", (2,)),
    "length": ("float32", ()),
    "position": ("float32", (3,)),
    "points": ("float32", (None, 2)),
    "skip": ("uint8", ()),
    **dict.fromkeys(layout.DESCRIPTORS, ("float32", (None,))),
}
"""Dtype and shape of a row of each column; ``None`` is any size."""

LAST_POSITION = 0.999
"""Largest relative position, so that a pyramid's cell is always floor(cells · position).

Method: docs/method/extraction.md, section 9.1.
"""


@dataclass(frozen=True)
class Camera:
    """The camera's motion, one row per frame.

    Attributes
    ----------
    homography : (T, 3, 3) float64
        From gray t-1 to gray t; the identity where none was accepted and for the first frame.
    matches : (T,) int32
        Matches offered.
    inliers : (T,) int32
        Inliers of the accepted homography; 0 is the identity.
    first_frame : int
        Index of the frame that row 0 belongs to.
    """

    homography: np.ndarray
    matches: np.ndarray
    inliers: np.ndarray
    first_frame: int = 0

    def __post_init__(self):
        count = len(self.homography)
        for name, dtype, shape in (
            ("homography", np.float64, (count, 3, 3)), ("matches", np.int32, (count,)), ("inliers", np.int32, (count,))
        ):  # fmt: skip
            value = np.ascontiguousarray(getattr(self, name), dtype)
            if value.shape != shape:
                raise DataError(f"camera {name} must have shape {shape}, got {describe(value)}")
            object.__setattr__(self, name, value)

    def __len__(self):
        return len(self.homography)


@dataclass(kw_only=True, eq=False, repr=False)
class Features:
    """Tracks and descriptors, by ending frame, then frame step, scale and age; all float32 but for the whole numbers.

    A column is None where the form that it was read from does not hold it, or where it was not asked for: `need`
    then says why.

    Attributes
    ----------
    frame : (n,) int32
        Index of the frame at which the track ends.
    scale : (n,) float32
        Factor f_s of its scale; 1 is full resolution.
    mean, std : (n, 2) float32
        Mean and standard deviation of x and y, in full-resolution pixels.
    length : (n,) float32
        Summed length of the raw track, in full-resolution pixels.
    position : (n, 3) float32
        x/width, y/height, time/frames, each in [0, 0.999]; the time is NaN while the end of the video is unknown.
    points : (n, L + 1, 2) float32
        Raw positions in full-resolution pixels; L of them in rows of 466 numbers, None in text of 436 columns.
    trajectory : (n, 2 L) float32
        Normalised displacements.
    hog, hof, mbhx, mbhy : (n, 96), (n, 108), (n, 96), (n, 96) float32
        Histograms.
    skip : (n,) uint8 or None
        Frame step of multi-skip extraction; None when it is 1 throughout.
    projected : Projected or None
        The descriptors along the axes of a codebook, where they are stored so; the five above are None then.
    camera : Camera or None
    width, height : int or None
        Of the frames, in pixels.
    fps : float
        Frames per second, NaN if unknown.
    frames : int or None
        Number of frames processed.
    params : dict or None
        The `ExtractionParams` they were made with; None for rows that others wrote.
    source : dict or None
        What they were made from.
    notes : tuple of str
        What the reader should know.
    """

    frame: Any = None
    scale: Any = None
    mean: Any = None
    std: Any = None
    length: Any = None
    position: Any = None
    points: Any = None
    trajectory: Any = None
    hog: Any = None
    hof: Any = None
    mbhx: Any = None
    mbhy: Any = None
    skip: Any = None
    projected: Projected | None = None
    camera: Camera | None = None
    width: int | None = None
    height: int | None = None
    fps: float = math.nan
    frames: int | None = None
    params: Any = None
    source: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        count = None
        for name, value in self.columns().items():
            dtype, row = COLUMNS[name]
            value = np.asarray(value)
            fits = value.ndim == 1 + len(row) and all(
                want in (None, have) for have, want in zip(value.shape[1:], row, strict=True)
            )
            if not fits or value.dtype.kind not in ("iu" if dtype != "float32" else "fiu"):
                wanted = ", ".join(["n", *("any" if size is None else str(size) for size in row)])
                raise DataError(f"{name} must be {dtype} of shape ({wanted}), got {describe(value)}")
            if count not in (None, len(value)):
                raise DataError(f"all columns must have equally many rows, got {count} and {name} with {len(value)}")
            if dtype != "float32" and not np.array_equal(value, value.astype(dtype)):
                raise DataError(f"{name} must fit into {dtype}, got numbers from {value.min()} to {value.max()}")
            count = len(value)
            setattr(self, name, np.ascontiguousarray(value, dtype))
        if self.projected is not None and count not in (None, len(self.projected)):
            raise DataError(f"all columns must have equally many rows, got {count} and {len(self.projected)} projected")
        if dataclasses.is_dataclass(self.params) and not isinstance(self.params, type):
            self.params = dataclasses.asdict(self.params)

    def __len__(self):
        return next((len(value) for value in (*self.columns().values(), self.projected) if value is not None), 0)

    def __repr__(self):
        size = "size unknown" if self.width is None else f"{self.width}×{self.height}"
        frames = "frames unknown" if self.frames is None else f"{self.frames} frames"
        lines = [f"Features of {len(self)} tracks ({size}, {frames})"]
        lines += [f"  {name:<11}{value.shape} {value.dtype}" for name, value in self.columns().items()]
        if self.projected is not None:
            lines += [f"  projected {name} {values.shape}" for name, values in self.projected.blocks.items()]
        if self.camera is not None:
            lines.append(f"  camera     {len(self.camera)} frames from {self.camera.first_frame}")
        return "\n".join(lines)

    @classmethod
    def empty(cls, *, length=15, cells=2, time_cells=3, **metadata):
        """No tracks: columns of no rows, in the layout of the given parameters.

        Parameters
        ----------
        length, cells, time_cells : int
            As in `ExtractionParams`.
        **metadata
            ``camera``, ``width``, ``frames`` …

        Returns
        -------
        Features
        """
        sizes: dict[str, Any] = {"points": (length + 1, 2)}
        sizes.update({name: (size,) for name, size in layout.block_sizes(length, cells, time_cells).items()})
        columns: dict[str, Any] = {
            name: np.empty((0, *sizes.get(name, row)), dtype)
            for name, (dtype, row) in COLUMNS.items()
            if name != "skip"
        }
        return cls(**columns, **metadata)

    @classmethod
    def concatenate(cls, parts):
        """Join features, one after the other.

        Parameters
        ----------
        parts : sequence of Features
            Chunks of a stream, or features of several videos.

        Returns
        -------
        Features
            Metadata that all parts agree on is kept; ``frames`` is their sum; the camera's motion is joined where each
            part continues the one before it, and is None elsewhere. No parts: no tracks in the default layout.

        Raises
        ------
        DataError
            If their columns differ in presence or in size.
        """
        parts = list(parts)
        if len(parts) < 2:
            return parts[0] if parts else cls.empty()
        if any(part.skip is not None for part in parts):
            parts = [
                dataclasses.replace(part, skip=np.ones(len(part), np.uint8)) if part.skip is None else part
                for part in parts
            ]
        columns: dict[str, Any] = {}
        for name in COLUMNS:
            values = [getattr(part, name) for part in parts]
            shapes = {None if value is None else value.shape[1:] for value in values}
            if len(shapes) > 1:
                raise DataError(f"features that are joined must have equal columns, got {name} of rows {shapes}")
            columns[name] = None if values[0] is None else np.concatenate(values)
        frames = [part.frames for part in parts]
        return cls(
            **columns,
            projected=Projected.concatenate([part.projected for part in parts]),
            camera=_joined([part.camera for part in parts]),
            frames=None if None in frames else sum(frames),
            fps=_agreed([part.fps for part in parts], math.nan),
            notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
            **{
                name: _agreed([getattr(part, name) for part in parts], None)
                for name in ("width", "height", "params", "source")
            },
        )

    def columns(self):
        """The columns that are present, by name: dict of str to ndarray."""
        return {name: value for name in COLUMNS if (value := getattr(self, name)) is not None}

    def need(self, name):
        """A column that the caller cannot do without.

        Parameters
        ----------
        name : str
            Such as ``"points"``.

        Returns
        -------
        ndarray

        Raises
        ------
        DataError
            If it is absent, with the reason.
        """
        value = getattr(self, name)
        if value is None:
            kind = (self.source or {}).get("kind", "")
            reason = f"{kind} does not hold it" if self.params is None and kind else "it was not read"
            if self.projected is not None:
                reason = "they are projected by a codebook, for encoding with it"
            elif name == "projected":
                reason = "they are not projected by a codebook"
            raise DataError(f"these features have no {name}: {reason}; extract it from the video")
        return value

    def take(self, index):
        """Some of the tracks.

        Parameters
        ----------
        index : (n,) bool, (m,) int or slice

        Returns
        -------
        Features
            With the camera and the metadata of the whole.

        Raises
        ------
        DataError
            If ``index`` is neither, or reaches beyond the tracks.
        """
        if not isinstance(index, slice):
            index = np.asarray(index)
            if index.size == 0 and index.dtype.kind == "f":  # an empty list
                index = index.astype(np.intp)
            if index.ndim != 1 or index.dtype.kind not in "biu":
                raise DataError(f"index must be (n,) bool or (m,) int, got {describe(index)}")
        try:
            columns = {name: value[index] for name, value in self.columns().items()}
            projected = None if self.projected is None else self.projected.take(index)
            return dataclasses.replace(self, **columns, projected=projected)
        except IndexError as problem:
            raise DataError(f"index does not fit {len(self)} tracks: {problem}") from None

    def timed(self, frames):
        """Fill in the time positions once the number of frames is known.

        Parameters
        ----------
        frames : int
            Frames processed.

        Returns
        -------
        Features
            With times in ``position`` and with ``frames``.

        Raises
        ------
        DataError
            If the first frame is unknown, for lack of the camera's motion.
        """
        if self.camera is None:
            raise DataError("the time of a track needs the first frame, which is known with the camera's motion only")
        position = self.need("position").copy()
        steps = self.need("trajectory").shape[1] // 2 * (1 if self.skip is None else self.skip.astype(np.int64))
        position[:, 2] = time_position(self.frame, length=steps, first=self.camera.first_frame, frames=frames)
        return dataclasses.replace(self, position=position, frames=frames)

    def to_numpy(self):
        """Rows of the release.

        Returns
        -------
        (n, 436) float32
            Frame, mean, std, length, scale, position, trajectory, HOG, HOF, MBHx, MBHy (docs/method/extraction.md,
            section 9).

        Raises
        ------
        DataError
            If a column is absent.
        """
        names = ("frame", "mean", "std", "length", "scale", "position", *layout.DESCRIPTORS)
        return np.column_stack([self.need(name).astype(np.float32, copy=False) for name in names])


def time_position(frame, *, length, first, frames):
    """Relative time of tracks: their middle between the first and the last frame.

    Parameters
    ----------
    frame : (n,) int
        Frame at which each track ends.
    length : int or (n,) int
        Frames that a track spans: its steps ("L") times its frame step.
    first, frames : int
        First frame and number of frames.

    Returns
    -------
    (n,) float32
        (end frame − L/2 − first frame) / frames, clamped to [0, 0.999].

    Notes
    -----
    docs/method/extraction.md, section 9.1; L/2 is 7.5 for the default length, not rounded down.
    """
    middle = (np.asarray(frame, np.float64) - np.asarray(length) / 2 - first) / max(frames, 1)
    return np.clip(middle, 0, LAST_POSITION).astype(np.float32)


def _agreed(values, otherwise):
    """The value that all share. NaN agrees with NaN."""
    first = values[0]
    same = all(value == first or (value != value and first != first) for value in values)
    return first if same else otherwise


def _joined(cameras):
    """The motion of consecutive stretches as one, or None."""
    expected = None
    for camera in cameras:
        if camera is None or expected not in (None, camera.first_frame):
            return None
        expected = camera.first_frame + len(camera)
    arrays = {
        name: np.concatenate([getattr(camera, name) for camera in cameras])
        for name in ("homography", "matches", "inliers")
    }
    return Camera(**arrays, first_frame=cameras[0].first_frame)
