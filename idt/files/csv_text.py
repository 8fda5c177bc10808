"""Read and write CSV files: every name is read back unchanged, and no spreadsheet takes one for a formula.

A quoted field is read unchanged, line breaks and blanks included; blanks around an unquoted field are dropped. A
spreadsheet computes a field that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break, quoted or not. Such
text is written with an apostrophe before it, which `read_rows` removes. Text that begins with apostrophes and then one
of these characters gets one more apostrophe. Numbers are written unchanged.

Source: docs/method/files.md, section 8; OWASP, "CSV Injection".
"""

import re

from idt.errors import DataError
from idt.files import text as texts

LONGEST = 1 << 16
"""Largest number of characters of a field. A path has at most 4,096."""

_FORMULA_SIGNS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
"""Characters, the full-width ones of East Asia included, by which a spreadsheet recognises a field as a formula."""

# `_FORMULA` matches text that gets an apostrophe when it is written, `_GUARDED` text that loses one when it is read.
_FORMULA = re.compile(f"'*[{_FORMULA_SIGNS}]")
_GUARDED = re.compile(f"'+[{_FORMULA_SIGNS}]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_QUOTED = re.compile(r'[ \t]*"([^"]*(?:""[^"]*)*)"[ \t]*(,|\r\n|\r|\n|\Z)')
_BARE = re.compile(r"([^,\r\n]*)(,|\r\n|\r|\n|\Z)")
_BLANK = re.compile(r"[ \t\r\n]*[\r\n]")
_NEEDS_QUOTES = re.compile(r'[,"\x00-\x1f\x7f-\x9f]|\A\s|\s\Z')


def read_rows(path, what):
    """Read a CSV file.

    Parameters
    ----------
    path : str or Path
    what : str
        Form of a line for the message, such as ``name,label``.

    Returns
    -------
    list of (int, list of str)
        The line, from 1, on which each row begins, and its fields. Blank lines are left out.

    Raises
    ------
    DataError
        If the file is no UTF-8 text within the limits of `idt.files.text`, a field is too long, or a quote is not
        closed.
    OSError
        If it does not exist or cannot be read.
    """
    text = texts.read_text(path, what=f"lines of {what}")
    found: list[tuple[int, list[str]]] = []
    fields: list[str] = []
    at, line, begins, quoted = 0, 1, 1, False
    while at < len(text) or fields:
        if not fields and (blank := _BLANK.match(text, at)):
            line += len(texts.LINE_BREAK.findall(blank[0]))
            at, begins = blank.end(), line
            continue
        # Search only as far as the longest field, so that a quote that is never closed does not swallow the rest of the
        # file.
        reach = at + 3 * LONGEST
        match = _QUOTED.match(text, at, reach)
        # A match that ends at ``reach`` without a separator is cut off there, not at the end of the text.
        if match and not (match.end() == reach < len(text) and not match[2]):
            field, quoted = match[1].replace('""', '"'), True
            line += len(texts.LINE_BREAK.findall(match[1]))
        else:
            match = _BARE.match(text, at)
            field = match[1].strip()  # type: ignore[index]  # the pattern matches anything
            if field.startswith('"'):
                raise DataError(
                    f"{path}, line {line}: a quoted field must end in a quote before the comma, got {field[:40]!r}"
                )
        if len(field) > LONGEST:
            raise DataError(f"{path}, line {line}: a field may hold {LONGEST:,} characters, got {len(field):,}")
        fields.append(field[1:] if _GUARDED.match(field) else field)
        at, end = match.end(), match[2]  # type: ignore[union-attr,index]
        if end == ",":
            continue
        if quoted or fields != [""]:
            found.append((begins, fields))
        line += 1
        fields, begins, quoted = [], line, False
    return found


def dumps(lines):
    """Format rows as CSV.

    Parameters
    ----------
    lines : iterable of sequence
        The fields of each row: text or numbers.

    Returns
    -------
    str
        Lines end in LF.
    """
    return "".join(",".join(map(_field, fields)) + "\n" for fields in lines)


def _field(value):
    """Format a field, with an apostrophe before a formula and in quotes if it needs them."""
    text = str(value)
    if isinstance(value, str) and _FORMULA.match(text) and not _NUMBER.fullmatch(text):
        text = f"'{text}"
    return '"' + text.replace('"', '""') + '"' if _NEEDS_QUOTES.search(text) else text
