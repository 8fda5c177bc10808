"""`Block`: what a codebook holds of one block of descriptors; `Coder`: what an encoding has to be able to do."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from encoding.models.pca import PCA


@dataclass(frozen=True)
class Tracks:
    """What an encoding asks about the tracks of some rows; None where it does not, or there are none.

    Attributes
    ----------
    frame : (n,) int32 or None
        Frame at which each ends.
    scale : (n,) float32 or None
    position : (n, 3) float32 or None
        Relative x, y and time.
    skip : (n,) uint8 or None
        Frame step.
    length : int or None
        Steps of a track, L.
    """

    frame: Any = None
    scale: Any = None
    position: Any = None
    skip: Any = None
    length: Any = None

    def columns(self):
        """The arrays that are present: dict of str to ndarray."""
        return {name: value for name in COLUMNS if (value := getattr(self, name)) is not None}

    def take(self, rows):
        """Those of some rows."""
        return replace(self, **{name: column[rows] for name, column in self.columns().items()})

    def middle_frames(self):
        """The frame at which each track is half done, (n,) float64: end frame − L/2 · skip."""
        return self.frame - self.length / 2 * self.skip.astype(np.float64)

    @classmethod
    def joined(cls, parts):
        """Those of several parts, one after the other."""
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in parts[0].columns()}
        return replace(parts[0], **columns)


COLUMNS = ("frame", "scale", "position", "skip")
"""Columns of features that `Tracks` may hold."""


class Pool(Protocol):
    """Gathers the descriptors of one video and gives its vector of one block."""

    def add(self, rows, tracks, threads=1):
        """Take in projected descriptors (n, D) float32 and their `Tracks`."""

    def vector(self) -> np.ndarray:
        """The normalised vector, (m,) float32."""


class Coder(Protocol):
    """What is learnt of one block after its PCA, and how it encodes."""

    def pool(self, params) -> Pool:
        """An empty pool."""

    def parts(self, params) -> list[tuple[str, int]]:
        """Cells of the vector and their sizes, in order."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Its numbers under the names that they have in a file."""


class Block(NamedTuple):
    """What is learnt of one block.

    Attributes
    ----------
    name : str
    sizes : dict of str to int
        Columns of the descriptors that it is made of, side by side.
    pca : PCA or None
    coder : Coder
    """

    name: str
    sizes: dict
    pca: PCA | None
    coder: Any

    def project(self, rows):
        """Descriptors (n, d) float32 as the coder takes them, (n, D) float32."""
        return rows if self.pca is None else self.pca.transform(rows)

    def arrays(self):
        """Its numbers under the names that they have in a file."""
        projection = {}
        if self.pca is not None:
            projection = {
                "mean": self.pca.mean_,
                "projection": self.pca.components_,
                "variances_along": self.pca.explained_variance_,
            }
        return {**projection, **self.coder.arrays()}
