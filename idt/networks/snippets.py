"""Features of snippets: tensors of a network for short clips all along a video, as rows that every encoder takes.

A tensor (C) of a clip is one row, a map (C, t, h, w) or (C, h, w) one row a cell. Rows of one cell are averaged over
the crops of the clip. Source: docs/method/networks.md, section 6.
"""

import re
from dataclasses import asdict, replace

import numpy as np

from idt.errors import DataError, short_repr
from idt.features.columns import LAST_POSITION
from idt.features.features import Features
from idt.features.network_blocks import NetworkBlocks
from idt.networks.crops import places, target_size
from idt.networks.sampling import clips_of, snippets_of
from idt.networks.views import PLAIN, clips, measure, units_of
from idt.params.extraction import ExtractionParams

SUFFIX = "_snippets"
"""End of the name of a block."""

LONGEST = 1000
"""Most frames that a snippet spans; tracks are no longer."""


def snippet_preset(preset):
    """Return the ``preset`` for snippets: a network that is given all frames at once is given clips of a length."""
    return replace(preset, rule="uniform") if preset.rule == "all" else preset


def made_of(network, every=None):
    """Describe the blocks, as a feature file records them (`NetworkBlocks.made`).

    Parameters
    ----------
    network : Network
    every : int, optional
        Frames between the beginnings of two snippets; half a clip by default, 0 for the clips of the preset.

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


def params_of(made):
    """Return the extraction parameters that stand in a file of snippets, whose description is ``made``."""
    return ExtractionParams(length=max(1, made["snippets"]["span"] - 1), time_cells=1)


def snippets(network, video, *, every=None, opening=PLAIN, measured=None):
    """Compute the features of all snippets of a video.

    Parameters
    ----------
    network : Network
        With the wanted tensors.
    video : path or array
    every : int, optional
        As for `made_of`.
    opening : Opening
    measured : Measured, optional
        As from `idt.networks.views.measure`, if it is known.

    Yields
    ------
    Features
        Rows with the frame at which their snippet ends, their relative position, and the blocks.

    Raises
    ------
    DataError
        If the video cannot be read or is too short, or the tensors have different numbers of cells.
    """
    preset, made = network.preset, made_of(network, every)
    opening = opening.for_preset(video, preset)
    measured = measured or measure(video, opening)
    name = str(measured.source.get("name", "the video"))
    units = units_of(preset, measured.frames)
    numbers = clips_of(preset, units, name) if every == 0 else snippets_of(preset, units, every, name)
    size = target_size(preset, measured.height, measured.width)
    windows = places(preset, *size)
    waiting: list = []
    for clip in clips(video, preset, numbers, opening):
        waiting += [(clip, crop, view) for crop, view in enumerate(clip.views)]
        # Whole clips only, so that the crops of one are averaged.
        while len(waiting) >= max(network.layout.group, len(windows)):
            count = max(network.layout.group // len(windows), 1) * len(windows)
            yield _features(network, made, waiting[:count], windows, size, measured)
            waiting = waiting[count:]
    if waiting:
        yield _features(network, made, waiting, windows, size, measured)


def _span(preset):
    """Frames from the first to the last of a snippet."""
    return (preset.length - 1) * preset.interval + 1


def _features(network, made, views, windows, size, measured):
    """Rows of some clips with all of their crops."""
    blocks, cells = {}, (1, 1, 1)
    for place, (tensor, values) in enumerate(zip(network.tensors, _run(network, views), strict=True)):
        rows, found = _rows(network, tensor, values)
        if place and found != cells:
            raise DataError(
                f"{network.path}: {short_repr(tensor)} has {found} cells of time, height and width and"
                f" {short_repr(network.tensors[0])} {cells}; name tensors of one size"
            )
        cells = found
        crops = rows.reshape(-1, len(windows), *rows.shape[1:])
        if cells == (1, 1, 1):
            crops = crops.mean(axis=1, keepdims=True, dtype=np.float64)
        blocks[block_name(tensor)] = crops.reshape(-1, rows.shape[-1]).astype(np.float32)
    places_used = windows if cells != (1, 1, 1) else [None]
    ends, positions = [], []
    for clip, crop, _ in views:
        if crop < len(places_used):
            position = _positions(clip, places_used[crop], cells, size, network.preset, measured)
            positions.append(position)
            ends.append(np.full(len(position), clip.last + measured.first_frame, np.int32))
    frame = np.concatenate(ends)
    return Features(
        frame=frame,
        scale=np.ones(len(frame), np.float32),
        position=np.concatenate(positions),
        skip=np.ones(len(frame), np.uint8),
        network=NetworkBlocks(made, blocks),
        params=params_of(made),
        width=measured.width,
        height=measured.height,
    )


def _run(network, views):
    """The tensors of all views, in runs of at most a batch."""
    group, parts = network.layout.group, []
    for first in range(0, len(views), group):
        given = [view for _, _, view in views[first : first + group]]
        found = network.run(network.layout.pack(given))
        for name, values in zip(network.tensors, found, strict=True):
            if len(values) < len(given) or values.ndim < 2:
                raise DataError(
                    f"{network.path}: {short_repr(name)} must have a row for each view, got shape {values.shape}"
                )
        parts.append([values[: len(given)] for values in found])
    return [np.concatenate(of_tensor) for of_tensor in zip(*parts, strict=True)]


def _rows(network, tensor, values):
    """Values as (views, cells, C), and the cells of time, height and width."""
    single = int(np.prod(values.shape[2:])) == 1
    if not single and values.ndim not in (4, 5):
        raise DataError(
            f"{network.path}: {short_repr(tensor)} is no row of features and no map, its shape is {values.shape};"
            " idt-net --list names the tensors"
        )
    if single:
        return values.reshape(len(values), 1, values.shape[1]), (1, 1, 1)
    cells = (1,) * (5 - values.ndim) + values.shape[2:]
    return np.moveaxis(values.reshape(*values.shape[:2], -1), 1, 2), cells


def _positions(clip, window, cells, size, preset, measured):
    """Relative positions (cells, 3) of the cells of a clip in a crop; without one of the whole frame."""
    times, rows, columns = (((np.arange(count) + 0.5) / count) for count in cells)
    if window is not None and preset.crops != "whole":
        rows = (window[0] + rows * preset.crop) / size[0]
        across = columns[::-1] if window[2] else columns
        columns = (window[1] + across * preset.crop) / size[1]
    middles = clip.first - 0.5 + times * (clip.last - clip.first + 1)
    grid = np.meshgrid(middles / max(measured.frames, 1), rows, columns, indexing="ij")
    position = np.stack([axis.ravel() for axis in reversed(grid)], axis=1)
    return np.clip(position, 0, LAST_POSITION).astype(np.float32)
