"""Segments of one video as subtitles, so that any player shows the labels over the video.

Source: docs/method/untrimmed.md, section 7; W3C, WebVTT.
"""

from pathlib import Path

from classify.text_files import write_text
from idt.errors import DataError, printable

SUFFIXES = (".srt", ".vtt")


def write_subtitles(path, segments, *, overwrite=False):
    """Write the segments of a video as subtitles.

    Parameters
    ----------
    path : str or Path
        Its suffix, ``.srt`` or ``.vtt``, is the form.
    segments : Segments
        Of one video; written by rising start.
    overwrite : bool or collection of path
        As for `classify.text_files.write_text`.

    Raises
    ------
    DataError
        If the suffix is another, the segments are of several videos, or ``path`` exists and may not be replaced.
    OSError
        If it cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(f"{path} must end in {' or '.join(SUFFIXES)} to be subtitles")
    videos = sorted(set(segments.videos.tolist()))
    if len(videos) > 1:
        raise DataError(f"subtitles are of one video, got segments of {len(videos)}; write a file for each")
    point = "," if suffix == ".srt" else "."
    rows = sorted(zip(segments.spans.tolist(), segments.labels.tolist(), strict=True))
    blocks = [
        f"{number}\n{_clock(start, point)} --> {_clock(end, point)}\n{_escaped(label)}\n\n"
        for number, ((start, end), label) in enumerate(rows, 1)
    ]
    head = "" if suffix == ".srt" else "WEBVTT\n\n"
    write_text(path, head + "".join(blocks), overwrite=overwrite, unmarked=True)


def _clock(seconds, point):
    """Write seconds as hours, minutes, seconds and thousandths."""
    thousandths = round(1000 * max(seconds, 0.0))
    hours, rest = divmod(thousandths, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"


def _escaped(label):
    """Keep a label on one line and out of the markup of both forms."""
    return printable(label).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
