"""One split of an evaluation: its codebook, vectors and scores, each in a file that is made once.

A split has ``codebook.h5``, fitted on the training videos only, ``vectors.h5`` of all its videos, and the scores of the
test videos, ``scores/split1.h5`` and so on (`classify.fusion.score_file`). If the scores are up to date the other two
are not needed, and may be deleted. `read_state` finds out which files of a plan (`classify.evaluation.fold_plan`) are
up to date; the other functions make and read them.
"""

import dataclasses
from typing import NamedTuple

import numpy as np

from classify.fusion import score_file
from classify.fusion.score_file import Details
from classify.fusion.scores import Scores
from classify.labels import classes_of
from classify.metrics import memberships
from classify.models.model_file import Model
from classify.models.outside_vectors import aligned_blocks
from classify.svm.build import build_classifier
from classify.svm.lazy_rows import LazyRows
from encoding.codebook import Codebook
from encoding.descriptors.inputs import Inputs
from encoding.encode_files import PlannedVectors, encode_sets
from encoding.pipeline import was_encoded_with
from encoding.vector_layout import block_columns
from encoding.vectors_file import open_vectors
from idt.errors import DataError
from idt.files import hdf5
from idt.files.provenance import is_current


class FoldState(NamedTuple):
    """Whether the codebook, the vectors and the scores of a split are up to date."""

    fitted: bool
    encoded: bool
    scored: bool


def read_state(plan, *, overwrite=False):
    """Find out which files of a split are up to date.

    Parameters
    ----------
    plan : FoldPlan
    overwrite : bool or collection of path
        Whether files with other settings or inputs may be replaced, or which files may.

    Returns
    -------
    FoldState

    Raises
    ------
    DataError
        If a file with other settings or inputs exists and ``overwrite`` is false. A file that only lacks clips is no
        error.
    """
    targets = (plan.codebook, plan.vectors, plan.scores)
    return FoldState(
        *(is_current(**target._asdict(), overwrite=overwrite or lacks_clips(target)) for target in targets)
    )


def lacks_clips(target):
    """Tell whether the file of a ``target`` was made without clips that failed, so that a later run may replace it."""
    try:
        with hdf5.open_checked(target.path, format=target.format, versions=target.version) as file:
            return bool((hdf5.json_attribute(file, "source") or {}).get("failed"))
    except (DataError, OSError):
        return False


def save_codebook(plan, codebook, *, overwrite=False):
    """Write the codebook of the training videos.

    Parameters
    ----------
    plan : FoldPlan
    codebook : Codebook
    overwrite : bool or collection of path
        Whether an existing file may be replaced, or which files may.
    """
    path = plan.codebook.path
    path.parent.mkdir(parents=True, exist_ok=True)
    codebook.save(path, source=plan.codebook.source, overwrite=overwrite)


def encode(plans, states, files, run):
    """Make the vectors of the splits that have none, with the saved codebooks; each video is read once.

    Parameters
    ----------
    plans : sequence of FoldPlan
        Plans of one encoding.
    states : sequence of FoldState
        As they were before the codebooks were saved.
    files : dict of str to Path or FileSource
        Video name → feature file.
    run : RunOptions

    Returns
    -------
    bool
        Whether there was something to do.

    Raises
    ------
    DataError
        As `encode_sets`, or if existing vectors belong to another codebook.
    """
    wanted = []
    for plan, state in zip(plans, states, strict=True):
        if state.scored:
            continue
        codebook, path = Codebook.load(plan.codebook.path), plan.vectors.path
        if state.encoded and was_encoded_with(path, codebook, wording="than lies beside it", overwrite=run.overwrite):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        wanted.append(PlannedVectors(path, codebook, plan.vectors.source, plan.names))
    if not wanted:
        return False
    names = list(dict.fromkeys(name for each in wanted for name in each.names))
    inputs = Inputs.of([files[name] for name in names], names, descriptors=tuple(wanted[0].codebook.sizes))
    encode_sets(inputs, wanted, plans[0].encoding, run=run)
    return True


def classify(plan, run):
    """Train on the training videos, score the test videos, and write the scores.

    The kernel of all blocks is computed from the sum of their similarities, so the vectors are read once.

    Parameters
    ----------
    plan : FoldPlan
        A plan whose vectors exist.
    run : RunOptions

    Returns
    -------
    scores : Scores
    details : Details

    Raises
    ------
    DataError
        As the classifier's ``fit``.
    """
    threads = run.jobs * run.threads
    with open_vectors(plan.vectors.path) as vectors:
        by_block: dict[str, np.ndarray] = {}
        total: np.ndarray | None = None
        blocks = _blocks(plan, vectors)
        for block, (rows, parts) in blocks.items():
            machine = build_classifier(plan.classifier, parts, threads)
            similarity = machine.similarity(rows, len(plan.split.train))
            if len(blocks) > 1:
                total = similarity.copy() if total is None else np.add(total, similarity, out=total)
                by_block[block], _ = machine.score_others(similarity, plan.labels, plan.groups)
            else:
                total = similarity
        layout = [part for _, parts in blocks.values() for part in parts]
        all_scores, probabilities = build_classifier(plan.classifier, layout, threads).score_others(
            total, plan.labels, plan.groups
        )
        length = sum(part["size"] for part in layout)
        details = Details(by_block or dict.fromkeys(blocks, all_scores), vectors.empty, probabilities, length)
    classes = classes_of(plan.labels)
    scores = Scores(
        all_scores,
        list(plan.split.test),
        classes,
        _columns_of(plan.truth, classes),
        kind="margins",
        split=plan.number,
        path=str(plan.scores.path),
        form=score_file.FORM,
    )
    path = plan.scores.path
    path.parent.mkdir(parents=True, exist_ok=True)
    score_file.save(
        path, scores, details, params=plan.scores.params, source=plan.scores.source, overwrite=run.overwrite
    )
    return scores, details


def train_explainable_model(plan, run):
    """Train the linear machine of a split anew, because `classify.models.explain` needs its weights.

    Parameters
    ----------
    plan : FoldPlan
        A plan whose scores exist.
    run : RunOptions

    Returns
    -------
    Model or None
        None where the tracks have no shares of a score: the kernel is χ², the vectors are no sums over tracks, outside
        vectors are used, too, or codebook or vectors were deleted.
    """
    options = dataclasses.asdict(plan.encoding)
    summed = options.get("coding") != "somp" and options.get("pooling") != "max" and plan.encoding.encoding != "stacked"
    if plan.classifier.classifier != "linear" or plan.outside or not summed:
        return None
    state = read_state(plan, overwrite=True)
    if not (state.fitted and state.encoded):
        return None
    params = dataclasses.replace(plan.classifier, probability=False)
    with open_vectors(plan.vectors.path) as vectors:
        place = {name: row for row, name in enumerate(vectors.names)}
        rows = LazyRows(vectors.encodings, index=[place[name] for name in plan.split.train])
        machine = build_classifier(params, vectors.layout, run.jobs * run.threads).fit(rows, plan.labels, plan.groups)
        return Model(machine, vectors.layout, vectors.codebook, encoding=vectors.params)


def _blocks(plan, vectors):
    """Return rows and layout of each block of the vectors, and of the outside blocks beside them."""
    place = {name: row for row, name in enumerate(vectors.names)}
    index = [place[name] for name in plan.names]
    blocks = {
        block: (
            LazyRows(vectors.encodings, index=index, columns=columns),
            [part for part in vectors.layout if part["block"] == block],
        )
        for block, columns in block_columns(vectors.layout).items()
    }
    for rows, part in aligned_blocks(vectors.layout, plan.names, plan.outside):
        blocks[part["block"]] = LazyRows(rows), [part]
    return blocks


def _columns_of(truth, classes):
    """Return the columns of the true labels of the test videos; None if one of them was not trained."""
    if not set(classes_of(truth)) <= set(classes):
        return None
    if any(isinstance(label, tuple) for label in truth):
        return memberships(truth, classes)
    place = {name: column for column, name in enumerate(classes)}
    return np.array([place[label] for label in truth], np.int64)


def load_scores(plan):
    """Read the scores of an earlier run.

    Parameters
    ----------
    plan : FoldPlan

    Returns
    -------
    scores : Scores
    details : Details

    Raises
    ------
    DataError
        If the file is damaged or holds other videos or classes.
    """
    return score_file.load_details(
        plan.scores.path,
        names=list(plan.split.test),
        classes=classes_of(plan.labels),
        probability=plan.classifier.probability,
    )
