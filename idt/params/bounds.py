"""`Bounds`: the range of a numeric option, checked before any work.

A range includes all values that the literature or a large machine needs. Its upper end keeps a typing error from
filling the memory.
"""

import math
import numbers
from typing import NamedTuple

from idt.errors import DataError, short_repr


class Bounds(NamedTuple):
    """Range of a numeric option: integers if ``low`` is an int, else finite numbers.

    Attributes
    ----------
    low, high : int or float
        Least and largest value.
    why : str
        Reason of the upper bound, a clause.
    above : bool
        Whether ``low`` itself is refused.
    other : str
        A word that the option takes instead of a number.
    """

    low: int | float
    high: int | float
    why: str
    above: bool = False
    other: str = ""

    def __str__(self):
        """Format the range for a help text."""
        low = f"above {self.low:g}, at most" if self.above else f"{_digits(self.low)} to"
        return f"{low} {_digits(self.high)}{self._or_other()}"

    def fault(self, value):
        """Return what is expected instead of a value, and why.

        Parameters
        ----------
        value : object

        Returns
        -------
        expected, reason : str
            Both empty if the value lies within the bounds. NaN, infinities, negative zero, truth values, and floats
            where a whole number is asked for lie outside.
        """
        whole = isinstance(self.low, int)
        is_number = isinstance(value, numbers.Integral if whole else numbers.Real) and not isinstance(value, bool)
        if is_number and value == 0 and math.copysign(1.0, value) < 0:
            is_number = False
        if is_number and value <= self.high and (self.low < value if self.above else self.low <= value):
            return "", ""
        if not whole:
            least = (
                f"a number above {self.low:g} and at most" if self.above else f"a number from {_digits(self.low)} to"
            )
            return f"{least} {_digits(self.high)}{self._or_other()}", self.why
        if is_number and value > self.high:
            return f"a whole number of at most {self.high}", self.why
        return f"a whole number of at least {self.low}", ""

    def check(self, name, value):
        """Return a value as a Python number, or refuse it.

        Parameters
        ----------
        name : str
            Of the option.
        value : object

        Returns
        -------
        int or float

        Raises
        ------
        DataError
            If it is no number of the right kind, or lies outside the bounds.
        """
        expected, reason = self.fault(value)
        if expected:
            raise DataError(f"{name} must be {expected}, got {short_repr(value)}{reason and f': {reason}'}")
        return int(value) if isinstance(self.low, int) else float(value)

    def _or_other(self):
        return f", or {self.other}" if self.other else ""


def _digits(number):
    """Format a bound in digits, or in powers of ten if it is long."""
    return str(number) if isinstance(number, int) else f"{number:g}"


MOST_FRAMES = 2**31 - 1
"""No frame has a larger number, because feature files store it in 32 bits, with a sign."""

LONGEST_SIDE = 32_767
"""A frame has at most this many pixels to a side, because OpenCV warps no larger image."""

LONGEST_TRACK = 1000
"""A track has at most this many steps."""

SEED = Bounds(0, 2**32 - 1, "NumPy and scikit-learn take seeds of 32 bits")

JOBS = Bounds(1, 1024, "each job is a process of some 200 MB; machines have fewer cores")

THREADS = Bounds(1, 1024, "each thread holds frames or descriptors of its own; machines have fewer cores")

MOST_PIXELS = 64_000_000
"""A frame has at most this many pixels, twice as many as in 8K video, unless a run allows more."""

PIXELS = Bounds(1, 2**30, "OpenCV decodes no larger image")

DEFAULT_PATIENCE = 600
"""A run gives up a video after this many seconds without a frame, unless it sets another time. A file server that
restarts answers sooner, and no frame of a usual size takes as long, even on a busy machine."""

PATIENCE = Bounds(1, 1_000_000, "no frame takes as long as these eleven days")

MOST_THREADS = 4096
"""All jobs together have at most this many threads."""

SHARE_REASON = "it is a share, and 1 is all of it"


def check_workers(jobs, threads):
    """Refuse more threads, summed over all jobs, than any machine can use.

    Parameters
    ----------
    jobs, threads : int
        Processes, and threads of each.

    Raises
    ------
    DataError
        If there are too many in all.
    """
    if jobs * threads > MOST_THREADS:
        raise DataError(
            f"jobs × threads must be at most {MOST_THREADS}, got {jobs} × {threads}: no machine has as many cores;"
            " use fewer of either"
        )
