"""The parameters of every encoding: all that changes the numbers of a codebook and of vectors; here are the defaults.

`EncodingParams` are those of Fisher vectors, `BovwParams`, `VladParams` and `StackedParams` those of the others. Each
says in ``FITTING`` on which of them a codebook depends; the rest only shape the vectors made with it.
"""

import dataclasses
import math
import numbers
from dataclasses import dataclass
from typing import Any, ClassVar

from encoding.grids import WHOLE_VIDEO, pyramid_grids, volume_sizes
from idt.errors import DataError, unknown_option
from idt.features import layout
from idt.params import option

NORMS = ("l2", "l1", "rootl1", "none")
CODINGS = ("vq", "soft", "somp")
POOLINGS = ("sum", "max")


@dataclass(frozen=True)
class BlockParams:
    """What all encodings have in common.

    Two encodings of equal descriptors with equal parameters give equal numbers, so these are written into every file
    and compared before a file is called up to date.
    """

    encoding: ClassVar[str]
    """Name of the encoding."""

    FITTING: ClassVar[tuple[str, ...]] = ("k", "blocks", "joint", "pca", "whiten", "sample", "seed", "only_skips")
    """The parameters that a codebook depends on."""

    LEAST: ClassVar[dict[str, int]] = {"k": 1, "sample": 1, "seed": 0, "best": 1}
    """Least values of the whole numbers."""

    k: int = option(256, method="encoding 5", help="components or words of each block")
    blocks: str = option(
        ",".join(layout.DESCRIPTORS), method="encoding 1", help="descriptors to encode; always in this order"
    )
    joint: bool = option(False, method="encoding 4", help="one block of all descriptors side by side, with one PCA")
    pca: float | None = option(
        0.5, method="encoding 4", help="share of a block's columns that the PCA keeps, in (0, 1]"
    )
    whiten: bool = option(False, method="encoding 4", help="scale the principal components to unit variance")
    sample: int = option(256_000, unit="descriptors", method="encoding 3", help="at most as many are fitted on")
    seed: int = option(0, method="encoding 3", help="of the sample and of what is fitted to it")
    only_skips: str = option(
        "all", method="encoding 14", help="take only tracks of these frame steps, such as 1 or 1,2"
    )
    pyramid: str = option(
        WHOLE_VIDEO,
        method="encoding 12",
        help="grids of columns x rows x times whose cells have a vector each, such as 1x1x1,1x3x1,1x1x2",
    )

    def __post_init__(self):
        for field in dataclasses.fields(self):
            self._check(field)
        if self.whiten and self.pca is None:
            raise DataError("whiten scales the principal components; ask for some with pca")
        if self.sample < self.k:
            raise DataError(
                f"sample must be at least k, one descriptor a component, got sample={self.sample} and k={self.k}"
            )
        # Equal sets of blocks or skips are equal parameters.
        object.__setattr__(self, "blocks", ",".join(_ordered(self.blocks)))
        object.__setattr__(self, "only_skips", _checked_skips(self.only_skips))
        pyramid_grids(self.pyramid)

    def _check(self, field):
        """Refuse a value that is not of the field's kind; numbers of NumPy become Python's."""
        name, value, kind = field.name, getattr(self, field.name), str(field.type)
        if value is None and "None" in kind:
            return
        choices = field.metadata["choices"]
        if choices is not None:
            if value not in choices:
                raise DataError(f"{name} must be one of {', '.join(choices)}, got {value!r}")
        elif "bool" in kind:
            if not isinstance(value, bool):
                raise DataError(f"{name} must be True or False, got {value!r}")
        elif "int" in kind:
            least = self.LEAST.get(name, 1)
            if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
                raise DataError(f"{name} must be a whole number of at least {least}, got {value!r}")
            object.__setattr__(self, name, int(value))
        elif "float" in kind:
            real = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
            if not real or not 0 < value <= 1:
                raise DataError(f"{name} must be a number above 0 and at most 1, got {value!r}")
            object.__setattr__(self, name, float(value))

    @property
    def descriptors(self):
        """The blocks as a tuple of names."""
        return tuple(self.blocks.split(","))

    @property
    def steps(self):
        """Frame steps of the tracks to take, a frozenset of int; None for all."""
        return None if self.only_skips == "all" else frozenset(int(step) for step in self.only_skips.split(","))

    def fitting(self):
        """The parameters that a codebook depends on, as a dict."""
        return {name: getattr(self, name) for name in self.FITTING}

    @classmethod
    def from_options(cls, **options):
        """Build from keyword arguments, and name an unknown one instead of raising `TypeError`."""
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
        None, method="encoding 6", help="keep only so many posteriors of a descriptor, rescaled to one; all"
    )
    power: float = option(0.5, method="encoding 7", help="exponent of the power normalisation, in (0, 1]; 1 is none")
    intra: bool = option(False, method="encoding 7", help="normalise each component's part of a block by itself")
    norm: str = option("l2", method="encoding 7", choices=NORMS, help="norm of each block, after the power")

    @property
    def orders(self):
        """Orders of the Fisher vector, as `encoding.coders.fisher` names them."""
        return (("zero",) if self.zero_order else ()) + ("first", "second")


@dataclass(frozen=True)
class StackedParams(EncodingParams):
    """Stacked Fisher vectors (Peng et al., ECCV 2014), with the plain ones beside them."""

    encoding: ClassVar[str] = "stacked"

    FITTING: ClassVar[tuple[str, ...]] = (
        *BlockParams.FITTING, "first_k", "volumes", "least", "volume_sample", "reduced", "power",
    )  # fmt: skip

    first_k: int = option(256, method="encoding 11", help="components of the first layer's mixtures")
    volumes: str = option(
        "2x2x60,2x2x30,3x3x30",
        method="encoding 11",
        help="sub-volumes: width and height as parts of the frame, length in frames, each overlapping by half",
    )
    least: int = option(50, unit="tracks", method="encoding 11", help="a sub-volume with fewer tracks is passed over")
    volume_sample: int = option(5_000, unit="sub-volumes", method="encoding 11", help="at most as many are fitted on")
    reduced: int = option(
        200, method="encoding 11", help="numbers that the max-margin projection leaves of a sub-volume"
    )
    plain: bool = option(True, method="encoding 11", flag="no-plain", help="leave out the plain Fisher vector")

    def __post_init__(self):
        super().__post_init__()
        volume_sizes(self.volumes)


@dataclass(frozen=True)
class BovwParams(BlockParams):
    """Bag of visual words; the defaults are those of dense trajectories (Wang et al., IJCV 2013) but for the norm."""

    encoding: ClassVar[str] = "bovw"

    FITTING: ClassVar[tuple[str, ...]] = (*BlockParams.FITTING, "seeds")

    k: int = option(4000, method="encoding 9", help="words of each block")
    pca: float | None = option(
        None, method="encoding 4", help="share of a block's columns that a PCA keeps, in (0, 1]; no PCA by default"
    )
    sample: int = option(100_000, unit="descriptors", method="encoding 3", help="at most as many are fitted on")
    seeds: int = option(8, method="encoding 9", help="runs of k-means, of which the best is taken")
    coding: str = option(
        "vq", method="encoding 9", choices=CODINGS,
        help="nearest word, weights of the nearest few, or sparse codes of one support a group of tracks",
    )  # fmt: skip
    nearest: int = option(5, method="encoding 9", help="words that a descriptor is shared among (soft)")
    width: float = option(
        0.5,
        method="encoding 9",
        help="width of the weights, in typical distances from a descriptor to its word, in (0, 1] (soft)",
    )
    atoms: int = option(10, method="encoding 9", help="most atoms of a group's support (somp)")
    pooling: str = option("sum", method="encoding 9", choices=POOLINGS, help="of the codes of all tracks")
    norm: str = option("rootl1", method="encoding 9", choices=NORMS, help="norm of each block")


@dataclass(frozen=True)
class VladParams(BlockParams):
    """Vectors of locally aggregated descriptors (Jégou et al. 2010), normalised as Arandjelović & Zisserman 2013 do."""

    encoding: ClassVar[str] = "vlad"

    FITTING: ClassVar[tuple[str, ...]] = (*BlockParams.FITTING, "seeds")

    seeds: int = option(1, method="encoding 10", help="runs of k-means, of which the best is taken")
    power: float = option(1.0, method="encoding 10", help="exponent of the power normalisation, in (0, 1]; 1 is none")
    intra: bool = option(
        True, method="encoding 10", flag="no-intra", help="do not normalise each centre's part by itself"
    )
    norm: str = option("l2", method="encoding 10", choices=NORMS, help="norm of each block, after the power")


FITTING = EncodingParams.FITTING
"""The parameters that a codebook of Fisher vectors depends on."""


def _ordered(blocks):
    """Names of blocks in the order of a row, each once."""
    if not isinstance(blocks, str):
        raise DataError(f'blocks must be a text such as "hog,mbhx,mbhy", got {blocks!r}')
    given = [name.strip() for name in blocks.split(",")]
    unknown = [name for name in given if name not in layout.DESCRIPTORS]
    if unknown or len(set(given)) < len(given):
        raise DataError(f"blocks must be some of {','.join(layout.DESCRIPTORS)}, each once, got {blocks!r}")
    return [name for name in layout.DESCRIPTORS if name in given]


def _checked_skips(skips: Any):
    """Frame steps in rising order, or ``"all"``."""
    if skips == "all":
        return skips
    steps = [part.strip() for part in skips.split(",")] if isinstance(skips, str) else []
    if not steps or not all(step.isdecimal() and 1 <= int(step) <= 255 for step in steps):
        raise DataError(f'only_skips must be "all" or frame steps such as "1,2", got {skips!r}')
    return ",".join(str(step) for step in sorted({int(step) for step in steps}))
