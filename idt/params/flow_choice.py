"""Values of the parameter ``flow`` of an extraction: the name of a method, a function of the caller, or flow files.

All are texts, so that files can record and compare them. Functions and flow files are objects of subclasses of ``str``:
the text names the function or holds the digest of the files, and the object holds the function or opens the files.
"""

from idt.errors import DataError

METHODS = ("farneback", "dis", "tvl1", "lk")
"""Methods that compute the flow between any two images."""

MPEG = "mpeg"
"""Method that takes the motion vectors of a video codec, between consecutive frames only."""

FUNCTION, FILES = "python:", "files:"
"""The recorded name of a function and the recorded digest of flow files begin with these prefixes."""


class Flows(tuple[str, ...]):
    """Names of the methods, as the choices of an option; recorded functions and flow files are contained, too."""

    def __contains__(self, value):
        return super().__contains__(value) or (isinstance(value, str) and value.startswith((FUNCTION, FILES)))


class RecordedFlow(str):
    """Recorded name of a flow that is no named method; two of them are equal if their names are."""

    def __deepcopy__(self, memo):
        # The function of a flow may hold a network, which is not copied with the parameters.
        return self


class FunctionFlow(RecordedFlow):
    """A function of two gray images, ``(previous, current) -> (H, W, 2)``, as a flow.

    Attributes
    ----------
    function : callable
    """

    function = None


class ConsecutiveFlow(RecordedFlow):
    """A flow that is known between consecutive frames only, such as one read from files."""

    def begin(self):
        """Begin a video; return a callable of two consecutive frames (`idt.frames.video.Frame`) that gives a field."""
        raise NotImplementedError


def flow_parameter(flow):
    """Return the value of the parameter ``flow`` for an argument of a caller: a callable becomes its recorded name.

    Parameters
    ----------
    flow : str or callable

    Returns
    -------
    str
        ``python:MODULE.NAME`` for a function, with the function; anything else as it is.
    """
    if isinstance(flow, str) or not callable(flow):
        return flow
    named = flow if hasattr(flow, "__qualname__") else type(flow)
    given = FunctionFlow(f"{FUNCTION}{named.__module__}.{named.__qualname__}")
    given.function = flow
    return given


def field_reader_of(flow):
    """Open ``flow`` and return the function that reads its field between two consecutive frames.

    Return None if ``flow`` can be computed between any two images.

    Raises
    ------
    DataError
        If ``flow`` is the record of a feature file, which has the name of a function or a digest of flow files only.
    """
    if isinstance(flow, ConsecutiveFlow):
        return flow.begin()
    if isinstance(flow, FunctionFlow) or flow in METHODS:
        return None
    if flow.startswith(FILES):
        raise DataError(f"flow={flow[:20]}… are flow files that a run recorded; name their folder with --flow-files")
    raise DataError(f"flow={flow} is a name that a file recorded; pass the function itself to idt.extract")


def has_second_flow(flow):
    """Tell whether ``flow`` is known between any two images, so that the second of them may be a warped frame."""
    return flow in METHODS or flow.startswith(FUNCTION)
