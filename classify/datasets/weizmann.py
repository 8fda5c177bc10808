"""Weizmann: nine actors, ten actions.

Source: docs/method/protocols.md, section 2.8; Gorelick et al. 2007.
"""

import itertools

from classify.datasets import splits
from classify.datasets.dataset import Clip, Dataset, Skipped, find_videos, groups_of, require_clips, unique_clips

ACTORS = ("daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar")
ACTIONS = ("bend", "jack", "jump", "pjump", "run", "side", "skip", "walk", "wave1", "wave2")


def read_weizmann(root, params):
    """Read Weizmann: ``<action>/<actor>_<action>.avi`` or flat; a final number is a repetition (``lena_run1``).

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
        actor, _, numbered_action = path.stem.lower().partition("_")
        action = numbered_action if numbered_action in ACTIONS else numbered_action.rstrip("12")
        folder = path.parent.name.lower()
        if actor not in ACTORS or action not in ACTIONS:
            skipped.append(Skipped(str(path), "the name is not <actor>_<action> of the set"))
        elif path.parent != root and folder in ACTIONS and folder != action:
            skipped.append(Skipped(str(path), f"the folder says {folder}, the name {action}"))
        else:
            clips.append(Clip(name, path, action, group=actor))
            found.add((actor, action))
    clips = unique_clips(clips, skipped)
    require_clips(clips, root, "weizmann", "<action>/<actor>_<action>.avi")
    return Dataset(
        name="weizmann",
        root=root,
        clips=clips,
        splits=splits.leave_one_group_out(groups_of(clips)),
        protocol="leave one actor out",
        metric="accuracy",
        skipped=skipped,
        missing=[
            f"{actor}_{action}" for actor, action in itertools.product(ACTORS, ACTIONS) if (actor, action) not in found
        ],
    )
