"""Video files and cameras, decoded by OpenCV.

A reader gives its frames in order, by ``read`` (an image, None at the end) or ``skip`` (False at the end). ``position``
is the number of the next frame; ``n_frames`` is None and ``fps`` NaN if unknown; ``channels`` is the order of the
colours. ``digest`` and ``size`` describe the bytes of the source, and ``check_unchanged`` refuses a source that has
changed since. ``times`` returns the time stamps, ``faults`` one line for each fault, and ``notes`` has further notes.

FFmpeg reads a video through the file that `idt.files.source_file` opened. It does not see the name, which it might take
for a protocol, a pattern or a script, and detects the format from the content.

OpenCV reports few faults. From 4.13 to 5.0 it returns the previous picture, or a black one, for interlaced frames; it
stops at a packet that its decoder refuses; it reads a cover picture as the video. The packets show all of this; they
are counted if the frames look suspicious.
"""

import math
import os
import time
from array import array
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np

from idt.errors import DataError, printable
from idt.frames import containers
from idt.frames.image_size import check_pixels, image_size
from idt.frames.playlists import HEAD_BYTES, refuse_playlist
from idt.imports.opencv import cv2
from idt.params.bounds import MOST_PIXELS
from idt.params.decoder import INSTALL_PYAV
from idt.workers.patience import allowed, refuse_late

IMAGE_HEAD_BYTES = 1 << 20
"""The size of an image is searched for in this many bytes: the metadata of a JPEG may be long and come first."""

MOST_REPEATED = 0.2
"""Largest share of frames that repeat the previous one although their packets differ; a video with more is refused."""

_TEXT_CODECS = ("ansi", "bint", "xbin", "idf")  # FFmpeg draws the letters of a text file as pictures with these
_PICTURE_CODECS = ("png", "mpng", "mjpg", "jpeg", "bmp", "gif", "webp")
# Lossless codecs whose packets differ even for equal pictures.
_LOSSLESS_CODECS = ("ffv1",)
_CODEC_NAMES = {
    "av01": "AV1", "vvc1": "VVC", "evc1": "EVC", "hev1": "HEVC", "hvc1": "HEVC", "avc1": "H.264", "h264": "H.264"
}  # fmt: skip
_TURNS = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}

# Held while the log level is changed, because OpenCV has one level for all threads.
_LOG_LEVEL = Lock()

# FFmpeg reads its log level from this variable when it is first used; a level that the user has set stays.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class OpencvReader:
    """Reader of a video file or a camera through OpenCV.

    Parameters
    ----------
    source : SourceFile or int
        The opened file, which `close` closes, or the index of a camera.
    path : str
        The file, as it was given.
    max_pixels : int
        Most pixels of a frame.
    """

    channels, decoder, notes = "bgr", "opencv", ()

    def __init__(self, source, path="", max_pixels=MOST_PIXELS):
        is_camera = isinstance(source, int)
        self.kind, self.path = "camera" if is_camera else "file", path
        self.name = f"camera {source}" if is_camera else Path(path).name
        self.position = 0
        self._file, self._max_pixels = None if is_camera else source, max_pixels
        self._n_read = self._n_repeated = 0
        self._last_image: np.ndarray | None = None
        if self._file is not None:
            refuse_playlist(path, self._file.head(HEAD_BYTES))
            self._check_size(image_size(self._file.head(IMAGE_HEAD_BYTES)) or (0, 0))
        self._patience, began = allowed(), time.monotonic()
        with silence_opencv():
            self._capture = cv2.VideoCapture(source, cv2.CAP_ANY) if is_camera else _capture(self._file, self._patience)
        codec = int(self._capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(8, "little", signed=True)[:4]
        self._codec = codec.decode("latin1").lower().rstrip("\0 ")
        if not self._capture.isOpened() or self._codec in _TEXT_CODECS:
            self._capture.release()
            if is_camera:
                raise DataError(f"camera {source} cannot be opened; check that it exists and is not in use")
            refuse_late(began, self._patience, path)
            raise DataError(f"{path} is not a video that OpenCV can decode, or it is damaged")
        self._check_size(map(int, map(self._capture.get, (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))))
        # Some versions of OpenCV rotate frames by default; here they are rotated by `_turn` in all versions.
        turned = not is_camera and self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 0)
        self._turn = _TURNS.get(int(self._capture.get(cv2.CAP_PROP_ORIENTATION_META)) % 360) if turned else None
        rate, count = (self._capture.get(p) for p in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT))
        self.fps = rate if 0 < rate < math.inf else math.nan
        # A container without a count gives none, or a negative number of 18 digits.
        self.n_frames = int(count) if not is_camera and 0 < count < 2**31 else None

    @property
    def size(self):
        """Return the size of the file in bytes; 0 for a camera."""
        return 0 if self._file is None else self._file.size

    def digest(self):
        """Return the SHA-256 of the file; empty for a camera."""
        return "" if self._file is None else self._file.digest()

    def check_unchanged(self):
        """Refuse a file that was changed since it was opened."""
        if self._file is not None:
            self._file.check_unchanged()

    def skip(self):
        """Grab a frame without converting it."""
        began = time.monotonic()
        has_frame = self._capture.grab()
        self.position += has_frame
        refuse_late(began, self._patience, self.path or self.name)
        self._refuse_codec()
        return has_frame

    def read(self):
        """Return the next frame, (H, W, 3) BGR uint8."""
        began = time.monotonic()
        has_frame, image = self._capture.read()
        self.position += has_frame
        refuse_late(began, self._patience, self.path or self.name)
        if not has_frame:
            self._refuse_codec()
            return None
        # A video may announce small frames and go on with large ones.
        self._check_size(image.shape[1::-1])
        if self._file is not None:
            self._n_read += 1
            self._n_repeated += self._last_image is not None and _are_equal(image, self._last_image)
            self._last_image = image
        return image if self._turn is None else cv2.rotate(image, self._turn)

    def label(self, index):
        """Return the frame's name for messages."""
        return f"frame {index}"

    def times(self):
        """Return the time of each frame in seconds since the first, or None if the file has no times.

        Every frame is decoded once more for this.
        """
        if self._file is None:
            return None
        with silence_opencv():
            capture, found = _capture(self._file, self._patience), array("d")
            while capture.grab():
                found.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
            capture.release()
        stamps = np.array(found)
        return stamps - stamps[0] if len(stamps) > 1 and (np.diff(stamps) > 0).all() else None

    def faults(self, at_end):
        """Describe the faults of the frames that were read, one line each.

        Parameters
        ----------
        at_end : bool
            Whether the source has ended, and not only the chosen range of it.

        Returns
        -------
        list of str

        Raises
        ------
        DataError
            If OpenCV returned wrong pictures, as for an interlaced video or a file with a cover picture.
        """
        if self._file is None:
            return []
        self._refuse_repeats()
        if not at_end:
            return []
        if containers.is_truncated(self._file):
            return [truncation_note(self.name, self.position, self.n_frames)]
        if self.position == 1 and self._codec in _PICTURE_CODECS:
            self._refuse_cover()
        if self.n_frames is None or self.position >= self.n_frames - _slack(self.n_frames):
            return []
        # An MP4 announces the number of its samples exactly. OpenCV reads no packets after a damaged packet.
        packets = self.n_frames if containers.is_mp4(self._file) else self._packets()[0]
        # Frames are not lost if the number was estimated from the duration, or if an edit list hides them.
        if self.position >= packets - _slack(packets) or containers.hides_frames(self._file):
            return []
        stop = f"OpenCV stops after {self.position} of {packets} frames"
        return [f"{self.name} is damaged: {stop}; to read on, {INSTALL_PYAV}"]

    def close(self):
        """Release the file or camera."""
        self._capture.release()
        self._last_image = None
        if self._file is not None:
            self._file.close()

    def _check_size(self, size):
        check_pixels(self.name, size, self._max_pixels)

    def _refuse_codec(self):
        """Refuse a video with packets of a codec that OpenCV cannot decode."""
        if self.position or self._file is None:
            return
        packets, _, _ = self._packets()
        if packets:
            known = _CODEC_NAMES.get(self._codec)
            codec = f"{known} ({self._codec})" if known else printable(self._codec) or "unknown"
            raise DataError(
                f"no frames in {self.name}: OpenCV decodes none of its {packets} packets, whose codec is {codec};"
                f" {INSTALL_PYAV}, or convert it: ffmpeg -i {self.name} -c:v libx264 converted.mp4"
            )

    def _refuse_cover(self):
        """Refuse a single picture in a far larger file."""
        _, _, largest = self._packets()
        if 2 * largest < self.size:
            wrong = "begins with a cover picture, which OpenCV takes for the video"
            raise DataError(f"{self.name} {wrong}; {INSTALL_PYAV}")

    def _refuse_repeats(self):
        """Refuse a video whose frames repeat although its packets do not."""
        if self._n_repeated <= MOST_REPEATED * (self._n_read - 1) or self._codec in _LOSSLESS_CODECS:
            return
        packets, still, _ = self._packets()
        if packets > 1 and self._n_repeated / (self._n_read - 1) - still / (packets - 1) > MOST_REPEATED:
            self.close()
            raise DataError(
                f"{self.name}: {self._n_repeated} of {self._n_read} frames that OpenCV {cv2.__version__} gives repeat"
                f" the one before, but the video does not stand still: it is interlaced, apparently; {INSTALL_PYAV}"
            )

    def _packets(self):
        """Return the number of packets, of packets that repeat the picture before, and the size of the largest."""
        # A picture that repeats another costs two bits for each block of 16×16 pixels, or is the same packet again.
        width, height = (self._capture.get(p) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        least = 200 + width * height / 1024
        count = still = largest = 0
        known = set()
        with silence_opencv():
            capture = _capture(self._file, self._patience)
            raw = capture.set(cv2.CAP_PROP_FORMAT, -1)
            while raw and capture.grab():
                _, packet = capture.retrieve()
                size, key = (0, None) if packet is None else (packet.size, hash(packet.tobytes()))
                still += count > 0 and (size <= least or key in known)
                known.add(key)
                count, largest = count + 1, max(largest, size)
            capture.release()
        return count, still, largest


def truncation_note(name, position, announced):
    """Return the note on a truncated file ``name``: ``position`` of ``announced`` frames decode, None if unknown."""
    of = "" if announced is None else f" of {announced} announced"
    return f"{name} is truncated: {position}{of} frames decode"


def _slack(count):
    """Return by how many frames an announced count may be wrong in an intact file; with packed B-frames it is two."""
    return max(2, count // 100)


def _are_equal(one, other):
    # The middle rows are compared first, because they differ in most frames that differ.
    middle = len(one) // 2
    return one.shape == other.shape and np.array_equal(one[middle], other[middle]) and np.array_equal(one, other)


def _capture(file, seconds):
    """Open a file with OpenCV's FFmpeg backend if it exists, because other backends decode other pixels."""
    if cv2.CAP_FFMPEG in cv2.videoio_registry.getBackends():
        # By itself OpenCV ends the video after 30 s without a frame, and says nothing.
        times = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 1000 * seconds, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 1000 * seconds]
        return cv2.VideoCapture(file.library_path, cv2.CAP_FFMPEG, times)
    # Another backend gets the name, because it may recognise a format by the suffix.
    return cv2.VideoCapture(os.path.abspath(file.path), cv2.CAP_ANY)


@contextmanager
def silence_opencv():
    """Keep OpenCV's warnings off stderr, where our messages say the same; a log level set by the user stays."""
    if "OPENCV_LOG_LEVEL" in os.environ:
        yield
        return
    with _LOG_LEVEL:
        logging = getattr(cv2.utils, "logging", cv2)  # in cv2 itself before OpenCV 5
        level = logging.getLogLevel()
        logging.setLogLevel(0)
        try:
            yield
        finally:
            logging.setLogLevel(level)
