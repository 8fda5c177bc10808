"""`StackedEncoder`: stacked Fisher vectors."""

from typing import ClassVar

from encoding.encoders.video_encoder import SKLEARN_NAMES, VideoEncoder
from encoding.params import StackedParams


class StackedEncoder(VideoEncoder):
    """Encoder of videos as stacked Fisher vectors (Peng et al., ECCV 2014), with plain Fisher vectors beside them.

    `fit` learns from the classes of the videos if it is given any.

    Parameters
    ----------
    n_components : int
        Number of Gaussian components of the second layer's mixtures.
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
    zero_order : bool
        Put the zero-order part before the two others.
    best : int or None
        Keep only this many posteriors of a descriptor, rescaled to sum to one; None keeps all.
    power : float
        Exponent of the power normalisation, in (0, 1]; 1 is none.
    intra : bool
        Normalise each component's part of a block by itself.
    norm : str
        Norm of each block, after the power normalisation: "l2", "l1", "rootl1" or "none".
    first_n_components : int
        Number of Gaussian components of the first layer's mixtures.
    volumes : str
        Sub-volumes: "3x3x30" is a third of the width, a third of the height and 30 frames. Neighbours overlap by half
        in each direction.
    least : int
        Smallest number of tracks of a sub-volume; one with fewer is skipped.
    volume_subsample : int
        Size of the sample of sub-volumes that the second layer is fitted on.
    reduced : int
        Length of a sub-volume's vector after the max-margin projection.
    plain : bool
        Put the plain Fisher vector before the stacked one.
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
    docs/method/encoding.md, section 11.

    Examples
    --------
    >>> encoder = StackedEncoder(n_components=64).fit(["walk.h5", "run.h5"], ["walk", "run"])  # doctest: +SKIP
    """

    _params_type = StackedParams
    _own_names: ClassVar[dict[str, str]] = {
        "k": "n_components",
        "first_k": "first_n_components",
        "volume_sample": "volume_subsample",
        **SKLEARN_NAMES,
    }

    def __init__(
        self,
        n_components=256,
        *,
        blocks="trajectory,hog,hof,mbhx,mbhy",
        joint=False,
        pca_column_share=0.5,
        whiten=False,
        subsample=256_000,
        random_state=0,
        only_skips="all",
        pyramid="1x1x1",
        zero_order=False,
        best=None,
        power=0.5,
        intra=False,
        norm="l2",
        first_n_components=256,
        volumes="2x2x60,2x2x30,3x3x30",
        least=50,
        volume_subsample=5_000,
        reduced=200,
        plain=True,
        n_jobs=1,
        threads=1,
    ):
        self.n_components = n_components
        self.blocks = blocks
        self.joint = joint
        self.pca_column_share = pca_column_share
        self.whiten = whiten
        self.subsample = subsample
        self.random_state = random_state
        self.only_skips = only_skips
        self.pyramid = pyramid
        self.zero_order = zero_order
        self.best = best
        self.power = power
        self.intra = intra
        self.norm = norm
        self.first_n_components = first_n_components
        self.volumes = volumes
        self.least = least
        self.volume_subsample = volume_subsample
        self.reduced = reduced
        self.plain = plain
        self.n_jobs = n_jobs
        self.threads = threads
