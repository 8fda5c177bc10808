"""Readers of data sets of untrimmed video: videos, true labels or segments, and splits.

Breakfast, 50Salads, GTEA, and any folder like them, have ``groundTruth/VIDEO.txt``, one label per frame, and
``splits/test.split1.bundle``. A folder may have ``segments.csv`` instead of ``groundTruth``. THUMOS'14 and ActivityNet
have segments: official lists, or a JSON file. Videos lie anywhere below the folder.

Source: docs/method/untrimmed.md, section 11.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from classify.datasets.dataset import Clip, Dataset, Skipped, find_videos, require_clips
from classify.datasets.splits import Split, check_splits, groups_by_pattern, leave_one_group_out
from classify.params import DatasetParams
from classify.text_files import listed
from classify.untrimmed.detection_metrics import AMBIGUOUS
from classify.untrimmed.formats import activitynet, frame_labels, table, thumos
from classify.untrimmed.protocols import FRAMES
from classify.untrimmed.segment_videos import joined
from classify.untrimmed.segments import Segments
from idt.errors import DataError
from idt.files.walk import walk

TABLE = "segments.csv"
"""File of the true segments in a folder without ``groundTruth``."""

OPTIONS = {"frames": ("lists", "group", "folds", "fold_seed")}
"""Data set → options of `DatasetParams` that it takes; a data set without an entry takes ``lists`` only."""

SUBSETS = (("training", "validation"), ("train", "test"), ("validation", "test"), ("Validation", "Test"))
"""Names of the subsets of a JSON file to train on and to test on; the first pair that the file has is used."""


@dataclass(frozen=True)
class UntrimmedSet:
    """Data set of untrimmed video.

    Attributes
    ----------
    dataset : Dataset
        Videos and splits; the labels of a clip are the classes that happen in it.
    labels : dict of str to (T,) str
        Label of each frame, by video; empty for a set with segments.
    segments : Segments
        True segments; empty for a set with labels of frames.
    """

    dataset: Dataset
    labels: dict[str, np.ndarray]
    segments: Segments


def read_untrimmed(name, root, params=None):
    """Read a data set of untrimmed video from its folder.

    Parameters
    ----------
    name : str
        One of `classify.params.UNTRIMMED`.
    root : str or Path
        Folder of the videos, and of the truth unless ``params.lists`` is its folder.
    params : DatasetParams, optional

    Returns
    -------
    UntrimmedSet

    Raises
    ------
    DataError
        If an option does not belong to the set, no truth or no video is found, or a split cannot be evaluated.
    OSError
        If a file cannot be read.
    """
    root, params = Path(root), params or DatasetParams()
    default, known = DatasetParams(), OPTIONS.get(name, ("lists",))
    foreign = [key for key, value in vars(params).items() if value != getattr(default, key) and key not in known]
    if foreign:
        raise DataError(f"{name} has a protocol of its own and takes no {', '.join(foreign)}")
    place = Path(params.lists) if params.lists else root
    if not place.is_dir():
        raise DataError(f"{place} is not a folder")
    found, skipped = find_videos(root)
    videos = _by_name(found)
    labels: dict[str, np.ndarray] = {}
    segments, splits = Segments.of([], [], []), None
    if name not in FRAMES:
        train, test = _read_lists(place) if name == "thumos14" and not _json_files(place) else _read_json(place)
        segments = joined([train, test])
        names = _classes_of(segments)
        splits = [Split("test", tuple(sorted(set(train.videos.tolist()))), tuple(sorted(set(test.videos.tolist()))))]
    elif name == "frames" and (place / TABLE).is_file():
        segments = table.read_table(place / TABLE)
        names = _classes_of(segments)
    else:
        labels = _read_labels(place)
        names = {video: tuple(sorted(set(own.tolist()))) for video, own in labels.items()}
    if splits is None:
        splits = _read_bundles(place, names) or _drawn_splits(name, names, params)
    clips = [
        Clip(video, _only_path(videos[video], video), own) for video, own in sorted(names.items()) if video in videos
    ]
    require_clips(clips, root, name, f"a video of the name {next(iter(sorted(names)))}")
    used, there = {clip.path for clip in clips}, {clip.name for clip in clips}
    skipped += [Skipped(str(path), "has no true labels") for path in found.values() if path not in used]
    missing = sorted(names.keys() - there)
    dataset = Dataset(
        name, root, clips, splits, _protocol(name, splits), "accuracy" if name in FRAMES else "mean_average_precision",
        skipped, missing, lists=[params.lists] if params.lists else [],
    )  # fmt: skip
    dataset = _without_missing(dataset, there)
    check_splits(dataset.splits, dataset.labels)
    return UntrimmedSet(dataset, labels, segments)


def _by_name(videos):
    """Map each name that a list may use to its videos: the file's name, or folders and file joined by ``_``."""
    found: dict[str, list[Path]] = {}
    for name, path in videos.items():
        parts = name.split("/")
        for first in range(len(parts)):
            found.setdefault("_".join(parts[first:]).removeprefix(activitynet.PREFIX), []).append(path)
    return found


def _only_path(paths, name):
    if len(paths) > 1:
        raise DataError(f"{name} may be {listed(paths)}; remove all but one")
    return paths[0]


def _read_labels(place):
    """Read the labels of frames by video."""
    folder = place / "groundTruth"
    paths = sorted(path for path in walk(folder).files if not path.name.startswith(".")) if folder.is_dir() else []
    if not paths:
        raise DataError(f"{place} has no true labels: expected groundTruth/VIDEO.txt with a label a line, or {TABLE}")
    return {path.name.removesuffix(".txt"): frame_labels.read_labels(path) for path in paths}


def _json_files(place):
    return sorted(path for path in place.glob("*.json") if path.is_file())


def _read_json(place):
    """Read the segments to train on and to test on from a JSON file."""
    paths = _json_files(place)
    if len(paths) != 1:
        raise DataError(f"{place} must hold one JSON file of true segments, got {listed(paths) or 'none'}")
    known = activitynet.read_subsets(paths[0])
    for pair in SUBSETS:
        if known.issuperset(pair):
            return [activitynet.read_truth(paths[0], subset=subset, instants=True) for subset in pair]
    raise DataError(
        f"{paths[0]} must have videos to train on and to test on, such as of the subsets {' and '.join(SUBSETS[0])},"
        f" got {listed(sorted(known)) or 'none'}"
    )


def _read_lists(place):
    """Read the segments to train on and to test on from the official lists of THUMOS'14."""
    pair = []
    for ending in ("val", "test"):
        folders = sorted({path.parent for path in walk(place).files if re.fullmatch(rf"\w+_{ending}\.txt", path.name)})
        if len(folders) != 1:
            raise DataError(
                f"{place} must hold one folder of lists CLASS_{ending}.txt, got {listed(folders) or 'none'};"
                " give their folder with --lists"
            )
        pair.append(thumos.read_lists(folders[0], instants=True))
    return pair


def _classes_of(segments):
    """Collect the classes by video; an ambiguous segment has none."""
    found: dict[str, set[str]] = {}
    for video, label in zip(segments.videos.tolist(), segments.labels.tolist(), strict=True):
        found.setdefault(video, set()).update({label} - {AMBIGUOUS})
    return {video: tuple(sorted(own)) for video, own in found.items()}


def _read_bundles(place, names):
    """Read the splits that lists describe; without a training list, all other videos train."""
    splits = []
    for path in sorted((place / "splits").glob("test.split*.bundle")):
        test = frame_labels.read_bundle(path)
        other = path.with_name(path.name.replace("test", "train", 1))
        train = frame_labels.read_bundle(other) if other.is_file() else sorted(names.keys() - set(test))
        unknown = sorted({*train, *test} - names.keys())
        if unknown:
            raise DataError(f"{path} and its counterpart name videos without true labels: {listed(unknown)}")
        number = path.name.removeprefix("test.split").removesuffix(".bundle")
        splits.append(Split(f"split {number}", tuple(train), tuple(test)))
    return splits


def _drawn_splits(name, names, params):
    """Draw the splits of a folder without lists: leave one group out, or cut folds."""
    if name != "frames":
        raise DataError(f"{name} needs its lists of test videos, splits/test.split1.bundle and so on")
    if params.group is not None:
        return leave_one_group_out(groups_by_pattern(sorted(names), params.group))
    count = min(params.folds, len(names))
    if count < 2:
        raise DataError(f"a set needs two videos or more to train on some and to test others, got {len(names)}")
    order = np.random.default_rng(params.fold_seed).permutation(sorted(names)).tolist()
    return [
        Split(f"fold {k + 1}", tuple(sorted({*order} - {*order[k::count]})), tuple(sorted(order[k::count])))
        for k in range(count)
    ]


def _protocol(name, splits):
    """Describe the splits in words."""
    if name not in FRAMES:
        return f"{len(splits[0].train)} videos with segments to train on, {len(splits[0].test)} to test on"
    return (
        f"{len(splits)} {'split' if len(splits) == 1 else 'splits'}, {', '.join(split.name for split in splits):.200}"
    )


def _without_missing(dataset, there):
    """Leave out the videos that do not exist."""
    splits = []
    for split in dataset.splits:
        train, test = (tuple(video for video in side if video in there) for side in (split.train, split.test))
        if not (train and test):
            raise DataError(
                f"{split.name} of {dataset.name} has no videos to {'test' if train else 'train on'} below"
                f" {dataset.root}; missing are {listed(dataset.missing)}"
            )
        splits.append(split._replace(train=train, test=test))
    return replace(dataset, splits=splits)
