"""UCF50: 6,618 clips of 50 classes in 25 groups.

Source: docs/method/protocols.md, section 2.3; Reddy & Shah 2012.
"""

import re

from classify.datasets import splits
from classify.datasets.dataset import Clip, Dataset, Skipped, find_videos, groups_of, require_clips, unique_clips

CLIPS, CLASSES, GROUPS = 6618, 50, 25


def read_ucf50(root, params):
    """Read UCF50: ``UCF50/<Class>/v_<Class>_gXX_cYY.avi``, one group left out at a time.

    Parameters
    ----------
    root : Path
        The folder of the classes, or the folder above it.
    params : DatasetParams

    Returns
    -------
    Dataset
        A group is a number in the names and has clips of all classes. The accuracy of the set is the mean over the
        groups, so each group is a subset of its own.

    Raises
    ------
    DataError
        If no video has such a name, or there is one group only.

    Notes
    -----
    The label is the folder's: the files of Billiards are called ``v_Billards_…``.
    """
    videos, skipped = find_videos(root)
    clips = []
    for name, path in videos.items():
        match = re.fullmatch(r"v_\w+_g(\d\d)_c\d\d", path.stem)
        if match and 1 <= int(match[1]) <= GROUPS:
            group = f"group {int(match[1])}"
            clips.append(Clip(name, path, path.parent.name, group=group, subset=group))
        else:
            skipped.append(Skipped(str(path), "the name is not v_<Class>_gXX_cYY of the set"))
    clips = unique_clips(clips, skipped)
    require_clips(clips, root, "ucf50", "UCF50/<Class>/v_<Class>_gXX_cYY.avi")
    groups = groups_of(clips)
    return Dataset(
        name="ucf50",
        root=root,
        clips=clips,
        splits=[split._replace(subset=split.name) for split in splits.leave_one_group_out(groups)],
        protocol="leave one group out; the mean of the groups' accuracies",
        metric="accuracy",
        skipped=skipped,
        missing=missing_clips(clips, clips=CLIPS, classes=CLASSES, groups=GROUPS),
    )


def missing_clips(found, *, clips, classes, groups):
    """List the clips that a set of groups lacks, as far as the names tell.

    Parameters
    ----------
    found : list of Clip
    clips : int or None
        Number of clips of the whole set, if it is known.
    classes, groups : int
        Numbers of the whole set.

    Returns
    -------
    list of str
        Groups of a class without clips, and how many classes and clips are not there.
    """
    labels = sorted({clip.label for clip in found})
    there = {(clip.label, clip.group) for clip in found}
    missing = [
        f"{label}, group {number}"
        for label in labels
        for number in range(1, groups + 1)
        if (label, f"group {number}") not in there
    ]
    for count, whole, what in ((len(labels), classes, "classes"), (len(found), clips, "clips")):
        if whole is not None and count < whole:
            missing.append(f"{whole - count} of the {whole} {what}")
    return missing
