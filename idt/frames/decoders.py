"""What decodes a video, frame by frame: a file or camera by OpenCV, image files, arrays.

A reader gives its frames in order, by ``read`` (an image as it comes, None at the end) or ``skip`` (False at the
end), and knows ``position``, the number of frames given so far; ``n_frames`` and ``fps`` are None and NaN where
the source does not say, ``channels`` the order of its colours. Image files are decoded in colour as video frames are,
because a JPEG decoder's own gray differs by a level; 16-bit images are refused, since dropping eight bits is the
caller's decision.
"""

import math
import os
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np

from idt.checks import describe
from idt.errors import DataError
from idt.imports.opencv import cv2

# ffmpeg's demuxers for terminal art turn a text file into pictures of its letters.
_TEXT_CODECS = ("ansi", "bint", "xbin", "idf")

# OpenCV has one log level for all threads.
_LOGGING = Lock()

# ffmpeg reads its log level from here when it is first used; a level that the user has set stays.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class Capture:
    """A video file or a camera, read by OpenCV."""

    channels = "bgr"

    def __init__(self, source):
        is_camera = isinstance(source, int)
        self.kind = "camera" if is_camera else "file"
        self.path = "" if is_camera else source
        self.name = f"camera {source}" if is_camera else Path(source).name
        # A pipe or device has no content to tell its source by.
        self.paths = [] if is_camera or not os.path.isfile(source) else [Path(source)]
        self.position = 0
        if not (is_camera or _is_utf8(source)):
            # OpenCV crashes on such a name.
            raise DataError(f"{source} has a name that is not UTF-8, which OpenCV cannot open; rename it")
        with _quiet():
            self._capture = cv2.VideoCapture(source, cv2.CAP_ANY if is_camera else _file_backend())
        codec = int(self._capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(8, "little", signed=True)[:4]
        if not self._capture.isOpened() or codec.decode("latin1").lower().rstrip("\0 ") in _TEXT_CODECS:
            self.close()
            if is_camera:
                raise DataError(f"camera {source} cannot be opened; check that it exists and is not in use")
            raise DataError(f"{source} is not a video that OpenCV can decode, or it is damaged")
        rate, count = (self._capture.get(p) for p in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT))
        self.fps = rate if 0 < rate < math.inf else math.nan
        # A container without a count gives none, or a negative number of 18 digits.
        self.n_frames = int(count) if not is_camera and 0 < count < 2**31 else None

    def skip(self):
        """Decode a frame without converting it."""
        there = self._capture.grab()
        self.position += there
        return there

    def read(self):
        """Next frame, (H, W, 3) BGR uint8."""
        there, image = self._capture.read()
        self.position += there
        return image if there else None

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
        return too_few or any(map(_is_cut, self.paths))

    def close(self):
        """Release the file or camera."""
        self._capture.release()


class Images:
    """Image files, one frame each.

    Parameters
    ----------
    paths : list of Path
    path : str
        The file, folder or pattern that was given.
    named : Path
        The file or folder that names the video: of a pattern its folder, which says more.
    """

    kind, fps, channels = "images", math.nan, "bgr"

    def __init__(self, paths, path, named):
        self.paths, self.path = paths, path
        self.name = named.name or path
        self.n_frames = len(paths)
        self.position = 0

    def skip(self):
        """Leave a file unread."""
        there = self.position < self.n_frames
        self.position += there
        return there

    def read(self):
        """Next file's pixels, (H, W, 3) BGR uint8; a file that does not decode is refused."""
        if self.position >= self.n_frames:
            return None
        image = _decode_image(self.paths[self.position].read_bytes())
        if image is None or image.dtype != np.uint8:
            reason = "is damaged or no image that OpenCV can decode" if image is None else f"has {image.dtype} pixels"
            raise DataError(f"{self.name}: {self.label(self.position)} {reason}; expected an 8-bit image")
        self.position += 1
        return image

    def label(self, index):
        """The frame's name in messages."""
        return f"frame {index} ({self.paths[index].name})"

    def is_truncated(self):
        """Never: the files that are there are all."""
        return False

    def close(self):
        """Leave the rest unread."""
        self.position = self.n_frames


class Arrays:
    """Frames handed over as arrays, taken one by one: the iterable need not end."""

    kind, path, name, fps = "arrays", "", "arrays", math.nan

    def __init__(self, frames, channels):
        self.channels = channels
        self.paths: list[Path] = []
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

    def is_truncated(self):
        """Never: an iterable announces nothing."""
        return False

    def close(self):
        """Forget the iterable."""
        self._frames = iter(())


def _is_utf8(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _file_backend():
    """Ffmpeg where OpenCV has it: other backends decode other pixels, or take a lone clip_001.avi for a sequence."""
    return cv2.CAP_FFMPEG if cv2.CAP_FFMPEG in cv2.videoio_registry.getBackends() else cv2.CAP_ANY


def _is_cut(path):
    """Whether the header of an AVI file counts more bytes than there are."""
    with open(path, "rb") as file:
        head = file.read(8)
    # Some writers count the eight bytes of the header itself.
    return head[:4] == b"RIFF" and int.from_bytes(head[4:], "little") > os.path.getsize(path)


def _decode_image(data):
    """BGR pixels in the file's own depth, or None."""
    # OpenCV before 5 fills the lost rows of a cut JPEG with gray: no end marker after the start of the scan.
    if not data or (data[:2] == b"\xff\xd8" and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")):
        return None
    with _quiet():
        try:
            return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
        except cv2.error:
            return None


@contextmanager
def _quiet():
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
