"""Scores of all sources on the videos of one split, aligned, each source's streams added and normalised."""

from dataclasses import dataclass, replace

import numpy as np

from classify.datasets.class_files import read_class_file
from classify.datasets.video_list import read_video_list
from classify.fusion.alignment.align import CLASSES_NOTE, ROWS_NOTE, align
from classify.fusion.alignment.columns import are_numbers, column_order
from classify.fusion.alignment.names import class_key, match
from classify.fusion.alignment.truth import Truth, is_numbered, truth_of_list
from classify.fusion.combining.normalize import norm_for, normalized, views_of
from classify.fusion.read import read_scores
from classify.fusion.scores import Scores
from classify.fusion.sources import path_for_split
from classify.text_files import listed
from idt.errors import DataError

REFUSE, DROP = "refuse", "drop"
MISSING = (REFUSE, DROP)
"""Whether videos that a source lacks are refused or left out."""

UNTESTED = "videos that are not tested were left out"
"""End of the note on videos of a source that have no place in a split."""


@dataclass(frozen=True)
class SourceFacts:
    """Record of how a source was read and aligned.

    Attributes
    ----------
    norm : str
        Normalisation, never "auto".
    videos : int
        Number of test videos that it has scores for.
    rules : dict of str to int
        Number of videos that each rule matched, over all streams.
    columns_found : list of str
        How the columns of the streams were found, in words for the report.
    forms : list of str
        Forms of the files.
    notes : list of str
        Decisions that a reader must know.
    """

    norm: str
    videos: int
    rules: dict[str, int]
    columns_found: list[str]
    forms: list[str]
    notes: list[str]


@dataclass(frozen=True)
class Gathered:
    """Scores of all sources on the videos of a split.

    Attributes
    ----------
    split : str
    truth : Truth
        Labels of the videos that every source has.
    raw, scaled : dict of str to (n, C) float64
        Scores of each source, before and after normalisation.
    facts : dict of str to SourceFacts
    missing : list of str
        Videos that were left out, because a source lacks them.
    unlabelled : list of str
        Videos of a source that were left out, because they have no label in this split.
    """

    split: str
    truth: Truth
    raw: dict[str, np.ndarray]
    scaled: dict[str, np.ndarray]
    facts: dict[str, SourceFacts]
    missing: list[str]
    unlabelled: list[str]


def gather(sources, split, protocol, *, missing=REFUSE, side="test", classes=None):
    """Read and align the scores of all sources on one split.

    Parameters
    ----------
    sources : list of Source
    split : str
    protocol : FusionProtocol
    missing : {"refuse", "drop"}
    side : {"test", "train"}
        Which official list is read; validation videos are among the training videos.
    classes : list of str, optional
        Order of the classes; by default that of the labels.

    Returns
    -------
    Gathered

    Raises
    ------
    DataError
        If a file does not fit the others or the labels; see `classify.fusion.alignment.align`.
    OSError
        If a file cannot be read.
    """
    own_sources = [source.for_split(split) for source in sources]
    files = {source.name: read_source(source) for source in own_sources}
    lists = [own for own in (_order_of(source)[1] for source in own_sources) if own is not None]
    titled = [pair for streams in files.values() for pair in streams]
    # A list of validation videos is also given for its labels, so it need not name rows.
    row_lists = [
        source.order for source in own_sources if source.order not in (None, path_for_split(protocol.validation, split))
    ]
    if row_lists and not any(note.startswith(ROWS_NOTE) for _, scores in titled for note in scores.notes):
        raise DataError(f"{row_lists[0]} is to name rows, but every file names its videos; leave out the list")
    truth = _with_names(protocol.truth(split, titled, lists, side), titled)
    if classes is not None:
        truth = truth.in_order_of(classes, truth.origin)
    aligned = {name: [align(scores, truth, title) for title, scores in streams] for name, streams in files.items()}
    present = {name: np.all([each.present for each in streams], axis=0) for name, streams in aligned.items()}
    rows, gone, extra = _common_rows(truth, present, aligned, missing)
    truth = truth.take(rows)
    raw, scaled, facts = {}, {}, {}
    for source, given in zip(own_sources, sources, strict=True):
        name = source.name
        read = [scores for _, scores in files[name]]
        raw[name], kind = _added(
            source, [each.values[rows] for each in aligned[name]], [scores.kind for scores in read]
        )
        norm = norm_for(source.norm, raw[name], kind)
        scaled[name] = normalized(raw[name], norm, names=truth.names, source=name)
        found = _facts(norm, read, aligned[name], int(present[name].sum()))
        # Paths in notes get their {split} back, so that a note is the same for all splits.
        changes = list(zip(source.paths, given.paths, strict=True))
        facts[name] = replace(found, notes=[_replaced(note, changes) for note in found.notes])
    return Gathered(split, truth, raw, scaled, facts, gone, extra)


def _replaced(text, changes):
    for now, before in changes:
        text = text.replace(now, before)
    return text


def _with_names(truth, titled):
    """Return the labels with names of classes.

    If the labels have only numbers for the classes, the names come from a score file with labels and named classes.
    """
    if not are_numbers(truth.classes):
        return truth
    for title, scores in titled:
        if scores.names and scores.labels is not None and scores.classes and not are_numbers(scores.classes):
            order, _ = column_order(scores, truth, match(truth.names, scores.names).places, title)
            return replace(truth, classes=[scores.classes[column] for column in order])
    return truth


def read_source(source):
    """Read the files of a source.

    Parameters
    ----------
    source : Source
        Without ``{split}``.

    Returns
    -------
    list of (str, Scores)
        Name of each stream in messages, and its scores, with the names that lists give rows and columns.

    Raises
    ------
    DataError, OSError
        As `classify.fusion.read.read_scores`, or if a file of classes does not fit.
    """
    order, _ = _order_of(source)
    return [(stream.title, _read(source, stream, order)) for stream in source.streams]


def _order_of(source):
    """Read the list that names the rows of a source; return it, and its labels as `Truth`."""
    if source.order is None:
        return None, None
    found = read_video_list(source.order, numbering_list=source.numbering_list)
    if not is_numbered(source.order):
        # The reader numbers the sorted names of the classes, but few networks have their columns in that order.
        return replace(found, labels=None, label_sets=None, classes=None), None
    return found, truth_of_list(found)


def _read(source, stream, order):
    """Read the scores of a stream, with the names that lists give its rows and columns."""
    scores = stream.scores
    if not isinstance(scores, Scores):
        scores = read_scores(scores, form=source.form, video_list=order)
    return scores if source.classes is None else _named(scores, source.classes, stream.title)


def _named(scores, path, title):
    """Name the columns of scores by a file of classes."""
    names = read_class_file(path)
    if len(names) != scores.values.shape[1]:
        raise DataError(f"{title} has {scores.values.shape[1]} columns, {path} names {len(names)} classes")
    by_list = [note for note in scores.notes if note.startswith(CLASSES_NOTE)]
    own = None if by_list else scores.classes
    if own is not None and list(map(class_key, own)) != list(map(class_key, names)):
        raise DataError(
            f"{title} names its classes, {_few(own)}, and {path} others, {_few(names)}; leave out --classes"
        )
    notes = (*(note for note in scores.notes if note not in by_list), f"columns are called as in {path}")
    return replace(scores, classes=names, notes=notes)


def _few(names, most=3):
    return listed(names[:most]) + (" …" if len(names) > most else "")


def _common_rows(truth, present, aligned, missing):
    """Find the rows of the videos that every source has, the videos that one lacks, and those without a label."""
    wanted = np.any(list(present.values()), axis=0) if truth.covers_untested else np.ones(len(truth.names), bool)
    lacking = {name: wanted & ~has for name, has in present.items()}
    problems = [
        f"{name} lacks {int(lost.sum())} of {int(wanted.sum())} videos,"
        f" {_few([truth.names[row] for row in np.flatnonzero(lost)], most=5)}"
        for name, lost in lacking.items()
        if lost.any()
    ]
    extra: dict[str, None] = {}
    if not truth.covers_split:
        for name, streams in aligned.items():
            more = list(dict.fromkeys(video for each in streams for video in each.extra))
            extra |= dict.fromkeys(more)
            if more:
                problems.append(f"{len(more)} videos of {name} have no label in {truth.origin}, {listed(more[:5])}")
    if problems and missing == REFUSE:
        raise DataError(f"{'; '.join(problems)}; --missing drop leaves such videos out")
    rows = np.flatnonzero(wanted & np.all(list(present.values()), axis=0))
    if not len(rows):
        raise DataError(f"no video has scores of all sources: {'; '.join(problems)}")
    lost = wanted & ~np.all(list(present.values()), axis=0)
    return rows, [truth.names[row] for row in np.flatnonzero(lost)], list(extra)


def _added(source, values, kinds):
    """Add the streams of a source; return the sum and its kind."""
    views = [views_of(each, kind) for each, kind in zip(values, kinds, strict=True)]
    if any(views) and not all(views):
        odd = source.streams[[bool(count) for count in views].index(True)].title
        raise DataError(
            f"{source.name}: {odd} holds probabilities and another stream does not; their sum means nothing, give them"
            " as two sources"
        )
    total = np.zeros_like(values[0])
    for stream, each in zip(source.streams, values, strict=True):
        total += stream.weight * (each / each.sum(axis=1, keepdims=True) if all(views) else each)
    if all(views):
        return total / sum(stream.weight for stream in source.streams), "probabilities"
    return total, kinds[0] if len(set(kinds)) == 1 else "unknown"


def _facts(norm, files, aligned, videos):
    """Collect the facts of a source for the report."""
    rules: dict[str, int] = {}
    for each in aligned:
        for rule, count in each.rules.items():
            rules[rule] = rules.get(rule, 0) + count
    notes = [note for scores in files for note in scores.notes]
    extra = max(len(each.extra) for each in aligned)
    if extra:
        notes.append(f"{extra} {UNTESTED}")
    if norm == "logz":
        notes.append("probabilities p became log(max(p, 1e-6)) with z-score")
    return SourceFacts(
        norm,
        videos,
        rules,
        list(dict.fromkeys(each.columns_found for each in aligned)),
        list(dict.fromkeys(scores.form for scores in files)),
        list(dict.fromkeys(notes)),
    )
