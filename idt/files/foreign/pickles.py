"""Interpret pickles of strangers without `pickle`: no module that a pickle names is imported, none of its names called.

A pickle is a program for a stack machine. Python's own machine imports and calls every name in a pickle, and allocates
any amount of memory that it asks for. This machine has the instructions that build plain values, and a closed table of
names; a function of ours, which checks its arguments, stands for each name. Other names are refused, and so are values
that need more memory than the size of the file explains.

Values are None, truth values, numbers, text, bytes, lists, tuples, dicts whose keys are text, and arrays of numbers,
text or such values. Text of Python 2 is taken as Latin-1, which keeps every byte.

Source: the comments of Python's ``pickletools``, which define the instructions; PEP 307, 3154 and 574.
"""

import codecs
import re
import struct

from idt.errors import DataError, short_repr
from idt.files.foreign.pickle_types import Global, Source, Unbuilt

BITS = 128
"""Largest number of bits of an integer; the magic number of a torch file has 80."""

_ESCAPED = re.compile(rb"(?:[^\\]|\\(?:[\\'\"abfnrtv]|x[0-9a-fA-F]{2}|[0-3]?[0-7]{1,2}))*", re.DOTALL)


class Machine(Source):
    """The stack machine of a pickle.

    Parameters
    ----------
    data : bytes
    name : str
        Name of the file for messages.
    calls : dict of (str, str) to callable or None
        The closed table: module and name → the function that is called in its place, or None if it is never called.
    budget : Budget
    at : int
        Where the pickle begins.
    persistent : callable, optional
        Returns the object of a persistent identity, whose content lies elsewhere in the file; without it such
        identities are refused.
    dry : bool
        Call no function of the table, and take None for every result. Such a run finds the end of the pickle, and
        passes its persistent identities to ``persistent``.

    Attributes
    ----------
    at : int
        After `run`, where the pickle ends.
    """

    def __init__(self, data, name, calls, budget, *, at=0, persistent=None, dry=False):
        super().__init__(data, name, at)
        self._calls, self.budget, self._persistent, self._dry = calls, budget, persistent, dry
        self._stack: list = []
        self._outer_stacks: list[list] = []
        self._memo: dict = {}

    def run(self):
        """Interpret the pickle.

        Returns
        -------
        object
            Its value.

        Raises
        ------
        DataError
            If it uses a name that is not in the table, needs more memory than the budget, or is damaged.
        """
        try:
            while (code := self.take(1)) != b".":
                action = _ACTIONS.get(code)
                if action is None:
                    raise self.damaged(f"the instruction {code!r} builds no plain value")
                action(self)
            return self._stack.pop()
        except (LookupError, TypeError, ValueError, OverflowError, struct.error) as problem:
            if isinstance(problem, DataError):
                raise
            raise self.damaged(str(problem)) from None

    # The stack and the memo.

    def push(self, value):
        """Put a ``value`` on the stack."""
        self._stack.append(value)

    def pop(self):
        """Take the topmost value off the stack; a mark counts as one."""
        if self._stack:
            return self._stack.pop()
        self.pop_items()
        return None

    def push_copy(self):
        """Push the topmost value again."""
        self.push(self._stack[-1])

    def mark(self):
        """Begin a new stack above this one."""
        self._outer_stacks.append(self._stack)
        self._stack = []

    def pop_items(self):
        """Pop everything pushed since the last mark."""
        items, self._stack = self._stack, self._outer_stacks.pop()
        return items

    def pop_last(self, count):
        """Pop the last ``count`` values, as a tuple."""
        if len(self._stack) < count:
            raise IndexError("the stack is empty")
        found = tuple(self._stack[-count:])
        del self._stack[-count:]
        return found

    def put(self, key):
        """Store the topmost value in the memo under ``key``."""
        value = self._memo[key] = self._stack[-1]
        if isinstance(value, Unbuilt):
            value.keys.append(key)

    def memoize(self):
        """Store the topmost value in the next place of the memo."""
        self.put(len(self._memo))

    def push_memo(self, key):
        """Push a value from the memo."""
        self.push(self._memo[key])

    # Values.

    def push_integer(self, data):
        """Push the signed integer in ``data``."""
        value = int.from_bytes(data, "little", signed=True)
        if value.bit_length() > BITS:
            raise ValueError("an integer of too many digits")
        self.push(value)

    def push_decimal(self):
        """Push the integer or truth value that a line spells."""
        line = self.line().rstrip(b"L")
        if len(line) > 40:
            raise ValueError("an integer of too many digits")
        self.push({b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line))

    def push_quoted(self):
        """Push the quoted text in a line of protocol 0."""
        line = self.text_line()
        if len(line) < 2 or line[:1] not in b"'\"" or line[:1] != line[-1:] or not _ESCAPED.fullmatch(line[1:-1]):
            raise ValueError("a text without quotes, or with an escape that is none")
        self.push(codecs.escape_decode(line[1:-1])[0].decode("latin1"))

    def append(self, items):
        """Append to the list on top."""
        target = self._stack[-1]
        if not isinstance(target, list):
            raise TypeError("something is appended to what is no list")
        target.extend(items)

    def set_items(self, items):
        """Set alternating keys and values in the dict on top."""
        target = self._stack[-1]
        if self._dry and target is None:
            return  # what a call would have made, such as an OrderedDict
        if not isinstance(target, dict):
            raise TypeError("something is set in what is no dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Other keys could be chosen to collide, which takes quadratic time.
            if not isinstance(key, str):
                raise DataError(f"{self.name} has a dict with the key {short_repr(key)}, expected keys that are text")
            target[key] = value

    def push_dict(self, items):
        """Push a dict of alternating keys and values."""
        self.push({})
        self.set_items(items)

    # Names and calls, all of them of the closed table.

    def push_name(self, module, name):
        """Push a name of the closed table, or refuse the file if the table does not have it."""
        if not (isinstance(module, str) and isinstance(name, str)):
            raise TypeError("a name is no text")
        if (module, name) not in self._calls:
            raise DataError(
                f"{self.name} asks for {short_repr(module)[1:-1]}.{short_repr(name)[1:-1]}, which no score file needs;"
                " it is refused, and nothing in it was run"
            )
        self.push(Global(f"{module}.{name}", self._calls[module, name]))

    def call(self):
        """Push the result of a call."""
        called, arguments = self.pop_last(2)
        if self._dry:
            self.push(None)
            return
        if not isinstance(called, Global) or called.call is None or not isinstance(arguments, tuple):
            raise TypeError("something is called that is no function")
        self.push(called.call(self, *arguments))

    def build(self):
        """Give the topmost value its state."""
        state, unbuilt = self._stack.pop(), self._stack[-1]
        # An OrderedDict may have attributes, which are no part of its content.
        if self._dry or isinstance(unbuilt, dict):
            return
        if not isinstance(unbuilt, Unbuilt) or not isinstance(state, tuple):
            raise TypeError("a state is given to what takes none")
        built = self._stack[-1] = unbuilt.build(self, state)
        for key in unbuilt.keys:
            self._memo[key] = built

    def replace_identity(self):
        """Replace the persistent identity on top of the stack by its object."""
        identity = self._stack.pop()
        if self._persistent is None or not isinstance(identity, tuple):
            raise DataError(f"{self.name} refers to content that is kept elsewhere, so it is no whole file of scores")
        self.push(self._persistent(identity))


_ACTIONS = {
    # protocol, frame
    b"\x80": lambda m: m.take(1),
    b"\x95": lambda m: m.take(8),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    # numbers
    b"K": lambda m: m.push(m.number(1)),
    b"M": lambda m: m.push(m.number(2)),
    b"J": lambda m: m.push_integer(m.take(4)),
    b"\x8a": lambda m: m.push_integer(m.counted_bytes(1)),
    b"\x8b": lambda m: m.push_integer(m.counted_bytes(4)),
    b"I": Machine.push_decimal,
    b"L": Machine.push_decimal,
    b"G": lambda m: m.push(struct.unpack(">d", m.take(8))[0]),
    b"F": lambda m: m.push(float(m.line())),
    # text, text of Python 2, bytes
    b"\x8c": lambda m: m.push(m.counted_bytes(1).decode()),
    b"X": lambda m: m.push(m.counted_bytes(4).decode()),
    b"\x8d": lambda m: m.push(m.counted_bytes(8).decode()),
    b"V": lambda m: m.push(m.text_line().decode("raw-unicode-escape")),
    b"U": lambda m: m.push(m.counted_bytes(1).decode("latin1")),
    b"T": lambda m: m.push(m.counted_bytes(4).decode("latin1")),
    b"S": Machine.push_quoted,
    b"C": lambda m: m.push(m.counted_bytes(1)),
    b"B": lambda m: m.push(m.counted_bytes(4)),
    b"\x8e": lambda m: m.push(m.counted_bytes(8)),
    b"\x96": lambda m: m.push(m.counted_bytes(8)),
    # lists, tuples, dicts
    b"]": lambda m: m.push([]),
    b"a": lambda m: m.append(m.pop_last(1)),
    b"e": lambda m: m.append(m.pop_items()),
    b"l": lambda m: m.push(m.pop_items()),
    b")": lambda m: m.push(()),
    b"\x85": lambda m: m.push(m.pop_last(1)),
    b"\x86": lambda m: m.push(m.pop_last(2)),
    b"\x87": lambda m: m.push(m.pop_last(3)),
    b"t": lambda m: m.push(tuple(m.pop_items())),
    b"}": lambda m: m.push({}),
    b"d": lambda m: m.push_dict(m.pop_items()),
    b"s": lambda m: m.set_items(m.pop_last(2)),
    b"u": lambda m: m.set_items(m.pop_items()),
    # stack and memo
    b"(": Machine.mark,
    b"0": Machine.pop,
    b"1": Machine.pop_items,
    b"2": Machine.push_copy,
    b"p": lambda m: m.put(int(m.line())),
    b"q": lambda m: m.put(m.number(1)),
    b"r": lambda m: m.put(m.number(4)),
    b"\x94": Machine.memoize,
    b"g": lambda m: m.push_memo(int(m.line())),
    b"h": lambda m: m.push_memo(m.number(1)),
    b"j": lambda m: m.push_memo(m.number(4)),
    # names, calls, states, identities
    b"c": lambda m: m.push_name(m.line().decode(), m.line().decode()),
    b"\x93": lambda m: m.push_name(*m.pop_last(2)),
    b"R": Machine.call,
    b"b": Machine.build,
    b"Q": Machine.replace_identity,
}
"""Instruction → action on the machine. Pickle's other instructions, which make instances of classes or sets, are
refused."""
