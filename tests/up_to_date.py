"""What the up-to-date check says of a file, as one word or sentence."""

from idt.errors import DataError
from idt.files import provenance


def state_of(path, **wanted):
    """``"current"``, ``"absent"``, or the message with which `provenance.is_current` refuses the file.

    A file that is refused may be replaced where the run overwrites, and one that is current stays all the same.
    """
    replacing = provenance.is_current(path, **wanted, overwrite=True)
    try:
        current = provenance.is_current(path, **wanted)
    except DataError as problem:
        assert not replacing
        return str(problem)
    assert current == replacing
    return "current" if current else "absent"
