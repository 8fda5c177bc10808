"""Read MAT files of version 5, as MATLAB and `scipy.io.savemat` write them: numbers, text and cells of these.

Variables of other classes (structures, sparse matrices, functions) are left out. Every size is compared with the bytes
that exist before memory is allocated. `scipy.io.loadmat` trusts the sizes, and nested cells overflow its stack.

Source: MathWorks, "MAT-File Format", chapter 1. Left out: complex numbers, which are refused.
"""

import zlib

import numpy as np

from idt.errors import DataError

HEADER = 128
"""Bytes before the first variable."""

DEEPEST = 4
"""Largest depth of cells within cells."""

EXPANSION, SLACK = 200, 1 << 24
"""A file may unpack to at most EXPANSION times its size plus SLACK bytes."""

MATRIX, COMPRESSED = 14, 15
"""Types of elements: a variable, and a compressed variable."""

NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""Types of elements → dtype."""

ENCODINGS = {1: "latin1", 2: "latin1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
"""Types of elements → encoding of text."""

CELL, CHAR = 1, 4
"""Classes of matrices: of cells, and of characters."""

CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
"""Classes of matrices of numbers → dtype."""

COMPLEX = 0x800
"""Flag of a matrix of complex numbers."""


class _Damaged(Exception):
    """Invalid structure in a MAT file; the message gives the reason."""


def is_mat5(data):
    """Tell whether ``data`` (bytes) begins as a MAT file of version 5 does."""
    return len(data) > HEADER and data[124:128] in (b"\x00\x01IM", b"\x01\x00MI")


def variables(data, name):
    """Read the variables of a file.

    Parameters
    ----------
    data : bytes
        For which `is_mat5` holds.
    name : str
        Name of the file for messages.

    Returns
    -------
    dict of str to ndarray
        An array of numbers for a matrix; an array of text for a matrix of characters, with one text for each row; an
        array of objects for a cell, each of them an array.

    Raises
    ------
    DataError
        If it is damaged, or unpacks to far more than it holds.
    """
    order = "<" if data[126:128] == b"IM" else ">"
    found, left = {}, EXPANSION * len(data) + SLACK
    try:
        for kind, body in _elements(data[HEADER:], order):
            if kind == COMPRESSED:
                stream = zlib.decompressobj()
                unpacked = stream.decompress(body, left + 1)
                left -= len(unpacked)
                if left < 0:
                    raise DataError(f"{name} unpacks to far more than it holds, so it is no file of scores")
                if not stream.eof:
                    raise _Damaged("a variable is cut short")
                kind, body = next(_elements(unpacked, order))
            if kind != MATRIX:
                raise _Damaged(f"an element of type {kind} is no variable")
            variable, value = _matrix(body, order, 0)
            if value is not None:
                found[variable] = value
    except (_Damaged, zlib.error, StopIteration, ValueError) as problem:
        if isinstance(problem, DataError):
            raise
        reason = str(problem) or "a variable is empty"
        raise DataError(f"{name} is no whole MAT file ({reason}); fetch or make it anew") from None
    return found


def _elements(data, order):
    """Yield type and content of each element."""
    at = 0
    while at < len(data):
        if len(data) - at < 8:
            raise _Damaged("an element is cut short")
        kind, size = (int(number) for number in np.frombuffer(data, f"{order}u4", 2, at))
        start = at + 8
        if kind >> 16:
            # A small element has its size, type and content in 8 bytes.
            size, kind, start = kind >> 16, kind & 0xFFFF, at + 4
            if size > 4:
                raise _Damaged("a small element is invalid")
            at += 8
        else:
            at = start + size + (0 if kind == COMPRESSED else -size % 8)
        if start + size > len(data):
            raise _Damaged("an element is cut short")
        yield kind, data[start : start + size]


def _matrix(body, order, depth):
    """Return name and value of a matrix; the value is None if its class is not supported."""
    parts = _elements(body, order)
    try:
        (_, flags), (_, dims), (_, name) = (next(parts) for _ in range(3))
    except (RuntimeError, StopIteration):
        raise _Damaged("a variable lacks its description") from None
    if len(flags) != 8:
        raise _Damaged("a variable lacks its class")
    # The first of two numbers holds the class in its low byte, and flags above it.
    class_and_flags = int(np.frombuffer(flags, f"{order}u4")[0])
    sizes = tuple(np.frombuffer(dims, f"{order}i4").tolist())
    if not 2 <= len(sizes) <= 32 or min(sizes) < 0:
        raise _Damaged("a variable has no shape")
    kind, count = class_and_flags & 0xFF, int(np.prod(sizes, dtype=object))
    text = name.decode("latin1")
    if kind == CELL:
        return text, _cell(parts, sizes, count, order, depth)
    if kind != CHAR and kind not in CLASSES:
        return text, None
    if class_and_flags & COMPLEX:
        raise _Damaged("it holds complex numbers")
    # A matrix without elements may lack its content.
    stored, content = next(parts, (2, b""))
    if kind == CHAR:
        return text, _text(stored, content, sizes, count, order)
    if stored not in NUMBERS or len(content) != count * np.dtype(NUMBERS[stored]).itemsize:
        raise _Damaged(f"a matrix of shape {sizes} has another number of elements")
    values = np.frombuffer(content, order + NUMBERS[stored])
    return text, values.astype(CLASSES[kind]).reshape(sizes, order="F")


def _cell(parts, sizes, count, order, depth):
    """Return the matrices of a cell."""
    if depth == DEEPEST:
        raise _Damaged(f"cells lie within cells, more than {DEEPEST} deep")
    items = []
    for kind, body in parts:
        if kind != MATRIX:
            raise _Damaged("a cell holds something that is not a variable")
        items.append(_matrix(body, order, depth + 1)[1] if body else np.empty((0, 0)))
    if len(items) != count:
        raise _Damaged(f"a cell of shape {sizes} holds {len(items)} variables")
    found = np.empty(count, object)
    for i, item in enumerate(items):
        found[i] = item
    return found.reshape(sizes, order="F")


def _text(stored, content, sizes, count, order):
    """Return the rows of a character matrix."""
    if stored not in ENCODINGS or len(sizes) > 2:
        raise _Damaged("text is not stored as characters")
    encoding = ENCODINGS[stored]
    if encoding in ("utf-16", "utf-32"):
        encoding += "-le" if order == "<" else "-be"
    text = content.decode(encoding)
    if len(text) != count:
        raise _Damaged(f"text of shape {sizes} has {len(text)} characters")
    rows = sizes[0]
    # MATLAB stores all matrices column by column. A matrix without characters is one empty text.
    return np.array(["".join(text[row::rows]) for row in range(rows)] if count else [""])
