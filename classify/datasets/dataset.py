"""Data sets: clips with their labels, and the splits that their protocol asks for."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from classify.datasets.splits import Split
from classify.labels import classes_of
from classify.text_files import listed
from idt.errors import DataError
from idt.files import marks
from idt.files.walk import file_key, walk
from idt.frames import suffixes
from idt.frames.image_series import frame_folders

METRICS = ("accuracy", "class_accuracy", "mean_average_precision")

Label: TypeAlias = str | tuple[str, ...]
"""The class of a clip, or all its classes in a multi-label set."""


class Clip(NamedTuple):
    """A video, or a stretch of one, with its label.

    Attributes
    ----------
    name : str
        Video name: the path relative to the root, without suffix; a stretch has its number appended.
    path : Path
    label : str or tuple of str
        A tuple, of any length, in sets whose clips may have several labels.
    group : str
        Actor, person or sequence whose clips the splits keep together.
    subset : str
        Subset of the set that is evaluated by itself.
    first_frame, last_frame : int, str or None
        First and last frame of the stretch, from 0, both inclusive, or times such as ``"2.5s"``; None for the whole
        video.
    """

    name: str
    path: Path
    label: Label
    group: str = ""
    subset: str = ""
    first_frame: int | str | None = None
    last_frame: int | str | None = None


class Skipped(NamedTuple):
    """A file that is not evaluated, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Dataset:
    """A labelled set of clips and its protocol.

    Attributes
    ----------
    name : str
    root : Path
    clips : list of Clip
        By name.
    splits : list of Split
    protocol : str
        The splits in words, for the report.
    metric : str
        Metric by which results on the set are compared, one of `METRICS`.
    skipped : list of Skipped
        Files below the root that do not belong to the set.
    missing : list of str
        Clips that the set should have and that are not there.
    failed : list of Skipped
        Clips that are there and could not be used.
    lists : list of str
        Files and folders besides the root that the options named, which were read.
    outside : tuple of classify.models.outside_vectors.OutsideBlock
        Vectors of other programs, which are concatenated with the vectors of an evaluation.
    """

    name: str
    root: Path
    clips: list[Clip]
    splits: list[Split]
    protocol: str
    metric: str
    skipped: list[Skipped]
    missing: list[str]
    failed: list[Skipped] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    outside: tuple[Any, ...] = ()

    @property
    def labels(self):
        """Video name → label or labels, in the order of the clips."""
        return {clip.name: clip.label for clip in self.clips}

    @property
    def multi_label(self):
        """Whether a clip may have several labels, or none."""
        return any(isinstance(clip.label, tuple) for clip in self.clips)

    @property
    def classes(self):
        """Labels in sorted order."""
        return classes_of(clip.label for clip in self.clips)

    def without(self, failed):
        """Return the set without clips that could not be used.

        Parameters
        ----------
        failed : dict of str to str
            Video name → reason. They move to ``failed``, and out of the splits.

        Returns
        -------
        Dataset

        Raises
        ------
        DataError
            If no clip is left, or a split loses all videos to train or to test.
        """
        if not failed:
            return self
        clips = [clip for clip in self.clips if clip.name not in failed]
        if not clips:
            raise DataError(
                f"none of the {len(self.clips)} clips of {self.name} can be used: {listed(failed.values())}"
            )
        lost = [Skipped(str(clip.path), failed[clip.name]) for clip in self.clips if clip.name in failed]
        splits = []
        for split in self.splits:
            train, test = (tuple(name for name in side if name not in failed) for side in (split.train, split.test))
            if not (train and test):
                raise DataError(f"{split.name} of {self.name} has nothing left to train or to test: {listed(failed)}")
            splits.append(split._replace(train=train, test=test))
        return replace(self, clips=clips, splits=splits, failed=[*self.failed, *lost])


def find_videos(root):
    """Find the videos below a folder, links included; if there are none, find folders of frames.

    Parameters
    ----------
    root : str or Path

    Returns
    -------
    videos : dict of str to Path
        Video name → path, by name.
    skipped : list of Skipped
        Files that another operating system left (`idt.files.walk.is_junk`), hidden files, videos that ``idt-show``
        drew, and links to a folder that they lie in.

    Raises
    ------
    DataError
        If ``root`` is no folder, or two videos have one name.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"{root} is not a folder; name the folder of the data set")
    videos: dict[str, Path] = {}
    skipped = []
    found = walk(root, follow=True, keep=lambda name: Path(name).suffix.lower() in suffixes.VIDEOS)
    junk = [path for path in found.junk if _might_hold_videos(path)]
    skipped += [Skipped(str(path), "left by another operating system") for path in junk]
    skipped += [Skipped(str(link.path), f"leads back to {link.visited}") for link in found.repeats if link.is_loop]
    files = found.files
    for link in found.repeats:
        if not link.is_loop:
            # A folder with two names gives its videos two names, too; `unique_clips` compares their labels.
            inside = (path for path in found.files if link.visited in path.parents)
            files = [*files, *(link.path / path.relative_to(link.visited) for path in inside)]
    for path in sorted(path for path in files if path.suffix.lower() in suffixes.VIDEOS):
        relative = path.relative_to(root)
        if any(step.startswith(".") for step in relative.parts):
            skipped.append(Skipped(str(path), "hidden file"))
            continue
        if marks.is_drawn(path):
            skipped.append(Skipped(str(path), "drawn by idt-show"))
            continue
        name = relative.with_suffix("").as_posix()
        if name in videos:
            raise DataError(f"{path} and {videos[name]} have one name, {name!r}; move one of them away")
        videos[name] = path
    if not videos:
        folders = frame_folders(found.folders, root)
        videos = {folder.relative_to(root).as_posix(): folder for folder in folders if folder != root}
    return dict(sorted(videos.items())), skipped


def _might_hold_videos(junk):
    """Tell whether junk of another operating system must be reported: by its name it is a video, or it is a folder."""
    return junk.suffix.lower() in suffixes.VIDEOS or junk.is_dir()


def unique_clips(clips, skipped):
    """Keep each video once, even if symbolic links give it several names.

    Parameters
    ----------
    clips : list of Clip
        Whole videos.
    skipped : list of Skipped
        Further names of a video are added.

    Returns
    -------
    list of Clip

    Raises
    ------
    DataError
        If one video has two labels.
    """
    known: dict[object, Clip] = {}
    # Paths without a link come first, so that a link to the same video is the one that is skipped.
    for clip in sorted(clips, key=lambda clip: os.path.realpath(clip.path) != os.path.abspath(clip.path)):
        key = file_key(clip.path)
        first = clip if key is None else known.setdefault(key, clip)
        if first.label != clip.label:
            labels = " and ".join(str(label) for label in (first.label, clip.label))
            raise DataError(
                f"{first.path} and {clip.path} are one video under two labels, {labels}; remove one of them"
            )
        if first is not clip:
            skipped.append(Skipped(str(clip.path), f"the same video as {first.path}"))
    return [clip for clip in clips if known.get(file_key(clip.path), clip) is clip]


def require_clips(clips, root, name, layout):
    """Refuse an empty list of ``clips`` of the set ``name`` below ``root``, which should have this ``layout``."""
    if not clips:
        raise DataError(f"{root} holds no videos of {name}: expected {layout}")


def groups_of(clips):
    """Map the name of each of ``clips`` to its group."""
    return {clip.name: clip.group for clip in clips}
