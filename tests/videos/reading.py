"""How the tests of this folder read a video: all frames, with one decoder or with each."""

from typing import NamedTuple

import numpy as np
import pytest

from idt.frames.video import open_video
from idt.params.decoder import is_installed
from idt.params.extraction import ExtractionParams

PYAV = pytest.param("pyav", marks=pytest.mark.skipif(not is_installed(), reason="PyAV is not installed"))

BOTH = pytest.mark.parametrize("decoder", ["opencv", PYAV])


class Read(NamedTuple):
    """Frames of a video, (T, H, W) uint8, their numbers in the source, and what was noted."""

    frames: np.ndarray
    numbers: list[int]
    notes: list[str]


def read(path, decoder="auto", *, strict=False, **options):
    """Read all frames that the options ask for."""
    with open_video(path, params=ExtractionParams(**options), strict=strict, decoder=decoder) as video:
        found = list(video)
        return Read(np.stack([frame.gray for frame in found]), [frame.original for frame in found], list(video.notes))
