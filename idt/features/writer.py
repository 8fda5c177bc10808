"""`Writer`: writes a feature file chunk by chunk while a video is extracted.

Rows are buffered until a chunk is full, so memory does not grow with the video. The relative time of a track needs the
number of frames, which is unknown before the end of a stream; it is written last.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from idt.checks import type_and_shape
from idt.errors import DataError
from idt.features.camera import Camera
from idt.features.column_storage import ColumnStorage, row_shapes, stored_params
from idt.features.columns import time_position
from idt.features.content_digest import ATTRIBUTE, ContentDigest, camera_fields
from idt.features.storage import FORMAT, PLAIN
from idt.files import result_file
from idt.files.hdf5 import chunks as hdf5_chunks

CHUNK = 1024
"""Rows of a chunk: fewer compress worse, more gain nothing and cost memory."""

PIECE = 256
"""Rows that are encoded at once: more gain nothing and cost memory."""

CAMERA_CHUNK = 256
"""Frames of a chunk of the camera's motion."""


@dataclass(frozen=True)
class VideoInfo:
    """Frame size, frame rate and first frame of a video.

    Attributes
    ----------
    width, height : int or None
    fps : float
        NaN if unknown.
    first_frame : int
        Index of the first frame that is processed.
    """

    width: int | None = None
    height: int | None = None
    fps: float = math.nan
    first_frame: int = 0

    @classmethod
    def of(cls, features):
        """Take the entries from ``features``, and the first frame from their camera's motion."""
        first = 0 if features.camera is None else features.camera.first_frame
        return cls(features.width, features.height, features.fps, first)


UNKNOWN_VIDEO = VideoInfo()
"""The video of rows that others wrote."""


class Writer:
    """Writer of a feature file; a context manager.

    The file takes its name when the block ends after `finish`; otherwise nothing is left of it.

    Parameters
    ----------
    path : str or Path
    params : ExtractionParams, dict or None
        None for rows that others wrote; their histograms are stored as float32.
    source : dict or None
        Provenance of the features, with its ``"digest"``.
    video : VideoInfo
    storage : Storage
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.
    made_with : dict, optional
        As for `idt.files.result_file.create`.

    Raises
    ------
    DataError
        When the block begins: if ``path`` exists and may not be replaced, or the form does not fit the parameters.
    OSError
        If the disk is full or ``path`` cannot be written; nothing is left then.

    Examples
    --------
    >>> with Writer("walk.h5", params=params, source=source, video=VideoInfo(320, 176)) as writer:  # doctest: +SKIP
    ...     for chunk in idt.stream("walk.avi"):
    ...         writer.append(chunk)
    ...     writer.finish(frames=40)
    """

    def __init__(self, path, *, params, source, video=UNKNOWN_VIDEO, storage=PLAIN, overwrite=False, made_with=None):
        self.path = path
        self._params, self._source = params, source
        self._video, self._storage = video, storage
        self._overwrite, self._made_with = overwrite, made_with
        self._creation: Any = None
        self._file: Any = None
        self._shapes: dict[str, tuple] = {}
        self._columns: Any = None
        self._buffers: dict[str, np.ndarray] = {}
        self._datasets: dict[str, Any] = {}
        self._written = self._buffered = 0
        self._cameras: list[Camera] = []
        self._camera_datasets: dict[str, Any] = {}
        self._next_camera_frame = video.first_frame
        self._content = ContentDigest()
        self._times_known: bool | None = None
        self._finished = False

    def __enter__(self):
        self._storage = self._storage.loaded()
        self._params = stored_params(self._params, self._storage)
        self._creation = result_file.create(
            self.path,
            format=FORMAT,
            version=self._storage.version,
            params=self._params,
            source=self._source,
            overwrite=self._overwrite,
            made_with=self._made_with,
        )
        self._file = self._creation.__enter__()
        return self

    def __exit__(self, *problem):
        if problem[0] is None and not self._finished:
            error = DataError(f"{self.path} was not written: Writer.finish must be called after the last chunk")
            self._creation.__exit__(DataError, error, None)
            raise error
        return self._creation.__exit__(*problem)

    def append(self, features):
        """Append tracks, and the camera's motion if the features have it.

        Parameters
        ----------
        features : Features
            The next tracks. If their times are NaN, as in a stream, `finish` fills them in. Either all times of a file
            are NaN, or none.

        Raises
        ------
        DataError
            If the parameters ask for other columns, a number is not finite or does not fit the form, or the camera's
            motion does not begin at the next frame.
        OSError
            If the disk is full.
        """
        if not self._shapes:
            self._define_columns(features.points)
        self._check(features)
        if features.camera is not None:
            self._append_camera(features.camera)
        first = 0
        while first < len(features):
            count = min(PIECE, CHUNK - self._buffered, len(features) - first)
            rows = {name: values[first : first + count] for name, values in features.columns().items()}
            rows.setdefault("skip", np.ones(count, np.uint8))
            for name in self._columns.blocks:
                rows[f"network/{name}"] = features.network.blocks[name][first : first + count]
            for name, values in self._columns.encode(rows).items():
                self._buffers[name][self._buffered : self._buffered + count] = values
            first += count
            self._buffered += count
            if self._buffered == CHUNK:
                self._flush()

    def finish(self, frames=None, *, fill=True, truncation=None, maxima=None):
        """Complete the file after the last chunk.

        Parameters
        ----------
        frames : int or None
            Number of frames processed, if it is known.
        fill : bool
            Fill in times that are NaN; without ``frames`` they stay NaN.
        truncation : str, optional
            How much of the video was missing; recorded with its source.
        maxima : dict of str to ndarray, optional
            Divisors of the channels of each divided network block.

        Raises
        ------
        OSError
            If the disk is full.
        """
        if not self._shapes:
            self._define_columns(None)
        if self._buffered or not self._written:
            self._flush()
        self._write_cameras()
        video = {"width": self._video.width, "height": self._video.height, "fps": self._video.fps, "frames": frames}
        for name, value in video.items():
            if value is not None:
                result_file.set_attribute(self._file, name, value)
        if truncation is not None:
            result_file.set_json(self._file, "source", {**self._source, "truncation": truncation})
        if fill and frames is not None and self._times_known is False:
            self._fill_times(frames)
        for name in (self._columns.network or {}).get("divided", ()):
            result_file.write_array(self._file, f"maxima/{name}", maxima[name])
            self._content.add({f"maxima/{name}": maxima[name]})
        result_file.set_attribute(self._file, ATTRIBUTE, self._content.digest(self._params, **video))
        self._finished = True

    def _fill_times(self, frames):
        """Write the relative times of all tracks, chunk by chunk."""
        position, ends, skips = self._datasets["position"], self._datasets["frame"], self._datasets.get("skip")
        steps = self._shapes["trajectory"][0] // 2
        height = position.chunks[0]
        for first in range(0, self._written, height):
            rows = slice(first, first + height)
            spans = steps if skips is None else steps * skips[rows].astype(np.int64)
            time = time_position(ends[rows], length=spans, first=self._video.first_frame, frames=frames)
            self._content.add({"time": time})
            # Only the third column is written, at offset 2. The other two columns of the array are not used.
            hdf5_chunks.write_chunk(position, (first, 2), np.repeat(time[:, None], 3, axis=1))

    def _define_columns(self, points):
        """Define the columns of the file by the first chunk, which shows whether imported rows have points."""
        self._shapes = row_shapes(self._params, None if points is None else points.shape[1:])
        self._columns = ColumnStorage(self._params, {**self._shapes, "skip": ()}, projection=self._storage.project)
        if self._columns.widths:
            result_file.set_attribute(self._file, "projected", json.dumps(self._columns.widths))
        for name, field in self._columns.fields.items():
            self._buffers[name] = np.empty((CHUNK, *field.shape), field.dtype)

    def _check(self, features):
        """Refuse features that do not fit the file."""
        for name, shape in self._shapes.items():
            values = features.need(name)
            if values.shape[1:] != shape:
                raise DataError(f"{name} must have rows of shape {shape} in {self.path}, got {type_and_shape(values)}")
            finite = values[:, :2] if name == "position" else values
            if not np.isfinite(finite).all():
                raise DataError(f"{name} must be finite, got NaN or infinity")
        blocks = {} if features.network is None else features.network.blocks
        if sorted(blocks) != sorted(self._columns.blocks):
            raise DataError(f"{self.path} takes the blocks of networks {self._columns.blocks}, got {list(blocks)}")
        if not all(np.isfinite(values).all() for values in blocks.values()):
            raise DataError("blocks of networks must be finite, got NaN or infinity")
        if features.points is not None and "points" not in self._shapes:
            raise DataError(f"{self.path} was begun without points, got some; convert one form at a time")
        known = np.isfinite(features.position[:, 2])
        if len(known):
            self._times_known = bool(known[0]) if self._times_known is None else self._times_known
            if (known != self._times_known).any():
                raise DataError("the times of all tracks must be known or none, got both")

    def _flush(self):
        """Write the buffered rows as one chunk."""
        count = self._buffered
        fields = {name: buffer[:count] for name, buffer in self._buffers.items()}
        self._content.add(fields)
        for name, values in fields.items():
            if name == "skip" and name not in self._datasets and (values == 1).all():
                continue
            dataset = self._datasets.get(name) or self._add_dataset(name, count)
            dataset.resize(self._written + count, axis=0)
            if name == "position" and self._times_known is False:
                # The times are written once, by finish: until then they read as the fill value, NaN.
                for column in (0, 1):
                    hdf5_chunks.write_chunk(dataset, (self._written, column), values)
            else:
                hdf5_chunks.write(dataset, self._written, values)
        self._written += count
        self._buffered = 0
        self._file.check_disk()

    def _add_dataset(self, name, count):
        """Make the dataset of a column before its first ``count`` rows are written."""
        field = self._columns.fields[name]
        # A video of few tracks has one chunk with as many rows as tracks.
        height = CHUNK if self._written or not count else count
        dataset = hdf5_chunks.create(
            self._file,
            field.place,
            shape=field.shape,
            chunks=(height, *field.inner),
            dtype=field.dtype,
            fill=field.fill,
        )
        if field.scale is not None:
            result_file.set_attribute(dataset, "scale_factor", field.scale)
        self._datasets[name] = dataset
        return dataset

    def _append_camera(self, camera):
        if self._storage.project is not None:
            return
        if camera.first_frame != self._next_camera_frame:
            raise DataError(
                f"the camera's motion must go on at frame {self._next_camera_frame}, got {camera.first_frame}"
            )
        self._next_camera_frame += len(camera)
        self._content.add(camera_fields(camera))
        self._cameras.append(camera)
        if sum(len(camera) for camera in self._cameras) >= CAMERA_CHUNK:
            self._write_cameras()

    def _write_cameras(self):
        if not self._cameras:
            return
        datasets = self._camera_datasets
        for name in ("homography", "matches", "inliers"):
            values = np.concatenate([getattr(camera, name) for camera in self._cameras])
            if name not in datasets:
                row = values.shape[1:]
                datasets[name] = result_file.growing_array(
                    self._file,
                    f"camera/{name}",
                    shape=row,
                    chunks=(CAMERA_CHUNK, *row),
                    dtype=values.dtype,
                    packed=True,
                )
                if name == "homography":
                    result_file.set_attribute(datasets[name], "first_frame", self._video.first_frame)
            dataset = datasets[name]
            dataset.resize(len(dataset) + len(values), axis=0)
            dataset[len(dataset) - len(values) :] = values
        self._cameras = []
