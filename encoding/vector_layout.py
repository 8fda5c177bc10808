"""The layout of a vector: which columns belong to which descriptor and pyramid cell."""

import operator
from collections.abc import Sequence

from idt.checks import type_and_shape
from idt.errors import DataError

WHOLE = "whole"
"""Name of the only cell of a block that has no pyramid."""


def check_layout(layout, columns=None, name="layout"):
    """Refuse a layout that does not partition the columns of a vector.

    Parameters
    ----------
    layout : list of dict
        For each part of a vector, in order: ``"block"`` (the descriptor), ``"cell"`` (of the pyramid, or ``"whole"``),
        ``"first"`` (column) and ``"size"``.
    columns : int, optional
        Length of the vectors.
    name : str
        Name of the layout in messages.

    Returns
    -------
    list of dict
        The same four entries of each part, and no others.

    Raises
    ------
    DataError
        If an entry is absent or of another type, two parts have the same block and cell, or parts overlap, leave a gap
        or do not fill ``columns``.
    """
    if not isinstance(layout, Sequence) or isinstance(layout, str) or not layout:
        raise DataError(f"{name} must be a list of parts, got {type_and_shape(layout)}")
    parts, end = [], 0
    for part in layout:
        try:
            checked = {"block": part["block"], "cell": part["cell"]}
            checked |= {"first": operator.index(part["first"]), "size": operator.index(part["size"])}
        except (TypeError, KeyError, IndexError):
            raise DataError(f"{name} must hold block, cell, first and size of every part, got {part!r:.80}") from None
        if not (isinstance(checked["block"], str) and isinstance(checked["cell"], str)):
            raise DataError(f"{name}: block and cell must be text, got {part!r:.80}")
        if checked["first"] != end or checked["size"] < 1:
            raise DataError(f"{name}: the next part must begin at column {end} and not be empty, got {part!r:.80}")
        end += checked["size"]
        parts.append(checked)
    if columns is not None and end != columns:
        raise DataError(f"{name} describes {end} columns, the vectors have {columns}")
    if len({(part["block"], part["cell"]) for part in parts}) < len(parts):
        raise DataError(f"{name} names a block and cell twice")
    return parts


def block_columns(layout):
    """Return the columns of each block, in all its pyramid cells.

    Parameters
    ----------
    layout : list of dict
        As from `check_layout`.

    Returns
    -------
    dict of str to list of slice
        Blocks in the order of their first appearance.
    """
    columns: dict[str, list[slice]] = {}
    for part in layout:
        columns.setdefault(part["block"], []).append(slice(part["first"], part["first"] + part["size"]))
    return columns
