"""Labels of videos: reading them, matching them with videos, listing their classes."""

from classify.text_files import listed, read_entries
from encoding.descriptors.labels import drop_suffixes
from idt.errors import DataError


def read_labels(path, on_note=None):
    """Read labels from CSV.

    Parameters
    ----------
    path : str or Path
        Lines ``name,label``, or ``name,label,label`` for a video with several labels. The first line may be the header
        ``name,label``, or one such as ``video,class`` (`encoding.descriptors.labels.is_header`).
    on_note : callable, optional
        Called with one line if the header is not ``name,label``.

    Returns
    -------
    dict of str to str or to tuple of str
        Video name → label. If some video has several labels, each value is a sorted tuple of labels.

    Raises
    ------
    DataError
        If a line has fewer than two fields, a field is empty, a name or a label of a video occurs twice, or there are
        no lines.
    OSError
        If the file cannot be read.
    """
    found: dict[str, tuple[str, ...]] = {}
    for number, name, labels in read_entries(path, ("name", "label"), several=True, on_note=on_note):
        if name in found:
            before, now = (" and ".join(these) for these in (found[name], labels))
            raise DataError(f"{path}, entry {number}: {name} occurs twice, as {before} and {now}")
        if len(set(labels)) < len(labels):
            raise DataError(f"{path}, entry {number}: {name} has one label twice, in {','.join(labels)}")
        found[name] = tuple(sorted(labels))
    if any(len(labels) > 1 for labels in found.values()):
        return found
    return {name: label for name, (label,) in found.items()}


def match_labels(names, labels, on_note=None):
    """Return labels in the order of the videos.

    Parameters
    ----------
    names : sequence of str
        Names of videos.
    labels : dict of str to str or to tuple of str
        As from `read_labels`. A name may end in the suffix of a file (`encoding.descriptors.labels.drop_suffixes`).
    on_note : callable, optional
        Called with one line if suffixes were dropped.

    Returns
    -------
    list of str or of tuple of str

    Raises
    ------
    DataError
        If a video has no label or a label has no video; both are listed. If two names mean one video.
    """
    labels = drop_suffixes(labels, names, on_note)
    known = set(names)
    unlabelled = [name for name in names if name not in labels]
    unused = [name for name in labels if name not in known]
    problems = []
    if unlabelled:
        problems.append(f"{len(unlabelled)} videos without a label: {listed(unlabelled)}")
    if unused:
        problems.append(f"{len(unused)} labels without a video: {listed(unused)}")
    if problems:
        raise DataError("; ".join(problems))
    return [labels[name] for name in names]


def classes_of(labels):
    """Return the sorted classes among ``labels``, each a text or a tuple of several."""
    return sorted({name for label in labels for name in ((label,) if isinstance(label, str) else label)})
