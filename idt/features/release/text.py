"""Tables of float32 numbers as text, compressed or not, read and written block by block."""

import codecs

import numpy as np

from idt.errors import DataError
from idt.files import text, unpack

PRINTABLE = bytes(range(32, 127)) + b"\t\r\n"

WIDEST = 64
"""Largest number of bytes of a column, on average over a line. A longer line is not read to its end."""

BLANK = 1 << 20
"""Bytes that blank lines may take together. Blank lines give no rows, so this limit ends the reading of a file that
holds nothing else."""


def is_text(head):
    """Tell whether ``head``, the first bytes of a file, is printable ASCII or compressed.

    ASCII may have the byte order mark of UTF-8, or be UTF-16 with a byte order mark.
    """
    if head.startswith(text.UTF_16):
        head = head.decode("utf-16", "replace").encode()
    return unpack.compression_of(head) is not None or not head.removeprefix(codecs.BOM_UTF8).translate(None, PRINTABLE)


def read_tables(path, columns, *, rows):
    """Read lines of numbers separated by spaces or tabs.

    Parameters
    ----------
    path : str or Path
        UTF-8 or UTF-16, compressed or not (`idt.files.unpack`), as its first bytes say.
    columns : int
        Numbers of a line.
    rows : int
        Lines at once. Empty ones do not count.

    Yields
    ------
    (m, columns) float32
        Nothing for a file without lines.

    Raises
    ------
    DataError
        If a line has another number of columns, or a column is no finite number, with the line and the column; if the
        file is compressed and damaged, unpacks to far more than it holds, or has too many blank lines.
    OSError
        If the file cannot be read.
    """
    lines: list[bytes] = []
    numbers: list[int] = []
    for number, line in _numbered(path, WIDEST * columns):
        lines.append(line)
        numbers.append(number)
        if len(lines) == rows:
            yield _parse(lines, numbers, columns, path)
            lines, numbers = [], []
    if lines:
        yield _parse(lines, numbers, columns, path)


def format_lines(table, decimals):
    """Format rows; each number reads back as the same float32.

    Parameters
    ----------
    table : (n, columns) float32
        Finite.
    decimals : (columns,) int
        Decimals to print if they determine the float32. Otherwise nine significant digits are printed, which always do.

    Returns
    -------
    bytes
        Columns separated and each line ended by a tab, as in the release.
    """
    exact = table.astype(np.float64)
    suffices = np.empty(table.shape, bool)
    for count in np.unique(decimals):
        some = decimals == count
        suffices[:, some] = np.round(exact[:, some], count).astype(np.float32) == table[:, some]
    usual = [f"%.{count}f" for count in decimals]
    template = "\t".join(usual) + "\t\n"
    printed = []
    for row, row_suffices in zip(exact.tolist(), suffices, strict=True):
        if row_suffices.all():
            printed.append(template % tuple(row))
        else:
            mixed = [form if fits else "%.9g" for form, fits in zip(usual, row_suffices.tolist(), strict=True)]
            printed.append(("\t".join(mixed) + "\t\n") % tuple(row))
    return "".join(printed).encode()


def refuse_infinite(table, numbers, where):
    """Refuse NaN and infinity.

    Parameters
    ----------
    table : (n, columns) float32
    numbers : sequence of int
        Number of each row for the message.
    where : str
        How the message begins.

    Raises
    ------
    DataError
        If a number is not finite, with its row and column.
    """
    rows, columns = np.nonzero(~np.isfinite(table))
    if len(rows):
        value = table[rows[0], columns[0]]
        raise DataError(f"{where} {numbers[rows[0]]}, column {columns[0] + 1} must be a finite float32, got {value}")


def _numbered(path, longest):
    """Yield the lines that are not empty, with their numbers."""
    with text.open_regular(path) as raw:
        file = text.as_utf8(unpack.unpacked(raw, path), path)
        number = blank = 0
        while line := file.readline(longest):
            number += 1
            if len(line) == longest and not line.endswith(b"\n"):
                raise DataError(f"{path}: line {number} must not be longer than {longest} bytes")
            if line.strip():
                yield number, line
                continue
            blank += len(line)
            if blank > BLANK:
                raise DataError(f"{path}: line {number} is one of too many blank ones, {blank} bytes of them")


def _parse(lines, numbers, columns, path):
    """Parse lines into a table; the error names the first invalid line."""
    try:
        table = np.loadtxt(lines, np.float64, comments=None, ndmin=2)
    except ValueError:
        table = np.empty((0, 0))
    if table.shape[1] != columns:
        raise DataError(_fault(lines, numbers, columns, path))
    with np.errstate(over="ignore"):
        table = table.astype(np.float32)
    refuse_infinite(table, numbers, f"{path}: line")
    return table


def _fault(lines, numbers, columns, path):
    """Describe the first invalid line, found by a slow search."""
    for line, number in zip(lines, numbers, strict=True):
        fields = line.split()
        if len(fields) != columns:
            return f"{path}: line {number} must have {columns} columns, got {len(fields)}"
        for column, field in enumerate(fields, 1):
            try:
                np.loadtxt([field], np.float64, comments=None)
            except ValueError:
                shown = field[:20].decode("ascii", "replace")
                return f"{path}: line {number}, column {column} must be a number, got {shown}"
    return f"{path}: lines {numbers[0]} to {numbers[-1]} are not text of {columns} columns"
