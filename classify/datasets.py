"""One reader per data set: from its folder, as it is distributed, to clips, labels and the splits of its protocol.

A reader takes the root and `DatasetParams` and returns a `Dataset`. It opens no video. What does not fit a set's names
is listed in ``skipped``, what the set should have and lacks in ``missing``; nothing disappears silently.

Source: spec, "Datasets: layout, splits, metric"; Gorelick et al. 2007 (Weizmann), Ryoo & Aggarwal 2009
(UT-Interaction).
"""

import dataclasses
import itertools
import re
from pathlib import Path

from classify import splits
from classify.clips import Clip, Dataset, Skipped, find_videos, groups_of, need
from classify.kth import read_kth
from classify.params import DatasetParams
from idt import suffixes
from idt.errors import DataError

WEIZMANN_ACTORS = ("daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar")
WEIZMANN_ACTIONS = ("bend", "jack", "jump", "pjump", "run", "side", "skip", "walk", "wave1", "wave2")

UT_CLASSES = ("handshake", "hug", "kick", "point", "punch", "push")
UT_SEQUENCES = 10
"""Sequences of a set: 1 … 10 are set 1, 11 … 20 set 2."""


def read(name, root, params=None):
    """Read a data set.

    Parameters
    ----------
    name : str
        One of `READERS`.
    root : str or Path
        Its folder.
    params : DatasetParams, optional

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the set is unknown, an option is not one of this set, nothing below ``root`` belongs to it, its splits cannot
        be evaluated, or a file of it is malformed.
    OSError
        If something cannot be read.
    """
    if name not in READERS:
        raise DataError(f"unknown data set {name!r}; known are {', '.join(READERS)}")
    params = params or DatasetParams()
    reader, options = READERS[name]
    given = [field.name for field in dataclasses.fields(params) if getattr(params, field.name) != field.default]
    foreign = [option for option in given if option not in options]
    if foreign:
        raise DataError(f"{name} has a protocol of its own and takes no {', '.join(foreign)}")
    dataset = reader(Path(root), params)
    splits.check(dataset.splits, dataset.labels)
    return dataset


def read_weizmann(root, params):
    """Weizmann: ``<action>/<actor>_<action>.avi`` or flat; a number behind the action is a repetition (``lena_run1``).

    Parameters
    ----------
    root : Path
    params : DatasetParams

    Returns
    -------
    Dataset
        Groups are the actors.

    Raises
    ------
    DataError
        If no video has such a name.
    """
    videos, skipped = find_videos(root)
    clips, found = [], set()
    for name, path in videos.items():
        actor, _, what = path.stem.lower().partition("_")
        action = what if what in WEIZMANN_ACTIONS else what.rstrip("12")
        folder = path.parent.name.lower()
        if actor not in WEIZMANN_ACTORS or action not in WEIZMANN_ACTIONS:
            skipped.append(Skipped(str(path), "the name is not <actor>_<action> of the set"))
        elif path.parent != root and folder in WEIZMANN_ACTIONS and folder != action:
            skipped.append(Skipped(str(path), f"the folder says {folder}, the name {action}"))
        else:
            clips.append(Clip(name, path, action, group=actor))
            found.add((actor, action))
    need(clips, root, "weizmann", "<action>/<actor>_<action>.avi")
    return Dataset(
        name="weizmann",
        root=root,
        clips=clips,
        splits=splits.leave_one_group_out(groups_of(clips)),
        protocol="leave one actor out",
        metric="accuracy",
        skipped=skipped,
        missing=[
            f"{actor}_{action}"
            for actor, action in itertools.product(WEIZMANN_ACTORS, WEIZMANN_ACTIONS)
            if (actor, action) not in found
        ],
    )


def read_ut_interaction(root, params):
    """UT-Interaction: ``<index>_<sequence>_<class>.avi``, one set or both, in any folders.

    Parameters
    ----------
    root : Path
    params : DatasetParams

    Returns
    -------
    Dataset
        Groups are the sequences, parts the two sets: each is evaluated by itself.

    Raises
    ------
    DataError
        If no video has such a name.
    """
    videos, skipped = find_videos(root)
    clips = []
    for name, path in videos.items():
        match = re.fullmatch(r"(\d+)_(\d+)_([0-5])", path.stem)
        if not match or not 1 <= int(match[2]) <= 2 * UT_SEQUENCES:
            skipped.append(Skipped(str(path), "the name is not <index>_<sequence>_<class> of the set"))
            continue
        sequence = int(match[2])
        part = "set 1" if sequence <= UT_SEQUENCES else "set 2"
        clips.append(Clip(name, path, UT_CLASSES[int(match[3])], group=f"sequence {sequence}", part=part))
    need(clips, root, "ut-interaction", "<index>_<sequence>_<class>.avi")
    parts = {clip.name: clip.part for clip in clips}
    found = {(clip.group, clip.label) for clip in clips}
    sequences = [
        f"sequence {UT_SEQUENCES * first + number}"
        for first, part in enumerate(("set 1", "set 2"))
        if part in parts.values()
        for number in range(1, UT_SEQUENCES + 1)
    ]
    return Dataset(
        name="ut-interaction",
        root=root,
        clips=clips,
        splits=splits.leave_one_group_out(groups_of(clips), parts),
        protocol="leave one sequence out, each set by itself",
        metric="accuracy",
        skipped=skipped,
        missing=[f"{label} of {group}" for group in sequences for label in UT_CLASSES if (group, label) not in found],
    )


def read_folder(root, params):
    """Any folder ``<class>/<video>``, split by a file, by groups in the names, or into stratified folds.

    Parameters
    ----------
    root : Path
    params : DatasetParams
        ``split`` is a file as `splits.read_split` takes it; its names may have a video suffix. ``group`` is a pattern
        for `splits.groups_by_pattern`. Else ``folds`` and ``fold_seed`` count.

    Returns
    -------
    Dataset
        Videos that a split file does not name are skipped.

    Raises
    ------
    DataError
        If there is no video in a class folder, or the videos cannot be split that way.
    """
    videos, skipped = find_videos(root)
    clips = []
    for name, path in videos.items():
        label, _, inside = name.partition("/")
        if inside:
            clips.append(Clip(name, path, label))
        else:
            skipped.append(Skipped(str(path), "in no class folder"))
    need(clips, root, "folder", "<class>/<video>")
    names = [clip.name for clip in clips]
    if params.split is not None:
        train, test = ([_without_suffix(name, videos) for name in side] for side in splits.read_split(params.split))
        protocol = f"the lists of {Path(params.split).name}"
        chosen = [splits.fixed(train, test, names, name=Path(params.split).stem)]
        used = {*train, *test}
        skipped += [Skipped(str(clip.path), "not in the split file") for clip in clips if clip.name not in used]
        clips = [clip for clip in clips if clip.name in used]
    elif params.group is not None:
        groups = splits.groups_by_pattern(names, params.group)
        protocol = f"leave one group out, groups by the pattern {params.group}"
        clips = [clip._replace(group=groups[clip.name]) for clip in clips]
        chosen = splits.leave_one_group_out(groups)
    else:
        protocol = f"{params.folds} stratified folds, seed {params.fold_seed}"
        labels = {clip.name: clip.label for clip in clips}
        chosen = splits.stratified_folds(labels, folds=params.folds, seed=params.fold_seed)
    return Dataset("folder", root, clips, chosen, protocol, "accuracy", skipped, [])


READERS = {
    "weizmann": (read_weizmann, ()),
    "ut-interaction": (read_ut_interaction, ()),
    "kth": (read_kth, ("sequences", "subsequences")),
    "folder": (read_folder, ("split", "group", "folds", "fold_seed")),
}
"""Reader of each set, and the options that it takes."""


def _without_suffix(name, videos):
    """A listed name as a video name: split files often list files."""
    stem, dot, suffix = name.rpartition(".")
    return name if name in videos or dot + suffix.lower() not in suffixes.VIDEOS else stem
