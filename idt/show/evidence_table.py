"""Reader of the CSV that `idt-explain` writes: a number for each track."""

import numpy as np

from idt.errors import DataError
from idt.files import csv_text

HEADER = ("track", "frame", "x", "y", "scale", "adds")
STRONG = 98.0
"""Percentile of the absolute numbers that counts as 1."""


def read_evidence(path):
    """Read the number that each track adds to a score.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    (n,) float64
        In the order of the features; nearly all within −1 and 1.

    Raises
    ------
    DataError
        If the file is no table of tracks, or a number is missing or malformed.
    OSError
        If it cannot be read.
    """
    values: list[float] = []
    for line, fields in csv_text.read_rows(path, ",".join(HEADER)):
        if line == 1:
            if tuple(fields[: len(HEADER)]) != HEADER:
                raise DataError(f"{path} is no table of tracks, which idt-explain -o FILE.csv (--by share) writes")
            continue
        try:
            number, value = int(fields[0]), float(fields[5])
        except (ValueError, IndexError):
            raise DataError(f"{path}, line {line}: expected {','.join(HEADER)}, got {','.join(fields)!r:.80}") from None
        if number != len(values) or not np.isfinite(value):
            raise DataError(
                f"{path}, line {line}: expected track {len(values)} and a number, got {','.join(fields)!r:.80}"
            )
        values.append(value)
    if not values:
        raise DataError(f"{path} is no table of tracks, which idt-explain -o FILE.csv (--by share) writes")
    found = np.array(values)
    return found / (float(np.percentile(np.abs(found), STRONG)) or 1.0)
