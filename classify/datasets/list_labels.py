"""Labels of lists of videos: finding the number of the first class and the names of the classes, renumbering from 0.

A file of labels does not say whether the first class is 0 or 1. It is found from a label 0, from the number of classes,
from folders that are named after the classes, or from labels without a gap. Nothing else is guessed.

Source: docs/method/protocols.md, section 2.12.
"""

from idt.errors import DataError


def folder_of(name):
    """Return the folder in the path ``name`` of a video, as a list gives it; empty if it gives none."""
    steps = [step for step in name.split("/") if step not in ("", ".")]
    return steps[-2] if len(steps) > 1 else ""


def number_labels(lists, names, n_classes, first_label, notes):
    """Renumber the labels of lists from 0.

    Parameters
    ----------
    lists : list of (str, Lines)
        Path and content of each list.
    names : list of str or None
        Classes by label, where they are known.
    n_classes : int or None
    first_label : {0, 1} or None
        Number of the first class in the files.
    notes : list of str
        Notes on the decisions are appended.

    Returns
    -------
    numbers : dict of int or str to int
        Label in the files → label from 0; empty if they have none.
    names : list of str or None
        Classes by label, where the lists tell them.

    Raises
    ------
    DataError
        If it is not clear whether labels begin at 0 or at 1, a label is beyond the classes or contradicts the folder
        of its video, or some labels are words and others numbers.
    """
    rows = [
        (path, place, name, label)
        for path, lines in lists
        for place, name, labels in zip(lines.places, lines.names, lines.labels, strict=True)
        for label in labels
    ]
    words = {isinstance(label, str) for *_, label in rows}
    if words == {True, False}:
        raise DataError(f"{lists[0][0]} and {lists[-1][0]} must both have words or both numbers for labels")
    if words == {True}:
        if names is None:
            names = sorted({label for *_, label in rows})
            notes.append(f"the {len(names)} classes are the labels in the order of their names")
        numbers = {name: number for number, name in enumerate(names)}
        for path, place, _, label in rows:
            if label not in numbers:
                raise DataError(f"{path}, line {place}: {label!r} is none of the {len(names)} classes")
    elif rows:
        first = _first_label(rows, names, n_classes) if first_label is None else first_label
        if first == 1:
            notes.append("labels begin at 1")
        for path, place, name, label in rows:
            if label < first or (n_classes is not None and label - first >= n_classes):
                last = "" if n_classes is None else f" and {n_classes - 1 + first}"
                raise DataError(f"{path}, line {place}: {name} has label {label}, expected between {first}{last}")
        numbers = {label: label - first for *_, label in rows}
        _check_folders(lists, numbers, names)
        if names is None:
            names = _classes_beside(lists, numbers) or _classes_of_folders(rows, numbers)
            if names is not None:
                notes.append("the classes are called as the folders, or as the list says")
    else:
        numbers = {}
    return numbers, names


def _first_label(rows, names, n_classes):
    """Find the number of the first class: 0 or 1."""
    found = {label for *_, label in rows}
    low, high = min(found), max(found)
    if low == 0:
        return 0
    agreeing = _agreeing_with_folders(rows, names)
    if agreeing is not None:
        return agreeing
    if n_classes is not None and high == n_classes:
        return 1
    if n_classes is None and len(found) == high > 1:
        return 1
    many = "an unknown number of" if n_classes is None else str(n_classes)
    raise DataError(
        f"{rows[0][0]} has labels from {low} to {high} of {many} classes, so that they may begin at 0 or at 1; give a"
        " file of the classes, or say which (first label)"
    )


def _agreeing_with_folders(rows, names):
    """Return the number of the first class, 0 or 1, by which all labels fit the folders; None if neither does."""
    if names is None:
        return None
    known = set(names)
    folders = [folder_of(name) for _, _, name, _ in rows]
    if not all(folder in known for folder in folders):
        return None
    for first in (0, 1):
        if all(
            0 <= label - first < len(names) and names[label - first] == folder
            for (*_, label), folder in zip(rows, folders, strict=True)
        ):
            return first
    return None


def _check_folders(lists, numbers, names):
    """Refuse labels that contradict the folders of their videos, if every folder has the name of a class."""
    known = set(names or ())
    rows = [
        (path, place, name, numbers[labels[0]])
        for path, lines in lists
        for place, name, labels in zip(lines.places, lines.names, lines.labels, strict=True)
        if len(labels) == 1
    ]
    if not all(folder_of(name) in known for _, _, name, _ in rows):
        return
    for path, place, name, label in rows:
        if names[label] != folder_of(name):
            raise DataError(
                f"{path}, line {place}: {name} has the label of {names[label]}; the classes must be in the order of the"
                " labels"
            )


def _classes_beside(lists, numbers):
    """Return the classes that the lists name beside the labels, by label; None if one is missing."""
    found: dict[int, str] = {}
    for path, lines in lists:
        for place, (label,), name in zip(lines.places, lines.labels, lines.class_names, strict=False):
            if found.setdefault(numbers[label], name) != name:
                raise DataError(f"{path}, line {place}: label {label} is {name}, before it was {found[numbers[label]]}")
    return _complete(found)


def _classes_of_folders(rows, numbers):
    """Return the classes by label if every class has a folder of its own; else None."""
    found: dict[int, str] = {}
    for _, _, name, label in rows:
        folder = folder_of(name)
        if not folder or found.setdefault(numbers[label], folder) != folder:
            return None
    return _complete(found)


def _complete(found):
    """Return the classes from 0 on; None if one is missing or two are alike."""
    whole = len(found) > 1 and sorted(found) == list(range(len(found))) and len(set(found.values())) == len(found)
    return [found[number] for number in range(len(found))] if whole else None
