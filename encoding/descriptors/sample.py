"""A uniform sample of rows over many videos, in one pass: the same whatever the order and the workers.

Every row has a 64-bit key, a hash of (seed, name of the video, index of the row); the sample is the rows with the
smallest keys. So neither the order of the videos, nor the size of the pieces they are read in, nor the number of
workers plays a part, and a sample of 1000 rows is the head of one of 2000. Equal keys are ordered by name and index.

Source: docs/method/encoding.md, section 3. The hash is BLAKE2b of seed and name, added to the row by the finaliser of
splitmix64 (Steele, Lea & Flood 2014), which maps distinct rows of a video to distinct keys.
"""

import hashlib
from typing import Any

import numpy as np

from idt.checks import float_array, positive_integer
from idt.errors import DataError

# Rows looked at in one go: bounds what an update needs beside the sample.
PIECE = 16384
# Columns sorted together: a cache line.
STRIPE = 16


def row_keys(name, start, stop, *, seed=0):
    """Keys of the rows start … stop − 1 of a video.

    Parameters
    ----------
    name : str
        The video's name, the same wherever it is read.
    start, stop : int
    seed : int

    Returns
    -------
    (stop − start,) uint64

    Notes
    -----
    Distinct within a video.
    """
    digest = hashlib.blake2b(f"{int(seed)}\0{name}".encode(), digest_size=8).digest()
    state = np.uint64(int.from_bytes(digest, "little")) ^ np.arange(start, stop, dtype=np.uint64)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


class Sampler:
    """Gathers a sample of at most ``size`` rows; two that saw different videos merge into one that saw all.

    Parameters
    ----------
    size : int
    seed : int
        Another seed is another sample.

    Notes
    -----
    docs/method/encoding.md, section 3. Memory is that of the sample and of one piece of rows.
    """

    def __init__(self, size, *, seed=0):
        self.size = positive_integer(size, "size")
        self.seed = seed
        self.n_seen = 0
        self._videos: list[str] = []
        self._rows: Any = None
        self._kept = 0
        # Of every kept row: key, position of its video in the list, index in the video.
        self._key = np.empty(self.size, np.uint64)
        self._video = np.empty(self.size, np.int64)
        self._index = np.empty(self.size, np.int64)

    def update(self, name, blocks):
        """Take in a video.

        Parameters
        ----------
        name : str
            Its name, given once only.
        blocks : (n, d) float32, or an iterable of such
            Its rows, whole or in consecutive blocks of any length; d is the same for all videos.

        Returns
        -------
        Sampler
            Itself.

        Raises
        ------
        DataError
            If the name was given before, the rows are not finite or of another width.
        """
        video = self._register([name])
        start = 0
        for block in [blocks] if isinstance(blocks, np.ndarray) else blocks:
            rows = float_array(block, (None, None if self._rows is None else self._rows.shape[1]), f"rows of {name}")
            for first in range(0, len(rows), PIECE):
                piece = rows[first : first + PIECE]
                index = np.arange(start + first, start + first + len(piece))
                keys = row_keys(name, index[0], index[-1] + 1, seed=self.seed)
                self._take(piece, keys, np.full(len(piece), video), index)
            start += len(rows)
        self.n_seen += start
        return self

    def merge(self, other):
        """Take in what another sampler kept, as if this one had seen its videos.

        Parameters
        ----------
        other : Sampler
            Of the same size and seed, with other videos.

        Returns
        -------
        Sampler
            Itself.

        Raises
        ------
        DataError
            If size or seed differ, or both saw the same video.
        """
        if (self.size, self.seed) != (other.size, other.seed):
            raise DataError(
                f"samplers of one size and seed can be merged, got ({self.size}, {self.seed}) and "
                f"({other.size}, {other.seed})"
            )
        offset = self._register(other._videos)
        for first in range(0, other._kept, PIECE):
            part = slice(first, min(first + PIECE, other._kept))
            rows = float_array(
                other._rows[part], (None, None if self._rows is None else self._rows.shape[1]), "rows to merge"
            )
            self._take(rows, other._key[part], other._video[part] + offset, other._index[part])
        self.n_seen += other.n_seen
        return self

    def result(self):
        """The sample, in the order of its keys.

        Returns
        -------
        (m, d) float32
            All rows if no more than ``size`` were seen. It shares the sampler's memory.

        Raises
        ------
        DataError
            If no video had any rows.
        """
        if not self._kept:
            raise DataError(f"a sample needs rows, got none from {len(self._videos)} videos")
        order = self._order(slice(0, self._kept))
        for records in (self._key, self._video, self._index):
            records[: self._kept] = records[order]
        # A few columns at a time: sorting must not need the memory of the sample twice.
        for first in range(0, self._rows.shape[1], STRIPE):
            stripe = self._rows[: self._kept, first : first + STRIPE]
            stripe[:] = stripe[order]
        return self._rows[: self._kept]

    def origins(self):
        """Where the rows of `result` come from.

        Returns
        -------
        list of (str, int)
            Name of the video and index of the row in it.
        """
        order = self._order(slice(0, self._kept))
        return [(self._videos[self._video[i]], int(self._index[i])) for i in order]

    def _register(self, names):
        """Add names of videos; returns the position of the first."""
        again = sorted(set(self._videos) & set(names))
        if again:
            raise DataError(f"every video is sampled once, got {again[0]} again")
        self._videos.extend(names)
        return len(self._videos) - len(names)

    def _order(self, part):
        """Positions of kept rows by key, then name, then index."""
        rank = np.empty(len(self._videos), np.int64)
        rank[sorted(range(len(rank)), key=self._videos.__getitem__)] = np.arange(len(rank))
        return np.lexsort((self._index[part], rank[self._video[part]], self._key[part]))

    def _take(self, rows, keys, video, index):
        """Let rows replace kept ones of larger keys."""
        if self._rows is None:
            self._rows = np.empty((self.size, rows.shape[1]), np.float32)
        room = min(self.size - self._kept, len(rows))
        self._put(slice(self._kept, self._kept + room), rows, keys, video, index, slice(0, room))
        self._kept += room
        # What is left competes with the rows kept: none with a key above the largest of theirs can win.
        left = room + np.flatnonzero(keys[room:] <= self._key.max()) if room < len(rows) else np.empty(0, np.int64)
        if len(left):
            won = self._smallest(
                np.concatenate([self._key, keys[left]]),
                np.concatenate([self._video, video[left]]),
                np.concatenate([self._index, index[left]]),
            )
            lost = np.flatnonzero(~won[: self.size])
            self._put(lost, rows, keys, video, index, left[won[self.size :]])

    def _smallest(self, keys, video, index):
        """Which ``size`` of the rows have the smallest keys, (n,) bool; of equal keys by name, then index."""
        last = np.partition(keys, self.size - 1)[self.size - 1]
        chosen = keys < last
        tied = sorted(np.flatnonzero(keys == last), key=lambda i: (self._videos[video[i]], index[i]))
        chosen[tied[: self.size - np.count_nonzero(chosen)]] = True
        return chosen

    def _put(self, slots, rows, keys, video, index, chosen):
        """Store the chosen rows and their records in the slots."""
        self._rows[slots] = rows[chosen]
        self._key[slots], self._video[slots], self._index[slots] = keys[chosen], video[chosen], index[chosen]
