"""Videos to encode without storing their tracks, extracted as the codebook's own features were."""

import os

from encoding.descriptors.feature_files import extraction_of
from encoding.descriptors.sources import VideoSource
from idt.errors import DataError
from idt.workers.run_options import RunOptions


def find(given, codebook, *, path, boxes=None, run=RunOptions(), on_note=None):
    """Return the videos that the words of a command line match, named as `idt-extract` names them.

    Parameters
    ----------
    given : list of str
        Files, patterns, folders of videos or of images.
    codebook : Codebook
    path : str
        Name of the codebook in messages.
    boxes
        As `VideoSource`.
    run : RunOptions
        Threads, decoder, the most pixels of a frame, and patience.
    on_note : callable, optional
        As `idt.batch.jobs.plan`.

    Returns
    -------
    list of VideoSource

    Raises
    ------
    DataError
        If a folder holds nothing, two videos have one name, the codebook does not say how to extract, or the file
        given for boxes is not a file of boxes.
    """
    from idt.batch.jobs import plan

    if codebook.features is None:
        raise DataError(
            f"{path} was fitted on features without recorded parameters, so videos cannot be extracted alike;"
            " encode features"
        )
    if boxes is not None and not os.path.isdir(boxes):
        from idt.frames.people import read_boxes

        # Every video reads the file of boxes again; a bad file is refused before the first.
        read_boxes(boxes)
    params = extraction_of(codebook.features, path)
    # Nothing is written to this folder. It makes `plan` name the videos relative to their common root.
    jobs = plan(given, "features/", on_note=on_note)
    return [VideoSource(job, params, boxes, run.for_one()) for job in jobs]
