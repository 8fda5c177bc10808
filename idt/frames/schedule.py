"""Choose the frames of a source: a range, and all or those nearest to a frame rate.

A source with a constant rate r shows frame i at i / r seconds. With ``fps`` = f < r, frame k of the result is frame
round(k · r / f): the nearest, none twice. If the rate varies, the result consists of the frames whose time stamps, in
seconds from the first frame, are nearest to 0, 1 / f, 2 / f and so on. Of two equally near frames the earlier is taken.
A frame that is nearest to several of these times is taken once.
"""

import math
from bisect import bisect_left, bisect_right

import numpy as np

FAR = 2**62
"""This number is beyond any frame, and still an index for `bisect`."""

# Digits to which products of times and rates are rounded: 1.1 s at 10 frames/s would else be frame 11.000000000000002.
_DIGITS = 6


def variable_times(times, rate):
    """Return the time stamps of a source with a variable frame rate; None if the rate is constant.

    Parameters
    ----------
    times : (n,) float64 or None
        Seconds from the first frame to each.
    rate : float
        Frames per second.

    Returns
    -------
    (n,) float64 or None
    """
    if times is None or not len(times):
        return None
    # Stamps are rounded to the clock of the container, often 1000 ticks per second.
    return None if np.abs(times * rate - np.arange(len(times))).max() < 0.5 else times


class Schedule:
    """The chosen frames in order; the k-th is frame ``number(k)`` of the source.

    Parameters
    ----------
    rate : float
        Frames per second of the source, NaN where unknown.
    fps : float or None
        Rate that is asked for; None keeps every frame.
    times : (n,) float64 or None
        Time stamps of a source whose rate varies.
    """

    def __init__(self, rate, fps=None, times=None):
        self.rate, self.times = rate, times
        self.resamples = fps is not None and (times is not None or fps < rate)
        self._ratio = rate / fps if self.resamples else 1.0
        self._kept = nearest(times, fps) if self.resamples and times is not None else None

    def number(self, k):
        """Return the source number of the ``k``-th chosen frame; `FAR` if there is none."""
        if self._kept is None:
            return round(k * self._ratio)
        return int(self._kept[k]) if k < len(self._kept) else FAR

    def first(self, number, after=0):
        """Return the index of the first chosen frame, from ``after`` on, with source number ``number`` or later."""
        return bisect_left(range(max(number, after) + 1), number, lo=after, key=self.number)

    def count(self, k, last):
        """Count the chosen frames from the ``k``-th to the source number ``last``, inclusive."""
        return max(0, bisect_right(range(last + 1), last, key=self.number) - k)

    def first_at(self, seconds):
        """Return the source number of the first frame not before a time in ``seconds``."""
        if self.times is None:
            return math.ceil(round(seconds * self.rate, _DIGITS))
        return int(np.searchsorted(self.times, round(seconds, _DIGITS) - 10**-_DIGITS))

    def last_at(self, seconds):
        """Return the source number of the last frame not after a time in ``seconds``."""
        if self.times is None:
            return math.floor(round(seconds * self.rate, _DIGITS))
        return int(np.searchsorted(self.times, round(seconds, _DIGITS) + 10**-_DIGITS)) - 1


def nearest(times, fps):
    """Choose the frames nearest to a frame rate.

    Parameters
    ----------
    times : (n,) float64
        Rising, from 0.
    fps : float

    Returns
    -------
    (m,) int64
        Their numbers, rising.
    """
    # Frame i is nearest to all times between the middle of i − 1 and i, exclusive, and the middle of i and i + 1. It is
    # chosen if a multiple of 1 / fps lies there. ``last`` is the number of the last multiple up to the middle of i and
    # i + 1.
    middles = np.append((times[:-1] + times[1:]) / 2, times[-1:])
    last = np.floor(np.round(middles * fps, _DIGITS))
    return np.flatnonzero(np.diff(last, prepend=-1) > 0)
