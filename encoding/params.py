"""`EncodingParams`: everything that changes the numbers of a codebook and of vectors, the only home of the defaults."""

import dataclasses
import math
import numbers
from dataclasses import dataclass

from idt import layout
from idt.errors import DataError
from idt.params import option

FITTING = ("k", "blocks", "joint", "pca", "whiten", "sample", "seed")
"""The parameters that a codebook depends on; the others only shape the vectors made with it."""

NORMS = ("l2", "l1", "none")


@dataclass(frozen=True)
class EncodingParams:
    """What an encoding does; the defaults are those of the standard recipe (Wang & Schmid 2013).

    Two encodings of equal descriptors with equal parameters give equal numbers, so these are written into every file
    and compared before a file is called up to date.
    """

    k: int = option(256, spec="encoding 5", help="components of the mixture of each block")
    blocks: str = option(
        ",".join(layout.DESCRIPTORS), spec="encoding 1", help="descriptors to encode; always in this order"
    )
    joint: bool = option(False, spec="encoding 4", help="one block of all descriptors side by side, with one PCA")
    pca: float = option(0.5, spec="encoding 4", help="share of a block's columns that the PCA keeps, in (0, 1]")
    whiten: bool = option(False, spec="encoding 4", help="scale the principal components to unit variance")
    sample: int = option(256_000, unit="descriptors", spec="encoding 3", help="at most as many are fitted on")
    seed: int = option(0, spec="encoding 3", help="of the sample and of the mixtures' start")
    zero_order: bool = option(False, spec="encoding 6", help="put the zero-order part before the two others")
    best: int | None = option(
        None, spec="encoding 6", help="keep only so many posteriors of a descriptor, rescaled to one; all"
    )
    power: float = option(0.5, spec="encoding 7", help="exponent of the power normalisation, in (0, 1]; 1 is none")
    intra: bool = option(False, spec="encoding 7", help="normalise each component's part of a block by itself")
    norm: str = option("l2", spec="encoding 7", choices=NORMS, help="norm of each block, after the power")

    def __post_init__(self):
        for name, least in (("k", 1), ("sample", 1), ("seed", 0), ("best", 1)):
            value = getattr(self, name)
            if name == "best" and value is None:
                continue
            if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
                raise DataError(f"{name} must be a whole number of at least {least}, got {value!r}")
            object.__setattr__(self, name, int(value))
        for name in ("pca", "power"):
            value = getattr(self, name)
            real = isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)
            if not real or not 0 < value <= 1:
                raise DataError(f"{name} must be a number above 0 and at most 1, got {value!r}")
            object.__setattr__(self, name, float(value))
        for name in ("joint", "whiten", "zero_order", "intra"):
            if not isinstance(getattr(self, name), bool):
                raise DataError(f"{name} must be True or False, got {getattr(self, name)!r}")
        if self.norm not in NORMS:
            raise DataError(f"norm must be one of {', '.join(NORMS)}, got {self.norm!r}")
        if self.sample < self.k:
            raise DataError(
                f"sample must be at least k, one descriptor a component, got sample={self.sample} and k={self.k}"
            )
        # Equal sets of blocks are equal parameters.
        object.__setattr__(self, "blocks", ",".join(_ordered(self.blocks)))

    @property
    def descriptors(self):
        """The blocks as a tuple of names."""
        return tuple(self.blocks.split(","))

    @property
    def orders(self):
        """Orders of the Fisher vector, as `encoding.fisher` names them."""
        return (("zero",) if self.zero_order else ()) + ("first", "second")

    def fitting(self):
        """The parameters that a codebook depends on, as a dict."""
        return {name: getattr(self, name) for name in FITTING}

    @classmethod
    def from_options(cls, **options):
        """Build from keyword arguments, and name an unknown one instead of raising `TypeError`."""
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(options) - set(known))
        if unknown:
            raise DataError(f"unknown parameter {', '.join(unknown)}; known are {', '.join(known)}")
        return cls(**options)


def _ordered(blocks):
    """Names of blocks in the order of a row, each once."""
    if not isinstance(blocks, str):
        raise DataError(f'blocks must be a text such as "hog,mbhx,mbhy", got {blocks!r}')
    given = [name.strip() for name in blocks.split(",")]
    unknown = [name for name in given if name not in layout.DESCRIPTORS]
    if unknown or len(set(given)) < len(given):
        raise DataError(f"blocks must be some of {','.join(layout.DESCRIPTORS)}, each once, got {blocks!r}")
    return [name for name in layout.DESCRIPTORS if name in given]
