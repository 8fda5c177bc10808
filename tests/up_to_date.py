"""What the up-to-date check says of a file, as one word or sentence."""

import os

from idt.errors import DataError
from idt.files import provenance


def state_of(path, **wanted):
    """``"current"``, ``"absent"``, or the message with which `provenance.is_current` refuses the file.

    A file that is refused may be replaced where the run names it, and one that is current stays all the same.
    """
    try:
        current = provenance.is_current(path, **wanted)
    except DataError as problem:
        if not os.path.isdir(path):
            assert not provenance.is_current(path, **wanted, overwrite=[path])
        return str(problem)
    assert current == provenance.is_current(path, **wanted, overwrite=[path])
    return "current" if current else "absent"
