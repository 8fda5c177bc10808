"""Viterbi decoding of rows that are still coming, in constant memory.

A label is settled when the best paths to all classes pass through it, so that no later row can change it. It is also
settled after a largest number of later rows: it is then the label on the best path at that time, and paths with another
label are discarded.

Source: docs/method/untrimmed.md, section 10; Šrámek, Brejová and Vinař, On-line Viterbi algorithm for analysis of long
biological sequences, 2007.
"""

from collections import deque

import numpy as np

from classify.untrimmed.viterbi import LARGEST_PENALTY
from idt.checks import float_array, positive_integer
from idt.errors import DataError


class RunningViterbi:
    """Labels of rows, each settled as soon as it can be.

    Parameters
    ----------
    penalty : float
        As for `classify.untrimmed.viterbi.decode_frames`.
    most_waiting : int
        Largest number of later rows that a label may wait for.

    Raises
    ------
    DataError
        If an option is out of bounds.

    Notes
    -----
    docs/method/untrimmed.md, section 10. With ``most_waiting`` as large as the number of rows the labels are those of
    `decode_frames`.
    """

    def __init__(self, penalty, most_waiting):
        if not 0 <= penalty <= LARGEST_PENALTY:
            raise DataError(f"penalty must be from 0 to {LARGEST_PENALTY:g}, got {penalty}")
        self._penalty, self._most_waiting = float(penalty), positive_integer(most_waiting, "most_waiting")
        self._best = np.empty(0)
        # For each waiting row: the class of the row before it, on the best path to each of its classes.
        self._origins: deque[np.ndarray] = deque()

    def push(self, row):
        """Take the scores of the next row.

        Parameters
        ----------
        row : (C,) float

        Returns
        -------
        list of int
            Classes of the rows that are settled now, in their order.

        Raises
        ------
        DataError
            If the scores are not finite, or more or fewer than those of earlier rows.
        """
        row = float_array(row, (None,), "scores", np.float64)
        if not len(row) or len(row) != (len(self._best) or len(row)):
            raise DataError(f"every row must have one score a class, got {len(row)} and {len(self._best)} before")
        stay = np.arange(len(row))
        if not len(self._best):
            self._best, origin = row.copy(), stay
        else:
            top = int(np.argmax(self._best))
            changed = self._best[top] - self._penalty
            changes = changed > self._best
            origin = np.where(changes, top, stay)
            self._best = np.where(changes, changed, self._best) + row
        # Only differences of the sums count. The largest is subtracted, because large sums lose the digits that tell
        # classes apart.
        self._best -= self._best.max()
        self._origins.append(origin)
        settled = self._agreed()
        if len(self._origins) > self._most_waiting:
            settled.append(self._forced())
        return settled

    def finish(self):
        """Settle all waiting rows, because no more follow.

        Returns
        -------
        list of int
            Classes of all rows that waited.
        """
        return self._settle(len(self._origins), int(np.argmax(self._best))) if self._origins else []

    def _agreed(self):
        """Settle the oldest rows on which all best paths agree; return their classes."""
        at = np.flatnonzero(self._best > -np.inf)
        for number in range(len(self._origins), 0, -1):
            if (at == at[0]).all():
                return self._settle(number, int(at[0]))
            at = self._origins[number - 1][at]
        return []

    def _forced(self):
        """Settle the oldest row by the best path and discard the paths through other classes; return its class."""
        at = np.arange(len(self._best))
        for number in range(len(self._origins) - 1, 0, -1):
            at = self._origins[number][at]
        label = int(at[np.argmax(self._best)])
        self._best[at != label] = -np.inf
        return self._settle(1, label)[0]

    def _settle(self, number, label):
        """Remove the ``number`` oldest rows and return their classes; the newest of them has the class ``label``."""
        found = []
        for origin in [self._origins.popleft() for _ in range(number)][::-1]:
            found.append(label)
            label = int(origin[label])
        return found[::-1]
