"""Segments written in the form that the suffix of the output says."""

from collections.abc import Callable
from pathlib import Path

from classify.untrimmed.formats.activitynet import write_detections
from classify.untrimmed.formats.subtitles import SUFFIXES as SUBTITLES
from classify.untrimmed.formats.subtitles import write_subtitles
from classify.untrimmed.formats.table import write_table
from idt.errors import DataError

WRITERS: dict[str, Callable] = {
    ".csv": write_table,
    ".json": write_detections,
    **dict.fromkeys(SUBTITLES, write_subtitles),
}
"""Suffix of the output → function that writes it."""


def check_suffix(path):
    """Refuse the name ``path`` of an output whose suffix stands for no form of segments.

    Raises
    ------
    DataError
        If it does not end in one of `WRITERS`.
    """
    if Path(path).suffix.lower() not in WRITERS:
        raise DataError(f"{path} must end in one of {', '.join(WRITERS)}, which is the form of the segments")


def write_segments(path, found, *, overwrite=False):
    """Write the segments of videos in the form that the suffix says.

    Parameters
    ----------
    path : str or Path
        Its suffix is one of `WRITERS`.
    found : Segments
    overwrite : bool or collection of path
        As for `classify.text_files.write_text`.

    Raises
    ------
    DataError
        If the suffix is another, subtitles are asked for several videos, or ``path`` exists and may not be replaced.
    OSError
        If it cannot be written.
    """
    check_suffix(path)
    WRITERS[Path(path).suffix.lower()](path, found, overwrite=overwrite)
