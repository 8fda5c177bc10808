"""Extract one video to rows of the release's layout, as text or binary, by way of a temporary feature file.

Rows need the number of frames, which is known only at the end. Therefore the features are first written to a temporary
feature file, with histograms as float32, and then converted, so that memory does not grow with the length of the video.
"""

import os
from pathlib import Path

from idt.batch.extract_one import boxes_of, check_outputs, extract_job
from idt.errors import DataError
from idt.features.convert import convert
from idt.features.release import rows as release_rows
from idt.features.storage import PLAIN, Storage
from idt.files import locks, ownership, scratch
from idt.params import layout
from idt.workers.run_options import RunOptions


def extract_rows(job, params, form, *, boxes=None, storage=PLAIN, strict=False, run=RunOptions()):
    """Extract one video into rows.

    Parameters
    ----------
    job : Job
    params : ExtractionParams
    form : str
        Form of the output, as from `idt.features.convert.form_of`.
    boxes, strict, run
        As for `idt.batch.extract_one.extract_job`.
    storage : Storage
        A compact or projected form, or blocks of a network, are refused, because only HDF5 can hold them.

    Returns
    -------
    Outcome
        Its notes also name the data that the form cannot hold.

    Raises
    ------
    DataError
        As `extract_job`. Also, before any work, if the form cannot hold the descriptors or the storage, or if the
        output exists and `RunOptions.overwrite` does not name it: rows do not record their source, so nobody can tell
        whether they are up to date.
    OSError
        If the output, or the temporary file, cannot be written.
    """
    if storage.compact or storage.project is not None or storage.network is not None:
        raise DataError(f"only HDF5 can be compact or projected, got {job.output}; name a file that ends in .h5")
    release_rows.check_sizes(layout.block_sizes(params.length, params.cells, params.time_cells), form)
    check_outputs([job], [boxes_of(job, boxes)], overwrite=run.overwrite)
    ownership.check_replaceable(job.output, run.overwrite)
    with locks.held(files=[job.output], say=run.say), scratch.folder() as folder:
        kept = job._replace(output=Path(folder) / f"{os.path.basename(job.name)}.h5")
        made = extract_job(kept, params, boxes=boxes, storage=Storage(float32=True), strict=strict, run=run)
        _, notes = convert(kept.output, job.output, overwrite=run.overwrite)
    return made._replace(job=job, notes=(*made.notes, *notes))
