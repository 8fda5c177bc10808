"""A uniform sample of the rows of many videos.

Every row has a 64-bit key, a hash of (seed, name of the video, index of the row); the sample is the rows with the
smallest keys. The sample depends neither on the order of the videos nor on the number of workers, and a sample of 1000
rows is the head of one of 2000. Equal keys are ordered by name and index.

The headers of feature files record the numbers of rows, so `choose` knows the sample before a row is read, and
`read_chosen` reads the rows of a file in order, once for all sets of videos. numpy's ``Generator.choice`` would be as
uniform, but the samples of leave-one-out would have few rows in common and fill the memory side by side. A `Reservoir`
samples from videos whose numbers of rows are not known in advance.

Source: docs/method/encoding.md, section 3. The BLAKE2b hash of seed and name is combined with the
index of the row by XOR, and the finaliser of splitmix64 (Steele, Lea & Flood 2014) makes the key of the result. The
finaliser maps distinct numbers to distinct keys, so the rows of a video have distinct keys.
"""

import hashlib
import math
from typing import NamedTuple

import numpy as np

LARGEST_KEY = 2**64 - 1
"""Largest key of a row."""


class Chosen(NamedTuple):
    """Rows of a video that are in a sample: ``rows`` (m,) int, rising, and ``slots`` (m,) int, their places in it."""

    rows: np.ndarray
    slots: np.ndarray


def row_keys(name, count, *, seed=0):
    """Return the keys of the ``count`` rows of the video ``name`` for a ``seed``, (count,) uint64, distinct."""
    digest = hashlib.blake2b(f"{int(seed)}\0{name}".encode(), digest_size=8).digest()
    state = np.uint64(int.from_bytes(digest, "little")) ^ np.arange(count, dtype=np.uint64)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def choose(counts, size, *, seed=0):
    """Choose the sample of some videos.

    Parameters
    ----------
    counts : dict of str to int
        Number of rows of each video by its name. A video must have the same name in every run.
    size : int
        Rows of the sample; all rows if there are no more.
    seed : int
        Another seed is another sample.

    Returns
    -------
    dict of str to Chosen

    Notes
    -----
    docs/method/encoding.md, section 3. The memory holds the keys of the sample and of one video.
    """
    names, total = sorted(counts), sum(counts.values())
    # Keys are uniform, so fewer than ``size`` lie below this limit once in 10^13 times; then all are used.
    likely = int((size + 8 * math.sqrt(size) + 64) / max(total, 1) * LARGEST_KEY)
    for limit in (min(likely, LARGEST_KEY), LARGEST_KEY):
        keys, rows = [np.empty(0, np.uint64)], []
        for name in names:
            keys_of_video = row_keys(name, counts[name], seed=seed)
            rows.append(np.flatnonzero(keys_of_video <= np.uint64(limit)))
            keys.append(keys_of_video[rows[-1]])
        if sum(map(len, rows)) >= min(size, total):
            break
    order = np.argsort(np.concatenate(keys), kind="stable")[:size]
    slots = np.full(sum(map(len, rows)), -1)
    slots[order] = np.arange(len(order))
    slots_of = np.split(slots, np.cumsum([len(of_video) for of_video in rows])[:-1])
    found = zip(names, rows, slots_of, strict=True)
    return {name: Chosen(of_video[at >= 0], at[at >= 0]) for name, of_video, at in found}


def read_chosen(source, index, sizes, skips=None):
    """Read some rows of a video.

    Parameters
    ----------
    source : Source
    index : (m,) int
        The rows, rising.
    sizes, skips
        As for `encoding.descriptors.sources.Source.batches`.

    Returns
    -------
    (m, d) float32

    Raises
    ------
    DataError
        As `encoding.descriptors.sources.Source.batches`.
    """
    found, first = [np.empty((0, sum(sizes.values())), np.float32)], 0
    for rows, _ in source.batches(sizes, skips=skips) if len(index) else ():
        part = slice(*np.searchsorted(index, (first, first + len(rows))))
        found.append(rows[index[part] - first])
        first += len(rows)
    return np.concatenate(found)


class Sample:
    """Sample whose rows are kept video by video.

    Parameters
    ----------
    chosen : dict of str to Chosen
    read : dict of str to ((n,) int, (n, d) float32)
        Indices of the rows of each video that were read, rising, and the descriptors in them. They include the rows of
        the sample.
    """

    def __init__(self, chosen, read):
        self._chosen, self._read = chosen, read

    def __len__(self):
        return sum(len(of_video.rows) for of_video in self._chosen.values())

    def columns(self, columns):
        """Return the sample's ``columns``, a slice, with the rows in the order of their keys: (m, d) float32."""
        out = np.empty((len(self), columns.stop - columns.start), np.float32)
        for name, (rows, slots) in self._chosen.items():
            index, values = self._read[name]
            out[slots] = values[np.searchsorted(index, rows), columns]
        return out


class Reservoir:
    """Sample from videos whose numbers of rows are not known in advance; it drops rows that cannot be in the sample.

    Parameters
    ----------
    size, seed : int
        As for `choose`.

    Attributes
    ----------
    n_seen : int
        Number of rows that were added.
    """

    def __init__(self, size, *, seed=0):
        self._size, self._seed = size, seed
        self._videos = []
        self.n_seen = 0

    def add(self, name, rows):
        """Add the ``rows`` (n, d) float32 of the video ``name``; each video is added once."""
        self.n_seen += len(rows)
        self._videos.append((name, row_keys(name, len(rows), seed=self._seed), rows))
        keys = np.concatenate([keys for _, keys, _ in self._videos])
        # Drop surplus rows only once there are twice as many as needed, so that dropping is rare.
        if len(keys) > 2 * self._size:
            last = np.partition(keys, self._size - 1)[self._size - 1]
            self._videos = [(video, keys[keys <= last], rows[keys <= last]) for video, keys, rows in self._videos]

    def result(self):
        """Return the sample, (m, d) float32, in the order of the keys, and the names of the rows' videos."""
        videos = sorted(self._videos, key=lambda video: video[0])
        order = np.argsort(np.concatenate([keys for _, keys, _ in videos]), kind="stable")[: self._size]
        names = [name for name, keys, _ in videos for _ in keys]
        return np.concatenate([rows for _, _, rows in videos])[order], [names[i] for i in order]
