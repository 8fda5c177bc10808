"""Fusion of the maps of two networks cell by cell, such as those of a spatial and a temporal stream.

For maps x and y, C and C' channels in each of their cells:

    sum: x + y,   max: max(x, y),   concat: (x, y),   bilinear: Σ x yᵀ / n over the n cells, C C' numbers.

These are the kinds of Feichtenhofer, Pinz and Zisserman (CVPR 2016) that need no training. Their 3-D max pooling is
`plain-encode --pool max` over all cells of a video, or over the cells in each part of a pyramid.

Source: docs/method/networks.md, section 6.1.
"""

from dataclasses import asdict

import numpy as np

from idt.errors import DataError, short_repr
from idt.features.network_blocks import WIDEST
from idt.networks.presets import FUSIONS
from idt.networks.snippet_params import SUFFIX, block_name, describe_blocks
from idt.networks.snippets import choose_snippets, features_of, rows_of, snippet_values
from idt.networks.views import DEFAULT_OPENING, count_units, measure


def describe_fused_block(network, other, kind, every=None):
    """Describe the block of two networks, as `idt.networks.snippet_params.describe_blocks` describes the blocks of one.

    Parameters
    ----------
    network, other : Network
        Networks with one tensor each.
    kind : str
        One of `idt.networks.presets.FUSIONS`.
    every : int, optional
        As for `idt.networks.snippet_params.describe_blocks`, for the first network.

    Returns
    -------
    dict

    Raises
    ------
    DataError
        If the kind is unknown, there are several tensors, or channels do not fit each other.
    """
    if kind not in FUSIONS:
        raise DataError(f"--fuse must be one of {', '.join(FUSIONS)}, got {kind!r:.40}")
    if len(network.tensors) != 1 or len(other.tensors) != 1:
        raise DataError("--fuse takes one tensor of each network; name one with --features and one with --with")
    description, other_description = describe_blocks(network, every), describe_blocks(other, every)
    (one,), (two,) = description["blocks"].values(), other_description["blocks"].values()
    if kind in ("sum", "max") and one != two:
        raise DataError(
            f"--fuse {kind} needs maps of equally many channels, got {one} of {short_repr(network.tensors[0])} and"
            f" {two} of {short_repr(other.tensors[0])}; use concat or bilinear"
        )
    width = {"concat": one + two, "bilinear": one * two}.get(kind, one)
    if width > WIDEST:
        raise DataError(
            f"--fuse {kind} of {one} and {two} channels gives {width} numbers, expected at most {WIDEST}; take earlier"
            " layers, or concat and bilinear-encode --sketch"
        )
    return {
        **description,
        "blocks": {_block_name(network.tensors[0], kind): width},
        "models": [*description["models"], *other_description["models"]],
        "fuse": {"kind": kind, "preset": asdict(other.preset)},
    }


def fused_snippets(network, other, kind, video, *, every=None, opening=DEFAULT_OPENING, measured=None):
    """Compute the fused features of all snippets of a video.

    Parameters
    ----------
    network, other : Network
        The clips of the second network begin at the frames at which the clips of the first begin; past the end the last
        frame or flow repeats.
    kind : str
    video : path or array
    every : int, optional
    opening : Opening
    measured : MeasuredVideo, optional
        As for `idt.networks.snippets.snippets`.

    Yields
    ------
    Features
        Rows of a snippet, as from `idt.networks.snippets.snippets`.

    Raises
    ------
    DataError
        As for `idt.networks.snippets.snippets`, or if the maps have different numbers of cells.
    """
    description = describe_fused_block(network, other, kind, every)
    opening = opening.for_preset(video, network.preset)
    measured = measured or measure(video, opening)
    numbers = choose_snippets(network.preset, measured, every)
    last = count_units(other.preset, measured.frames) - 1
    if last < 0:
        raise DataError("flow needs two frames or more, got a video of one; leave it out")
    steps = other.preset.interval * np.arange(other.preset.length)
    # Sorted, because `snippet_values` yields clips in the order of their last frames.
    numbers = numbers[np.argsort(numbers.max(axis=1), kind="stable")]
    other_numbers = np.minimum(numbers[:, :1] + steps, last)
    pairs = zip(
        snippet_values(network, video, numbers, opening, measured),
        snippet_values(other, video, other_numbers, opening, measured),
        strict=True,
    )
    for one, two in pairs:
        (x,), (y,), cells = one.values, two.values, one.cells[0]
        if two.cells[0] != cells or len(x) != len(y):
            raise DataError(
                f"--fuse needs maps of one size, got {len(x)} crops of {cells} cells of time, height and width of"
                f" {short_repr(network.tensors[0])} and {len(y)} of {two.cells[0]} of {short_repr(other.tensors[0])}"
            )
        values = _fuse(x, y, kind)
        cells = (1, 1, 1) if kind == "bilinear" else cells
        yield features_of(
            one, cells, {_block_name(network.tensors[0], kind): rows_of(values, cells)}, description, measured
        )


def _block_name(tensor, kind):
    return block_name(tensor).removesuffix(SUFFIX) + f"_{kind}{SUFFIX}"


def _fuse(x, y, kind):
    """Fuse values x and y, (crops, cells, C) each."""
    if kind == "sum":
        return x + y
    if kind == "max":
        return np.maximum(x, y)
    if kind == "concat":
        return np.concatenate([x, y], axis=2)
    products = np.einsum("kci,kcj->kij", x.astype(np.float64), y.astype(np.float64)) / x.shape[1]
    return products.reshape(len(x), 1, -1)
