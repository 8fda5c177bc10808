"""Videos to encode without storing their tracks, extracted as the codebook's own features were."""

from encoding.descriptors.sources import VideoSource
from idt.errors import DataError
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions


def find(given, codebook, *, path, boxes=None, run=RunOptions(), on_note=None):
    """Return the videos that the words of a command line stand for, named as `idt-extract` names them.

    Parameters
    ----------
    given : list of str
        Files, patterns, folders of videos or of images.
    codebook : Codebook
    path : str
        What messages call the codebook.
    boxes
        As `VideoSource`.
    run : RunOptions
        Threads and the most pixels of a frame.
    on_note : callable, optional
        As `idt.batch.jobs.plan`.

    Returns
    -------
    list of VideoSource

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
    jobs = plan(given, "features/", on_note=on_note)
    return [VideoSource(job, params, boxes, run.threads, run.max_pixels) for job in jobs]
