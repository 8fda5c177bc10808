"""Labels: read, matched with videos, and the classes that they name."""

from classify.text_files import listed, read_entries
from idt.errors import DataError


def read_labels(path):
    """Read labels: CSV lines ``name,label``, with or without that header; of several labels ``name,label,label``.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict of str to str or to tuple of str
        Video name → label. Tuples of all labels, sorted, if some video has several.

    Raises
    ------
    DataError
        As `read_pairs`, but for the number of fields, or if a label of a video occurs twice.
    OSError
        If the file cannot be read.
    """
    found: dict[str, tuple[str, ...]] = {}
    for number, name, labels in read_entries(path, ("name", "label"), several=True):
        if name in found:
            before, now = (" and ".join(these) for these in (found[name], labels))
            raise DataError(f"{path}, entry {number}: {name} occurs twice, as {before} and {now}")
        if len(set(labels)) < len(labels):
            raise DataError(f"{path}, entry {number}: {name} has one label twice, in {','.join(labels)}")
        found[name] = tuple(sorted(labels))
    if any(len(labels) > 1 for labels in found.values()):
        return found
    return {name: label for name, (label,) in found.items()}


def match_labels(names, labels):
    """Labels in the order of the videos.

    Parameters
    ----------
    names : sequence of str
        Videos.
    labels : dict of str to str or to tuple of str
        As from `read_labels`.

    Returns
    -------
    list of str or of tuple of str

    Raises
    ------
    DataError
        If a video has no label or a label has no video; both are listed.
    """
    known = set(names)
    bare = [name for name in names if name not in labels]
    idle = [name for name in labels if name not in known]
    problems = []
    if bare:
        problems.append(f"{len(bare)} videos without a label: {listed(bare)}")
    if idle:
        problems.append(f"{len(idle)} labels without a video: {listed(idle)}")
    if problems:
        raise DataError("; ".join(problems))
    return [labels[name] for name in names]


def classes_of(labels):
    """Return the sorted classes among ``labels``, each a text or a tuple of several."""
    return sorted({name for label in labels for name in ((label,) if isinstance(label, str) else label)})
