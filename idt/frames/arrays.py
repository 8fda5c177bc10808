"""Frames that the caller passes as arrays, at once or one by one."""

import math

import numpy as np

from idt.checks import type_and_shape
from idt.errors import DataError


class ArrayReader:
    """Reader of an iterable of arrays, which are taken one by one; the iterable may be endless."""

    kind, path, name, fps, decoder = "arrays", "", "arrays", math.nan, ""

    def __init__(self, frames, channels):
        self.channels = channels
        self.size = 0
        self.n_frames = len(frames) if hasattr(frames, "__len__") else None
        self.position = 0
        self.notes = ()
        self._frames = iter(frames)

    def skip(self):
        """Take a frame and drop it without checking it."""
        # At the end `next` returns the reader, because no item of the iterable can be this object.
        has_frame = next(self._frames, self) is not self
        self.position += has_frame
        return has_frame

    def read(self):
        """Return the next frame, (H, W) or (H, W, 3) uint8; refuse anything else."""
        image = next(self._frames, self)
        if image is self:
            return None
        if not (isinstance(image, np.ndarray) and image.dtype == np.uint8):
            nans = np.isnan(image).sum() if isinstance(image, np.ndarray) and image.dtype.kind == "f" else 0
            remedy = f" with {nans} NaN" if nans else "; scale to 0…255 and convert with .astype(np.uint8)"
            raise DataError(f"{self.label(self.position)} must be a uint8 array, got {type_and_shape(image)}{remedy}")
        if not image.size or not (image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)):
            colour = self.channels.upper()
            raise DataError(
                f"{self.label(self.position)} must be gray (H, W) or {colour} (H, W, 3), got {type_and_shape(image)}"
            )
        self.position += 1
        return image

    def label(self, index):
        """Return the frame's name for messages."""
        return f"frame {index}"

    def digest(self):
        """Return the empty string: a digest of arrays would need all of them in memory."""
        return ""

    def check_unchanged(self):
        """Do nothing: arrays have no file that could change."""

    def times(self):
        """Return None: arrays have no time stamps."""
        return

    def faults(self, at_end):
        """Return an empty list, whether or not ``at_end``: an iterable announces no number of frames."""
        return []

    def close(self):
        """Drop the reference to the iterable."""
        self._frames = iter(())
