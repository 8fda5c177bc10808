"""JSON of ActivityNet: true segments, and detections.

Truths lie under ``database``, or in MMAction2's localisation form at the top; each video has ``annotations`` of
``segment`` and ``label``. Detections lie under ``results``. Names of videos may begin with ``v_``, which is dropped:
MMAction2's truths have it and its results do not. Starts and ends may be text, as in the file of THUMOS'14 that
circulates, which has neither ``version`` nor ``taxonomy``.

Source: docs/method/untrimmed.md, section 7.
"""

import json

from classify.text_files import write_text
from classify.untrimmed.segments import Segments
from idt.errors import DataError
from idt.files import json_text

PREFIX = "v_"
VERSION = "VERSION 1.3"


def read_truth(path, *, subset=None, instants=False):
    """Read true segments.

    Parameters
    ----------
    path : str or Path
    subset : str, optional
        Such as ``"validation"``; videos of other subsets are left out. All by default.
    instants : bool
        Keep segments of no length, which no detection can match; they are refused by default.

    Returns
    -------
    Segments
        In the order of the file.

    Raises
    ------
    DataError
        If the file is no such JSON, a segment ends before it starts, or no video is of the subset.
    OSError
        If it cannot be read.
    """
    rows, subsets = [], set()
    for name, entry in _database(path).items():
        subsets.add(entry.get("subset"))
        if subset is None or entry.get("subset") == subset:
            rows += [_row(path, name, annotation, 1.0) for annotation in entry["annotations"]]
    if subset is not None and subset not in subsets:
        raise DataError(
            f"{path} has no videos of the subset {subset!r}, but {', '.join(sorted(map(str, subsets))) or 'none'}"
        )
    return _segments(path, rows, instants)


def read_subsets(path):
    """Read the names of the subsets of the videos of a file of true segments.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    set of str

    Raises
    ------
    DataError
        If the file is no such JSON.
    OSError
        If it cannot be read.
    """
    found = (entry.get("subset") for entry in _database(path).values())
    return {subset for subset in found if isinstance(subset, str)}


def read_detections(path, *, instants=False):
    """Read scored segments.

    Parameters
    ----------
    path : str or Path
    instants : bool
        Keep segments of no length, which match nothing; they are refused by default.

    Returns
    -------
    Segments
        In the order of the file.

    Raises
    ------
    DataError
        If the file is no such JSON, a segment does not end after it starts, or has no score.
    OSError
        If it cannot be read.
    """
    content = json_text.load(path)
    results = content.get("results") if isinstance(content, dict) else None
    if not isinstance(results, dict) or not all(isinstance(found, list) for found in results.values()):
        raise DataError(f"{path} must hold lists of scored segments under 'results', got other JSON")
    rows = [_row(path, name, entry, None) for name, found in results.items() for entry in found]
    return _segments(path, rows, instants)


def write_detections(path, segments, *, overwrite=False):
    """Write scored segments as a submission to ActivityNet.

    Parameters
    ----------
    path : str or Path
    segments : Segments
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`; JSON does not tell who made it, so ``True`` replaces only equal content.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced.
    OSError
        If it cannot be written.
    """
    results: dict[str, list] = {}
    for video, label, span, score in zip(
        segments.videos.tolist(),
        segments.labels.tolist(),
        segments.spans.tolist(),
        segments.scores.tolist(),
        strict=True,
    ):
        results.setdefault(video.removeprefix(PREFIX), []).append({"label": label, "score": score, "segment": span})
    content = {"version": VERSION, "results": results, "external_data": {}}
    write_text(path, json.dumps(content) + "\n", overwrite=overwrite, unmarked=True)


def write_annotations(path, segments, sizes, *, overwrite=False):
    """Write true segments in MMAction2's localisation form.

    Parameters
    ----------
    path : str or Path
    segments : Segments
    sizes : dict of str to (int, float)
        Frames of each video, and frames a second.
    overwrite : bool or collection of path
        As `write_detections`.

    Raises
    ------
    DataError
        If a video of the segments has no size or an unknown rate, or ``path`` exists and may not be replaced.
    OSError
        If it cannot be written.
    """
    absent = sorted(set(segments.videos.tolist()) - sizes.keys())
    if absent:
        raise DataError(f"{path}: the number of frames of these videos is unknown: {', '.join(absent):.300}")
    content = {}
    for name, (frames, fps) in sizes.items():
        if not fps > 0:
            raise DataError(f"{path}: the rate of {name} is unknown")
        own = segments.rows(segments.videos == name)
        content[f"{PREFIX}{name}"] = {
            "duration_second": frames / fps,
            "duration_frame": frames,
            "annotations": [
                {"segment": span, "label": label}
                for span, label in zip(own.spans.tolist(), own.labels.tolist(), strict=True)
            ],
            "feature_frame": frames,
            "fps": fps,
            "rfps": fps,
        }
    write_text(path, json.dumps(content) + "\n", overwrite=overwrite, unmarked=True)


def _database(path):
    """Read the entries of the videos by name, each with a list of annotations."""
    content = json_text.load(path)
    database = content.get("database", content) if isinstance(content, dict) else None
    if not isinstance(database, dict) or "results" in database:
        raise DataError(f"{path} must hold true segments under 'database', or by video, got other JSON")
    for name, entry in database.items():
        if not isinstance(entry, dict) or not isinstance(entry.get("annotations"), list):
            raise DataError(f"{path}: the video {name!r} must have 'annotations', a list of segments and labels")
    return database


def _row(path, name, entry, score):
    """Read one segment: video, label, start, end, score."""
    if isinstance(entry, dict) and isinstance(entry.get("label"), str) and isinstance(entry.get("segment"), list):
        numbers = [*entry["segment"], entry.get("score") if score is None else score]
        try:
            start, end, found = (float(number) for number in numbers if not isinstance(number, bool))
        except (TypeError, ValueError, OverflowError):
            pass
        else:
            return name.removeprefix(PREFIX), entry["label"], (start, end), found
    wanted = "a label, a segment of two numbers" + (" and a score" if score is None else "")
    raise DataError(f"{path}: a segment of {name!r} must have {wanted}, got {json.dumps(entry):.80}")


def _segments(path, rows, instants):
    videos, labels, spans, scores = zip(*rows, strict=True) if rows else ((), (), (), ())
    try:
        return Segments.of(videos, labels, spans, scores, instants=instants)
    except DataError as problem:
        raise DataError(f"{path}: {problem}") from None
