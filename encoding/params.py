"""The parameters of every encoding, with their defaults.

A codebook and a vector depend on nothing but these parameters and the descriptors. `EncodingParams` belongs to Fisher
vectors; `BovwParams`, `VladParams` and so on belong to the other encodings. A class lists in ``FITTING`` the parameters
that a codebook depends on. The other parameters change only the vectors made with the codebook.
"""

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

from encoding.grids import WHOLE_VIDEO, pyramid_grids, volume_sizes
from idt.errors import DataError, unknown_option
from idt.params import layout
from idt.params.bounds import SEED, SHARE_REASON, Bounds
from idt.params.option import check_fields, option

NORMS = ("l2", "l1", "rootl1", "none")
CODINGS = ("vq", "soft", "somp")
POOLINGS = ("sum", "max")  # of bags of visual words
POOLS = ("mean", "max", "topk")  # of plain pooling

MOST_VECTOR_NUMBERS = 2**28
"""Largest number of elements of a vector, or of a matrix that is applied to a vector: a gigabyte in float32."""

MOST_SAMPLED_NUMBERS = 2**34
"""Largest number of elements of a sample: 64 gigabytes in float32."""

K_BOUNDS = Bounds(1, 65_536, "a larger codebook has words without descriptors, and vectors of gigabytes")

SAMPLE_BOUNDS = Bounds(1, 100_000_000, "a sample lies in memory as a whole, tens of gigabytes")

RUNS_BOUNDS = Bounds(1, 1000, "each run is a whole k-means")

SHARE_BOUNDS = Bounds(0.0, 1.0, SHARE_REASON, above=True)

EXPONENT_BOUNDS = Bounds(0.0, 1.0, "an exponent above 1 widens the differences that it is to narrow", above=True)


@dataclass(frozen=True)
class BlockParams:
    """Parameters that all encodings have in common.

    Two encodings of equal descriptors with equal parameters give equal numbers, so the parameters are written into
    every file and compared before a file is called up to date.
    """

    encoding: ClassVar[str]
    """Name of the encoding."""

    FITTING: ClassVar[tuple[str, ...]] = ("k", "blocks", "joint", "pca", "whiten", "sample", "seed", "only_skips")
    """The parameters that a codebook depends on."""

    k: int = option(256, bounds=K_BOUNDS, method="encoding 5", help="components or words of each block")
    blocks: str = option(
        ",".join(layout.DESCRIPTORS), method="encoding 1", help="descriptors to encode, with commas between"
    )
    joint: bool = option(False, method="encoding 4", help="one block of all descriptors side by side, with one PCA")
    pca: float | None = option(
        0.5, bounds=SHARE_BOUNDS, method="encoding 4", help="share of a block's columns that the PCA keeps"
    )
    whiten: bool = option(False, method="encoding 4", help="scale the principal components to unit variance")
    sample: int = option(
        256_000, bounds=SAMPLE_BOUNDS, unit="descriptors", method="encoding 3", help="size of the sample to fit on"
    )
    seed: int = option(0, bounds=SEED, method="encoding 3", help="seed of the sample and of the models fitted to it")
    only_skips: str = option(
        "all", method="encoding 14", help="take only tracks of these frame steps, such as 1 or 1,2"
    )
    pyramid: str = option(
        WHOLE_VIDEO,
        method="encoding 12",
        help="grids of columns x rows x times whose cells have a vector each, such as 1x1x1,1x3x1,1x1x2",
    )

    def __post_init__(self):
        check_fields(self)
        if self.whiten and self.pca is None:
            raise DataError("whiten scales the principal components; ask for some with pca")
        if self.sample < self.fewest_descriptors:
            raise DataError(
                f"sample must be at least k, one descriptor a component, got sample={self.sample} and k={self.k}"
            )
        # Equal sets of blocks or skips are equal parameters.
        object.__setattr__(self, "blocks", ",".join(_checked_blocks(self.blocks)))
        object.__setattr__(self, "only_skips", _checked_skips(self.only_skips))
        # A block has at least one column; more is not known yet.
        self.check_size([1] if self.joint else [1] * len(self.descriptors))

    def check_size(self, columns):
        """Refuse vectors, matrices and samples that would fill the memory.

        Parameters
        ----------
        columns : list of int
            Columns of each block.

        Raises
        ------
        DataError
            If one of them has more numbers than `MOST_VECTOR_NUMBERS` or `MOST_SAMPLED_NUMBERS` allow.
        """
        cells = sum(math.prod(grid) for grid in pyramid_grids(self.pyramid))
        vector = cells * sum(self._vector_size(self._reduced_width(count)) for count in columns)
        self._refuse_above(MOST_VECTOR_NUMBERS, vector, "vector", ("k", "pyramid"))
        self._refuse_above(MOST_SAMPLED_NUMBERS, self.sample * sum(columns), "sample", ("sample",))

    @property
    def fewest_descriptors(self):
        """Smallest number of descriptors that the model can be fitted to."""
        return self.k

    def _reduced_width(self, columns):
        """Return the number of columns of a block after its PCA."""
        return columns if self.pca is None else max(1, int(self.pca * columns))

    def _vector_size(self, width):
        """Return the length of the vector of one block and pyramid cell, for a block of ``width`` columns."""
        raise NotImplementedError

    def _refuse_above(self, most, size, what, names):
        """Refuse a ``size`` above ``most`` of an array called ``what``; it follows from the parameters ``names``."""
        if size > most:
            given = " and ".join(f"{name}={getattr(self, name)}" for name in names)
            raise DataError(
                f"{given} make a {what} of {size} numbers, expected at most {most}, for it lies in memory as a whole;"
                f" use a smaller {' or '.join(names)}"
            )

    @property
    def descriptors(self):
        """The blocks as a tuple of names."""
        return tuple(self.blocks.split(","))

    @property
    def skips(self):
        """Frame steps of the tracks to take, a frozenset of int; None for all."""
        return None if self.only_skips == "all" else frozenset(int(step) for step in self.only_skips.split(","))

    def fitting(self):
        """Return the parameters that a codebook depends on, as a dict."""
        return {name: getattr(self, name) for name in self.FITTING}

    @classmethod
    def from_options(cls, **options):
        """Build from keyword arguments; an unknown one raises a `DataError` that names it, not a `TypeError`."""
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = [name for name in options if name not in known]
        if unknown:
            raise DataError(unknown_option(unknown[0], known))
        return cls(**options)


@dataclass(frozen=True)
class EncodingParams(BlockParams):
    """Fisher vectors; the defaults are those of the standard recipe (Wang & Schmid 2013)."""

    encoding: ClassVar[str] = "fisher"

    zero_order: bool = option(False, method="encoding 6", help="put the zero-order part before the two others")
    best: int | None = option(
        None, bounds=K_BOUNDS._replace(why="no mixture has more components"),
        method="encoding 6", help="keep only this many posteriors of a descriptor, rescaled to sum to one; default all",
    )  # fmt: skip
    power: float = option(
        0.5, bounds=EXPONENT_BOUNDS, method="encoding 7", help="exponent of the power normalisation; 1 is none"
    )
    intra: bool = option(False, method="encoding 7", help="normalise each component's part of a block by itself")
    norm: str = option("l2", method="encoding 7", choices=NORMS, help="norm of each block, after the power")

    @property
    def orders(self):
        """Orders of the Fisher vector, as `encoding.coders.fisher` names them."""
        return (("zero",) if self.zero_order else ()) + ("first", "second")

    def _vector_size(self, width):
        return self.k * (2 * width + self.zero_order)


@dataclass(frozen=True)
class StackedParams(EncodingParams):
    """Stacked Fisher vectors (Peng et al., ECCV 2014), with the plain Fisher vectors beside them."""

    encoding: ClassVar[str] = "stacked"

    FITTING: ClassVar[tuple[str, ...]] = (
        *BlockParams.FITTING, "first_k", "volumes", "least", "volume_sample", "reduced", "power",
    )  # fmt: skip

    first_k: int = option(256, bounds=K_BOUNDS, method="encoding 11", help="components of the first layer's mixtures")
    volumes: str = option(
        "2x2x60,2x2x30,3x3x30",
        method="encoding 11",
        help="sub-volumes: width and height as parts of the frame, length in frames, each overlapping by half",
    )
    least: int = option(
        50, bounds=Bounds(1, 1_000_000, "no sub-volume has as many tracks"),
        unit="tracks", method="encoding 11", help="size below which a sub-volume is skipped",
    )  # fmt: skip
    volume_sample: int = option(
        5_000, bounds=Bounds(2, 1_000_000, "each is a Fisher vector, and they lie in memory as a whole"),
        unit="sub-volumes", method="encoding 11", help="size of the sample to fit the second layer on",
    )  # fmt: skip
    reduced: int = option(
        200, bounds=Bounds(1, 16_384, "a projection is to leave little of a vector"),
        method="encoding 11", help="length of a sub-volume's vector after the max-margin projection",
    )  # fmt: skip
    plain: bool = option(True, method="encoding 11", flag="no-plain", help="leave out the plain Fisher vector")

    def __post_init__(self):
        super().__post_init__()
        volume_sizes(self.volumes)

    def check_size(self, columns):
        """Check ``columns`` as `BlockParams.check_size` does, and the second layer's sample and projection."""
        super().check_size(columns)
        first = 2 * self.first_k * self._reduced_width(max(columns))
        self._refuse_above(
            MOST_SAMPLED_NUMBERS, self.volume_sample * first, "sample of sub-volumes", ("volume_sample", "first_k")
        )
        self._refuse_above(MOST_VECTOR_NUMBERS, min(self.reduced, first) * first, "projection", ("reduced", "first_k"))

    def _vector_size(self, width):
        plain = self.first_k * (2 * width + self.zero_order) if self.plain else 0
        return plain + self.k * (2 * min(self.reduced, 2 * self.first_k * width) + self.zero_order)


@dataclass(frozen=True)
class BovwParams(BlockParams):
    """Bag of visual words; the defaults are those of dense trajectories (Wang et al., IJCV 2013) except the norm."""

    encoding: ClassVar[str] = "bovw"

    FITTING: ClassVar[tuple[str, ...]] = (*BlockParams.FITTING, "seeds")

    k: int = option(4000, bounds=K_BOUNDS, method="encoding 9", help="words of each block")
    pca: float | None = option(
        None,
        bounds=SHARE_BOUNDS,
        method="encoding 4",
        help="share of a block's columns that a PCA keeps; no PCA by default",
    )
    sample: int = option(
        100_000, bounds=SAMPLE_BOUNDS, unit="descriptors", method="encoding 3", help="size of the sample to fit on"
    )
    seeds: int = option(8, bounds=RUNS_BOUNDS, method="encoding 9", help="runs of k-means, of which the best is taken")
    coding: str = option(
        "vq", method="encoding 9", choices=CODINGS,
        help="nearest word, weights of the nearest few, or sparse codes with one support for each group of tracks",
    )  # fmt: skip
    nearest: int = option(
        5, bounds=K_BOUNDS._replace(why="no codebook has more words"),
        method="encoding 9", help="words that a descriptor is shared among (soft)",
    )  # fmt: skip
    width: float = option(
        0.5,
        bounds=Bounds(0.0, 1.0, "with a greater width all words would have nearly the same weight", above=True),
        method="encoding 9",
        help="width of the weights, in typical distances from a descriptor to its word (soft)",
    )
    atoms: int = option(
        10, bounds=Bounds(1, 1024, "codes are to be sparse"),
        method="encoding 9", help="most atoms of a group's support (somp)",
    )  # fmt: skip
    pooling: str = option("sum", method="encoding 9", choices=POOLINGS, help="sum or largest of all tracks' codes")
    norm: str = option("rootl1", method="encoding 9", choices=NORMS, help="norm of each block")

    def __post_init__(self):
        super().__post_init__()
        _check_seeds(self)

    def check_size(self, columns):
        """Check ``columns`` as `BlockParams.check_size` does, and the Gram matrix of atoms."""
        super().check_size(columns)
        if self.coding == "somp":
            self._refuse_above(MOST_VECTOR_NUMBERS, self.k**2, "Gram matrix of atoms", ("k", "coding"))

    def _vector_size(self, width):
        return self.k * (2 if self.coding == "somp" else 1)


@dataclass(frozen=True)
class VladParams(BlockParams):
    """Vectors of locally aggregated descriptors (Jégou et al. 2010), normalised as Arandjelović & Zisserman 2013 do."""

    encoding: ClassVar[str] = "vlad"

    FITTING: ClassVar[tuple[str, ...]] = (*BlockParams.FITTING, "seeds")

    seeds: int = option(1, bounds=RUNS_BOUNDS, method="encoding 10", help="runs of k-means, of which the best is taken")
    power: float = option(
        1.0, bounds=EXPONENT_BOUNDS, method="encoding 10", help="exponent of the power normalisation; 1 is none"
    )
    intra: bool = option(
        True, method="encoding 10", flag="no-intra", help="do not normalise each centre's part by itself"
    )
    norm: str = option("l2", method="encoding 10", choices=NORMS, help="norm of each block, after the power")

    def __post_init__(self):
        super().__post_init__()
        _check_seeds(self)

    def _vector_size(self, width):
        return self.k * width


@dataclass(frozen=True)
class UnfittedParams(BlockParams):
    """Base class of the parameters of encodings that learn nothing but an optional PCA."""

    pca: float | None = option(
        None,
        bounds=SHARE_BOUNDS,
        method="encoding 4",
        help="share of a block's columns that a PCA keeps; no PCA by default",
    )
    sample: int = option(
        10_000, bounds=SAMPLE_BOUNDS, unit="descriptors", method="encoding 3", help="size of the sample to fit on"
    )
    norm: str = option("l2", method="encoding 7", choices=NORMS, help="norm of each block, after the power")

    @property
    def fewest_descriptors(self):
        """Smallest number of descriptors that the model can be fitted to."""
        return 1


@dataclass(frozen=True)
class BilinearParams(UnfittedParams):
    """Bilinear encoding (Diba et al. 2017), with its tensor sketch (Pham & Pagh 2013)."""

    encoding: ClassVar[str] = "bilinear"

    FITTING: ClassVar[tuple[str, ...]] = (*BlockParams.FITTING, "sketch")

    k: int = option(4096, bounds=K_BOUNDS, method="encoding 18", help="numbers of the sketch of each block")
    sketch: bool = option(False, method="encoding 18", help="a tensor sketch of k numbers instead of the whole matrix")
    power: float = option(
        0.5, bounds=EXPONENT_BOUNDS, method="encoding 7", help="exponent of the power normalisation; 1 is none"
    )

    def _vector_size(self, width):
        return self.k if self.sketch else width * (width + 1) // 2


@dataclass(frozen=True)
class PlainParams(UnfittedParams):
    """Plain pooling of descriptors."""

    encoding: ClassVar[str] = "plain"

    k: int = option(5, bounds=K_BOUNDS, method="encoding 19", help="largest values that are averaged (topk)")
    pool: str = option("mean", method="encoding 19", choices=POOLS, help="statistic of each column of the descriptors")
    power: float = option(
        1.0, bounds=EXPONENT_BOUNDS, method="encoding 7", help="exponent of the power normalisation; 1 is none"
    )

    def _vector_size(self, width):
        return width


FITTING = EncodingParams.FITTING
"""The parameters that a codebook of Fisher vectors depends on."""


def _check_seeds(params):
    """Refuse runs of k-means whose seeds, counted up from the first, exceed the largest seed."""
    if params.seed + params.seeds - 1 > SEED.high:
        raise DataError(
            f"seed + seeds - 1 must be at most {SEED.high}, got seed={params.seed} and seeds={params.seeds}:"
            f" {SEED.why}; use a smaller seed"
        )


def _checked_blocks(blocks):
    """Check names of blocks, and return them in the order of a row."""
    if not isinstance(blocks, str):
        raise DataError(f'blocks must be a text such as "hog,mbhx,mbhy", got {blocks!r}')
    given = [name.strip() for name in blocks.split(",")]
    # Names of network blocks are checked by their form only, because the feature file lists its own.
    unknown = [name for name in given if name not in layout.DESCRIPTORS and not layout.NETWORK_BLOCK.fullmatch(name)]
    if unknown or len(set(given)) < len(given):
        raise DataError(f"blocks must be some of {','.join(layout.DESCRIPTORS)}, each once, got {blocks!r}")
    ours = [name for name in layout.DESCRIPTORS if name in given]
    return [*ours, *sorted(name for name in given if name not in layout.DESCRIPTORS)]


def _checked_skips(skips: Any):
    """Return frame steps in rising order, or ``"all"``."""
    if skips == "all":
        return skips
    steps = [part.strip() for part in skips.split(",")] if isinstance(skips, str) else []
    if not steps or not all(step.isdecimal() and 1 <= int(step) <= 255 for step in steps):
        raise DataError(f'only_skips must be "all" or frame steps such as "1,2", got {skips!r}')
    return ",".join(str(step) for step in sorted({int(step) for step in steps}))
