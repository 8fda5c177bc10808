"""Base class of the coders that learn the centres of k-means: bags of visual words and VLAD."""

import numpy as np

from encoding.coders.pooling import CellCoder
from encoding.models.estimator_input import LARGEST_NUMBER
from encoding.models.kmeans import KMeans
from idt.checks import checked_range


class CentresCoder(CellCoder):
    """Base class of the coders that learn centres.

    Parameters
    ----------
    kmeans : KMeans
        Fitted.
    """

    def __init__(self, kmeans):
        self.kmeans = kmeans

    @classmethod
    def fit(cls, rows, params, *, threads=1):
        """Find the centres of projected descriptors."""
        return cls(KMeans(params.k, n_init=params.seeds, random_state=params.seed, threads=threads).fit(rows))

    @classmethod
    def read(cls, read, params, width):
        """Build a coder from the arrays of a file; ``read(name, *shape)`` returns one array."""
        centres = checked_range(read("centres", params["k"], width), -LARGEST_NUMBER, LARGEST_NUMBER, "centres")
        return cls(KMeans.from_centres(centres, float(read("distortion", 1)[0])))

    def arrays(self):
        """Return the fitted arrays under the names that they have in a file."""
        return {"centres": self.kmeans.cluster_centers_, "distortion": np.array([self.kmeans.distortion_], np.float32)}
