"""The one exception for a caller's mistake."""


class DataError(ValueError):
    """The data or options given are wrong: the message names what, what was expected, what was received, the remedy.

    The commands print it as one line and exit with status 2. Trouble with the disk stays an `OSError`.
    """
