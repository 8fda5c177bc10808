"""Types of the pickle interpreter: source of bytes, memory budget, names, and values whose state follows later."""

from idt.errors import DataError

LONGEST = 1 << 10
"""Largest number of bytes of a line of a pickle of protocol 0, unless it is text."""

EXPANSION, SLACK = 8, 1 << 24
"""Values may take at most EXPANSION times the size of the file plus SLACK bytes."""


class Budget:
    """Number of bytes that the values of one file may take.

    Parameters
    ----------
    size : int
        Bytes of the file.
    name : str
        Name for messages.
    """

    def __init__(self, size, name):
        self._left, self._size, self._name = EXPANSION * size + SLACK, size, name

    def take(self, size):
        """Take ``size`` bytes from the budget, or refuse the file."""
        self._left -= size
        if self._left < 0:
            raise DataError(f"{self._name} asks for far more memory than its {self._size:,} bytes account for")


class Global:
    """A name of the closed table (`idt.files.foreign.pickles`), to which a pickle refers.

    Parameters
    ----------
    name : str
    call : callable or None
        Called as ``call(machine, *arguments)`` in place of the named object; None if that object is never called.
    """

    def __init__(self, name, call):
        self.name, self.call = name, call


class Unbuilt:
    """A value whose state follows later in the pickle.

    Parameters
    ----------
    build : callable
        ``build(machine, state)`` returns the value.

    Attributes
    ----------
    keys : list of int
        Keys of the memo under which the value was stored.
    """

    def __init__(self, build):
        self.build, self.keys = build, []


class Source:
    """Bytes of a file with a read position.

    Parameters
    ----------
    data : bytes
    name : str
        Name of the file for messages.
    at : int
        Where to begin.

    Attributes
    ----------
    at : int
        Position of the next byte.
    """

    def __init__(self, data, name, at=0):
        self.data, self.name, self.at = data, name, at

    def damaged(self, reason):
        """Return the error for a damaged pickle, with the ``reason``."""
        return DataError(
            f"{self.name} is no pickle that can be read (byte {self.at:,}: {reason}); fetch or make it anew"
        )

    def take(self, size):
        """Return the next ``size`` bytes."""
        found = self.data[self.at : self.at + size]
        if len(found) < size:
            raise self.damaged("it ends too early")
        self.at += size
        return found

    def number(self, width):
        """Return the next unsigned integer of ``width`` bytes."""
        return int.from_bytes(self.take(width), "little")

    def counted_bytes(self, width):
        """Return the next bytes, whose count precedes them in ``width`` bytes."""
        return self.take(self.number(width))

    def line(self, most=LONGEST):
        """Return the bytes up to the end of the line."""
        end = self.data.find(b"\n", self.at, self.at + most)
        if end < 0:
            raise self.damaged("a line does not end")
        line, self.at = self.data[self.at : end], end + 1
        return line

    def text_line(self):
        """Return the bytes of a line of text, of any length."""
        return self.line(len(self.data))
