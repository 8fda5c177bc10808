"""Segmentation of videos, for `idt-segment`.

Source: docs/method/untrimmed.md, section 9.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classify.models.video_features import extract, plan
from classify.text_files import listed
from classify.untrimmed.frame_metrics import frame_scores
from classify.untrimmed.frames import labels_of
from classify.untrimmed.segmenting import best_labels, by_transcript, by_viterbi, by_windows, label_segments
from classify.untrimmed.segments import Segments
from classify.untrimmed.window_scores import SliceScores, score_windows
from encoding.descriptors.feature_files import extraction_of
from encoding.descriptors.sources import FileSource
from encoding.slices.cut import Cut
from encoding.slices.slice_files import find_slices, read_rate_and_frames
from encoding.slices.slices_file import SLICES_FORMAT, empty_slices, load_slices, save_slices, slice_rows
from idt.errors import DataError
from idt.features.feature_file import FORMAT as FEATURES_FORMAT
from idt.files import hdf5, scratch
from idt.workers.run_options import RunOptions


@dataclass(frozen=True)
class SegmentOptions:
    """Options of a segmentation.

    Attributes
    ----------
    method : str
        One of `classify.params.METHODS`.
    lengths : tuple of int
        Frames of the windows; methods that take one length take the first.
    penalty : float
        Cost of a change, for ``viterbi``.
    threshold, overlap : float
        For ``windows``, as `classify.untrimmed.segmenting.by_windows`.
    background : str or None
        Class that makes no segments.
    transcripts : dict of str to list of str
        Ordered actions of each video, for ``dtw``.
    length_rewards_for : callable or None
        For ``viterbi`` and ``windows``: function of classes, slices a second, and the longest length in slices, that
        returns rewards of lengths.
    """

    method: str = "viterbi"
    lengths: tuple[int, ...] = (30,)
    penalty: float = 1.0
    threshold: float = 0.0
    overlap: float = 0.3
    background: str | None = None
    transcripts: dict | None = None
    length_rewards_for: Callable | None = None


class Segmented(NamedTuple):
    """Result for one video.

    Attributes
    ----------
    name : str
    segments : Segments
    labels : (T,) str
        One label a frame.
    baseline : (T,) str or None
        Labels of the baseline, where the method has one.
    fps : float
    scores : SliceScores
        Scores of the windows of the first length.
    """

    name: str
    segments: Segments
    labels: np.ndarray
    baseline: np.ndarray | None
    fps: float
    scores: SliceScores


def segment_slices(slices, codebook, params, classifier, options):
    """Segment one video.

    Parameters
    ----------
    slices : encoding.slices.slices_file.Slices
    codebook : Codebook
    params : BlockParams
    classifier : LinearSVM or Chi2SVM
        Fitted on vectors of this codebook.
    options : SegmentOptions

    Returns
    -------
    Segmented

    Raises
    ------
    DataError
        If the video has no tracks or no transcript, or an option does not fit the model.
    """
    tables = [
        (length, score_windows(slices, codebook, params, classifier, length=length)) for length in options.lengths
    ]
    scores, baseline = tables[0][1], None
    background = () if options.background is None else (options.background,)
    rewards_for = options.length_rewards_for
    if options.method == "windows":
        longest = max(length // slices.length for length in options.lengths)
        segments = by_windows(
            tables, threshold=options.threshold, overlap=options.overlap, background=options.background,
            length_rewards=None if rewards_for is None else rewards_for(scores.classes, scores.rate, longest),
        )  # fmt: skip
        labels = best_labels(tables, segments, background=options.background or "background")
    else:
        if options.method == "dtw":
            transcript = (options.transcripts or {}).get(slices.name)
            if transcript is None:
                raise DataError(f"{slices.name} has no transcript, which --method dtw aligns it with")
            labels, baseline = by_transcript(scores, transcript)
        else:
            rewards = None if rewards_for is None else rewards_for(scores.classes, scores.rate, len(scores.values))
            labels = by_viterbi(scores, penalty=options.penalty, length_rewards=rewards)
        segments = label_segments(scores, labels, background=background)
    baseline = None if baseline is None else scores.frame_labels(baseline)
    return Segmented(slices.name, segments, scores.frame_labels(labels), baseline, scores.fps, scores)


def read_slices(given, codebook, params, *, path, cut=Cut(), run=RunOptions()):
    """Read or make the slices of the videos that the words of a command line stand for.

    Parameters
    ----------
    given : list of str
        Files of slices, feature files, folders of these, or videos.
    codebook : Codebook
    params : BlockParams
    path : str
        Name of the codebook in messages.
    cut : Cut
        Used for videos and features that are not sliced yet.
    run : RunOptions

    Yields
    ------
    encoding.slices.slices_file.Slices
        Slices of one video. They stay in a file, because an hour of them may not fit into memory. A temporary file
        lasts until the next video is asked for.

    Raises
    ------
    DataError
        If a word stands for nothing, a video cannot be used, or slices are of another codebook.
    OSError
        If a file cannot be read.
    """
    form = form_of(given)
    if form == SLICES_FORMAT:
        for found in find_slices(given):
            yield load_slices(found, codebook=codebook)
        return
    with scratch.folder() as folder:
        if form == FEATURES_FORMAT:
            from encoding.descriptors.feature_files import find, names_of

            files = find(given)
            named = list(zip(files, names_of(files), strict=True))
        else:
            named = _extracted(given, Path(folder) / "features", codebook, path, run)
        place = Path(folder) / "slices.h5"
        for file, name in named:
            source = FileSource(file, name)
            empty = empty_slices(name, codebook, params, rate_and_frames=read_rate_and_frames(file), cut=cut)
            rows = slice_rows(source, codebook, params, cut=cut, threads=run.threads)
            save_slices(place, empty, params=params, rows=rows)
            yield load_slices(place, codebook=codebook)
            place.unlink()


def form_of(given):
    """Tell what the words of a command line stand for.

    Parameters
    ----------
    given : list of str

    Returns
    -------
    str or None
        Format of files of ours; None for videos.

    Raises
    ------
    DataError
        If they stand for files of several kinds.
    """
    forms = {_form(word) for word in given}
    if len(forms) > 1:
        raise DataError("inputs must be of one kind: files of slices, feature files, or videos")
    return forms.pop()


def joined(parts):
    """Join the ``parts``, a list of `Segments`, into one."""
    columns = zip(*((part.videos, part.labels, part.spans, part.scores) for part in parts), strict=True)
    return Segments(*(np.concatenate(column) for column in columns)) if parts else Segments.of([], [], [])


def agreement(found, truth, *, background="background", baseline=False):
    """Compare the labels of frames with true segments.

    Parameters
    ----------
    found : list of Segmented
    truth : Segments
        Of these videos.
    background : str
        Label of frames outside the true segments, and of predicted background.
    baseline : bool
        Compare the labels of the baseline.

    Returns
    -------
    FrameScores

    Raises
    ------
    DataError
        If a video has no true segments, none of their labels is a class of the model, or segments overlap or lie beyond
        their video.
    """
    truths, predictions = [], []
    for each in found:
        own = truth.rows(truth.videos == each.name)
        if not len(own):
            raise DataError(f"{each.name} has no true segments")
        if not set(own.labels.tolist()) & {*each.scores.classes}:
            raise DataError(
                f"the true segments of {each.name} name {listed(sorted(set(own.labels.tolist())))}, none of which is a"
                f" class of the model: {listed(each.scores.classes)}"
            )
        truths.append(labels_of(own, len(each.labels), each.fps, background=background))
        predictions.append(each.baseline if baseline else each.labels)
    return frame_scores(truths, predictions, background=(background,))


def _form(word):
    """Return the format of the files of ours that a word names, or None for videos."""
    path = Path(word)
    if path.is_dir():
        first = next((found for found in sorted(path.rglob("*.h5")) if found.is_file()), None)
        return None if first is None else hdf5.format_of(first)
    return hdf5.format_of(path) if path.is_file() and hdf5.is_hdf5(path) else None


def _extracted(given, folder, codebook, path, run):
    """Extract videos with the parameters of the codebook's features; return feature file and name of each."""
    if codebook.features is None:
        raise DataError(f"{path} does not say how features are extracted, so videos cannot be; give feature files")
    tasks = plan(given, folder, extraction_of(codebook.features, path))
    with run.progress("video", len(tasks)) as update:
        for outcome in extract(tasks, run):
            if outcome.error is not None:
                raise DataError(outcome.error)
            update()
    return [(task.output, task.name) for task in tasks]
