"""Videos to encode without storing their tracks: extracted as the codebook's own features were.

The numbers are those of `idt-extract` and encoding then, to the last bit: histograms are rounded as a feature file
rounds them, and rows come in the blocks in which those of a file are read.
"""

from typing import Any, NamedTuple

from idt.errors import DataError
from idt.features.features import Features
from idt.params import ExtractionParams


class Video(NamedTuple):
    """A video and how it is extracted.

    Attributes
    ----------
    job : idt.batch.jobs.Job
    params : ExtractionParams
    boxes : str or None
        As for `idt.batch.extract_one.extract_job`.
    threads : int
    """

    job: Any
    params: ExtractionParams
    boxes: str | None = None
    threads: int = 1

    def origin(self):
        """What its features are made from, with the ``"digest"``: dict."""
        from idt.batch.extract_one import source_of_job

        return source_of_job(self.job, self.params, boxes=self.boxes)

    def blocks(self, size, columns):
        """Extract.

        Parameters
        ----------
        size : int
            Rows of a block.
        columns : tuple of str
            The columns that are needed.

        Yields
        ------
        Features
            At least one, which may be empty; all but the last have ``size`` rows.

        Raises
        ------
        DataError
            If the video cannot be read.
        """
        from idt.batch.extract_one import stream_job

        chunks = stream_job(self.job, self.params, columns=columns, boxes=self.boxes, threads=self.threads)
        return regrouped(chunks, size)


def find(given, codebook, *, path, boxes=None, threads=1):
    """Videos that the words of a command line stand for, named as `idt-extract` names them.

    Parameters
    ----------
    given : list of str
        Files, patterns, folders of videos or of images.
    codebook : Codebook
    path : str
        What messages call the codebook.
    boxes, threads
        As `Video`.

    Returns
    -------
    list of Video

    Raises
    ------
    DataError
        If a folder holds nothing, two videos have one name, or the codebook does not say how to extract.
    """
    from idt.batch.jobs import plan

    if codebook.features is None:
        raise DataError(
            f"{path} was fitted on features without recorded parameters, so videos cannot be extracted alike;"
            " encode features"
        )
    params = ExtractionParams.from_options(**codebook.features)
    # The folder only makes the names relative to the videos' common root.
    return [Video(job, params, boxes, threads) for job in plan(given, "features/")]


def regrouped(chunks, size):
    """Features in blocks of ``size`` rows, from chunks of any length.

    Parameters
    ----------
    chunks : iterable of Features
        At least one.
    size : int

    Yields
    ------
    Features
        At least one, which may be empty; all but the last have ``size`` rows.
    """
    parts, count, none = [], 0, True
    for chunk in chunks:
        parts.append(chunk)
        count += len(chunk)
        if count < size:
            continue
        whole = Features.concatenate(parts)
        end = count - count % size
        for first in range(0, end, size):
            yield whole[first : first + size]
        parts, count, none = [whole[end:]], count - end, False
    if count or none:
        yield Features.concatenate(parts)
