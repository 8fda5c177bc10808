"""Published numbers on the sets, to print beside a result.

``published.csv`` holds them, in percent of the set's own metric, each with the place in which it was read. None was
written from memory. Numbers of sets with three splits are means, unless ``scope`` says otherwise.
"""

from pathlib import Path
from typing import NamedTuple

from idt.errors import DataError
from idt.files import csv_text

KINDS = {"classical": "Classical systems", "network": "Networks, alone and with iDT"}
"""Kind of a system → heading of its table."""

SOURCES = {
    "O": "own paper",
    "A": "authors' repository",
    "L": "a later paper's table",
    "S": "a survey",
    "N": "notes, a blog or a summary page, the weakest",
    "X": "measured here from public data",
}
"""Letter → the kind of place in which a number was read."""

COLUMNS = ["kind", "system", "set", "with", "percent", "scope", "classes", "source", "read", "note"]
"""Columns of the table; `Published` says what they hold. ``classes`` are classes of sources, not of actions."""

TABLE = Path(__file__).with_name("published.csv")


class Published(NamedTuple):
    """A published result.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    system : str
    with_idt : bool
        Whether the number is of the system and iDT together.
    percent : float
    scope : str
        Part of the protocol, such as ``split 1``; empty for all of it.
    classes : str
        Letters of `SOURCES`: the kinds of places in which the number was read.
    source : str
        The paper.
    read : str
        Where the number was read.
    note : str
        Further remarks, such as the numbers of single descriptors.
    """

    kind: str
    system: str
    with_idt: bool
    percent: float
    scope: str
    classes: str
    source: str
    read: str
    note: str = ""


def published(dataset):
    """Read the results published on a set.

    Parameters
    ----------
    dataset : str
        Name of the set, as in `classify.datasets.registry`.

    Returns
    -------
    list of Published
        In the order of the table; empty if there are none at hand.

    Raises
    ------
    DataError
        If the table of the installation is damaged.
    """
    (_, header), *rows = csv_text.read_rows(TABLE, ",".join(COLUMNS))
    if header != COLUMNS:
        raise DataError(f"{TABLE} must begin with {','.join(COLUMNS)}; install the package again")
    found = []
    for _, (kind, system, of, partner, percent, scope, classes, source, read, note) in rows:
        if of == dataset:
            found.append(Published(kind, system, bool(partner), float(percent), scope, classes, source, read, note))
    return found
