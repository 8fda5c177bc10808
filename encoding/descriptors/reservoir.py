"""Samples for several training sets from one reading of the videos, such as those of leave-one-out.

A row's key depends on nothing but seed, video and row (`encoding.descriptors.sample`), so the sample of any set of
videos is the rows of smallest keys among theirs. A reservoir keeps the rows that may still be among the smallest of
some set: little more than the union of the samples, however many videos pass by. A video's rows are kept in the order
of their keys, so both what is dropped and what is chosen are always its last and its first ones.

Source: docs/method/encoding.md, section 3.
"""

from typing import NamedTuple

import numpy as np

from encoding.descriptors.sample import Sampler, row_keys

LARGEST = np.uint64(2**64 - 1)
# Rows are dropped when a set has this many times its sample: seldom enough that selecting costs nothing.
ROOM = 1.125


class Sampled(NamedTuple):
    """Of a video with ``n_seen`` rows those of smallest keys: ``keys`` (m,) uint64, rising, and ``rows`` (m, d)."""

    keys: np.ndarray
    rows: np.ndarray
    n_seen: int


def sample_video(source, sizes, limit=LARGEST, *, size, seed, steps=None):
    """Sample one video.

    Parameters
    ----------
    source : Source
    sizes, steps
        As for `encoding.descriptors.sources.Source.parts`.
    limit : uint64
        Rows of larger keys are not wanted.
    size, seed : int
        As `encoding.descriptors.sample.Sampler`.

    Returns
    -------
    Sampled
    """
    rows_in_turn = (rows for rows, _ in source.parts(sizes, steps=steps))
    sampler = Sampler(size, seed=seed).update(source.name, rows_in_turn)
    if not sampler.n_seen:
        return Sampled(np.empty(0, np.uint64), np.empty((0, sum(sizes.values())), np.float32), 0)
    rows = sampler.result()
    # The sampler keeps the rows of smallest keys in their order, so these are the keys.
    keys = np.sort(row_keys(source.name, 0, sampler.n_seen, seed=seed))[: len(rows)]
    # A part of the sampler's memory would keep all of it.
    return _first(Sampled(keys, rows.copy() if len(rows) < size else rows, sampler.n_seen), limit)


class Reservoir:
    """Rows from which the samples of some sets of videos will be drawn.

    Parameters
    ----------
    size : int
        Rows of a sample.
    sets : list of collection of str
        Names of the videos of each.
    """

    def __init__(self, size, sets):
        self._size = size
        self._sets = [frozenset(names) for names in sets]
        self._limits = [LARGEST] * len(self._sets)
        self._counts = [0] * len(self._sets)
        self._videos: dict[str, Sampled] = {}

    def limit(self, name):
        """The largest key of a row of a video that may still be chosen."""
        return max((limit for limit, names in zip(self._limits, self._sets, strict=True) if name in names), default=0)

    def put(self, name, sampled):
        """Take in what `sample_video` found."""
        self._videos[name] = sampled
        for i, names in enumerate(self._sets):
            self._counts[i] += len(sampled.keys) * (name in names)
        if max(self._counts, default=0) > ROOM * self._size:
            self._drop()

    def sample(self, i):
        """The sample of the i-th set, of the videos put so far.

        Returns
        -------
        Sample
        """
        names = sorted(name for name in self._sets[i] if name in self._videos)
        videos = [self._videos[name] for name in names]
        owner = np.repeat(np.arange(len(videos)), [len(video.keys) for video in videos])
        keys = np.concatenate([np.empty(0, np.uint64), *(video.keys for video in videos)])
        # Rows of equal keys by name.
        chosen = owner[np.lexsort((owner, keys))[: self._size]]
        return Sample([(video, np.flatnonzero(chosen == j)) for j, video in enumerate(videos)])

    def _drop(self):
        """Forget rows that no set can choose any more."""
        for i, names in enumerate(self._sets):
            if self._counts[i] > self._size:
                keys = np.concatenate([video.keys for name, video in self._videos.items() if name in names])
                self._limits[i] = np.partition(keys, self._size - 1)[self._size - 1]
        for name, video in self._videos.items():
            self._videos[name] = _first(video, self.limit(name))
        for i, names in enumerate(self._sets):
            self._counts[i] = sum(len(video.keys) for name, video in self._videos.items() if name in names)


class Sample:
    """A sample that is still spread over its videos.

    Parameters
    ----------
    places : list of (Sampled, (m,) int)
        For each video, where in the sample its first m rows go.

    Attributes
    ----------
    n_seen : int
        Rows that the videos have.
    n_videos : int
        Videos that have any.
    """

    def __init__(self, places):
        self._places = places
        self.n_seen = sum(video.n_seen for video, _ in places)
        self.n_videos = sum(video.n_seen > 0 for video, _ in places)

    def __len__(self):
        return sum(len(slots) for _, slots in self._places)

    def columns(self, columns):
        """Some columns of the sample, in the order of the keys.

        Parameters
        ----------
        columns : slice

        Returns
        -------
        (m, d) float32
        """
        out = np.empty((len(self), columns.stop - columns.start), np.float32)
        for video, slots in self._places:
            out[slots] = video.rows[: len(slots), columns]
        return out


def _first(video, limit):
    """The rows of a video up to a key, in memory of their own."""
    n = int(np.searchsorted(video.keys, np.uint64(limit), side="right"))
    return video if n == len(video.keys) else Sampled(video.keys[:n].copy(), video.rows[:n].copy(), video.n_seen)
