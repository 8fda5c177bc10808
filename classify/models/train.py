"""A model file from a vectors file and a list of labels; one that is up to date is left alone."""

import contextlib
import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from classify.labels import classes_of, match_labels, read_labels
from classify.models import model_file
from classify.models.outside_vectors import append_blocks, read_blocks
from classify.svm.build import build_classifier
from encoding.vectors_file import open_vectors
from idt.files import locks, outputs, provenance
from idt.files.source_file import open_source
from idt.workers.run_options import RunOptions


class Trained(NamedTuple):
    """Result of a training: the model file, and whether it was up to date.

    Attributes
    ----------
    path : Path
    videos : int
    classes : list of str
    empty : list of str
        Videos without tracks, whose vectors are zero.
    up_to_date : bool
        Whether the model file was up to date.
    """

    path: Path
    videos: int
    classes: list[str]
    empty: list[str]
    up_to_date: bool


def train(vectors, labels, output, params, *, outside=(), run=RunOptions()):
    """Train a classifier and write its model file.

    Parameters
    ----------
    vectors : str or Path
        A vectors file.
    labels : str or Path
        CSV lines ``name,label``: one for every vector, and no others. A video may have several labels.
    output : str or Path
    params : ClassifierParams
    outside : sequence of OutsideFile
        Blocks to append to the vectors.
    run : RunOptions
        Threads, whether ``output`` may be replaced, and a progress that counts columns twice: for the inner
        products, then for the weights.

    Returns
    -------
    Trained

    Raises
    ------
    DataError
        If videos and labels do not match (all are listed), there is one class only, an outside block does not fit, or
        the output exists and has other settings or inputs.
    OSError
        If a file cannot be read or written.
    """
    output = Path(output)
    read = [vectors, labels, *(path for block in outside for path in block.paths)]
    outputs.check([output], read, overwrite=run.overwrite)
    with contextlib.ExitStack() as stack:
        opened = {path: stack.enter_context(open_source(path)) for path in read if path != labels}
        stored = stack.enter_context(open_vectors(vectors))
        stack.enter_context(locks.held(files=[output], say=run.say))
        given = match_labels(stored.names, read_labels(labels, run.say), run.say)
        blocks = [(block.block, *(opened[path].digest() for path in block.paths)) for block in outside]
        made_of = json.dumps([opened[vectors].digest(), given, blocks])
        source = {"kind": "vectors", "path": str(vectors), "digest": hashlib.sha256(made_of.encode()).hexdigest()}
        done = Trained(output, len(given), classes_of(given), stored.empty, False)
        kind = {"format": model_file.FORMAT, "version": model_file.VERSION}
        options = model_file.stored_params(build_classifier(params))
        if provenance.is_current(output, **kind, params=options, source=source, overwrite=run.overwrite):
            return done._replace(up_to_date=True)
        rows, layout = append_blocks(stored, read_blocks(outside))
        with run.progress("column", 2 * rows.shape[1]) as rows.on_columns:
            fitted = build_classifier(params, layout, run.threads).fit(rows, given)
        for file in opened.values():
            file.check_unchanged()
        model_file.save_model(
            output,
            fitted,
            layout=layout,
            codebook=stored.codebook,
            source=source,
            encoding=stored.params,
            overwrite=run.overwrite,
        )
        return done
