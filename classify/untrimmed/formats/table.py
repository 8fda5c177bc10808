"""Segments as CSV: ``video,start,end,label,score`` in seconds, the form in which ``idt-segment`` writes them."""

from classify.text_files import write_text
from classify.untrimmed.segments import Segments
from idt.errors import DataError
from idt.files import csv_text

HEADER = ("video", "start", "end", "label", "score")


def read_table(path):
    """Read segments.

    Parameters
    ----------
    path : str or Path
        The first line may be the header; scores may be left out and are 1 then.

    Returns
    -------
    Segments

    Raises
    ------
    DataError
        If a line has other fields, a time or score is no number, or a segment does not end after it starts.
    OSError
        If it cannot be read.
    """
    rows: list[tuple] = []
    for line, fields in csv_text.read_rows(path, ",".join(HEADER)):
        if not rows and tuple(field.lower() for field in fields) in (HEADER, HEADER[:4]):
            continue
        try:
            video, start, end, label, *score = fields
            numbers = [float(number) for number in (start, end, *(score or ["1"]))]
            if len(numbers) != 3 or not video or not label:
                raise ValueError
        except ValueError:
            raise DataError(f"{path}, line {line}: expected {','.join(HEADER)}, got {','.join(fields)!r:.80}") from None
        rows.append((video, label, tuple(numbers[:2]), numbers[2]))
    if not rows:
        raise DataError(f"{path} holds no segments, expected lines of {','.join(HEADER)}")
    try:
        return Segments.of(*zip(*rows, strict=True))
    except DataError as problem:
        raise DataError(f"{path}: {problem}") from None


def write_table(path, segments, *, overwrite=False):
    """Write segments, times to a thousandth of a second.

    Parameters
    ----------
    path : str or Path
    segments : Segments
    overwrite : bool or collection of path
        As for `classify.text_files.write_text`.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced.
    OSError
        If it cannot be written.
    """
    write_text(path, csv_text.dumps([HEADER, *fields(segments)]), overwrite=overwrite, unmarked=True)


def fields(segments):
    """Write the fields of the lines of ``segments``, a list of tuple of str."""
    columns = segments.videos.tolist(), segments.labels.tolist(), segments.spans, segments.scores
    return [_fields(*each) for each in zip(*columns, strict=True)]


def row(video, label, span, score):
    """Write one segment as a line, without a line break.

    Parameters
    ----------
    video, label : str
    span : (float, float)
        Seconds.
    score : float

    Returns
    -------
    str
    """
    return csv_text.dumps([_fields(video, label, span, score)]).rstrip("\n")


def _fields(video, label, span, score):
    start, end = span
    return video, f"{start:.3f}", f"{end:.3f}", label, f"{score:.7g}"
