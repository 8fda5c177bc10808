"""The encodings by name: their parameters, what is learnt of a block, and what they ask about tracks."""

from typing import Any, NamedTuple

from encoding.coders import stacked
from encoding.coders.bilinear import BilinearCoder
from encoding.coders.bovw import BovwCoder
from encoding.coders.fisher import FisherCoder
from encoding.coders.plain import PlainCoder
from encoding.coders.pyramid import Pyramid
from encoding.coders.stacked import StackedCoder
from encoding.coders.vlad import VladCoder
from encoding.params import BilinearParams, BovwParams, EncodingParams, PlainParams, StackedParams, VladParams
from idt.errors import DataError


class Kind(NamedTuple):
    """An encoding.

    Attributes
    ----------
    params : type
        Its parameters, a `BlockParams`.
    coder : type
        What it learns of a block, a `Coder` with a ``read``.
    first : type
        What is fitted to the sample of descriptors, with a ``fit``; the coder itself, but for stacked vectors.
    """

    params: Any
    coder: Any
    first: Any


KINDS = {
    "fisher": Kind(EncodingParams, FisherCoder, FisherCoder),
    "bovw": Kind(BovwParams, BovwCoder, BovwCoder),
    "vlad": Kind(VladParams, VladCoder, VladCoder),
    "stacked": Kind(StackedParams, StackedCoder, FisherCoder),
    "bilinear": Kind(BilinearParams, BilinearCoder, BilinearCoder),
    "plain": Kind(PlainParams, PlainCoder, PlainCoder),
}


def kind_of(name):
    """Return the encoding of a ``name``.

    Raises
    ------
    DataError
        If there is none.
    """
    if name not in KINDS:
        raise DataError(f"encoding must be one of {', '.join(KINDS)}, got {name!r}")
    return KINDS[name]


def columns_asked(params):
    """What an encoding asks about tracks.

    Parameters
    ----------
    params : BlockParams

    Returns
    -------
    tuple of str
        As `encoding.descriptors.sources.Source.parts` takes them.
    """
    if params.encoding == "stacked":
        return stacked.COLUMNS
    asked = () if Pyramid.parse(params.pyramid).is_whole else ("position",)
    return (*asked, "frame", "scale", "skip") if in_groups(params) else asked


def in_groups(params):
    """Tell whether ``params`` encode descriptors together with those of their slice of L frames."""
    return params.encoding == "bovw" and params.coding == "somp"
