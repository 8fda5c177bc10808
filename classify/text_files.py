"""Labels and scores as CSV, lists as text.

A video is named as in a vectors file: by its path relative to the root of the data set, without suffix.
"""

import numpy as np

from encoding.descriptors.labels import is_header
from idt.errors import DataError
from idt.files import atomic, csv_text, text

SHOWN = 20
"""Number of names that a message lists before it counts the rest."""


def listed(names):
    """Write ``names`` as one line: all up to 20, then how many more."""
    names = [str(name) for name in names]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def read_lines(path):
    """Read the lines of the text file ``path`` without surrounding blanks; empty ones are left out.

    Raises
    ------
    DataError
        If the file is not UTF-8 text.
    OSError
        If the file cannot be read.
    """
    return [line for _, line in text.numbered_lines(path)]


def read_pairs(path, header):
    """Read a CSV file with a name and one value per line.

    Parameters
    ----------
    path : str or Path
    header : tuple of str
        The first line may be these two words, in upper or lower case, or synonyms of them
        (`encoding.descriptors.labels.is_header`).

    Returns
    -------
    dict of str to str
        Name → value in the order of the file, without surrounding blanks.

    Raises
    ------
    DataError
        If a line does not have two fields, a field is empty, a name occurs twice, or there are no lines.
    OSError
        If the file cannot be read.
    """
    pairs: dict[str, str] = {}
    for number, name, (value,) in read_entries(path, header):
        if name in pairs:
            raise DataError(f"{path}, entry {number}: {name} occurs twice, as {pairs[name]} and {value}")
        pairs[name] = value
    return pairs


def write_scores(path, names, scores, classes, *, overwrite=False):
    """Write scores as CSV: ``name``, then one column per class.

    Parameters
    ----------
    path : str or Path
    names : sequence of str
    scores : (n, c) float
    classes : sequence of str
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`. A CSV file does not record who made it, so it is replaced only if the
        collection names it, or if its content stays the same.

    Raises
    ------
    DataError
        If the numbers of names, classes and scores do not agree, a score is not finite, or ``path`` exists and may not
        be replaced.
    OSError
        If the file cannot be written.

    Notes
    -----
    Scores have seven significant digits, the precision of float32.
    """
    write_text(path, scores_text(path, names, scores, classes), overwrite=overwrite, unmarked=True)


def scores_text(path, names, scores, classes, labels=None):
    """Return scores as CSV: ``name``, ``label`` if ``labels`` are given, then one column per class.

    Parameters
    ----------
    path : str or Path
        For messages.
    names, scores, classes
        As for `write_scores`.
    labels : sequence of str, optional
        Class of each video.

    Returns
    -------
    str

    Raises
    ------
    DataError
        As `write_scores`.
    """
    scores = np.asarray(scores)
    if scores.shape != (len(names), len(classes)):
        raise DataError(f"scores must be of shape {(len(names), len(classes))}, got {scores.shape}")
    bad = scores.size - np.count_nonzero(np.isfinite(scores))
    if bad:
        raise DataError(f"scores must be finite to be written to {path}, got {bad} NaN or infinite numbers")
    heads = [[name] for name in names] if labels is None else zip(names, labels, strict=True)
    lines = ([*head, *(f"{score:.7g}" for score in row)] for head, row in zip(heads, scores, strict=True))
    return csv_text.dumps([["name", *([] if labels is None else ["label"]), *classes], *lines])


def write_text(path, content, *, overwrite=False, unmarked=False):
    """Write the text ``content`` to the file ``path``, complete or not at all.

    The encoding is UTF-8. If the content mentions a file whose name has bytes that are not UTF-8, these are escaped.
    ``overwrite`` and ``unmarked`` are those of `idt.files.atomic.replacing`.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced.
    OSError
        If it cannot be written.
    """
    with atomic.replacing(path, overwrite=overwrite, unmarked=unmarked) as part:
        part.write(text.encoded(content))


def read_entries(path, header, *, several=False, on_note=None):
    """Yield number, name and values of each line of a CSV file, without its header.

    Parameters
    ----------
    path : str or Path
    header : tuple of str
        The first line may be these words, or synonyms of them (`encoding.descriptors.labels.is_header`).
    several : bool
        A line has one or more values, instead of one.
    on_note : callable, optional
        Called with one line if the header has other words.

    Yields
    ------
    number : int
        Number of the entry, from 1; the header counts, empty lines do not.
    name : str
    values : list of str
    """
    count = 0
    for number, (_, fields) in enumerate(csv_text.read_rows(path, ",".join(header)), start=1):
        if number == 1 and is_header(fields, header, on_note):
            continue
        if len(fields) < 2 or (len(fields) > 2 and not several) or not all(fields):
            raise DataError(f"{path}, entry {number}: expected {','.join(header)}, got {','.join(fields)!r:.80}")
        count += 1
        yield number, fields[0], fields[1:]
    if not count:
        raise DataError(f"{path} holds no lines of {','.join(header)}")
