"""Scores of a file in the order of the true labels: a row for each video and a column for each class, both by name.

`classify.fusion.alignment.names` compares names, `classify.fusion.alignment.columns` finds the columns. A file without
names of its videos needs a list of them: its rows are in the order of the list.
"""

from dataclasses import dataclass

import numpy as np

from classify.fusion.alignment.columns import check_plausible, column_order
from classify.fusion.alignment.names import match
from classify.text_files import listed
from idt.errors import DataError

BY_POSITION = "by position in a list"
"""Name of the rule that matches rows by their place in a list."""

ROWS_NOTE, CLASSES_NOTE = "rows are the videos of ", "columns are the classes of "
"""Beginnings of the notes by which `classify.fusion.forms.listing` says that a list named rows or columns."""


@dataclass(frozen=True)
class Aligned:
    """Scores in the order of the true labels.

    Attributes
    ----------
    values : (n, C) float64
        NaN in the rows of videos that the file lacks.
    rules : dict of str to int
        Number of videos that each rule found: one of `classify.fusion.alignment.names.VIDEO_NAME_RULES`, or
        `BY_POSITION`.
    columns_found : str
        How the columns were found, in words for the report.
    extra : list of str
        Videos of the file that have no true label.
    """

    values: np.ndarray
    rules: dict[str, int]
    columns_found: str
    extra: list[str]

    @property
    def present(self):
        """(n,) bool, whether the file has each video."""
        return ~np.isnan(self.values[:, 0])


def align(scores, truth, name):
    """Bring scores into the order of the true labels.

    Parameters
    ----------
    scores : Scores
    truth : Truth
    name : str
        Name of the file in messages.

    Returns
    -------
    Aligned

    Raises
    ------
    DataError
        If several names match one video, no video is known, the order of the columns cannot be found, or labels
        contradict the true ones.
    """
    if scores.names is None:
        raise DataError(f"{name} names no videos; give the list in whose order its rows are, --list")
    found = match(truth.names, scores.names, other_videos=truth.other_videos)
    if found.ambiguous:
        raise DataError(f"{name}: names that cannot be told apart: {listed(found.ambiguous)}")
    rows = found.places
    present = rows >= 0
    if not present.any():
        raise DataError(
            f"{name} has none of the {len(rows)} videos of {truth.origin}: expected names such as {truth.names[0]}, got"
            f" {scores.names[0]}"
        )
    order, how = column_order(scores, truth, rows, name)
    if any(note.startswith(CLASSES_NOTE) for note in scores.notes):
        how = "in the order of its list"
    values = np.full((len(rows), len(order)), np.nan)
    values[present] = scores.values[rows[present]][:, order]
    named_by_list = any(note.startswith(ROWS_NOTE) for note in scores.notes)
    # If the scores have labels, `column_order` or `name_by_list` has compared them already.
    unconfirmed = named_by_list and scores.labels is None
    check_plausible(values, truth, np.where(present, np.arange(len(rows)), -1), name, by_position=unconfirmed)
    taken = set(rows.tolist())
    extra = [video for row, video in enumerate(scores.names) if row not in taken]
    rules = {rule: count for rule, count in found.rules.items() if count}
    if named_by_list:
        rules = {BY_POSITION: int(present.sum())}
    return Aligned(values, rules, how, extra)
