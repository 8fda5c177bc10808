"""Video files, decoded by PyAV; the reader has the interface that `idt.frames.opencv_decoder` describes.

One thread decodes, so that a damaged stream gives the same frames on every machine. Packets that the decoder refuses,
and data that the container cannot split into packets, are skipped.
"""

import math
import weakref
from array import array
from collections import deque
from pathlib import Path

import av
import numpy as np

from idt.frames import containers
from idt.frames.damage import Damage, format_ranges
from idt.frames.image_size import check_pixels
from idt.frames.motion.exported import with_vectors
from idt.frames.opencv_decoder import truncation_note
from idt.frames.pyav_container import announced_frames, decoder_options, open_container, rate_of, video_stream
from idt.frames.pyav_pictures import Deinterlacer, FrameConverter
from idt.params.bounds import MOST_PIXELS

RETRIES = 100
"""After this many errors of reading in a row, a file counts as read to its end."""


class PyavReader:
    """Reader of the frames of a video file through PyAV.

    Parameters
    ----------
    file : SourceFile
        `close` closes it.
    path : str
        The file, as it was given.
    max_pixels : int
        Most pixels of a frame.
    deinterlace : bool
        Interpolate every other line.
    vectors : bool
        Ask the codec for its motion vectors.

    Attributes
    ----------
    vectors : structured array or None
        Motion vectors of the last frame that was read, if they are the flow from the frame before it.
    """

    kind, channels, decoder = "file", "bgr", "pyav"

    def __init__(self, file, path, max_pixels=MOST_PIXELS, deinterlace=False, vectors=False):
        self.path, self.name = path, Path(path).name
        self.position, self.vectors = 0, None
        self._file, self._max_pixels = file, max_pixels
        self._container = open_container(file, path, max_pixels)
        try:
            self._stream, self.notes = video_stream(self._container, path)
            context = self._stream.codec_context
            check_pixels(self.name, (context.width, context.height), max_pixels)
            self.fps = rate_of(self._stream)
            self.n_frames = announced_frames(self._container, self._stream)
            self._damage, self._pictures = Damage(), FrameConverter(self._stream)
            deinterlacer = Deinterlacer() if deinterlace else None
            vectors = vectors and not deinterlace
            options = decoder_options(max_pixels, vectors=vectors)
            self._frames = _decode(self._container, self._stream, self._damage, options, deinterlacer)
            if vectors:
                self._frames = with_vectors(self._frames, context)
            # PyAV's container and streams form a reference cycle, which would keep the file open if no one closes the
            # reader.
            self._release = weakref.finalize(self, _close, self._frames, self._container, file)
        except BaseException:
            self._container.close()
            raise

    @property
    def size(self):
        """Return the size of the file in bytes."""
        return self._file.size

    def digest(self):
        """Return the SHA-256 of the file."""
        return self._file.digest()

    def check_unchanged(self):
        """Refuse a file that was changed since it was opened."""
        self._file.check_unchanged()

    def skip(self):
        """Decode a frame without converting it."""
        return self._next() is not None

    def read(self):
        """Return the next frame, (H, W, 3) BGR uint8."""
        frame = self._next()
        if frame is None:
            return None
        check_pixels(self.name, (frame.width, frame.height), self._max_pixels)
        return self._pictures.convert(frame)

    def label(self, index):
        """Return the frame's name for messages."""
        return f"frame {index}"

    def times(self):
        """Return the time of each frame in seconds since the first, or None if the file has no times.

        Every frame is decoded once more for this.
        """
        found = array("d")
        with open_container(self._file, self.path, self._max_pixels) as container:
            stream = container.streams[self._stream.index]
            for number, frame in _decode(container, stream, Damage(), decoder_options(self._max_pixels)):
                # AVI stores only decoding times for frames that other frames refer to.
                stamp = frame.dts if frame.pts is None else frame.pts
                if stamp is None:
                    return None
                # The time of a lost frame is interpolated below.
                found.extend([math.nan] * (number - len(found)))
                found.append(float(stamp * stream.time_base))
        stamps = np.array(found)
        known = np.flatnonzero(~np.isnan(stamps))
        if len(known) < 2:
            return None
        stamps = np.interp(np.arange(len(stamps)), known, stamps[known])
        return stamps - stamps[0] if (np.diff(stamps) > 0).all() else None

    def faults(self, at_end):
        """Describe the faults of the frames that were read, one line each.

        Parameters
        ----------
        at_end : bool
            Whether the source has ended, and not only the chosen range of it.

        Returns
        -------
        list of str
        """
        found, damage = [], self._damage
        is_truncated = at_end and containers.is_truncated(self._file)
        if is_truncated:
            found.append(truncation_note(self.name, self.position, self.n_frames))
        # In a truncated file, the loss of the last frames is reported as the truncation.
        lost, damaged = (
            [i for i in numbers if i < damage.last or not is_truncated] for numbers in (damage.lost, damage.damaged)
        )
        if lost:
            several = len(lost) > 1
            subject = f"frames {format_ranges(lost)} do" if several else f"frame {lost[0]} does"
            found.append(f"{self.name} is damaged: {subject} not decode and {'are' if several else 'is'} left out")
        if damaged:
            plural = "s" * (len(damaged) > 1)
            found.append(f"{self.name} is damaged: frame{plural} {format_ranges(damaged)} decoded with errors")
        return found

    def close(self):
        """Release the file."""
        self._release()

    def _next(self):
        """Return the next decoded frame, or None."""
        number, frame, *vectors = next(self._frames, (-1, None))
        if frame is not None:
            self.position = number + 1
            self.vectors = vectors[0] if vectors else None
        return frame


def _close(*items):
    for item in items:
        item.close()


def _decode(container, stream, damage, options, deinterlacer=None):
    """Yield decoded frames with their numbers.

    This is no method, because its generator would then keep a reference to the reader, and the file open.
    """
    context = stream.codec_context
    context.thread_count = 1
    context.options = options
    # Numbers of the frames in the deinterlacer, which returns a frame after it has received the next one.
    waiting: deque[int] = deque()
    for frames in _decode_packets(context, _packets(container, stream, damage), damage):
        for frame in frames:
            number = damage.receive(frame.pts, frame.is_corrupt)
            if number is None:
                continue
            if deinterlacer is None:
                yield number, frame
            else:
                waiting.append(number)
                for ready in deinterlacer.deinterlace(frame):
                    yield waiting.popleft(), ready
    damage.end()
    for ready in [] if deinterlacer is None else deinterlacer.deinterlace(None):
        yield waiting.popleft(), ready


def _decode_packets(context, packets, damage):
    """Yield the list of frames that the decoder returns for each packet; the packet None flushes the decoder."""
    for packet in packets:
        stamp = None if packet is None else packet.pts
        # Packets that an edit list hides are decoded for others that refer to them, but give no frame.
        if packet is not None and not packet.is_discard:
            damage.send(stamp)
        try:
            frames = context.decode(packet)
        except av.FFmpegError as problem:
            if isinstance(problem, MemoryError):
                raise
            damage.refuse(stamp)
            continue
        yield frames


def _packets(container, stream, damage):
    """Yield the packets of a stream, then None; unreadable packets are skipped."""
    failures = 0
    while failures < RETRIES:
        try:
            for packet in container.demux(stream):
                failures = 0
                if packet.size:
                    yield packet
            break
        except av.FFmpegError as problem:
            if isinstance(problem, MemoryError):
                raise
            failures += 1
            damage.refuse(None)
    yield None
