"""Outcome of the extraction of one video, and a hint at a faster setting for large frames."""

from typing import NamedTuple

from idt.batch.jobs import Job

LARGE, SMALLER = 1280, 640
"""Longer side of frames, in pixels, above which ``max_side`` is hinted at, and the value that the hint names."""


class Outcome(NamedTuple):
    """The outcome of one job: counts, notes, and the reason if it failed.

    Attributes
    ----------
    job : Job
    tracks, frames : int
    seconds : float
    notes : tuple of str
    up_to_date : bool
        Nothing was done: the output had been made from the same source with the same parameters.
    busy : bool
        Nothing was done: another run is making the output.
    error : str or None
        Why it failed, in one line.
    size : (int, int)
        Width and height of the frames that the tracks were followed in; zeros if nothing was done.
    """

    job: Job
    tracks: int = 0
    frames: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    up_to_date: bool = False
    busy: bool = False
    error: str | None = None
    size: tuple[int, int] = (0, 0)


def large_hint(name, size, params):
    """Return a one-line hint at ``max_side`` if the frames are large and the option was not given.

    Parameters
    ----------
    name : str
        Name of the video.
    size : (int, int)
        Width and height of its frames.
    params : ExtractionParams

    Returns
    -------
    str or None
    """
    side = max(size)
    if side <= LARGE or params.max_side is not None:
        return None
    share = 100 * (SMALLER / side) ** 2
    frames = f"{name} has frames of {size[0]}×{size[1]} px, which take long"
    return f"{frames}; --max-side {SMALLER} would leave {share:.0f} % of their pixels"
