"""Parameters of the features of snippets, and the names of their blocks.

Source: docs/method/networks.md, section 6.
"""

import re
from dataclasses import asdict, replace

from idt.errors import DataError, short_repr
from idt.params.extraction import ExtractionParams

SUFFIX = "_snippets"
"""Suffix of the name of a block."""

LONGEST = 1000
"""Most frames of a snippet, the same limit as for a track."""


def snippet_preset(preset):
    """Return the ``preset`` for snippets: clips of fixed length also for a network that takes all frames at once."""
    return replace(preset, rule="uniform") if preset.rule == "all" else preset


def describe_blocks(network, every=None):
    """Describe the blocks, as a feature file records them (`NetworkBlocks.description`).

    Parameters
    ----------
    network : Network
    every : int, optional
        Frames between the beginnings of two snippets; by default half a clip. 0 takes the clips of the preset instead.

    Returns
    -------
    dict

    Raises
    ------
    DataError
        If the channels of a tensor cannot be told, two blocks would have one name, or the network takes all clips at
        once.
    """
    if "m" in network.layout.kind:
        raise DataError(
            f"{network.path} averages several views itself, so a snippet has no features of its own; export it without"
            " the average"
        )
    span = _span(network.preset)
    if span > LONGEST:
        raise DataError(f"{network.preset.name}: a snippet spans {span} frames, expected at most {LONGEST}; --interval")
    blocks = {}
    for tensor in network.tensors:
        shape = network.shapes.get(tensor, ())
        if len(shape) < 2 or shape[1] is None:
            raise DataError(
                f"{network.path}: {short_repr(tensor)} is no row of features and no map, its shape is"
                f" {shape or 'unknown'}; idt-net --list names the tensors"
            )
        blocks[block_name(tensor)] = int(shape[1])
    if len(blocks) < len(network.tensors):
        raise DataError(f"{network.path}: two tensors have one name as blocks, among {', '.join(blocks)}; take one")
    return {
        "blocks": blocks,
        "divided": [],
        "scales": 1,
        "power": 1.0,
        "models": [{"digest": network.digest, "tensors": network.tensors}],
        "preset": asdict(network.preset),
        "snippets": {"span": span, "every": every},
    }


def block_name(tensor):
    """Return the name of the block of a ``tensor``, such as ``fc6_snippets``."""
    return (re.sub(r"[^A-Za-z0-9]+", "_", tensor).strip("_") or "tensor") + SUFFIX


def params_of(description):
    """Return the extraction parameters for a feature file of snippets with this ``description``."""
    return ExtractionParams(length=max(1, description["snippets"]["span"] - 1), time_cells=1)


def _span(preset):
    """Count the frames from the first to the last of a snippet."""
    return (preset.length - 1) * preset.interval + 1
