"""Extract one video to rows of the release's layout, as text or binary, by way of a temporary feature file.

Rows need the number of frames, which is known at the end only. The features are written to a temporary file first, with
histograms as float32, and converted from there, so that memory does not grow with the length of the video.
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
        As from `idt.features.convert.form_of` its output.
    boxes, strict, run
        As for `idt.batch.extract_one.extract_job`.
    storage : Storage
        Rows are float32, so nothing else can be asked for.

    Returns
    -------
    Outcome
        Its notes say what the form cannot hold.

    Raises
    ------
    DataError
        As `extract_job`. Before any work: if the form cannot hold such descriptors or such a storage, or if the output
        exists and `RunOptions.overwrite` does not name it, because rows do not record their source.
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
