"""Open a file, folder, pattern, camera or iterable of arrays, and yield numbered gray frames.

Method: docs/method/extraction.md, section 1.

Frames are decoded one after the other, never by seeking, which is inexact in most containers. Frames before ``start``
and between those that ``fps`` selects are decoded but not converted. `idt.frames.schedule` selects the frames. A frame
that does not decode keeps its number in the source, and the next frame that decodes follows without a gap. Left out:
sound.
"""

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from idt.errors import DataError
from idt.frames.schedule import FAR, Schedule, variable_times
from idt.frames.sources import TO_GRAY, find_reader
from idt.imports.opencv import cv2
from idt.params.bounds import MOST_PIXELS, PIXELS
from idt.params.extraction import ExtractionParams, parse_time
from idt.params.flow_choice import MPEG
from idt.workers.patience import frame_arrived
from idt.workers.read_ahead import read_ahead

DEFAULTS = ExtractionParams()


class Frame(NamedTuple):
    """A frame: number after resampling, number in the source, gray (H, W) uint8; (motion vectors, `Video.shrink`)."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which is not used here
    original: int
    gray: np.ndarray
    vectors: tuple[np.ndarray, float] | None = None


def open_video(
    video,
    *,
    params: ExtractionParams = DEFAULTS,
    strict: bool = False,
    ahead: int = 0,
    channels: str = "bgr",
    max_pixels: int = MOST_PIXELS,
    decoder: str = "auto",
) -> "Video":
    """Open any source of frames, and read the first one.

    Parameters
    ----------
    video : path, int, array or iterable
        A video file; a folder of images; a pattern such as ``"frames/*.png"`` (in natural order: frame2 before
        frame10) or ``"img_%05d.jpg"`` (consecutive numbers); the index of a camera; a (T, H, W) gray or
        (T, H, W, 3) colour uint8 array; or an iterable of such frames, read as needed: it need not end.
    params : ExtractionParams
        ``start``, ``end`` (inclusive; frames are counted in the source, times are seconds from its beginning),
        ``fps``, ``max_side``, ``deinterlace`` and ``patch`` are used. A rate above the source's keeps every frame once,
        with a note.
    strict : bool
        Refuse a truncated or damaged file at its end instead of adding a note.
    ahead : int
        Number of frames that a read-ahead thread decodes while the caller's loop works. Such a video can be iterated
        once, because a loop that ends early loses the frames that were decoded ahead.
    channels : {"bgr", "rgb"}
        Order of the colours in arrays. Files and cameras have their own order.
    max_pixels : int
        Largest number of pixels of a frame of a file or camera; larger frames are refused, before they are decoded if
        their size is known. Results do not depend on it.
    decoder : {"auto", "opencv", "pyav"}
        Decoder of video files: auto is PyAV if it is installed, else OpenCV.

    Returns
    -------
    Video

    Raises
    ------
    DataError
        If there is nothing to read or decode, ``start`` lies beyond the last frame, a rate or time is asked of a
        source without a known rate, or the frames are smaller than ``patch`` or larger than ``max_pixels``. While
        reading: if a frame is unreadable, not uint8, or of another size than the first. At the last frame: if the file
        was changed since it was opened, or OpenCV returns one picture for different frames, as its versions from 4.13
        to 5.0 do for interlaced video.

    Notes
    -----
    docs/method/extraction.md, section 1.
    """
    PIXELS.check("max_pixels", max_pixels)
    opening = {"max_pixels": max_pixels, "decoder": decoder, "deinterlace": params.deinterlace}
    return Video(find_reader(video, channels, **opening, vectors=params.flow == MPEG), params, strict, ahead)


class Video:
    """Iterator of `Frame`; a context manager that closes the source.

    Attributes
    ----------
    width, height : int
        Size of the frames given out; ``source_width`` and ``source_height`` before ``max_side``.
    shrink : float
        Factor from source pixels to pixels of the frames given out, at most 1.
    fps : float
        Frames per second given out, NaN where unknown; ``source_fps`` before resampling.
    n_expected : int or None
        Number of frames that the iteration should give; None if unknown.
    name : str
    notes : list of str
        One-line warnings; a warning about truncation or damage is added at the end of the video.
    fault : str or None
        The note about truncation, or about other missing or damaged frames.
    first_frame : Frame
        The first frame, which iteration gives again.
    """

    least_side = 0  # least shorter side of a frame in pixels; 0 means params.patch

    def __init__(self, reader, params, strict, ahead):
        self._reader, self._params, self._strict, self._ahead = reader, params, strict, ahead
        self.name, self.source_fps = reader.name, reader.fps
        self.notes: list[str] = list(reader.notes)
        self.fault: str | None = None
        self.source_width = self.source_height = self.width = self.height = 0
        self.shrink, self._finished = 1.0, False
        try:
            self._choose_frames()
            self.first_frame = self._first()
        except BaseException:
            reader.close()
            raise
        self._pending: Frame | None = self.first_frame

    @property
    def source(self) -> dict[str, Any]:
        """Return the provenance: kind, path, name, digest, bytes; for a file its decoder; truncation, once known.

        The digest reads the whole source.
        """
        reader, digest = self._reader, self.digest
        known = {"kind": reader.kind, "path": reader.path, "name": self.name, "digest": digest, "bytes": reader.size}
        if reader.kind == "file":
            known["decoder"] = reader.decoder
        return known if self.fault is None else {**known, "truncation": self.fault}

    @property
    def path(self) -> str:
        """Return the file, folder or pattern that the frames come from; empty for a stream."""
        return str(self._reader.path)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the file, or of the digests of image files one after the other; empty for a stream."""
        return self._reader.digest()

    def close(self):
        """Release the file or camera; iteration then ends."""
        self._pending, self._finished = None, True
        self._reader.close()

    def __enter__(self) -> "Video":
        return self

    def __exit__(self, *_):
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        return read_ahead(iter(self._take, None), self._ahead) if self._ahead else self

    def __next__(self) -> Frame:
        frame = self._take()
        if frame is None:
            raise StopIteration
        return frame

    def _take(self):
        """Return the next frame, or None."""
        frame, self._pending = self._pending or self._next_frame(), None
        if frame is None:
            self._reader.check_unchanged()
        return frame

    def _choose_frames(self):
        """Turn start, end and fps into the first chosen frame and the source number of the last."""
        params, reader = self._params, self._reader
        limits = [parse_time(params.start, "start"), parse_time(params.end or 0, "end")]
        times = None
        if params.fps is not None or float in map(type, limits):
            times = variable_times(reader.times(), self.source_fps)
        if times is not None and math.isnan(self.source_fps):
            self.source_fps = (len(times) - 1) / float(times[-1])
        if params.fps is not None and math.isnan(self.source_fps):
            raise DataError(f"the frame rate of {self.name} is unknown, so fps={params.fps:g} cannot be met; drop fps")
        self._schedule = Schedule(self.source_fps, params.fps, times)
        self.fps = self.source_fps
        if self._schedule.resamples:
            self.fps = float(params.fps)
        elif params.fps is not None and params.fps > self.source_fps:
            rate = f"{self.source_fps:g} frames/s, fewer than fps={params.fps:g}"
            self.notes.append(f"{self.name} has {rate}: each kept once")
        start = min(self._bound(params.start, "start", self._schedule.first_at), FAR)
        self._last = math.inf if params.end is None else self._bound(params.end, "end", self._schedule.last_at)
        if self._last < start:
            raise DataError(f"end must not lie before start, got start={params.start} and end={params.end}")
        self._next_kept = self._index = self._schedule.first(start)
        self.n_expected = None
        if reader.n_frames is not None:
            last = int(min(self._last, (reader.n_frames if times is None else len(times)) - 1))
            self.n_expected = self._schedule.count(self._index, last)

    def _bound(self, value, name, to_frame):
        """Return the frame number of ``start`` or ``end``; a time is rounded inwards to the next frame."""
        time = parse_time(value, name)
        if isinstance(time, int):
            return time
        if math.isnan(self.source_fps):
            raise DataError(f"the frame rate of {self.name} is unknown, so {name}={value} has no frame; give an index")
        return to_frame(time)

    def _first(self):
        """Return the first frame; if there is none, the error says why."""
        if (frame := self._next_frame()) is not None:
            return frame
        n, wanted = self._reader.position, self._schedule.number(self._next_kept)
        if wanted == FAR and self._schedule.times is not None:
            n = len(self._schedule.times)
        elif wanted > self._last:
            raise DataError(f"fps={self._params.fps:g} keeps no frame of {self.name} between start and end")
        if n == 0:
            raise DataError(f"no frames in {self.name}: expected at least one that can be read")
        noted = "".join(f" ({note})" for note in self.notes)
        raise DataError(f"start={self._params.start} lies beyond the end: {self.name} has {n} frame(s){noted}")

    def _next_frame(self):
        """Decode up to the next chosen frame; None at the end of the source or range."""
        wanted, reader = self._schedule.number(self._next_kept), self._reader
        if self._finished:
            return None
        if wanted > self._last:
            return self._finish(at_end=False)
        while reader.position < wanted:
            if not reader.skip():
                return self._finish(at_end=True)
            frame_arrived()
        image = reader.read()
        frame_arrived()
        if image is None:
            return self._finish(at_end=True)
        # After lost frames, take the next frame that exists.
        original = reader.position - 1
        if original > self._last:
            return self._finish(at_end=False)
        gray, vectors = self._gray(image, original), getattr(reader, "vectors", None)
        frame = Frame(self._index, original, gray, None if vectors is None else (vectors, self.shrink))
        self._index += 1
        self._next_kept = self._schedule.first(original + 1, after=self._next_kept + 1)
        return frame

    def _finish(self, at_end):
        """Add the faults of the source to the notes, or refuse them, at its end or at the end of the chosen range."""
        self._finished = True
        faults = self._reader.faults(at_end)
        if faults:
            self.fault = "; ".join(faults)
            if self._strict:
                self.close()
                raise DataError(self.fault)
            self.notes += faults

    def _gray(self, image, original):
        """Convert a frame to gray and shrink it; the first frame fixes the size of all."""
        height, width = image.shape[:2]
        if not self.width:
            self._set_size(width, height)
        if (width, height) != (self.source_width, self.source_height):
            raise DataError(
                f"{self.name}: {self._reader.label(original)} is {width}×{height} px, but the first is"
                f" {self.source_width}×{self.source_height}; all must have one size"
            )
        pixels, size = self._converted(image), (self.width, self.height)
        return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if self.shrink < 1 else pixels

    def _converted(self, image):
        # Copied: a caller's generator may write its next frame into the same array.
        return cv2.cvtColor(image, TO_GRAY[self._reader.channels]) if image.ndim == 3 else np.array(image, order="C")

    def _set_size(self, width, height):
        params = self._params
        self.source_width, self.source_height = width, height
        if params.max_side is not None and params.max_side < max(width, height):
            self.shrink = params.max_side / max(width, height)
        self.width, self.height = max(1, round(width * self.shrink)), max(1, round(height * self.shrink))
        if min(self.width, self.height) < (self.least_side or params.patch):
            shrunk = f" after max_side={params.max_side}" if self.shrink < 1 else ""
            raise DataError(
                f"{self.name}: frames of {self.width}×{self.height} px{shrunk} are smaller than patch={params.patch}"
                " px; use larger frames or a smaller patch"
            )
