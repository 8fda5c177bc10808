"""Files that name the classes of a data set, in the order of a network's outputs.

Source: docs/method/protocols.md, section 2.12.
"""

import re

from classify.text_files import listed
from idt.errors import DataError
from idt.files import csv_text, json_text, text

_NUMBERED = re.compile(r"(\d{1,9})[\s:]+(\S.*)", re.ASCII)
_HEADERS = (["id", "name"], ["label", "name"], ["index", "name"])


def read_class_file(path):
    """Read the names of classes.

    Parameters
    ----------
    path : str or Path
        One class a line; or its number and the class, as in ``classInd.txt`` of UCF101, in any order, from 0 or from
        1; or CSV with the header ``id,name``; or a JSON object from class to number, or a JSON list of classes.

    Returns
    -------
    list of str
        Classes by number.

    Raises
    ------
    DataError
        If a line is malformed, a class occurs twice, or numbers are missing.
    OSError
        If the file cannot be read.
    """
    if str(path).lower().endswith(".json"):
        pairs = _from_json(path)
    else:
        pairs = _from_lines(path)
    if not pairs:
        raise DataError(f"{path} names no classes; expected one class a line")
    if all(number is not None for _, number, _ in pairs):
        pairs.sort(key=lambda pair: pair[1])
        first = 0 if pairs[0][1] == 0 else 1
        for expected, (place, number, name) in enumerate(pairs, start=first):
            if number != expected:
                raise DataError(
                    f"{path}, {place}: expected the number {expected}, got {number} for {name}; numbers must be"
                    f" {first}, {first + 1}, … without a gap"
                )
    known: dict[str, str] = {}
    for place, _, name in pairs:
        if name in known:
            raise DataError(f"{path}, {place}: {name} stands in {known[name]} too; every class must occur once")
        known[name] = place
    return list(known)


def _from_json(path):
    """Read (place, number or None, class) from a JSON object or list."""
    value = json_text.load(path)
    if isinstance(value, list):
        value = {name: None for name in value if isinstance(name, str)} if _are_distinct_texts(value) else None
    if not isinstance(value, dict):
        raise DataError(f"{path} must hold an object from class to number or a list of classes")
    pairs = []
    for name, number in value.items():
        if isinstance(number, str) and re.fullmatch(r"\d{1,9}", number, re.ASCII):
            number = int(number)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int)):
            raise DataError(f"{path}, entry {name!r}: expected the number of the class, got {number!r:.40}")
        pairs.append((f"entry {name!r}", number, name))
    return pairs


def _are_distinct_texts(values):
    """Tell whether all values are text and differ from each other."""
    return all(isinstance(value, str) for value in values) and len(set(values)) == len(values)


def _from_lines(path):
    """Read (place, number or None, class) from the lines of a text; either all have a number or none."""
    lines = text.numbered_lines(path, what="one class a line")
    if lines and [word.strip().lower() for word in lines[0][1].split(",")] in _HEADERS:
        found = []
        for number, fields in csv_text.read_rows(path, "id,name")[1:]:
            if len(fields) != 2 or not re.fullmatch(r"\d{1,9}", fields[0], re.ASCII) or not fields[1]:
                raise DataError(f"{path}, line {number}: expected id,name, got {','.join(fields)!r:.80}")
            found.append((f"line {number}", int(fields[0]), fields[1]))
        return found
    matches = [_NUMBERED.fullmatch(line) for _, line in lines]
    numbers = [int(match[1]) for match in matches if match]
    # A class may be called "2 hands", so leading numbers count only if they are 0, 1, … or 1, 2, … without a gap.
    if len(numbers) == len(lines) and sorted(numbers) in (
        list(range(len(lines))),
        list(range(1, len(lines) + 1)),
    ):
        return [(f"line {n}", int(match[1]), match[2]) for (n, _), match in zip(lines, matches, strict=True) if match]
    if numbers and lines and matches[0] and len(numbers) > 1:
        wrong = next((n for (n, line), match in zip(lines, matches, strict=True) if not match), None)
        if wrong is not None:
            raise DataError(f"{path}, line {wrong}: expected the number of a class and its name, as on the first line")
        raise DataError(f"{path} must number its classes from 0 or from 1 without a gap, got {listed(sorted(numbers))}")
    return [(f"line {n}", None, line) for n, line in lines]
