"""`VladEncoder`: VLAD."""

from typing import ClassVar

from encoding.encoders.video_encoder import SKLEARN_NAMES, VideoEncoder
from encoding.params import VladParams


class VladEncoder(VideoEncoder):
    """Encoder of videos as vectors of locally aggregated descriptors, normalised as Arandjelović & Zisserman 2013 do.

    Parameters
    ----------
    n_clusters : int
        Number of centres of each block.
    blocks : str
        Descriptors to encode, with commas between them: some of "trajectory,hog,hof,mbhx,mbhy". Their order does not
        matter. Plain arrays are one block, whatever ``blocks`` says.
    joint : bool
        Make one block of all descriptors side by side, with one PCA.
    pca_column_share : float or None
        Number of principal components that are kept of a block, as a share of its columns in (0, 1]; None for no PCA.
    whiten : bool
        Scale the principal components to unit variance.
    subsample : int
        Size of the sample that the models are fitted on, drawn uniformly from the descriptors of all videos.
    random_state : int
        Seed of the subsample and of the models fitted to it. Equal seeds give equal numbers.
    only_skips : str
        Take only tracks of these frame steps, such as "1" or "1,2"; "all" takes all.
    pyramid : str
        Grids of columns × rows × times whose cells have a vector each, such as "1x1x1,1x3x1,1x1x2".
    n_init : int
        Number of runs of k-means; the best is taken.
    power : float
        Exponent of the power normalisation, in (0, 1]; 1 is none.
    intra : bool
        Normalise each centre's part of a block by itself.
    norm : str
        Norm of each block, after the power normalisation: "l2", "l1", "rootl1" or "none".
    n_jobs : int or None
        Videos at once, in processes; None is 1, and -1 all processors. The numbers do not depend on it.
    threads : int
        Threads within a process, of the models and of each video. The numbers do not depend on it.

    Attributes
    ----------
    codebook_ : Codebook
    layout_ : list of dict
        Which columns of a vector belong to which block and cell: ``"block"``, ``"cell"``, ``"first"`` and ``"size"``.

    Notes
    -----
    docs/method/encoding.md, section 10.

    Examples
    --------
    >>> encoder = VladEncoder(n_clusters=64).fit(["walk.h5", "run.h5"])  # doctest: +SKIP
    >>> encoder.set_output(transform="pandas").transform(["hop.h5"])  # doctest: +SKIP
    """

    _params_type = VladParams
    _own_names: ClassVar[dict[str, str]] = {"k": "n_clusters", "seeds": "n_init", **SKLEARN_NAMES}

    def __init__(
        self,
        n_clusters=256,
        *,
        blocks="trajectory,hog,hof,mbhx,mbhy",
        joint=False,
        pca_column_share=0.5,
        whiten=False,
        subsample=256_000,
        random_state=0,
        only_skips="all",
        pyramid="1x1x1",
        n_init=1,
        power=1.0,
        intra=True,
        norm="l2",
        n_jobs=1,
        threads=1,
    ):
        self.n_clusters = n_clusters
        self.blocks = blocks
        self.joint = joint
        self.pca_column_share = pca_column_share
        self.whiten = whiten
        self.subsample = subsample
        self.random_state = random_state
        self.only_skips = only_skips
        self.pyramid = pyramid
        self.n_init = n_init
        self.power = power
        self.intra = intra
        self.norm = norm
        self.n_jobs = n_jobs
        self.threads = threads
