"""`Block`: the fitted models of one block of descriptors in a codebook; `Coder`: the protocol of all encodings."""

from typing import Any, NamedTuple, Protocol

import numpy as np

from encoding.models.pca import PCA


class Pool(Protocol):
    """Accumulator of one video: takes in its descriptors of one block and gives their vector."""

    def add(self, rows, tracks, threads=1):
        """Take in projected descriptors (n, D) float32 and their `TrackColumns`."""

    def vector(self) -> np.ndarray:
        """Return the normalised vector, (m,) float32."""


class Coder(Protocol):
    """Model of one block: it is fitted to the descriptors after their PCA, and encodes them."""

    def pool(self, params) -> Pool:
        """Return an empty pool."""

    def cells(self, params) -> list[tuple[str, int]]:
        """Return the cells of the vector with their sizes, in order."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the fitted arrays under the names that they have in a file."""


class Block(NamedTuple):
    """Fitted models of one block of descriptors.

    Attributes
    ----------
    name : str
    sizes : dict of str to int
        Number of columns of each of its descriptors, in the order in which they lie side by side.
    pca : PCA or None
    coder : Coder
    """

    name: str
    sizes: dict
    pca: PCA | None
    coder: Any

    def project(self, rows):
        """Project descriptors (n, d) float32 by the PCA, if there is one: (n, D) float32."""
        return rows if self.pca is None else self.pca.project(rows)

    def arrays(self):
        """Return the fitted arrays under the names that they have in a file."""
        projection = {}
        if self.pca is not None:
            projection = {
                "mean": self.pca.mean_,
                "projection": self.pca.components_,
                "variances_along": self.pca.explained_variance_,
            }
        return {**projection, **self.coder.arrays()}
