"""Labels in the spelling of other programs: other words in headers, and names of files in place of names of videos."""

from pathlib import Path

from idt.errors import DataError
from idt.frames.suffixes import VIDEOS

HEADERS = {
    "name": {"name", "video", "video_name", "videoname", "file", "filename", "file_name", "path", "clip", "id"},
    "label": {"label", "labels", "class", "classes", "class_name", "category", "action", "activity"},
    "part": {"part", "split", "set", "subset", "side"},
}
"""Our name of a column → words that a header may use for it, in upper or lower case."""

SUFFIXES = (*sorted(VIDEOS), ".h5", ".hdf5")
"""Suffixes of a video or feature file, which are no part of a video's name."""


def is_header(fields, words, on_note=None):
    """Tell whether a first line is a header.

    Parameters
    ----------
    fields : list of str
        Fields of the line.
    words : tuple of str
        Names of our columns. The last one may head several columns, such as several labels of a video.
    on_note : callable, optional
        Called with one line of text if the header uses other words than ours.

    Returns
    -------
    bool
    """
    words = [*words, *words[-1:] * (len(fields) - len(words))]
    said = [field.lower() for field in fields]
    if len(said) != len(words) or not all(
        field in HEADERS.get(word, {word}) for field, word in zip(said, words, strict=True)
    ):
        return False
    if said != words and on_note is not None:
        on_note(f"the first line, {','.join(fields)}, was taken for the header {','.join(words)}")
    return True


def drop_suffixes(labels, names, on_note=None):
    """Replace the names of files by the names of their videos.

    Parameters
    ----------
    labels : dict of str to object
        Name → label or labels. A name that no video has may be a video's name with one of `SUFFIXES` added.
    names : collection of str
        Names of the videos.
    on_note : callable, optional
        Called with one line of text if suffixes were dropped.

    Returns
    -------
    dict of str to object
        In the same order.

    Raises
    ------
    DataError
        If two names mean one video.
    """
    known = set(names)
    found: dict = {}
    dropped: dict[str, str] = {}
    for given, label in labels.items():
        suffix = next((suffix for suffix in SUFFIXES if given.lower().endswith(suffix)), "")
        stem = given[: len(given) - len(suffix)]
        name = stem if given not in known and stem in known else given
        if name in found:
            raise DataError(f"{given} and {dropped.get(name, name)} stand for one video, {name}; label it once")
        if name != given:
            dropped[name] = given
        found[name] = label
    if dropped and on_note is not None:
        name, given = next(iter(dropped.items()))
        many = f", and so on {len(dropped)} times" if len(dropped) > 1 else ""
        on_note(f"suffixes of labelled names were dropped: {given} is {name}{many}")
    return found


def read_train(path, names):
    """Read the names of the videos to fit on.

    Parameters
    ----------
    path : str or Path
        A name on every line. If no video has the name, it is taken without its suffix.
    names : list of str
        Names of all videos.

    Returns
    -------
    list of str

    Raises
    ------
    DataError
        If the file has no line.
    OSError
        If it cannot be read.
    """
    known = set(names)
    from idt.files.text import numbered_lines

    found = [line for _, line in numbered_lines(path, what="a video on every line")]
    found = [name if name in known else Path(name).with_suffix("").as_posix() for name in found]
    if not found:
        raise DataError(f"{path} names no video; expected the name of a video on every line")
    return found


def read_labels(path, on_note=None):
    """Read labels by video name.

    Parameters
    ----------
    path : str or Path
        Lines ``name,label``; a header may stand above them.
    on_note : callable, optional
        Called with one line of text if the header uses other words than ours.

    Returns
    -------
    dict of str to str

    Raises
    ------
    DataError
        If a line has another form, a name occurs twice, or there is no line.
    OSError
        If it cannot be read.
    """
    from idt.files import csv_text

    labels: dict[str, str] = {}
    for number, fields in csv_text.read_rows(path, "name,label"):
        if not any(fields):
            continue
        if number == 1 and is_header(fields, ("name", "label"), on_note):
            continue
        if len(fields) != 2 or not all(fields) or fields[0] in labels:
            raise DataError(f"{path}, line {number}: expected name,label, each name once, got {','.join(fields)!r:.80}")
        labels[fields[0]] = fields[1]
    if not labels:
        raise DataError(f"{path} holds no lines of name,label")
    return labels
