"""Prediction of the labels of videos, from extraction to scores.

The videos are processed as the model's training videos were: the extraction that the codebook was fitted to, that
codebook, and the encoding that the model records.
"""

from pathlib import Path

from classify.models.predict import label_vectors
from classify.models.video_features import extract, plan
from encoding.codebook import Codebook
from encoding.descriptors.feature_files import extraction_of
from encoding.encode import layout_of
from encoding.encode_files import encode_files
from encoding.params import FITTING
from idt.errors import DataError
from idt.files import scratch
from idt.workers.run_options import RunOptions


def label_videos(model, videos, codebook, *, outside=(), probabilities=False, run=RunOptions(), on_outcome=None):
    """Score videos: extract, encode, and score the vectors; no file is kept.

    Parameters
    ----------
    model : classify.models.model_file.Model
    videos : list of str
        Files, patterns, folders of videos or of images.
    codebook : str or Path
        The codebook of the model's vectors.
    outside : sequence of classify.models.outside_vectors.OutsideFile
    probabilities : bool
        As `label_vectors`.
    run : RunOptions
    on_outcome : callable, optional
        Called with the `idt.batch.outcome.Outcome` of every video.

    Returns
    -------
    Prediction

    Raises
    ------
    DataError
        If the codebook is not the model's, the parameters of its features were not recorded, or no video can be used.
    OSError
        If a file cannot be read.
    """
    book = Codebook.load(codebook)
    if book.features is None:
        raise DataError(
            f"{codebook} was fitted on features without recorded parameters, so videos cannot be extracted alike;"
            " encode features with fv-encode"
        )
    encoding = book.params_with(**{key: value for key, value in (model.encoding or {}).items() if key not in FITTING})
    # Outside blocks are checked with the vectors; this check comes before hours of extraction.
    layout = layout_of(book, encoding)
    model.check(codebook=book.digest, layout=[*layout, *model.layout[len(layout) :]], name=f"vectors of {codebook}")
    failed: dict[str, str] = {}
    with scratch.folder() as folder:
        tasks = plan(videos, Path(folder) / "features", extraction_of(book.features, codebook))
        with run.progress("video", len(tasks)) as update:
            for outcome in extract(tasks, run):
                if outcome.error is not None:
                    failed[outcome.job.name] = outcome.error
                # If the only video fails, the run fails.
                if on_outcome is not None and (outcome.error is None or len(tasks) > 1):
                    on_outcome(outcome)
                update()
        done = [task for task in tasks if task.name not in failed]
        if not done:
            raise DataError(f"none of {len(tasks)} videos can be used" if len(tasks) > 1 else failed[tasks[0].name])
        vectors = Path(folder) / "vectors.h5"
        files, names = [task.output for task in done], [task.name for task in done]
        encode_files(files, names, book, vectors, params=encoding, run=run)
        return label_vectors(model, vectors, outside=outside, probabilities=probabilities)._replace(failed=failed)
