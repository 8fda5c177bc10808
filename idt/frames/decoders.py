"""What decodes a video, frame by frame: a file or camera by OpenCV, arrays; image files are in `image_files`.

A reader gives its frames in order, by ``read`` (an image as it comes, None at the end) or ``skip`` (False at the
end), and knows ``position``, the number of frames given so far; ``n_frames`` and ``fps`` are None and NaN where
the source does not say, ``channels`` the order of its colours. ``digest`` and ``size`` are of the bytes that the frames
come from, and ``check_unchanged`` refuses a source that is no longer what was read.

FFmpeg reads a video through the file that `idt.files.source_file` opened. It never sees the name, which it might take
for a protocol, a pattern or a script, and it tells the format by the content alone.
"""

import math
import os
import time
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np

from idt.checks import describe
from idt.errors import DataError
from idt.frames.image_size import check_pixels, image_size
from idt.frames.playlists import HEAD, refuse_playlist
from idt.imports.opencv import cv2
from idt.params.bounds import MOST_PIXELS
from idt.workers.patience import allowed, refuse_late

# ffmpeg's demuxers for terminal art turn a text file into pictures of its letters.
_TEXT_CODECS = ("ansi", "bint", "xbin", "idf")

# OpenCV has one log level for all threads.
_LOGGING = Lock()

# ffmpeg reads its log level from here when it is first used; a level that the user has set stays.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


# A JPEG in a video file may describe itself at length before it says how large it is.
_IMAGE_HEAD = 1 << 20


class Capture:
    """A video file or a camera, read by OpenCV.

    Parameters
    ----------
    source : SourceFile or int
        What is read, and closed in the end; the index of a camera.
    path : str
        The file, as it was given.
    max_pixels : int
        Most pixels of a frame.
    """

    channels = "bgr"

    def __init__(self, source, path="", max_pixels=MOST_PIXELS):
        is_camera = isinstance(source, int)
        self.kind, self.path = "camera" if is_camera else "file", path
        self.name = f"camera {source}" if is_camera else Path(path).name
        self.position = 0
        self._file, self._max_pixels = None if is_camera else source, max_pixels
        if self._file is not None:
            refuse_playlist(path, self._file.head(HEAD))
            self._check_size(image_size(self._file.head(_IMAGE_HEAD)) or (0, 0))
        self._patience, began = allowed(), time.monotonic()
        with quiet():
            self._capture = cv2.VideoCapture(source, cv2.CAP_ANY) if is_camera else _capture(self._file, self._patience)
        codec = int(self._capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(8, "little", signed=True)[:4]
        if not self._capture.isOpened() or codec.decode("latin1").lower().rstrip("\0 ") in _TEXT_CODECS:
            self._capture.release()
            if is_camera:
                raise DataError(f"camera {source} cannot be opened; check that it exists and is not in use")
            refuse_late(began, self._patience, path)
            raise DataError(f"{path} is not a video that OpenCV can decode, or it is damaged")
        self._check_size(map(int, map(self._capture.get, (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))))
        rate, count = (self._capture.get(p) for p in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT))
        self.fps = rate if 0 < rate < math.inf else math.nan
        # A container without a count gives none, or a negative number of 18 digits.
        self.n_frames = int(count) if not is_camera and 0 < count < 2**31 else None

    @property
    def size(self):
        """Bytes of the file; 0 of a camera."""
        return 0 if self._file is None else self._file.size

    def digest(self):
        """Return the SHA-256 of the file; empty of a camera."""
        return "" if self._file is None else self._file.digest()

    def check_unchanged(self):
        """Refuse a file that was changed since it was opened."""
        if self._file is not None:
            self._file.check_unchanged()

    def skip(self):
        """Decode a frame without converting it."""
        began = time.monotonic()
        there = self._capture.grab()
        self.position += there
        refuse_late(began, self._patience, self.path or self.name)
        return there

    def read(self):
        """Next frame, (H, W, 3) BGR uint8."""
        began = time.monotonic()
        there, image = self._capture.read()
        self.position += there
        # Whether or not it has given a frame, which may be one that it had ready.
        refuse_late(began, self._patience, self.path or self.name)
        if not there:
            return None
        # A video may announce small frames and go on with large ones.
        self._check_size(image.shape[1::-1])
        return image

    def label(self, index):
        """The frame's name in messages."""
        return f"frame {index}"

    def is_truncated(self):
        """Whether an AVI file is shorter than its header says, or fewer frames came than the container announced.

        The count alone needs slack: an intact file may announce a frame too many (packed B-frames), or an estimate
        from its duration. The header alone covers AVI only, but notices a last frame that is half there.
        """
        if self.n_frames is None:
            return False
        too_few = self.position < self.n_frames - max(1, self.n_frames // 100)
        return too_few or (self._file is not None and _is_cut(self._file))

    def close(self):
        """Release the file or camera."""
        self._capture.release()
        if self._file is not None:
            self._file.close()

    def _check_size(self, size):
        check_pixels(self.name, size, self._max_pixels)


class Arrays:
    """Frames handed over as arrays, taken one by one: the iterable need not end."""

    kind, path, name, fps = "arrays", "", "arrays", math.nan

    def __init__(self, frames, channels):
        self.channels = channels
        self.size = 0
        self.n_frames = len(frames) if hasattr(frames, "__len__") else None
        self.position = 0
        self._frames = iter(frames)

    def skip(self):
        """Take a frame and drop it, unchecked."""
        there = next(self._frames, self) is not self
        self.position += there
        return there

    def read(self):
        """Next frame, (H, W) or (H, W, 3) uint8; anything else is refused."""
        image = next(self._frames, self)
        if image is self:
            return None
        if not (isinstance(image, np.ndarray) and image.dtype == np.uint8):
            nans = np.isnan(image).sum() if isinstance(image, np.ndarray) and image.dtype.kind == "f" else 0
            remedy = f" with {nans} NaN" if nans else "; scale to 0…255 and convert with .astype(np.uint8)"
            raise DataError(f"{self.label(self.position)} must be a uint8 array, got {describe(image)}{remedy}")
        if not image.size or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
            colour = self.channels.upper()
            raise DataError(
                f"{self.label(self.position)} must be gray (H, W) or {colour} (H, W, 3), got {describe(image)}"
            )
        self.position += 1
        return image

    def label(self, index):
        """The frame's name in messages."""
        return f"frame {index}"

    def digest(self):
        """Return nothing: arrays have no content to tell them by that would not have to be kept."""
        return ""

    def check_unchanged(self):
        """Do nothing."""

    def is_truncated(self):
        """Never: an iterable announces nothing."""
        return False

    def close(self):
        """Forget the iterable."""
        self._frames = iter(())


def _capture(file, seconds):
    """Ffmpeg where OpenCV has it: other backends decode other pixels, or take a lone clip_001.avi for a sequence."""
    if cv2.CAP_FFMPEG in cv2.videoio_registry.getBackends():
        # By itself OpenCV ends the video after 30 s without a frame, and says nothing.
        most = 1000 * seconds
        times = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, most, cv2.CAP_PROP_READ_TIMEOUT_MSEC, most]
        return cv2.VideoCapture(file.name, cv2.CAP_FFMPEG, times)
    # Others may tell a format by the suffix.
    return cv2.VideoCapture(os.path.abspath(file.path), cv2.CAP_ANY)


def _is_cut(file):
    """Whether the header of an AVI file counts more bytes than there are."""
    head = file.head(8)
    # Some writers count the eight bytes of the header itself.
    return head[:4] == b"RIFF" and int.from_bytes(head[4:], "little") > file.size


@contextmanager
def quiet():
    """Keep OpenCV's own warnings off stderr: ours say the same in one line. A level that the user has set stays."""
    if "OPENCV_LOG_LEVEL" in os.environ:
        yield
        return
    with _LOGGING:
        logging = getattr(cv2.utils, "logging", cv2)  # OpenCV before 5 has these two at the top
        level = logging.getLogLevel()
        logging.setLogLevel(0)
        try:
            yield
        finally:
            logging.setLogLevel(level)
