"""Test videos with their predictions, and the pictures that a page shows of them.

`classify.evaluation.page_pictures` draws them: still frames, and the evidence for a class.
"""

from pathlib import Path
from typing import NamedTuple

from classify.reports.summary import predicted_by
from idt.params.bounds import MOST_PIXELS
from idt.show.stills import plain_still

WRONG_LIMIT, RIGHT_LIMIT = 120, 120
"""Largest number of wrong videos, and of right videos, that have pictures on a page."""

MOST_BYTES = 4 << 20
"""Most bytes of all pictures of a page; as base64 text they take a third more."""


class Tested(NamedTuple):
    """A test video of a split.

    Attributes
    ----------
    name, label, predicted, split : str
    path : Path
    start, end : int, str or None
        First and last frame, or times, if the test video is a stretch of its file; else None.
    margin : float
        Score of the predicted class minus the score of the label; of a right video, minus the second highest score.
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
        """Tell whether the prediction is the label."""
        return self.predicted == self.label


class Picture(NamedTuple):
    """A picture of a video.

    Attributes
    ----------
    caption : str
        Content of the picture, such as ``evidence for walk (true)``; also its alternative text.
    data : bytes
        A PNG or JPEG file.
    shows_evidence : bool
        Whether it shows evidence, whose colours the page then explains.
    """

    caption: str
    data: bytes
    shows_evidence: bool = False


def tested_videos(dataset, folds):
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
            clip, score_of = clips[name], dict(zip(fold.classes, scores.tolist(), strict=True))
            rival = score_of.get(clip.label, min(score_of.values()))
            if predicted == clip.label:
                rival = max((score for label, score in score_of.items() if label != predicted), default=0.0)
            stretch = (clip.first_frame, clip.last_frame)
            margin = score_of[predicted] - rival
            found.append(Tested(name, str(clip.label), predicted, fold.split.name, clip.path, *stretch, margin))
    return found


def key_of(video):
    """Return the key of a test ``video`` among the pictures: its name and its split."""
    return video.name, video.split


def videos_to_picture(videos):
    """Choose the videos that a page shows a picture of.

    Parameters
    ----------
    videos : sequence of Tested

    Returns
    -------
    list of Tested
        The wrong ones with the largest margins, then right ones, one of each class in turn. No video occurs twice.
    """
    wrong = sorted((video for video in videos if not video.right), key=lambda video: -video.margin)[:WRONG_LIMIT]
    known = {video.name for video in wrong}
    turns: dict[str, int] = {}
    right = []
    for video in videos:
        if video.right and video.name not in known:
            known.add(video.name)
            turns[video.label] = turns.get(video.label, -1) + 1
            right.append((turns[video.label], video))
    right.sort(key=lambda pair: pair[0])
    return [*wrong, *(video for _, video in right[:RIGHT_LIMIT])]


def within_budget(pictures, videos):
    """Keep the pictures of the most important videos that fit into `MOST_BYTES`, so that a page can be sent by mail.

    Parameters
    ----------
    pictures : dict of (str, str) to list of Picture
    videos : sequence of Tested
        In the order of their importance.

    Returns
    -------
    dict of (str, str) to list of Picture
        Of at most `MOST_BYTES` bytes.
    """
    kept, left = {}, MOST_BYTES
    for key in map(key_of, videos):
        size = sum(len(picture.data) for picture in pictures.get(key, ()))
        if 0 < size <= left:
            kept[key] = pictures[key]
            left -= size
    return kept


def still_picture(video, *, max_pixels=MOST_PIXELS, decoder="auto"):
    """Read a still frame of a test video.

    Parameters
    ----------
    video : Tested
    max_pixels, decoder
        As for `idt.frames.video.open_video`.

    Returns
    -------
    list of Picture
        One; none if the video cannot be read.
    """
    data = plain_still(video.path, video.start, video.end, max_pixels, decoder)
    return [Picture("a frame of the video", data)] if data else []
