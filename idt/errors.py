"""Exception for a caller's mistake, and functions that make its message: one line, and safe to print."""

import re
from difflib import get_close_matches

LONGEST_MESSAGE = 1000
"""A message has at most this many characters; a longer one loses its middle."""


class DataError(ValueError):
    """Invalid data or options; the message says what is wrong, what was expected, what was received, and the remedy.

    The message is one line, whatever the arguments that it shows look like. The commands print it and exit with status
    2. Trouble with the disk stays an `OSError`.
    """

    def __init__(self, *args):
        super().__init__(*(one_line(text, LONGEST_MESSAGE) if isinstance(text, str) else text for text in args))


class OutOfRange(DataError, IndexError):
    """An index beyond the data, raised where Python's own protocols expect `IndexError`."""


def one_line(text, longest):
    """Join the lines of ``text``, escape control characters, and cut it to ``longest`` characters.

    Spaces within a line stay, because a file's name may hold several. A cut text loses its middle.
    """
    if "\n" in text:
        text = " ".join(line.strip() for line in re.split(r"\r?\n", text.rstrip("\r\n")))
    text = printable(text)
    if len(text) <= longest:
        return text
    # The end is kept, because the remedy often stands there.
    tail = (longest - 3) // 3
    return f"{text[: longest - 3 - tail]} … {text[len(text) - tail :]}"


def printable(text):
    """Return ``text`` with all characters escaped that a terminal would execute instead of show.

    These are the characters that Python's ``repr`` escapes: line breaks and other controls (C0, C1), marks that turn
    the direction of writing, invisible ones, and lone surrogates, which are no characters. An untrusted file name can
    then neither forge a line of output nor colour, move or hide text. Backslashes stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def with_name(name, text):
    """Return the message ``text`` with the ``name`` of a file before it, unless the message contains the name."""
    name = printable(str(name))
    return text if name in text else f"{one_line(name, LONGEST_MESSAGE // 4)}: {text}"


def short_repr(value, longest=60):
    """Return the ``repr`` of ``value`` in one line of at most ``longest`` characters; its type if ``repr`` fails."""
    try:
        return one_line(repr(value), longest)
    except Exception:
        if isinstance(value, int):  # Python refuses to print an int of more than 4300 digits
            return "a number of thousands of digits"
        # The ``__repr__`` of a caller's class may raise anything, which would hide the mistake that is reported.
        return f"<{type(value).__name__}>"


def unknown_option(name, known):
    """Return the message about an unknown option: the nearest known one, or all of them.

    Parameters
    ----------
    name : str
    known : iterable of str

    Returns
    -------
    str
        Such as ``unknown option lenght; did you mean length?``.
    """
    known = list(known)
    return f"unknown option {name}{did_you_mean(name, known) or '; known are ' + ', '.join(known)}"


def did_you_mean(name, known):
    """Return ``; did you mean length?`` with the name in ``known`` nearest to ``name``; empty if none is near."""
    near = get_close_matches(str(name), list(known), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else ""
