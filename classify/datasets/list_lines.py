"""Lines of the annotation files that networks are trained from.

=========================  =========================================================================================
form                       line
=========================  =========================================================================================
path                       ``Class/v_Class_g01_c01.avi``: UCF101's list of test videos
path label                 ``some/a.mp4 3`` (MMAction2, TSN), ``some/a.mp4,3`` (PySlowFast), ``a,walking``,
                           ``1234;Pushing something`` (Something-Something)
path labels                ``some/a.mp4 3 7``
path frames label          ``some/folder 120 3`` of a folder of frames; several labels may follow (MMAction2, TSN)
path offset frames label   ``some/folder 30 120 3``: a stretch of the folder (MMAction2, ``with_offset``)
path class label           ``walk/a.avi walk 3`` (CoViAR)
kinetics                   CSV with the header ``label,youtube_id,time_start,time_end,split``
csv                        CSV with the columns ``path`` and ``label``, and maybe ``frames``
=========================  =========================================================================================

Source: docs/method/protocols.md, section 2.12.
"""

import math
import re
from dataclasses import dataclass, field

from classify.params import LIST_FORMS
from classify.text_files import listed
from idt.errors import DataError
from idt.files import csv_text, text
from idt.frames import suffixes

COLUMNS = {
    "path": ("path", "video_path", "name", "video_name", "video", "filename", "file", "vid_name"),
    "id": ("youtube_id", "video_id"),
    "label": ("label", "class", "label_id", "label_name", "action"),
    "frames": ("frames", "num_frames", "n_frames"),
    "start": ("time_start", "start_time", "start"),
    "end": ("time_end", "end_time", "end"),
    "split": ("split",),
}
"""Column of a CSV file → its names."""

_SUFFIX = "(?:" + "|".join(re.escape(suffix) for suffix in sorted(suffixes.VIDEOS)) + ")"
_REVERSED_NUMBERS = re.compile(r"(?:\d+[+-]?\s+)*", re.ASCII)
"""Pattern of the numbers at the end of a line. It is matched to the reversed line, which takes linear time."""

_NUMBER = re.compile(r"[+-]?\d+", re.ASCII)
_VIDEO = re.compile(rf".*{_SUFFIX}", re.IGNORECASE)
_VIDEO_AND_CLASS = re.compile(rf"(.*?{_SUFFIX})\s+(\S.*)", re.IGNORECASE)
_ENDS_IN_NUMBER = re.compile(r".*\s[+-]?\d+", re.ASCII)
_SECONDS = re.compile(r"\d{1,9}(\.\d{0,9})?", re.ASCII)


@dataclass
class Lines:
    """The content of an annotation file, before labels are numbered.

    Attributes
    ----------
    form : str
        One of `classify.params.LIST_FORMS`.
    places : list of int
        Line of each video, from 1.
    names : list of str
    labels : list of tuple of int or of str
        As in the file; empty tuples where the file has none.
    frames, offsets : list of int
        Number of frames of each video, and its first frame from 0; empty where the file has none.
    times : list of (float, float)
        Start and end, seconds; empty where the file has none.
    ids : list of str
        Videos that the clips were cut from; empty where the file has none.
    class_names : list of str
        Class beside the label; empty where the file has none.
    """

    form: str
    places: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    labels: list[tuple] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    times: list[tuple[float, float]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    class_names: list[str] = field(default_factory=list)


def read_annotation_file(path, form=None, n_classes=None):
    """Read an annotation file.

    Parameters
    ----------
    path : str or Path
    form : str, optional
        One of `classify.params.LIST_FORMS`; found from the content by default.
    n_classes : int, optional
        Number of classes, which tells frames from labels.

    Returns
    -------
    Lines

    Raises
    ------
    DataError
        If a line does not have the form of the others, a name occurs twice, or two forms fit the file.
    OSError
        If the file cannot be read.
    """
    if form is not None and form not in LIST_FORMS:
        raise DataError(f"the form of a list must be one of {', '.join(LIST_FORMS)}, got {form!r}")
    lines = text.numbered_lines(path, what="a list of videos")
    if not lines:
        raise DataError(f"{path} lists no videos; expected lines such as 'some/video.mp4 3'")
    columns = _columns(lines[0][1])
    if columns:
        found = _from_table(path, columns)
        if form not in (None, found.form):
            raise DataError(f"{path} begins with a header and has the form {found.form!r}, expected {form!r}")
    else:
        found = _from_rows(path, _rows(path, lines), form, n_classes)
    first: dict[tuple, int] = {}
    for row, (place, name) in enumerate(zip(found.places, found.names, strict=True)):
        before = first.setdefault((name, *found.offsets[row : row + 1]), place)
        if before != place:
            raise DataError(f"{path}, line {place}: {name} is on line {before} too; every video must occur once")
    return found


def _columns(line):
    """Return the index of each known column if ``line`` is a header; else None."""
    words = [word.strip().strip('"').lower() for word in line.split(",")]
    columns = {column: words.index(name) for column, names in COLUMNS.items() for name in names if name in words}
    return columns if {"path", "id"} & columns.keys() and len(columns) > 1 else None


def _from_table(path, columns):
    """Read a CSV file with a header."""
    timed = {"id", "start", "end"} <= columns.keys()
    found = Lines("kinetics" if timed else "csv")
    name_column = columns.get("path", columns.get("id"))
    width = max(columns.values()) + 1
    for place, fields in csv_text.read_rows(path, "path,label")[1:]:
        if len(fields) < width or not fields[name_column]:
            raise DataError(f"{path}, line {place}: expected at least {width} fields, got {','.join(fields)!r:.80}")
        name = fields[name_column]
        if timed:
            start, end = (_seconds(path, place, fields[columns[which]]) for which in ("start", "end"))
            if not start < end:
                raise DataError(f"{path}, line {place}: a clip must end after it starts, got {start:g} to {end:g} s")
            found.times.append((start, end))
            found.ids.append(fields[columns["id"]])
            name = f"{fields[columns['id']]}_{math.floor(start):06d}_{math.floor(end):06d}"
        label = fields[columns["label"]] if "label" in columns else ""
        if "label" in columns and not label:
            raise DataError(f"{path}, line {place}: {name} has no label")
        if "frames" in columns:
            found.frames.append(_whole(path, place, fields[columns["frames"]], "a number of frames"))
        found.places.append(place)
        found.names.append(name)
        found.labels.append((label,) if label else ())
    if not found.names:
        raise DataError(f"{path} lists no videos below its header")
    labels = [label for labels in found.labels for label in labels]
    if labels and all(re.fullmatch(r"\d{1,9}", label, re.ASCII) for label in labels):
        found.labels = [tuple(map(int, labels)) for labels in found.labels]
    return found


def _rows(path, lines):
    """Read (place, name, labels as text, numbers) from the lines of a file without header."""
    first = lines[0][1]
    tail = first.rpartition(",")[2].strip()
    semicolon = re.fullmatch(r"[^;\s,/]+;[^;]*[^;\s]", first) and not (
        _VIDEO.fullmatch(first) or _ENDS_IN_NUMBER.fullmatch(first)
    )
    comma = "," in first and not (semicolon or _VIDEO.fullmatch(tail) or _ENDS_IN_NUMBER.fullmatch(tail))
    if comma:
        for place, (name, *rest) in csv_text.read_rows(path, "path,label"):
            if not name or not rest or not all(rest):
                raise DataError(f"{path}, line {place}: expected path,label, got {','.join([name, *rest])!r:.80}")
            numeric = all(_NUMBER.fullmatch(word) for word in rest)
            yield place, name, () if numeric else tuple(rest), _numbers(path, place, rest) if numeric else []
        return
    for place, line in lines:
        if semicolon:
            name, _, label = line.partition(";")
            if not name.strip() or not label.strip() or ";" in label:
                raise DataError(f"{path}, line {place}: expected name;label, got {line!r:.80}")
            yield place, name.strip(), (label.strip(),), []
            continue
        # The pattern matches an empty text, too.
        length = len(line) - _REVERSED_NUMBERS.match(line[::-1]).end()  # type: ignore[union-attr]
        name, numbers = line[:length], _numbers(path, place, line[length:].split())
        with_class = None if _VIDEO.fullmatch(name) else _VIDEO_AND_CLASS.fullmatch(name)
        if with_class:
            yield place, with_class[1], (with_class[2],), numbers
        else:
            yield place, name, (), numbers


def _from_rows(path, rows, form, n_classes):
    """Assign the fields of lines without header to the attributes of `Lines`."""
    rows = list(rows)
    form = form or _form_of(path, rows, n_classes)
    found = Lines(form)
    # How many words and how many integers a line of the form has; None stands for one or more.
    words, numbers_of = {
        "path": (0, 0),
        "path label": (0, 1),
        "path labels": (0, None),
        "path frames label": (0, 2),
        "path offset frames label": (0, 3),
        "path class label": (1, 1),
    }.get(form, (0, 0))
    several = form in ("path labels", "path frames label", "path offset frames label")
    labels_are_words = form in ("path label", "path labels") and bool(rows[0][2])
    for place, name, labels, numbers in rows:
        if labels_are_words:
            fits = not numbers and (len(labels) == 1 or (bool(labels) and form == "path labels"))
        else:
            enough = len(numbers) == numbers_of or (several and len(numbers) >= (numbers_of or 1))
            fits = len(labels) == words and enough
        if not fits:
            row = " ".join([name, *labels, *map(str, numbers)])
            raise DataError(f"{path}, line {place}: expected {form!r} as the other lines, got {row!r:.80}")
        found.places.append(place)
        found.names.append(name)
        if form == "path class label":
            found.class_names.append(labels[0])
        if form == "path offset frames label":
            found.offsets.append(numbers[0])
            numbers = numbers[1:]
        if form in ("path frames label", "path offset frames label"):
            found.frames.append(numbers[0])
            numbers = numbers[1:]
        chosen = labels if labels_are_words else tuple(numbers)
        if len(set(chosen)) < len(chosen):
            raise DataError(f"{path}, line {place}: {name} has one label twice, in {listed(chosen)}")
        found.labels.append(chosen)
    return found


def _form_of(path, rows, n_classes):
    """Find the form of lines without header, from the first line and the numbers of columns."""
    _, _, words, first = rows[0]
    counts = {len(numbers) for _, _, _, numbers in rows}
    if words:
        several = any(len(labels) > 1 for _, _, labels, _ in rows)
        return "path class label" if first else "path labels" if several else "path label"
    if not first:
        return "path"
    if min(counts) < 1 or counts == {1}:
        return "path label"  # a line without number is then refused with its place
    videos = all(_VIDEO.fullmatch(name) for _, name, _, _ in rows)
    folders = not any(_VIDEO.fullmatch(name) for _, name, _, _ in rows)
    if folders and min(counts) == 2:
        return "path frames label"
    if len(counts) > 1 and (videos or min(counts) == 1):
        return "path labels"
    if counts == {2} and n_classes is not None and any(numbers[0] > n_classes for *_, numbers in rows):
        return "path frames label"
    fits = "path labels, path frames label" + (" and path offset frames label" if min(counts) > 2 else "")
    raise DataError(
        f"{path} has {listed(sorted(counts))} numbers a line, which may be labels or a number of frames: the forms"
        f" {fits} fit; say which form it is"
    )


def _seconds(path, place, word):
    """Read a time in seconds."""
    if not _SECONDS.fullmatch(word):
        raise DataError(f"{path}, line {place}: expected a time in seconds, got {word!r:.40}")
    return float(word)


def _numbers(path, place, words):
    """Read labels and numbers of frames."""
    return [_whole(path, place, word, "a label or a number of frames from 0") for word in words]


def _whole(path, place, word, what):
    """Read a whole number that is not negative."""
    if not re.fullmatch(r"\+?\d{1,9}", word, re.ASCII):
        raise DataError(f"{path}, line {place}: expected {what}, got {word!r:.40}")
    return int(word)
