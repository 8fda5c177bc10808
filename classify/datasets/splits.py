"""Splits: the training videos and the test videos of an evaluation.

Everything that is fitted (PCA, codebook, classifier) sees only the training videos of a split. Splits name
videos, so they do not depend on the order of a list, but only on the names, their groups or labels, and a seed.

Source: docs/method/protocols.md, section 1.
"""

import re
from typing import NamedTuple

from classify.labels import classes_of
from classify.text_files import listed, read_pairs
from idt.errors import DataError


class Split(NamedTuple):
    """Training and test videos.

    Attributes
    ----------
    name : str
        Such as the group left out.
    train, test : tuple of str
        Video names.
    subset : str
        Splits of one subset test different videos: their predictions are put together before they are counted. Metrics
        of different subsets are averaged.
    """

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    subset: str = ""


def leave_one_group_out(groups, subsets=None):
    """Make one split per group: the test videos are the group, the training videos all other groups.

    Parameters
    ----------
    groups : dict of str to str
        Video name → group.
    subsets : dict of str to str, optional
        Video name → subset, such as one of two sets that are evaluated apart. Groups do not reach across subsets.

    Returns
    -------
    list of Split
        Sorted by subset and group; numbers in the names are compared by value.

    Raises
    ------
    DataError
        If a subset has fewer than two groups.
    """
    splits = []
    subset_of = dict.fromkeys(groups, "") if subsets is None else subsets
    for subset in _naturally_sorted(set(subset_of.values())):
        group_of = {name: group for name, group in groups.items() if subset_of[name] == subset}
        found = _naturally_sorted(set(group_of.values()))
        if len(found) < 2:
            where = f" of {subset}" if subset else ""
            raise DataError(f"leaving one group out needs at least two groups{where}, got {listed(found) or 'none'}")
        for group in found:
            test = tuple(name for name in group_of if group_of[name] == group)
            train = tuple(name for name in group_of if group_of[name] != group)
            splits.append(Split(f"{subset} {group}".strip(), train, test, subset))
    return splits


def groups_by_pattern(names, pattern):
    """Find each video's group in its name.

    Parameters
    ----------
    names : sequence of str
    pattern : str
        Regular expression, searched for anywhere in the name; the group is the match of its first parenthesis, or
        the whole match if it has none. ``"_(g[0-9]+)_"`` finds ``g07`` in ``walk/v_walk_g07_c01``.

    Returns
    -------
    dict of str to str
        Video name → group.

    Raises
    ------
    DataError
        If the pattern is no regular expression, or some names do not hold it (all are listed).
    """
    try:
        search = re.compile(pattern).search
    except re.error as problem:
        raise DataError(f"the group pattern {pattern!r} is no regular expression: {problem}") from None
    groups, without = {}, []
    for name in names:
        match = search(name)
        group = match and (match.group(1) if match.re.groups else match.group())
        if group:
            groups[name] = group
        else:
            without.append(name)
    if without:
        raise DataError(f"the group pattern {pattern!r} finds no group in {len(without)} videos: {listed(without)}")
    return groups


def stratified_folds(labels, *, folds=5, seed=0):
    """Deal videos to folds in which every class has its share.

    Parameters
    ----------
    labels : dict of str to str
        Video name → label.
    folds : int
    seed : int
        Another seed is another assignment.

    Returns
    -------
    list of Split
        The same whatever the order of ``labels``.

    Raises
    ------
    DataError
        If a class has fewer videos than there are folds.

    Notes
    -----
    Clips cut from one recording may come into different folds; leave one group out where that matters.
    """
    from sklearn.model_selection import StratifiedKFold

    names = sorted(labels)
    values = [labels[name] for name in names]
    small = [f"{label} ({values.count(label)})" for label in sorted(set(values)) if values.count(label) < folds]
    if small or not names:
        raise DataError(
            f"{folds} folds need at least {folds} videos of each class, too few of: {listed(small)}; use fewer folds"
        )
    assigned = StratifiedKFold(n_splits=folds, shuffle=True, random_state=seed).split(names, values)
    return [
        Split(f"fold {k}", tuple(names[i] for i in train), tuple(names[i] for i in test))
        for k, (train, test) in enumerate(assigned, start=1)
    ]


def fixed_split(train, test, names, *, name="split", subset=""):
    """Make a split from two lists.

    Parameters
    ----------
    train, test : sequence of str
    names : sequence of str
        Videos that exist.
    name, subset : str
        As for `Split`.

    Returns
    -------
    Split

    Raises
    ------
    DataError
        If the lists name videos that are not there (all are listed), share one, or one of them is empty.
    """
    known = set(names)
    missing = [video for video in (*train, *test) if video not in known]
    if missing:
        raise DataError(f"{name} names {len(missing)} videos that are missing: {listed(missing)}")
    shared = sorted(set(train) & set(test))
    if shared:
        raise DataError(f"{name} names {len(shared)} videos for training and for testing: {listed(shared)}")
    if not (train and test):
        raise DataError(f"{name} must name videos to train and videos to test, got {len(train)} and {len(test)}")
    return Split(name, tuple(train), tuple(test), subset)


def read_split(path):
    """Read a split file: CSV lines ``name,train`` or ``name,test``, with or without the header ``name,part``.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    train, test : list of str

    Raises
    ------
    DataError
        If a line is malformed, a video occurs twice, or its side is neither train nor test.
    OSError
        If the file cannot be read.
    """
    pairs = read_pairs(path, ("name", "part"))
    wrong = [f"{name} ({side})" for name, side in pairs.items() if side not in ("train", "test")]
    if wrong:
        raise DataError(f"{path} must say train or test for every video, got {listed(wrong)}")
    train, test = ([name for name, side in pairs.items() if side == wanted] for wanted in ("train", "test"))
    return train, test


def check_splits(splits, labels):
    """Refuse splits that cannot be evaluated, before hours of work go into them.

    Parameters
    ----------
    splits : sequence of Split
    labels : dict of str to str
        Video name → label or labels.

    Raises
    ------
    DataError
        If a split names a video without a label, has an empty list, trains on one class only, or tests none.
    """
    for split in splits:
        fixed_split(split.train, split.test, labels, name=split.name)
        classes = classes_of(labels[name] for name in split.train)
        if len(classes) < 2:
            raise DataError(f"{split.name} trains on one class only, {listed(classes)}; a classifier needs two")
        if not classes_of(labels[name] for name in split.test):
            raise DataError(f"{split.name} tests no video that has a class")


def _naturally_sorted(texts):
    """Sort texts with the numbers in them ordered by value: seq2 before seq10."""
    # Texts and digits alternate, text first, so that texts are compared with texts and numbers with numbers.
    return sorted(texts, key=lambda text: [int(p) if i % 2 else p for i, p in enumerate(re.split(r"(\d+)", text))])
