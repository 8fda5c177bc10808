"""The camera's motion in a video, one row per frame."""

from dataclasses import dataclass

import numpy as np

from idt.checks import type_and_shape
from idt.errors import DataError


@dataclass(frozen=True)
class Camera:
    """The camera's motion, one row per frame.

    Attributes
    ----------
    homography : (T, 3, 3) float64
        From gray t-1 to gray t; the identity where none was accepted and for the first frame.
    matches : (T,) int32
        Number of matches that were offered to RANSAC.
    inliers : (T,) int32
        Number of inliers of the accepted homography; 0 if none was accepted.
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
                raise DataError(f"camera {name} must have shape {shape}, got {type_and_shape(value)}")
            object.__setattr__(self, name, value)

    def __len__(self):
        return len(self.homography)

    @classmethod
    def joined(cls, parts):
        """Join the motion of consecutive stretches of a video.

        Parameters
        ----------
        parts : sequence of Camera or None

        Returns
        -------
        Camera or None
            None if a part is None, or does not begin where the previous one ends.
        """
        expected = None
        for part in parts:
            if part is None or expected not in (None, part.first_frame):
                return None
            expected = part.first_frame + len(part)
        arrays = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in ("homography", "matches", "inliers")
        }
        return cls(**arrays, first_frame=parts[0].first_frame)
