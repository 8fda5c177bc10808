"""Open and read text and bytes that strangers wrote, within limits.

Every reader of lists, labels, boxes, recipes and reports goes through `open_regular`. It opens regular files only,
because a pipe may never answer and a device may never end. Text is UTF-8 with or without a byte order mark, its lines
end in LF, CR LF or CR, and it holds no NUL. `idt.files.csv_text`, `json_text`, `unpack` and `foreign` read the other
forms. Tables of numbers may be UTF-16, too (`as_utf8`): spreadsheets of Windows save "Unicode text" so.
"""

import codecs
import io
import os
import re
import stat

from idt.errors import DataError, printable

LARGEST = 1 << 28
"""Largest number of bytes of a text that is read as a whole. A list of a million names of 250 bytes just fits."""

LONGEST = 1 << 20
"""Largest number of characters of a line. A path has at most 4,096 bytes, a line of human boxes some thousand
numbers."""

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""Byte order marks of UTF-16. A file of little-endian UTF-32 begins with the first one, too. Read as UTF-16, it holds
NUL, which every reader refuses."""

LINE_BREAK = re.compile(r"\r\n|\r|\n")
"""A line break."""


def open_regular(path):
    """Open a regular file for reading, unbuffered.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    io.FileIO
        To be closed by the caller.

    Raises
    ------
    DataError
        If ``path`` is a folder, a pipe or a device, or is no name that a file can have.
    OSError
        If the file does not exist or cannot be read.
    """
    try:
        # Opening a pipe without a writer would block.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError:
        raise DataError(f"{os.fspath(path)!r} is not a valid file name: it contains NUL or is not text") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise DataError(f"{path} is a folder, expected a file")
        if not stat.S_ISREG(mode):
            raise DataError(f"{path} is not a regular file, such as a pipe or a device; copy its content into a file")
        return os.fdopen(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def read_bytes(path, *, most=LARGEST):
    """Read a whole file.

    Parameters
    ----------
    path : str or Path
    most : int
        Bytes that it may hold.

    Returns
    -------
    bytes

    Raises
    ------
    DataError
        If it is no regular file or holds more.
    OSError
        If it does not exist or cannot be read.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size <= most:
            # Read to the end, even if the system returns less at once. Of a file that grows meanwhile, at most one byte
            # beyond its size at opening is read.
            parts = []
            while size >= 0 and (part := file.read(size + 1)):
                parts.append(part)
                size -= len(part)
            return b"".join(parts)
    raise DataError(f"{path} holds {size:,} bytes, expected at most {most:,}; is it the right file?")


def read_text(path, *, what="UTF-8 text", most=LARGEST):
    """Read a whole text.

    Parameters
    ----------
    path : str or Path
    what : str
        Description of the expected file for the message.
    most : int
        Bytes that it may hold.

    Returns
    -------
    str
        Without byte order mark; line breaks are as in the file.

    Raises
    ------
    DataError
        If it is no regular file, too large, not UTF-8, or holds NUL or a line of more than `LONGEST` characters.
    OSError
        If it does not exist or cannot be read.
    """
    data = read_bytes(path, most=most)
    if data.startswith(UTF_16):
        raise DataError(f"{path} is not UTF-8 text but UTF-16, expected {what}; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise DataError(f"{path} is not UTF-8 text, expected {what}; line {line} has other bytes") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}, line {line}: a name cannot hold the character NUL; expected {what}")
    at = 0
    while len(text) - at > LONGEST:
        # The last line break within reach: all lines before it are short enough.
        found = max(text.rfind(end, at, at + LONGEST + 1) for end in "\r\n") + 1
        if not found:
            line = len(LINE_BREAK.findall(text, 0, at)) + 1
            raise DataError(f"{path}, line {line}: a line may hold {LONGEST:,} characters; expected {what}")
        at = found
    return text


def numbered_lines(path, *, what="UTF-8 text"):
    """Read the lines of a text that are not blank.

    Parameters
    ----------
    path : str or Path
    what : str
        Description of the expected file for the message.

    Returns
    -------
    list of (int, str)
        Number of the line, from 1, and its text without the blanks around it.

    Raises
    ------
    DataError, OSError
        As `read_text`.
    """
    lines = LINE_BREAK.split(read_text(path, what=what))
    return [(number, line.strip()) for number, line in enumerate(lines, 1) if line.strip()]


def as_utf8(file, name):
    """Read text as UTF-8 without byte order mark; UTF-16 with a byte order mark is converted.

    Parameters
    ----------
    file : io.BufferedReader
        At its beginning. It is not closed.
    name : str or Path
        Name for messages.

    Returns
    -------
    io.BufferedReader
        Reading it raises DataError if the UTF-16 is damaged.
    """
    head = file.peek(len(codecs.BOM_UTF8))
    if head.startswith(codecs.BOM_UTF8):
        file.read(len(codecs.BOM_UTF8))
    return io.BufferedReader(_Recoded(file, name)) if head.startswith(UTF_16) else file


class _Recoded(io.RawIOBase):
    """Reader that converts a UTF-16 file to UTF-8."""

    def __init__(self, file, name):
        super().__init__()
        self._file, self._name = file, name
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._pending = b""

    def readable(self):
        return True

    def readinto(self, buffer):
        while not self._pending:
            block = self._file.read(io.DEFAULT_BUFFER_SIZE)
            try:
                self._pending = self._decoder.decode(block, final=not block).encode()
            except UnicodeDecodeError as problem:
                raise DataError(f"{self._name} is not whole UTF-16 text: {problem.reason}") from None
            if not block:
                break
        given = self._pending[: len(buffer)]
        self._pending = self._pending[len(given) :]
        buffer[: len(given)] = given
        return len(given)


def holds(path, data):
    """Tell whether the file ``path`` holds exactly the bytes ``data``; False if it cannot be read."""
    try:
        return read_bytes(path, most=len(data)) == data
    except (DataError, OSError):
        return False


def encoded(text):
    """Return ``text`` as UTF-8; characters that UTF-8 cannot encode are escaped as in `printable`."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return "".join(printable(char) if "\ud800" <= char <= "\udfff" else char for char in text).encode()
