"""UCF11, also called UCF YouTube Action: 11 classes in 25 groups.

Source: docs/method/protocols.md, section 2.4; Liu et al. 2009.
"""

import re

from classify.datasets import splits
from classify.datasets.dataset import Clip, Dataset, Skipped, find_videos, groups_of, require_clips, unique_clips
from classify.datasets.ucf50 import missing_clips

CLASSES, GROUPS = 11, 25


def read_ucf11(root, params):
    """Read UCF11: ``UCF11_updated_mpg/<class>/v_<other>_GG/v_<other>_GG_CC.mpg``, one group left out at a time.

    Parameters
    ----------
    root : Path
        The folder of the classes, or the folder above it.
    params : DatasetParams

    Returns
    -------
    Dataset
        A group is a number in the names and has clips of all classes. Predictions of all groups are counted together.

    Raises
    ------
    DataError
        If no video has such a name, or there is one group only.

    Notes
    -----
    The label is the folder above that of the group: the names often say something else, as in
    ``basketball/v_shooting_01/…``. Files in a folder ``Annotation`` are skipped.
    """
    videos, skipped = find_videos(root)
    clips = []
    for name, path in videos.items():
        match = re.fullmatch(r"v_\w+_(\d\d)_\d\d", path.stem)
        if "Annotation" in path.relative_to(root).parts:
            skipped.append(Skipped(str(path), "in a folder Annotation"))
        elif not match or not 1 <= int(match[1]) <= GROUPS or path.parent.name != path.stem[:-3]:
            skipped.append(Skipped(str(path), "not <class>/v_<other>_GG/v_<other>_GG_CC of the set"))
        else:
            clips.append(Clip(name, path, path.parent.parent.name, group=f"group {int(match[1])}"))
    clips = unique_clips(clips, skipped)
    require_clips(clips, root, "ucf11", "UCF11_updated_mpg/<class>/v_<other>_GG/v_<other>_GG_CC.mpg")
    return Dataset(
        name="ucf11",
        root=root,
        clips=clips,
        splits=splits.leave_one_group_out(groups_of(clips)),
        protocol="leave one group out",
        metric="class_accuracy",
        skipped=skipped,
        missing=missing_clips(clips, clips=None, classes=CLASSES, groups=GROUPS),
    )
