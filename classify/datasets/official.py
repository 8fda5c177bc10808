"""Sets with official lists of training and test videos.

Lists and videos come in two archives, so the lists are looked for in the folder given, below it and beside it. They
decide what belongs to the set: a video that no list names is skipped, a listed one that is not there is missing, and
the splits go on without it.
"""

from pathlib import Path
from typing import NamedTuple

from classify.datasets.dataset import Clip, Dataset, Skipped, require_clips, unique_clips
from classify.datasets.splits import Split
from classify.text_files import listed
from idt.errors import DataError
from idt.files.walk import is_junk


class ListedSplit(NamedTuple):
    """A split as its lists give it.

    Attributes
    ----------
    name : str
    train, test : dict of str to str or tuple of str
        Key of each video → label or labels.
    """

    name: str
    train: dict
    test: dict


def lists_folder(root, params, *, names, holds):
    """Find the folder of a set's lists.

    Parameters
    ----------
    root : Path
        The folder given for the set.
    params : DatasetParams
        Only ``lists`` is used.
    names : tuple of str
        Name of the folder in the archive of the lists.
    holds : str
        Pattern of the files in it.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        If there is none.
    """
    homes = [root, root.parent] if params.lists is None else [Path(params.lists)]
    places = [place for home in homes for place in (*(home / name for name in names), home)]
    for place in places:
        if list_files(place, holds):
            return place
    if params.lists is not None:
        raise DataError(f"{params.lists} holds no lists {holds}; name the folder that holds them with --lists")
    raise DataError(f"{root} has no lists {names[0]}/{holds} in it or beside it; name their folder with --lists")


def list_files(folder, pattern):
    """Find the lists in a ``folder`` by a ``pattern`` of their names, without files of another operating system."""
    return sorted(path for path in folder.glob(pattern) if not is_junk(path.name))


def assemble(name, root, *, videos, layout, splits, key, group=None, **protocol):
    """Pair the lists of a set with the videos that are there.

    Parameters
    ----------
    name : str
    root : Path
    videos : (dict of str to Path, list of Skipped)
        As from `find_videos`.
    layout : str
        How the set is laid out, for the message if nothing of it is there.
    splits : list of ListedSplit
        Test videos of several splits may overlap, so the results of the splits are averaged.
    key : callable
        Path of a video → its name in the lists.
    group : callable, optional
        Key → group.
    **protocol
        ``protocol`` and ``metric`` of the `Dataset`.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If none of the videos is listed, two have one key, or a list contradicts another.
    """
    found, skipped = videos
    labels = _labels(splits)
    keys: dict[str, str] = {}
    clips = []
    for video, path in found.items():
        listed_as = key(path)
        if listed_as not in labels:
            skipped.append(Skipped(str(path), "in none of the lists"))
            continue
        if listed_as in keys:
            raise DataError(
                f"{path} and {found[keys[listed_as]]} are both {listed_as} of the lists; move one of them away"
            )
        keys[listed_as] = video
        clips.append(Clip(video, path, labels[listed_as], group=group(listed_as) if group else ""))
    missing = [listed_as for listed_as in labels if listed_as not in keys]
    clips = unique_clips(clips, skipped)
    require_clips(clips, root, name, layout)
    names = {clip.name for clip in clips}
    keys = {listed_as: video for listed_as, video in keys.items() if video in names}
    sides = [
        [tuple(keys[listed_as] for listed_as in side if listed_as in keys) for side in split[1:]] for split in splits
    ]
    subsets = [split.name if len(splits) > 1 else "" for split in splits]
    return Dataset(
        name=name,
        root=root,
        clips=clips,
        splits=[
            Split(split.name, train, test, subset)
            for split, (train, test), subset in zip(splits, sides, subsets, strict=True)
        ],
        skipped=skipped,
        missing=missing,
        **protocol,
    )


def _labels(splits):
    """Map the key of every listed video to its label or labels."""
    labels: dict = {}
    for split in splits:
        shared = sorted(set(split.train) & set(split.test))
        if shared:
            raise DataError(f"{split.name} lists {len(shared)} videos for training and for testing: {listed(shared)}")
        for listed_as, label in (*split.train.items(), *split.test.items()):
            if labels.setdefault(listed_as, label) != label:
                raise DataError(f"{split.name} lists {listed_as} as {label}, another split as {labels[listed_as]}")
    return labels
