"""Test videos with their predictions, and the pictures that a page shows of them.

A page shows a still frame of a video unless its caller has something better, such as the evidence for a class: it gives
`pictures`, a dict of video name → list of `Picture`.
"""

from pathlib import Path
from typing import NamedTuple

from classify.reports.summary import predicted_by
from idt.params.bounds import MOST_PIXELS
from idt.params.decoder import check_decoder
from idt.show.stills import still
from idt.workers import processes

MOST_WRONG, MOST_RIGHT = 120, 120
"""Videos of a page that have a picture."""


class Tested(NamedTuple):
    """A test video of a split.

    Attributes
    ----------
    name, label, predicted, split : str
    path : Path
    start, end : int, str or None
        The stretch, of a video that has several.
    margin : float
        Score of the predicted class less that of the label, or, of a video that is right, of the next class.
    """

    name: str
    label: str
    predicted: str
    split: str
    path: Path
    start: int | str | None
    end: int | str | None
    margin: float

    @property
    def right(self):
        """Whether the prediction is the label."""
        return self.predicted == self.label


class Picture(NamedTuple):
    """A picture of a video.

    Attributes
    ----------
    caption : str
        What there is to see, such as ``evidence for walk (true)``; also its text for those who cannot see it.
    data : bytes
        A PNG or JPEG file.
    """

    caption: str
    data: bytes


def tested(dataset, folds):
    """List the test videos of the splits with their predictions.

    Parameters
    ----------
    dataset : Dataset
    folds : sequence of classify.reports.summary.Fold

    Returns
    -------
    list of Tested
        In the order of the splits; empty where clips have several labels, which are ranked and not predicted.
    """
    if dataset.multi_label:
        return []
    clips = {clip.name: clip for clip in dataset.clips}
    found = []
    for fold in folds:
        for name, predicted, scores in zip(fold.split.test, predicted_by(fold), fold.scores, strict=True):
            clip, of = clips[name], dict(zip(fold.classes, scores.tolist(), strict=True))
            rival = of.get(clip.label, min(of.values()))
            if predicted == clip.label:
                rival = max((score for label, score in of.items() if label != predicted), default=0.0)
            stretch = (clip.first_frame, clip.last_frame)
            margin = of[predicted] - rival
            found.append(Tested(name, str(clip.label), predicted, fold.split.name, clip.path, *stretch, margin))
    return found


def pictured(videos):
    """Choose the videos that a page shows a picture of.

    Parameters
    ----------
    videos : sequence of Tested

    Returns
    -------
    list of Tested
        The wrong ones whose margin is largest, then right ones, in turn of every class; each video once.
    """
    wrong = sorted((video for video in videos if not video.right), key=lambda video: -video.margin)[:MOST_WRONG]
    turns: dict[str, int] = {}
    right = []
    for video in videos:
        if video.right:
            turns[video.label] = turns.get(video.label, -1) + 1
            right.append((turns[video.label], video))
    right.sort(key=lambda pair: pair[0])
    chosen = [*wrong, *(video for _, video in right[:MOST_RIGHT])]
    return list({video.name: video for video in reversed(chosen)}.values())[::-1]


def stills(videos, *, jobs=1, max_pixels=MOST_PIXELS, decoder="auto", update=None):
    """Read a still frame of each video, in processes of their own, because a video may take its process along.

    Parameters
    ----------
    videos : sequence of Tested
    jobs : int
    max_pixels, decoder
        As for `idt.frames.video.open_video`.
    update : callable, optional
        Called after each.

    Returns
    -------
    dict of str to list of Picture
        Video name → one picture; videos that cannot be read are left out.
    """
    check_decoder(decoder)
    tasks = [(video.path, video.start, video.end, max_pixels, decoder) for video in videos]
    found = {}
    for index, data in processes.run(still, tasks, jobs=jobs, keep=True):
        if isinstance(data, bytes):
            found[videos[index].name] = [Picture("a frame of the video", data)]
        if update is not None:
            update()
    return found
