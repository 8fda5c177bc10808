"""Names of videos and classes in the spellings of other programs, matched between two lists.

Networks name a video by its path, with or without folder and suffix, and some replace characters: CoViAR writes ``_``
for every character that is neither letter nor digit. Classes are spelled ``HandstandPushups``, ``HandStandPushups`` or
``handstand pushups``. Names are compared unchanged first, then without folder and suffix, then folded (`folded`). Each
rule pairs only names whose keys are unique among the names that are not paired yet.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from idt.frames.suffixes import VIDEOS

_SUFFIX = re.compile(rf"(?:{'|'.join(map(re.escape, sorted(VIDEOS)))})\Z", re.IGNORECASE)
_UCF = re.compile(r"v_(?=\w+_g\d+_c\d+\Z)")


def without_suffix(name):
    """Return the path ``name`` without the suffix of a video; any other ending, as in ``Mr._Bean``, stays."""
    return _SUFFIX.sub("", name.rstrip("/"))


def stem(name):
    """Return the last part of the path ``name``, without the suffix of a video."""
    return without_suffix(name).rpartition("/")[2]


def folded(name):
    """Return the stem of ``name`` in lower case, every character outside [0-9a-z] as ``_``.

    The prefix ``v_`` of UCF's names is dropped, because the two-stream release of jeffreyhuang1 writes them without it.
    """
    return _UCF.sub("", _folded(stem(name)))


def folded_path(name):
    """Return the path ``name`` without suffix in lower case, every character outside [0-9a-z/] as ``_``."""
    return "/".join(map(_folded, without_suffix(name).split("/")))


def class_key(name):
    """Return the class ``name`` in lower case, letters and digits only."""
    return "".join(char for char in name.lower() if char.isalnum())


def _folded(text):
    return re.sub("[^0-9a-z]", "_", text.lower())


FOLDED = "folded"
"""Name of the rules that compare folded names."""

VIDEO_NAME_RULES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("exact", str),
    ("without folder and suffix", without_suffix),
    (FOLDED, folded_path),
    ("without folder and suffix", stem),
    (FOLDED, folded),
)
"""Rules that compare names of videos, applied one after the other, each with its name in reports."""

CLASS_NAME_RULES: tuple[tuple[str, Callable[[str], str]], ...] = (("exact", str), (FOLDED, class_key))
"""Rules that compare names of classes."""


@dataclass(frozen=True)
class Matched:
    """Pairs of names of two lists.

    Attributes
    ----------
    places : (n,) intp
        Index in the other list of each wanted name; -1 where it has none.
    rules : dict of str to int
        Number of pairs that each rule found.
    ambiguous : list of str
        A line for each group of names that have the same key and cannot be paired, such as ``a and b for c``.
    """

    places: np.ndarray
    rules: dict[str, int]
    ambiguous: list[str]


def match(wanted, given, rules=VIDEO_NAME_RULES, *, other_videos=()):
    """Find wanted names in another list.

    Parameters
    ----------
    wanted, given : sequence of str
        No name occurs twice in ``wanted``.
    rules : sequence of (str, callable)
        Name of each rule, and the key by which it compares.
    other_videos : sequence of str
        Names of other videos of the data set, such as training videos. A given name that equals one of them, with or
        without folder and suffix, belongs to that video and is not folded onto a wanted name.

    Returns
    -------
    Matched
    """
    known = [*wanted, *other_videos]
    places = np.full(len(known), -1, np.intp)
    left, found = list(range(len(given))), dict.fromkeys((name for name, _ in rules), 0)
    for name, key in rules:
        if not (places[: len(wanted)] < 0).any():
            break
        n_compared = len(wanted) if name == FOLDED else len(known)
        ours = _by_key(known, np.flatnonzero(places[:n_compared] < 0), key)
        theirs = _by_key(given, left, key)
        for same in ours.keys() & theirs.keys():
            if len(ours[same]) == len(theirs[same]) == 1:
                places[ours[same][0]] = theirs[same][0]
                found[name] += ours[same][0] < len(wanted)
        taken = set(places.tolist())
        left = [index for index in left if index not in taken]
    places = places[: len(wanted)]
    return Matched(places, found, _doubts(wanted, given, places, left, rules))


def _by_key(names, indices, key):
    """Group ``indices`` of ``names`` by the key of the name."""
    found: dict[str, list[int]] = {}
    for index in indices:
        found.setdefault(key(names[index]), []).append(int(index))
    return found


def _doubts(wanted, given, places, left, rules):
    """Write a line for each key that unpaired names of both lists share."""
    lines: dict[str, None] = {}
    for _, key in rules:
        ours, theirs = _by_key(wanted, np.flatnonzero(places < 0), key), _by_key(given, left, key)
        for same in sorted(ours.keys() & theirs.keys()):
            several = [given[index] for index in theirs[same]]
            if len(several) > 1:
                lines[f"{' and '.join(several[:3])} for {wanted[ours[same][0]]}"] = None
            else:
                lines[f"{several[0]} for {' and '.join(wanted[index] for index in ours[same][:3])}"] = None
    return list(lines)
