"""Feature-level fusion: blocks of outside vectors, such as a network's, appended to our vectors.

An outside block is a matrix in any form that `classify.fusion.features` reads. Its rows are found by the names of the
videos, in the spellings that `classify.fusion.alignment.names` knows. Every row is L2-normalised, so that it weighs as
much as one of the blocks of the recipe, and the block enters the layout under its own name.

Source: docs/method/encoding.md, section 8.4.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classify.fusion.alignment.names import match
from classify.fusion.features import read_features
from classify.svm.lazy_rows import LazyRows
from classify.text_files import listed
from encoding.vector_layout import WHOLE
from idt.checks import type_and_shape
from idt.errors import DataError


class OutsideFile(NamedTuple):
    """File of a block of outside vectors.

    Attributes
    ----------
    path : str
        A matrix, in any form that `classify.fusion.features.read_features` reads.
    names : str or None
        The list of the videos of its rows, if the file does not name them.
    name : str or None
        Name of the block in the model; by default the file's name.
    """

    path: str
    names: str | None = None
    name: str | None = None

    @property
    def paths(self):
        """List the files that are read."""
        return [path for path in self[:2] if path is not None]

    @property
    def block(self):
        """Name of the block."""
        return self.name or Path(self.path).stem


@dataclass(frozen=True)
class OutsideBlock:
    """A block of outside vectors.

    Attributes
    ----------
    name : str
        Name of the block in the layout.
    names : list of str
        Video name of each row.
    vectors : (m, e) float32
    lines : list of str or None
        Whole lines of the list that names the rows, if a line such as ``run 2`` may be a name or a name with a label.
        If every video that `rows_of` looks for is among the lines, they are the names instead of ``names``.
    """

    name: str
    names: list[str]
    vectors: np.ndarray
    lines: list[str] | None = None

    @property
    def digest(self):
        """SHA-256 of the names and the numbers."""
        hashed = hashlib.sha256(json.dumps([self.names, self.lines, self.vectors.shape]).encode())
        hashed.update(np.ascontiguousarray(self.vectors, np.float32).tobytes())
        return hashed.hexdigest()

    def rows_of(self, names):
        """Find the rows of videos.

        Parameters
        ----------
        names : sequence of str

        Returns
        -------
        list of int

        Raises
        ------
        DataError
            If a video has no row (all are listed), or the names of two rows cannot be told apart.
        """
        exact = set(self.lines or ())
        given = self.lines if exact and all(name in exact for name in names) else self.names
        found = match(names, given)
        missing = [name for name, row in zip(names, found.places, strict=True) if row < 0]
        if missing and found.ambiguous:
            raise DataError(
                f"the outside block {self.name!r} has names that cannot be told apart: {listed(found.ambiguous)}"
            )
        if missing:
            raise DataError(f"the outside block {self.name!r} has no row for {listed(missing)}")
        return found.places.tolist()


def read_outside_block(path, names=None):
    """Read a block of outside vectors.

    Parameters
    ----------
    path : str or Path
        Matrix (m, e); the file's name without suffix is the name of the block.
    names : str or Path, optional
        List of the videos in the order of the rows, for a file that does not name them.

    Returns
    -------
    OutsideBlock

    Raises
    ------
    DataError, OSError
        As `classify.fusion.features.read_features`.
    """
    found = read_features(path, names)
    return OutsideBlock(Path(path).stem, found.names, found.values, found.lines)


def read_blocks(outside):
    """Read blocks of outside vectors.

    Parameters
    ----------
    outside : sequence of OutsideFile

    Returns
    -------
    list of OutsideBlock

    Raises
    ------
    DataError, OSError
        As `read_outside_block`, or if two blocks have one name.
    """
    found: list[OutsideBlock] = []
    for block in outside:
        read = read_features(block.path, block.names)
        if any(extra.name == block.block for extra in found):
            raise DataError(f"two outside blocks are called {block.block!r}; name one of them, as in NAME={block.path}")
        found.append(OutsideBlock(block.block, read.names, read.values, read.lines))
    return found


def with_outside_blocks(dataset, outside):
    """Add blocks of outside vectors to a data set; an evaluation appends them to its vectors.

    Parameters
    ----------
    dataset : Dataset
    outside : sequence of OutsideFile

    Returns
    -------
    Dataset
        With the blocks, each of which has a row for every clip.

    Raises
    ------
    DataError, OSError
        As `read_blocks` and `OutsideBlock.rows_of`.
    """
    blocks = read_blocks(outside)
    for extra in blocks:
        extra.rows_of([clip.name for clip in dataset.clips])
    read = [path for block in outside for path in block.paths]
    return dataclasses.replace(dataset, outside=tuple(blocks), lists=[*dataset.lists, *read])


def aligned_blocks(layout, names, extras):
    """Bring outside blocks into the order of videos.

    Parameters
    ----------
    layout : list of dict
        Layout of the vectors to which the blocks will be appended.
    names : sequence of str
        Videos.
    extras : sequence of OutsideBlock

    Returns
    -------
    list of ((n, e) float32, dict)
        Rows of each block, L2-normalised, and its part of the layout. Zero rows stay zero.

    Raises
    ------
    DataError
        If a block has no row for one of the videos, or has the same name as another block of the layout.
    """
    layout, blocks = list(layout), []
    for extra in extras:
        if any(part["block"] == extra.name for part in layout):
            raise DataError(f"the vectors have a block {extra.name!r} already; rename the outside file")
        if extra.vectors.ndim != 2 or not extra.vectors.shape[1]:
            raise DataError(f"the outside block {extra.name!r} must be a matrix, got {type_and_shape(extra.vectors)}")
        chosen = extra.vectors[extra.rows_of(names)]
        # In float64: the squares of a float32 may overflow it.
        length = np.sqrt(np.einsum("ij,ij->i", chosen, chosen, dtype=np.float64))[:, None]
        first = layout[-1]["first"] + layout[-1]["size"]
        layout.append({"block": extra.name, "cell": WHOLE, "first": first, "size": chosen.shape[1]})
        blocks.append(((chosen / np.where(length > 0, length, 1.0)).astype(np.float32), layout[-1]))
    return blocks


def append_blocks(vectors, extras):
    """Append the columns of outside blocks to vectors.

    Parameters
    ----------
    vectors : encoding.vectors_file.Vectors
        Read or open.
    extras : sequence of OutsideBlock

    Returns
    -------
    rows : LazyRows
        (m, d + e₁ + e₂ + …), one row per video of ``vectors``; each block L2-normalised by row, zero rows stay zero.
    layout : list of dict
        Layout of ``vectors``, and an entry for each block.

    Raises
    ------
    DataError
        As `aligned_blocks`.
    """
    blocks = aligned_blocks(vectors.layout, vectors.names, extras)
    return LazyRows(vectors.encodings, extra=[rows for rows, _ in blocks]), [
        *vectors.layout,
        *(part for _, part in blocks),
    ]
