"""`Features`: the tracks and descriptors of a video as columns (docs/method/extraction.md, section 9)."""

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from idt.checks import type_and_shape
from idt.errors import DataError
from idt.features import joining, tables
from idt.features.camera import Camera
from idt.features.columns import COLUMNS, checked_column, empty_columns, time_position
from idt.features.network_blocks import NetworkBlocks
from idt.features.projection import Projected
from idt.features.track import Track, checked_index
from idt.params import layout
from idt.params.extraction import ExtractionParams

if TYPE_CHECKING:
    import pandas
    import xarray


@dataclass(kw_only=True, eq=False, repr=False)
class Features:
    """Tracks and descriptors, sorted by last frame, frame step, scale and order of sampling; float32 but for integers.

    A sequence of tracks: ``len`` counts them, ``features[3]`` is a `Track`, ``features[:100]``, ``features[mask]`` and
    ``features[indices]`` are `Features` of some of them, and iteration gives one `Track` after the other. A column is
    None where the form that it was read from does not hold it, or where it was not asked for: `need` then says why.

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
        Raw positions in full-resolution pixels; only L in imported binary rows, None in imported text.
    trajectory : (n, 2 L) float32
        Normalised displacements.
    hog, hof, mbhx, mbhy : (n, 96), (n, 108), (n, 96), (n, 96) float32
        Histograms.
    skip : (n,) uint8 or None
        Frame step of multi-skip extraction; None when it is 1 throughout.
    projected : Projected or None
        The descriptors along the axes of a codebook, from a projected file. The five descriptor columns are None then.
    network : NetworkBlocks or None
    camera : Camera or None
    width, height : int or None
        Of the frames, in pixels.
    fps : float
        Frames per second, NaN if unknown.
    frames : int or None
        Number of frames processed.
    params : ExtractionParams or None
        Parameters of the extraction, also given as a dict; None for rows that others wrote.
    source : dict or None
        Provenance of the features.
    made_with : dict or None
        Versions that their file records, empty if it records none; None for features of this process.
    notes : tuple of str
        Notes for the user, such as damage of the video.
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
    network: NetworkBlocks | None = None
    camera: Camera | None = None
    width: int | None = None
    height: int | None = None
    fps: float = math.nan
    frames: int | None = None
    params: ExtractionParams | None = None
    source: dict[str, Any] | None = None
    made_with: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self):
        count = None
        for name, value in self.columns().items():
            value = checked_column(name, value)
            if count not in (None, len(value)):
                raise DataError(f"all columns must have equally many rows, got {count} and {name} with {len(value)}")
            count = len(value)
            setattr(self, name, value)
        if self.projected is not None and count not in (None, len(self.projected)):
            raise DataError(f"all columns must have equally many rows, got {count} and {len(self.projected)} projected")
        if isinstance(self.params, dict):
            self.params = ExtractionParams.from_options(**self.params)
        if not isinstance(self.params, ExtractionParams | None):
            raise DataError(f"params must be ExtractionParams, a dict or None, got {type_and_shape(self.params)}")

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
        """Return features without tracks, with the columns of the given parameters.

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
        columns: dict[str, Any] = empty_columns(length, cells, time_cells)
        return cls(**columns, **metadata)

    @classmethod
    def concatenate(cls, parts):
        """Concatenate features.

        Parameters
        ----------
        parts : sequence of Features
            Chunks of a stream, or features of several videos.

        Returns
        -------
        Features
            Metadata that all parts agree on is kept, and ``frames`` is their sum. The camera's motion is joined if each
            part continues the one before it, and None otherwise. Without parts, the result has no tracks and the
            columns of the default parameters.

        Raises
        ------
        DataError
            If their columns differ in presence or in size.
        """
        return joining.concatenate(cls, list(parts))

    def columns(self):
        """Return the columns that are present, by name: dict of str to ndarray."""
        return {name: value for name in COLUMNS if (value := getattr(self, name)) is not None}

    def need(self, name):
        """Return a column, or raise `DataError` if it is absent.

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
        value = (self.network.blocks if self.network else {}).get(name, getattr(self, name, None))
        if value is None:
            kind = (self.source or {}).get("kind", "")
            reason = f"{kind} does not hold it" if self.params is None and kind else "it was not read"
            if self.projected is not None:
                reason = "they are projected by a codebook, for encoding with it"
            elif name == "projected":
                reason = "they are not projected by a codebook"
            raise DataError(f"these features have no {name}: {reason}; extract it from the video")
        return value

    def __getitem__(self, index):
        """Return one track, or features of some.

        Parameters
        ----------
        index : int, slice, (n,) bool or (m,) int
            Negative numbers count from the end.

        Returns
        -------
        Track or Features
            A `Track` for a number, without blocks of networks; else `Features` of the chosen tracks, with the same
            metadata.

        Raises
        ------
        IndexError
            If it reaches beyond the tracks (a `DataError`, too).
        DataError
            If it is none of these.
        """
        chosen = checked_index(index, len(self))
        columns: dict[str, Any] = {name: value[chosen] for name, value in self.columns().items()}
        if isinstance(chosen, int):
            blocks = None if self.projected is None else {k: v[chosen] for k, v in self.projected.blocks.items()}
            return Track(**columns, projected=blocks)
        projected = None if self.projected is None else self.projected.take(chosen)
        columns["network"] = self.network and self.network.take(chosen)
        return dataclasses.replace(self, **columns, projected=projected)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __array__(self, dtype=None, copy=None):
        raise DataError("features are no array: take a column such as features.hof, or features.to_numpy()")

    def with_times(self, frames):
        """Fill in the relative times when the number of frames is known.

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
        """Return rows in the layout of the release.

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

    def to_pandas(self) -> "pandas.DataFrame":
        """Return a pandas DataFrame with a row for each track; `DataError` without pandas (extra ``tables``).

        Returns
        -------
        pandas.DataFrame
            Index ``track``; the columns that are present: ``frame``, ``scale``, ``mean_x``, ``mean_y``, ``std_x``,
            ``std_y``, ``length``, ``position_x`` …, ``point_0_x`` …, ``skip``, ``trajectory_0`` ….
        """
        return tables.to_pandas(self)

    def to_xarray(self) -> "xarray.Dataset":
        """Return an xarray Dataset with named dimensions; `DataError` without xarray (extra ``tables``).

        Returns
        -------
        xarray.Dataset
            The columns that are present, with dimensions ``track``, ``point``, ``xy``, ``xyt``, ``trajectory_number``,
            ``hog_bin`` …; the camera's ``homography``, ``matches`` and ``inliers`` along ``video_frame``; width,
            height, fps, frames, notes and, as JSON, params and source as attributes, which netCDF takes.
        """
        return tables.to_xarray(self)
