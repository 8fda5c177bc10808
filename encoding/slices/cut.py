"""Options of the slices of a video, with their bounds and defaults."""

from typing import NamedTuple

from idt.params.bounds import Bounds

LENGTH = Bounds(1, 10_000, "a slice is shorter than an action")

ASSIGN = ("end", "middle")
"""Choices for the frame of a track that decides in which slice the track is counted."""


class Cut(NamedTuple):
    """Options of slicing.

    Attributes
    ----------
    length : int
        Frames of a slice.
    assign : str
        One of `ASSIGN`: a track counts in the slice of the frame at which it ends, or of its middle.
    float16 : bool
        Whether the means are stored as float16.
    """

    length: int = 5
    assign: str = "end"
    float16: bool = False

    @property
    def dtype(self):
        """Name of the type of the stored numbers."""
        return "float16" if self.float16 else "float32"
