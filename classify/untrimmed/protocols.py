"""Protocols of the data sets of untrimmed video: background labels, overlaps, and the rule of the average precision.

Breakfast, 50Salads, GTEA, and any folder like them, have a label for every frame and lists of test videos, by split.
THUMOS'14 and ActivityNet have segments, and detections with scores.

Source: docs/method/untrimmed.md, section 11.
"""

import math
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classify.text_files import listed
from classify.untrimmed.detection_metrics import detection_precision
from classify.untrimmed.formats import activitynet, frame_labels, table, thumos
from classify.untrimmed.frame_metrics import FrameScores, frame_scores
from classify.untrimmed.frames import labels_of
from idt.errors import DataError


class FrameProtocol(NamedTuple):
    """Data set with a label for every frame.

    Attributes
    ----------
    rate : float
        Frames a second of its labels, NaN if unknown.
    background : tuple of str
        Labels whose segments do not count in Edit and F1.
    """

    rate: float
    background: tuple[str, ...]


class SegmentProtocol(NamedTuple):
    """Data set with segments.

    Attributes
    ----------
    rule : str
        One of `classify.untrimmed.detection_metrics.RULES`.
    overlaps : tuple of float
        The overlaps that are measured.
    averaged : tuple of float
        The overlaps over which papers average.
    """

    rule: str
    overlaps: tuple[float, ...]
    averaged: tuple[float, ...]


_TENTHS = tuple(round(0.1 * i, 1) for i in range(1, 8))
_FROM_HALF = tuple(round(0.5 + 0.05 * i, 2) for i in range(10))

FRAMES = {
    "breakfast": FrameProtocol(15.0, ()),
    "50salads": FrameProtocol(30.0, ()),
    "gtea": FrameProtocol(15.0, ("background",)),
    "frames": FrameProtocol(math.nan, ()),
}
SEGMENTS = {
    "thumos14": SegmentProtocol("thumos14", _TENTHS, _TENTHS[2:]),
    "activitynet": SegmentProtocol("activitynet", _FROM_HALF, _FROM_HALF),
}
"""Protocols by name; "frames" is any folder of the form of the first three."""


def evaluate_frames(protocol, root, results, *, rate=None, background=None):
    """Measure labels of frames, split by split.

    Parameters
    ----------
    protocol : str
        One of `FRAMES`.
    root : str or Path
        The data set: ``groundTruth/VIDEO.txt``, and ``splits/test.split1.bundle`` and so on. Without lists all videos
        are one split.
    results : str or Path
        A folder of result files, or of folders ``split_k`` with the result files of split k; or a CSV of segments,
        ``video,start,end,label``.
    rate : float, optional
        Frames a second of the true labels, for segments; the protocol's rate by default.
    background : str, optional
        Label that does not count in Edit and F1; frames outside all segments get it. The protocol's by default.

    Returns
    -------
    dict of str to FrameScores
        By split.

    Raises
    ------
    DataError
        If a video has no labels or no result, no split can be measured, the rate is needed and unknown, or a predicted
        label is none of ``mapping.txt``.
    OSError
        If a file cannot be read.
    """
    settings, root, results = FRAMES[protocol], Path(root), Path(results)
    background_labels = settings.background if background is None else (background,)
    segments = None if results.is_dir() else table.read_table(results)
    outside = background_labels[0] if background_labels else "background"
    found: dict[str, FrameScores] = {}
    for name, names, bundle in _splits(root, results):
        if segments is not None:
            per_second = settings.rate if rate is None else rate
            if not per_second > 0:
                raise DataError("segments in seconds need the rate of the true labels; give --rate")
            truths = [frame_labels.read_labels(_labels_file(root, video)) for video in names]
            guessed = [
                _labels_in_segments(segments, video, len(truth), per_second, outside)
                for video, truth in zip(names, truths, strict=True)
            ]
        elif bundle.suffix == ".bundle":
            _, truths, guessed = frame_labels.read_split(root, bundle, _folder_of(results, name))
        else:
            truths = [frame_labels.read_labels(_labels_file(root, video)) for video in names]
            guessed = [frame_labels.read_result(_result_file(results, video)) for video in names]
        _check_known(root, name, truths, guessed, outside)
        found[name] = frame_scores(truths, guessed, background=background_labels)
    if not found:
        raise DataError(f"{results} has results of no split of {root}; expected folders such as split_1")
    return found


def evaluate_segments(protocol, truth, results, *, subset=None):
    """Measure detections.

    Parameters
    ----------
    protocol : str
        One of `SEGMENTS`.
    truth : str or Path
        Folder of the official lists of THUMOS'14, JSON of ActivityNet, or CSV.
    results : str or Path
        JSON of ActivityNet, CSV, or a submission to THUMOS'14, ``.txt``, whose classes are numbered in the folder of
        the truth.
    subset : str, optional
        Videos of a JSON that count, such as ``"validation"``; all by default.

    Returns
    -------
    dict of float to float
        Mean average precision by overlap.

    Raises
    ------
    DataError
        If a file is of another form, or as `classify.untrimmed.detection_metrics.detection_precision`.
    OSError
        If a file cannot be read.
    """
    settings, truth, results = SEGMENTS[protocol], Path(truth), Path(results)
    if truth.is_dir():
        true = thumos.read_lists(truth)
    elif truth.suffix.lower() == ".json":
        true = activitynet.read_truth(truth, subset=subset, instants=True)
    else:
        true = table.read_table(truth)
    if results.suffix.lower() == ".json":
        found = activitynet.read_detections(results, instants=True)
    elif results.suffix.lower() == ".txt":
        found = thumos.read_submission(results, truth / thumos.CLASSES)
    else:
        found = table.read_table(results)
    means = np.mean(list(precisions(protocol, true, found).values()), axis=0)
    return dict(zip(settings.overlaps, means.tolist(), strict=True))


def precisions(protocol, truth, found):
    """Compute the average precision of each class at the overlaps of a protocol.

    Parameters
    ----------
    protocol : str
        One of `SEGMENTS`.
    truth, found : Segments

    Returns
    -------
    dict of str to (t,) float64

    Raises
    ------
    DataError
        As `classify.untrimmed.detection_metrics.detection_precision`.
    """
    settings = SEGMENTS[protocol]
    if settings.rule == "thumos14":
        # The official evaluation orders equal scores by the name of the video.
        found = found.rows(np.argsort(found.videos, kind="stable"))
    return detection_precision(truth, found, settings.overlaps, rule=settings.rule)


def _splits(root, results):
    """Yield name, videos and list of each split that has results.

    Without lists all videos are one split, and the third item is the data set.
    """
    bundles = sorted((root / "splits").glob("test.split*.bundle"))
    folders = results.is_dir() and any(results.glob("split_*"))
    for path in bundles:
        number = re.sub(r"\D", "", path.stem)
        if not folders or (results / f"split_{number}").is_dir():
            yield f"split {number}", frame_labels.read_bundle(path), path
    if not bundles:
        names = sorted(path.stem for path in (root / "groundTruth").glob("*") if path.is_file())
        if not names:
            raise DataError(f"{root} has no groundTruth, expected groundTruth/VIDEO.txt with a label a line")
        yield "all videos", names, root


def _check_known(root, split, truths, guessed, outside):
    """Refuse labels that the set does not have, because all of them would count as wrong."""
    names = set(np.concatenate(guessed).tolist()) - {outside}
    mapping = root / "mapping.txt"
    if mapping.is_file():
        unknown = sorted(names.difference(frame_labels.read_mapping(mapping)))
        if unknown:
            raise DataError(f"the results of {split} name classes that {mapping} does not have: {listed(unknown)}")
    elif names and not names & set(np.concatenate(truths).tolist()):
        raise DataError(
            f"the results of {split} name {listed(sorted(names))}, and none of these is a true label of {root}"
        )


def _folder_of(results, split):
    own = results / split.replace(" ", "_")
    return own if own.is_dir() else results


def _labels_file(root, video):
    return _existing(root / "groundTruth", video, "true labels")


def _result_file(results, video):
    return _existing(results, video, "result")


def _existing(folder, video, what):
    for path in (folder / f"{video}.txt", folder / video):
        if path.is_file():
            return path
    raise DataError(f"{video} has no {what} in {folder}")


def _labels_in_segments(segments, video, frames, rate, outside):
    own = segments.rows(segments.videos == video)
    if not len(own):
        raise DataError(
            f"{video} has no predicted segments; there are segments of {listed(sorted(set(segments.videos)))}"
        )
    return labels_of(own, frames, rate, background=outside)
