"""Progress that a test can look at."""

import contextlib
from collections import Counter


class Counted:
    """A progress of `RunOptions` that counts the units of each stage.

    Attributes
    ----------
    units : Counter
        Units done, by stage.
    totals : dict of str to int or None
        Units announced, by stage.
    calls : list of int
        Units of each call, in order.
    """

    def __init__(self):
        self.units, self.totals, self.calls = Counter(), {}, []

    @contextlib.contextmanager
    def __call__(self, stage, total):
        self.totals[stage] = total

        def update(count=1):
            self.units[stage] += count
            self.calls.append(count)

        yield update
