"""`BovwEncoder`: bags of visual words."""

from typing import ClassVar

from encoding.encoders.video_encoder import SKLEARN_NAMES, VideoEncoder
from encoding.params import BovwParams


class BovwEncoder(VideoEncoder):
    """Encoder of videos as bags of visual words.

    The defaults are those of dense trajectories (Wang et al., IJCV 2013) except the norm.

    Parameters
    ----------
    n_clusters : int
        Number of words of each block.
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
    coding : str
        "vq" for the nearest word, "soft" for weights of the nearest few, "somp" for sparse codes with one support for
        each group of tracks.
    nearest : int
        Number of words that a descriptor is shared among, for "soft".
    width : float
        Width of the Gaussian weights, in (0, 1], for "soft". Its unit is the root mean square distance from a
        descriptor to its word.
    atoms : int
        Largest number of words in a group's support, for "somp".
    pooling : str
        "sum" or "max" of the codes of all tracks.
    norm : str
        Norm of each block: "l2", "l1", "rootl1" or "none".
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
    docs/method/encoding.md, section 9.

    Examples
    --------
    >>> encoder = BovwEncoder(n_clusters=500, coding="soft").fit(["walk.h5", "run.h5"])  # doctest: +SKIP
    >>> encoder.set_output(transform="pandas").transform(["hop.h5"])  # doctest: +SKIP
    """

    _params_type = BovwParams
    _own_names: ClassVar[dict[str, str]] = {"k": "n_clusters", "seeds": "n_init", **SKLEARN_NAMES}

    def __init__(
        self,
        n_clusters=4000,
        *,
        blocks="trajectory,hog,hof,mbhx,mbhy",
        joint=False,
        pca_column_share=None,
        whiten=False,
        subsample=100_000,
        random_state=0,
        only_skips="all",
        pyramid="1x1x1",
        n_init=8,
        coding="vq",
        nearest=5,
        width=0.5,
        atoms=10,
        pooling="sum",
        norm="rootl1",
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
        self.coding = coding
        self.nearest = nearest
        self.width = width
        self.atoms = atoms
        self.pooling = pooling
        self.norm = norm
        self.n_jobs = n_jobs
        self.threads = threads
