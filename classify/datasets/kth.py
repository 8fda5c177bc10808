"""KTH: its clips, its persons, and the list that cuts its clips into sub-sequences.

Source: docs/method/protocols.md, section 2.7; Schüldt et al. 2004.
"""

import re

from classify.datasets import splits
from classify.datasets.dataset import Clip, Dataset, Skipped, find_videos, require_clips, unique_clips
from classify.text_files import read_lines
from idt.errors import DataError

ACTIONS = ("boxing", "handclapping", "handwaving", "jogging", "running", "walking")
TEST = frozenset((2, 3, 5, 6, 7, 8, 9, 10, 22))
"""Numbers of the test persons."""

ABSENT = "person13_handclapping_d3"
"""The only combination of person, action and scenario of which KTH has no clip."""


def read_kth(root, params):
    """Read KTH: ``<action>/personPP_<action>_dD_uncomp.avi`` or flat, as clips or cut by ``00sequences.txt``.

    Parameters
    ----------
    root : Path
    params : DatasetParams
        Only ``subsequences`` and ``sequences`` are used.

    Returns
    -------
    Dataset
        Groups are the persons. A sub-sequence has the name of its clip, ``_`` and its number from 1.

    Raises
    ------
    DataError
        If no video has such a name, test or training persons are missing altogether, or the list of sub-sequences is
        absent or malformed.
    """
    videos, skipped = find_videos(root)
    clips, stems = [], {}
    for name, path in videos.items():
        match = re.fullmatch(rf"person(\d\d)_({'|'.join(ACTIONS)})_d[1-4]", path.stem.removesuffix("_uncomp"))
        if not match or not 1 <= int(match[1]) <= 25:
            skipped.append(Skipped(str(path), "the name is not personPP_<action>_dD of the set"))
            continue
        stems[name] = match[0]
        clips.append(Clip(name, path, match[2], group=f"person {int(match[1])}"))
    clips = unique_clips(clips, skipped)
    require_clips(clips, root, "kth", "<action>/personPP_<action>_dD_uncomp.avi")
    expected = (f"person{p:02}_{action}_d{d}" for p in range(1, 26) for action in ACTIONS for d in range(1, 5))
    there = set(stems.values())
    missing = [stem for stem in expected if stem not in there and stem != ABSENT]
    if params.subsequences:
        cut = read_sequences(params.sequences or root / "00sequences.txt")
        skipped += [Skipped(str(clip.path), "no sub-sequences") for clip in clips if not cut.get(stems[clip.name])]
        clips = [
            clip._replace(name=f"{clip.name}_{number}", first_frame=first, last_frame=last)
            for clip in clips
            for number, (first, last) in enumerate(cut.get(stems[clip.name], ()), start=1)
        ]
    test = {f"person {person}" for person in TEST}
    split = splits.fixed_split(
        [clip.name for clip in clips if clip.group not in test],
        [clip.name for clip in clips if clip.group in test],
        [clip.name for clip in clips],
        name="training and validation persons against test persons",
    )
    unit = "sub-sequences" if params.subsequences else "clips"
    persons = ", ".join(str(person) for person in sorted(TEST))
    return Dataset(
        name="kth",
        root=root,
        clips=clips,
        splits=[split],
        protocol=f"persons {persons} against the others, {unit}",
        metric="class_accuracy",
        skipped=skipped,
        missing=missing,
    )


def read_sequences(path):
    """Read KTH's ``00sequences.txt``: lines ``person01_boxing_d1  frames  1-95, 96-185, …``, frames from 1, inclusive.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict of str to list of (int, int)
        First and last frame of each sub-sequence, from 0, inclusive. An empty list for ``*missing*``.

    Raises
    ------
    DataError
        If a line of a person is malformed or a stretch has no frames.
    OSError
        If the file cannot be read.
    """
    cut = {}
    for line in read_lines(path):
        if not line.startswith("person"):
            continue  # introduction above the list
        name, _, rest = line.partition("\t")
        words = rest.split(maxsplit=1)
        stretches = re.findall(r"(\d{1,9})\s*-\s*(\d{1,9})", words[1]) if words[:1] == ["frames"] and words[1:] else []
        frames = [(int(first) - 1, int(last) - 1) for first, last in stretches]
        well_formed = ", ".join(f"{first}-{last}" for first, last in stretches) == " ".join(words[1:]).strip(" ,")
        if words == ["*missing*"]:
            frames, well_formed = [], True
        elif not frames or any(not 0 <= first <= last for first, last in frames):
            well_formed = False
        if not well_formed:
            raise DataError(f"{path}: expected personPP_<action>_dD, frames and stretches such as 1-95, got {line!r}")
        cut[name.strip()] = frames
    if not cut:
        raise DataError(f"{path} lists no sub-sequences of KTH")
    return cut
