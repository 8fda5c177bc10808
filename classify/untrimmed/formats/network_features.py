"""Data sets as temporal networks take them: MS-TCN and its successors, NN-Viterbi, MMAction2's localisation.

``features/VIDEO.npy``, (D, T) float32 with a column a frame; ``groundTruth/VIDEO.txt`` with a label a line;
``mapping.txt``; ``splits/train.split1.bundle`` and ``test.split1.bundle``; ``annotations.json``, MMAction2's form of
the true segments.

The vector of a window is projected onto principal components, which are fitted to windows of the training videos. All
frames of a slice have the vector of the window in whose middle the slice lies. Without tracks in the window it is zero.

Source: docs/method/untrimmed.md, section 7.
"""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import PCA

from classify.text_files import listed, write_text
from classify.untrimmed.formats.activitynet import write_annotations
from classify.untrimmed.formats.frame_labels import write_labels
from classify.untrimmed.frames import labels_of
from classify.untrimmed.segments import Segments
from classify.untrimmed.window_scores import mapped_windows, row_of_each_slice
from encoding.slices.slices_file import load_slices
from encoding.slices.windows import windows
from idt.errors import DataError
from idt.files.atomic import replacing
from idt.files.foreign import npy

N_COMPONENTS = 64
"""Number of principal components, as in the field's features of iDT."""

MOST_WINDOWS = 2048
"""Windows that the components are fitted on, evenly spaced over the training videos; all of them would fill memory."""


class Labelling(NamedTuple):
    """Labels of the frames of a data set: true segments of all videos, and the label of frames outside them."""

    truth: Segments
    background: str = "background"


def write_data_set(folder, files, codebook, params, *, length, labelling=None, test=(), overwrite=False):
    """Write the features of videos, and their labels, as a data set of temporal networks.

    Parameters
    ----------
    folder : str or Path
    files : list of path
        Files of slices.
    codebook : Codebook
    params : BlockParams
    length : int
        Frames of a window.
    labelling : Labelling, optional
        Without it there are features only.
    test : collection of str
        Videos of the test split; the principal components are those of the others, or of all if it is empty.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`; files do not tell who made them, so ``True`` replaces only equal content.

    Returns
    -------
    list of Path
        The files of features.

    Raises
    ------
    DataError
        If a video of the test split or of the truth is none of the ``files``, the training videos have fewer windows
        with tracks than components, segments do not fit their video, or a file exists and may not be replaced.
    OSError
        If a file cannot be read or written.
    """
    folder, names = Path(folder), [load_slices(path, codebook=codebook).name for path in files]
    missing = sorted({*test} - {*names})
    if missing:
        raise DataError(f"the test videos are not among the slices: {listed(missing)}")
    training = [path for path, name in zip(files, names, strict=True) if name not in test]
    projection = _fitted(training, codebook, params, length)
    classes: set[str] = set()
    sizes, made = {}, []
    for path, name in zip(files, names, strict=True):
        slices = load_slices(path, codebook=codebook)
        sizes[name] = slices.frames, slices.fps
        rows, empty = mapped_windows(slices, codebook, params, projection.transform, length=length)
        rows = rows.astype(np.float32)
        rows[empty] = 0
        frames = np.repeat(row_of_each_slice(rows, slices, length), slices.length, axis=0)[: slices.frames]
        made.append(folder / "features" / f"{name}.npy")
        write_features(made[-1], frames, overwrite=overwrite)
        if labelling is not None:
            own = labelling.truth.rows(labelling.truth.videos == name)
            if not len(own):
                raise DataError(f"{name} has no true segments")
            labels = labels_of(own, slices.frames, slices.fps, background=labelling.background)
            classes.update(labels.tolist())
            _write(write_labels, folder / "groundTruth" / f"{name}.txt", labels, overwrite=overwrite)
    if labelling is not None:
        numbered = "".join(f"{number} {label}\n" for number, label in enumerate(sorted(classes)))
        _write(write_text, folder / "mapping.txt", numbered, overwrite=overwrite, unmarked=True)
        _write(write_annotations, folder / "annotations.json", labelling.truth, sizes, overwrite=overwrite)
    if test:
        for part, chosen in (("train", [name for name in names if name not in test]), ("test", sorted(test))):
            lines = "".join(f"{name}.txt\n" for name in chosen)
            place = folder / "splits" / f"{part}.split1.bundle"
            _write(write_text, place, lines, overwrite=overwrite, unmarked=True)
    return made


def write_features(path, rows, *, overwrite=False):
    """Write features of a video.

    Parameters
    ----------
    path : str or Path
    rows : (T, D) float
        One row a frame or window; the file has them as columns.
    overwrite : bool or collection of path
        As `write_data_set`.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced.
    OSError
        If it cannot be written.
    """
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(np.asarray(rows, np.float32).T), allow_pickle=False)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, overwrite=overwrite, unmarked=True) as part:
        part.write(file.getvalue())


def read_features(path):
    """Read features of a video.

    Parameters
    ----------
    path : str or Path
        As `write_features` or other tools write them, (D, T).

    Returns
    -------
    (T, D) float32

    Raises
    ------
    DataError
        If it is no such matrix, or a number is not finite.
    OSError
        If it cannot be read.
    """
    values = npy.load(path)
    if values.ndim != 2 or not values.size:
        raise DataError(f"{path} must hold features (D, T), a column a frame, got shape {values.shape}")
    rows = np.ascontiguousarray(values.T, np.float32)
    if not np.isfinite(rows).all():
        raise DataError(f"{path} holds {np.count_nonzero(~np.isfinite(rows))} numbers that are not finite")
    return rows


def _fitted(files, codebook, params, length):
    """Fit principal components to windows with tracks of some files of slices, at most about `MOST_WINDOWS` of them."""
    per_file = -(-MOST_WINDOWS // max(len(files), 1))
    sample = []
    for path in files:
        slices = load_slices(path, codebook=codebook)
        n_windows = max(slices.count - length // slices.length, 0) + 1
        stride = slices.length * -(-n_windows // per_file)
        found = windows(slices, codebook, params, length=length, stride=stride)
        sample += [each.vector for each in found if each.tracks]
    rows = np.array(sample).reshape(len(sample), -1 if sample else 0)
    if len(rows) < N_COMPONENTS or rows.shape[1] < N_COMPONENTS:
        raise DataError(
            f"the training videos have {len(rows)} windows of {rows.shape[1]} numbers, expected at least {N_COMPONENTS}"
            f" of both to find {N_COMPONENTS} principal components"
        )
    return PCA(N_COMPONENTS, svd_solver="randomized", random_state=0).fit(rows)


def _write(write, path, *content, **options):
    """Call ``write`` with a path whose folder is made if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, *content, **options)
