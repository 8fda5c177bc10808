"""UT-Interaction: two sets of ten sequences, six interactions each.

Source: docs/method/protocols.md, section 2.9; Ryoo & Aggarwal 2009.
"""

import re

from classify.datasets import splits
from classify.datasets.dataset import Clip, Dataset, Skipped, find_videos, groups_of, require_clips, unique_clips

CLASSES = ("handshake", "hug", "kick", "point", "punch", "push")
SEQUENCES = 10
"""Sequences of a set: 1 … 10 are set 1, 11 … 20 set 2."""


def read_ut_interaction(root, params):
    """Read UT-Interaction: ``<index>_<sequence>_<class>.avi``, one set or both, in any folders.

    Parameters
    ----------
    root : Path
    params : DatasetParams

    Returns
    -------
    Dataset
        Groups are the sequences, subsets the two sets: each is evaluated by itself.

    Raises
    ------
    DataError
        If no video has such a name.
    """
    videos, skipped = find_videos(root)
    clips = []
    for name, path in videos.items():
        match = re.fullmatch(r"(\d+)_(\d+)_([0-5])", path.stem)
        if not match or not 1 <= int(match[2]) <= 2 * SEQUENCES:
            skipped.append(Skipped(str(path), "the name is not <index>_<sequence>_<class> of the set"))
            continue
        sequence = int(match[2])
        subset = "set 1" if sequence <= SEQUENCES else "set 2"
        clips.append(Clip(name, path, CLASSES[int(match[3])], group=f"sequence {sequence}", subset=subset))
    clips = unique_clips(clips, skipped)
    require_clips(clips, root, "ut-interaction", "<index>_<sequence>_<class>.avi")
    subsets = {clip.name: clip.subset for clip in clips}
    found = {(clip.group, clip.label) for clip in clips}
    sequences = [
        f"sequence {SEQUENCES * first + number}"
        for first, subset in enumerate(("set 1", "set 2"))
        if subset in subsets.values()
        for number in range(1, SEQUENCES + 1)
    ]
    return Dataset(
        name="ut-interaction",
        root=root,
        clips=clips,
        splits=splits.leave_one_group_out(groups_of(clips), subsets),
        protocol="leave one sequence out, each set by itself",
        metric="accuracy",
        skipped=skipped,
        missing=[f"{label} of {group}" for group in sequences for label in CLASSES if (group, label) not in found],
    )
