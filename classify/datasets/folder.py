"""Any folder of videos in class folders: the everyday case of a user with videos of their own.

Source: docs/method/protocols.md, section 2.11.
"""

from pathlib import Path

from classify.datasets import splits
from classify.datasets.dataset import Clip, Dataset, Skipped, find_videos, require_clips, unique_clips
from idt.frames import suffixes


def read_folder(root, params):
    """Read any folder ``<class>/<video>``, split by a file, by groups in the names, or into stratified folds.

    Parameters
    ----------
    root : Path
    params : DatasetParams
        ``split`` is a file as `splits.read_split` takes it; its names may have a video suffix. ``group`` is a pattern
        for `splits.groups_by_pattern`. Without both, ``folds`` and ``fold_seed`` are used.

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
    clips = unique_clips(clips, skipped)
    require_clips(clips, root, "folder", "<class>/<video>")
    names = [clip.name for clip in clips]
    if params.split is not None:
        train, test = ([_without_suffix(name, videos) for name in side] for side in splits.read_split(params.split))
        protocol = f"the lists of {Path(params.split).name}"
        chosen = [splits.fixed_split(train, test, names, name=Path(params.split).stem)]
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


def _without_suffix(name, videos):
    """Return a listed name as a video name, because split files often list files."""
    stem, dot, suffix = name.rpartition(".")
    return name if name in videos or dot + suffix.lower() not in suffixes.VIDEOS else stem
