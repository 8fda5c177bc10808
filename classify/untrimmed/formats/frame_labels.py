"""Files of frame labels, one label a line, as MS-TCN and the tools before it keep them.

A data set is a folder with ``groundTruth/VIDEO.txt``, ``mapping.txt`` (lines ``number class``) and
``splits/test.split1.bundle`` (lines ``VIDEO.txt``). A result file has a header, and all labels on one line: MS-TCN
writes them on the second line, NN-Viterbi on the sixth. The tool squirrel writes lines ``class first-frame`` instead.

Source: docs/method/untrimmed.md, section 7.
"""

import itertools
from pathlib import Path

import numpy as np

from classify.text_files import listed, read_lines, write_text
from idt.errors import DataError
from idt.files import text

HEADER = "### Frame level recognition: ###"
"""First line of a result file of MS-TCN."""


def read_labels(path):
    """Read one label a line.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    (T,) str

    Raises
    ------
    DataError
        If the file is empty or no text.
    OSError
        If it cannot be read.
    """
    labels = read_lines(path)
    if not labels:
        raise DataError(f"{path} holds no labels, expected one a line for every frame")
    return np.array(labels)


def read_result(path):
    """Read a result file of MS-TCN, NN-Viterbi or squirrel.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    (T,) str
        For squirrel's list the labels end at the last ``first-frame``, because the list does not give the length of the
        last segment.

    Raises
    ------
    DataError
        If the file has no labels where a tool writes them.
    OSError
        If it cannot be read.
    """
    lines = [line.strip() for line in text.LINE_BREAK.split(text.read_text(path, what="a result file"))]
    if lines[0].startswith("### Frame level recognition") and len(lines) > 1:
        return np.array(lines[1].split())
    if lines[0].startswith("### Recognized sequence") and len(lines) > 5:
        return np.array(lines[5].split())
    if lines[0].startswith("###"):
        return _expanded(path, [line for line in lines[1:] if line])
    raise DataError(f"{path} must begin with a header such as {HEADER!r}, got {lines[0][:60]!r}")


def read_bundle(path):
    """Read the names of the videos of a split, without suffix; blank lines do not count.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    list of str

    Raises
    ------
    DataError
        If a name occurs twice or there is none.
    OSError
        If the file cannot be read.
    """
    names = [line.removesuffix(".txt") for line in read_lines(path)]
    if not names or len(set(names)) < len(names):
        raise DataError(f"{path} must name videos, each once, got {len(names)} lines and {len(set(names))} names")
    return names


def read_mapping(path):
    """Read the classes of a data set by number, from lines ``number class``.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    list of str
        In the order of their numbers, which run from 0.

    Raises
    ------
    DataError
        If a line is something else, or numbers are missing.
    OSError
        If the file cannot be read.
    """
    found = {}
    for line in read_lines(path):
        number, _, name = line.partition(" ")
        if not number.isdecimal() or not name.strip() or int(number) in found:
            raise DataError(f"{path} must have lines of a number and a class, each number once, got {line[:60]!r}")
        found[int(number)] = name.strip()
    if sorted(found) != list(range(len(found))) or not found:
        raise DataError(f"{path} must number the classes from 0 without gaps, got {listed(sorted(found))}")
    return [found[number] for number in range(len(found))]


def read_split(folder, bundle, results):
    """Read the true and the predicted labels of the videos of a split.

    Parameters
    ----------
    folder : str or Path
        The data set, with ``groundTruth``.
    bundle : str or Path
        Its list of videos.
    results : str or Path
        Folder of result files, with or without ``.txt``.

    Returns
    -------
    names : list of str
    truths, predictions : list of (T,) str

    Raises
    ------
    DataError
        If videos of the list have no labels or no result; the message names all of them.
    OSError
        If a file cannot be read.
    """
    names = read_bundle(bundle)
    paths = [[_existing(place, name) for name in names] for place in (Path(folder) / "groundTruth", Path(results))]
    for what, found in zip(("true labels", "result"), paths, strict=True):
        missing = [name for name, path in zip(names, found, strict=True) if path is None]
        if missing:
            raise DataError(f"{bundle} names videos without {what}: {listed(missing)}")
    return names, list(map(read_labels, paths[0])), list(map(read_result, paths[1]))


def write_labels(path, labels, *, overwrite=False):
    """Write labels, one a line with a line break at the end, as ``groundTruth`` has them.

    Parameters
    ----------
    path : str or Path
    labels : (T,) sequence of str
    overwrite : bool or collection of path
        As for `classify.text_files.write_text`.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced.
    OSError
        If it cannot be written.
    """
    write_text(path, "".join(f"{label}\n" for label in labels), overwrite=overwrite, unmarked=True)


def write_result(path, labels, *, overwrite=False):
    """Write labels as a result file of MS-TCN.

    Parameters
    ----------
    path : str or Path
    labels : (T,) sequence of str
        Without blanks.
    overwrite : bool or collection of path
        As for `classify.text_files.write_text`.

    Raises
    ------
    DataError
        If a label has blanks, or ``path`` exists and may not be replaced.
    OSError
        If it cannot be written.
    """
    wrong = next((label for label in labels if len(str(label).split()) != 1), None)
    if wrong is not None:
        raise DataError(f"a label of a result file must be one word, got {wrong!r}; blanks separate the frames")
    write_text(path, f"{HEADER}\n{' '.join(map(str, labels))}\n", overwrite=overwrite, unmarked=True)


def _expanded(path, lines):
    """Repeat squirrel's labels from each first frame to the next."""
    entries = [line.split() for line in lines]
    if not entries or any(len(entry) != 2 or not entry[1].isdecimal() or len(entry[1]) > 9 for entry in entries):
        raise DataError(f"{path} must have lines of a class and its first frame under its header")
    starts = [int(entry[1]) for entry in entries]
    if starts[0] or any(a >= b for a, b in itertools.pairwise(starts)):
        raise DataError(f"{path}: first frames must rise from 0, got {listed(starts)}")
    return np.repeat([entry[0] for entry in entries], np.diff([*starts, starts[-1] + 1]))


def _existing(folder, name):
    return next((path for path in (folder / f"{name}.txt", folder / name) if path.is_file()), None)
