"""The encodings by name: parameters, coders, and the columns of tracks that they need."""

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


class Encoding(NamedTuple):
    """An encoding.

    Attributes
    ----------
    params : type
        Its parameters, a `BlockParams`.
    coder : type
        Its `Coder`, with a ``read``.
    sample_coder : type
        Coder that is fitted to the sample of descriptors by its ``fit``. It is ``coder``, except for stacked vectors:
        there it is the coder of the first layer.
    """

    params: Any
    coder: Any
    sample_coder: Any


ENCODINGS = {
    "fisher": Encoding(EncodingParams, FisherCoder, FisherCoder),
    "bovw": Encoding(BovwParams, BovwCoder, BovwCoder),
    "vlad": Encoding(VladParams, VladCoder, VladCoder),
    "stacked": Encoding(StackedParams, StackedCoder, FisherCoder),
    "bilinear": Encoding(BilinearParams, BilinearCoder, BilinearCoder),
    "plain": Encoding(PlainParams, PlainCoder, PlainCoder),
}


def encoding_of(name):
    """Return the encoding of a ``name``.

    Raises
    ------
    DataError
        If there is none.
    """
    if name not in ENCODINGS:
        raise DataError(f"encoding must be one of {', '.join(ENCODINGS)}, got {name!r}")
    return ENCODINGS[name]


def track_columns_of(params):
    """Return the names of the track columns that an encoding needs.

    Parameters
    ----------
    params : BlockParams

    Returns
    -------
    tuple of str
        As `encoding.descriptors.sources.Source.batches` takes them.
    """
    if params.encoding == "stacked":
        return stacked.TRACK_COLUMNS
    asked = () if Pyramid.parse(params.pyramid).is_whole else ("position",)
    return (*asked, "frame", "scale", "skip") if encodes_groups(params) else asked


def encodes_groups(params):
    """Tell whether ``params`` encode all descriptors of a slice together (a slice is as long as a track)."""
    return params.encoding == "bovw" and params.coding == "somp"
