"""Feature-level fusion: blocks of outside vectors, such as a network's, beside the columns of ours.

An outside block is a matrix saved by numpy and a list of the video names of its rows. Every row is L2-normalised,
so that it weighs as much as one of the blocks of the recipe, and the block enters the layout under its own name.

Source: docs/method/encoding.md, section 8.4.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classify.svm.rows import Rows
from classify.text_files import listed, read_lines
from encoding.vector_layout import WHOLE
from idt.checks import describe, float_array
from idt.errors import DataError
from idt.files import npy


@dataclass(frozen=True)
class Extra:
    """A block of outside vectors.

    Attributes
    ----------
    name : str
        What the layout calls it.
    names : list of str
        Video name of each row.
    vectors : (m, e) float32
    """

    name: str
    names: list[str]
    vectors: np.ndarray


def read_extra(path, names):
    """Read a block of outside vectors.

    Parameters
    ----------
    path : str or Path
        Matrix (m, e) saved by `numpy.save`; the file's name without suffix becomes that of the block.
    names : str or Path
        Text with one video name per line, in the order of the rows.

    Returns
    -------
    Extra

    Raises
    ------
    DataError
        If the file is no ``.npy`` of real finite numbers, or has another number of rows than there are names, or a name
        occurs twice. Pickled objects are never loaded.
    OSError
        If a file cannot be read.
    """
    array = npy.load(path)
    listing = read_lines(names)
    vectors = float_array(array, (None, None), str(path))
    if len(vectors) != len(listing):
        raise DataError(f"{path} has {len(vectors)} rows, {names} names {len(listing)} videos")
    twice = sorted(name for name, count in Counter(listing).items() if count > 1)
    if twice:
        raise DataError(f"{names} names {listed(twice)} more than once")
    return Extra(Path(path).stem, listing, vectors)


def append_blocks(vectors, extras):
    """Put outside blocks beside the columns of vectors.

    Parameters
    ----------
    vectors : encoding.vectors_file.Vectors
        Read or open.
    extras : sequence of Extra

    Returns
    -------
    rows : Rows
        (m, d + e₁ + e₂ + …), one row per video of ``vectors``; each block L2-normalised by row, zero rows stay zero.
    layout : list of dict
        That of ``vectors`` and a part for each block.

    Raises
    ------
    DataError
        If a block has no row for one of the videos (all are listed), or the name of a block that is there.
    """
    layout, blocks = list(vectors.layout), []
    for extra in extras:
        if any(part["block"] == extra.name for part in layout):
            raise DataError(f"the vectors have a block {extra.name!r} already; rename the outside file")
        if extra.vectors.ndim != 2 or not extra.vectors.shape[1]:
            raise DataError(f"the outside block {extra.name!r} must be a matrix, got {describe(extra.vectors)}")
        place = {name: row for row, name in enumerate(extra.names)}
        missing = [name for name in vectors.names if name not in place]
        if missing:
            raise DataError(f"the outside block {extra.name!r} has no row for {listed(missing)}")
        chosen = extra.vectors[[place[name] for name in vectors.names]]
        # In float64: the squares of a float32 may overflow it.
        length = np.sqrt(np.einsum("ij,ij->i", chosen, chosen, dtype=np.float64))[:, None]
        blocks.append((chosen / np.where(length > 0, length, 1.0)).astype(np.float32))
        first = layout[-1]["first"] + layout[-1]["size"]
        layout.append({"block": extra.name, "cell": WHOLE, "first": first, "size": chosen.shape[1]})
    return Rows(vectors.encodings, extra=blocks), layout
