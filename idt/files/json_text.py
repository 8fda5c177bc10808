r"""Read JSON that strangers wrote, within limits.

Python's reader accepts more than JSON: NaN, repeated keys, lone surrogates (``"\ud800"``), numbers of any length, which
take quadratic time, and lists nested deeper than the stack. None of our files has any of these.
"""

import json
import math
import re

from idt.errors import DataError
from idt.files import text as texts

LARGEST = 1 << 26
"""Largest number of characters of a text. A report of a hundred thousand clips has some tens of millions."""

DEEPEST = 40
"""Largest depth of lists and objects within one another. Our files have a depth of five."""

DIGITS = 40
"""Largest number of characters of a number; a float64 has at most 25, an int64 20."""

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def loads(text, name, *, what="JSON"):
    """Read JSON.

    Parameters
    ----------
    text : str
    name : str
        Name for messages, such as the file and its attribute.
    what : str
        Description of the expected content for the message.

    Returns
    -------
    object

    Raises
    ------
    DataError
        If it is no JSON, or beyond the limits of this module.
    """
    if len(text) > LARGEST:
        raise DataError(f"{name} holds {len(text):,} characters, expected {what} of at most {LARGEST:,}")
    try:
        value = _DECODER.decode(text)
        if not text.isascii() and _SURROGATES.search(text):
            raise ValueError("half a character, a lone surrogate")
        # The check is slow, so it is left out if there can be neither an escaped surrogate nor too large a depth.
        if _ESCAPED_SURROGATE.search(text) or text.count("[") + text.count("{") > DEEPEST:
            _check(value)
    except RecursionError:
        reason = f"lists within lists, more than {DEEPEST} deep"
    except (ValueError, MemoryError) as problem:
        reason = str(problem) or "not enough memory"
    else:
        return value
    raise DataError(f"{name} must be {what}, got {text[:40]!r}: {reason}") from None


def load(path):
    """Read the JSON file ``path``, as `loads`.

    Raises
    ------
    DataError
        As `loads`, and if the file is not UTF-8 text or no regular file.
    OSError
        If it does not exist or cannot be read.
    """
    return loads(texts.read_text(path, what="JSON"), str(path))


def dumps(value):
    r"""Format ``value`` as indented JSON that shows printable characters unescaped.

    Other characters are escaped as usual in JSON. A surrogate, by which Python represents a byte that is not UTF-8,
    would not be read back, so it becomes the text ``\udcff`` of six characters. The result is UTF-8 without control
    characters.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    lines = text.split("\n")
    return "\n".join(line if line.isprintable() else "".join(map(_escaped, line)) for line in lines)


def _escaped(char):
    """Return a character, escaped if it is not printable."""
    if char.isprintable():
        return char
    return f"\\\\u{ord(char):04x}" if _SURROGATES.match(char) else json.dumps(char)[1:-1]


def _parse_integer(digits):
    if len(digits) > DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _parse_real(digits):
    value = float(digits) if len(digits) <= 10 * DIGITS else math.inf
    if not math.isfinite(value):
        raise ValueError(f"{digits:.20} is beyond the numbers")
    return value


def _refuse_constant(word):
    raise ValueError(f"{word} is no number of JSON")


def _object_of(pairs):
    """Make a dict of (key, value) ``pairs``; refuse a key that occurs twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:40]!r} occurs twice")
    return found


def _check(value):
    """Refuse a depth beyond `DEEPEST` and lone surrogates."""
    level, depth = [value], 0
    while level:
        below: list = []
        for item in level:
            if depth >= DEEPEST and isinstance(item, dict | list):
                raise ValueError(f"lists within lists, more than {DEEPEST} deep")
            if isinstance(item, dict):
                below += [*item, *item.values()]
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str) and _SURROGATES.search(item):
                raise ValueError("half a character, a lone surrogate")
        level, depth = below, depth + 1


_DECODER = json.JSONDecoder(
    parse_int=_parse_integer, parse_float=_parse_real, parse_constant=_refuse_constant, object_pairs_hook=_object_of
)
