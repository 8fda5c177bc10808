"""Features of snippets: tensors of a network for short clips all along a video, as descriptors.

A tensor (C) of a clip is one row, a map (C, t, h, w) or (C, h, w) one row a cell. If a tensor has a single cell, its
rows are averaged over the crops of the clip. Source: docs/method/networks.md, section 6.
"""

from typing import NamedTuple

import numpy as np

from idt.errors import DataError, short_repr
from idt.features.columns import LAST_POSITION
from idt.features.features import Features
from idt.features.network_blocks import NetworkBlocks
from idt.networks.crops import crop_places, target_size
from idt.networks.sampling import clips_of, snippets_of
from idt.networks.snippet_params import block_name, describe_blocks, params_of
from idt.networks.views import DEFAULT_OPENING, Clip, clips, count_units, measure


def snippets(network, video, *, every=None, opening=DEFAULT_OPENING, measured=None):
    """Compute the features of all snippets of a video.

    Parameters
    ----------
    network : Network
        Network with the wanted tensors.
    video : path or array
    every : int, optional
        As for `describe_blocks`.
    opening : Opening
    measured : MeasuredVideo, optional
        As from `idt.networks.views.measure`, if it is known.

    Yields
    ------
    Features
        Rows of a snippet with the frame at which it ends, their relative positions, and the blocks.

    Raises
    ------
    DataError
        If the video cannot be read or is too short, or the tensors have different numbers of cells.
    """
    description = describe_blocks(network, every)
    opening = opening.for_preset(video, network.preset)
    measured = measured or measure(video, opening)
    for snippet in snippet_values(network, video, choose_snippets(network.preset, measured, every), opening, measured):
        blocks = {}
        for tensor, values, cells in zip(network.tensors, snippet.values, snippet.cells, strict=True):
            if cells != snippet.cells[0]:
                raise DataError(
                    f"{network.path}: {short_repr(tensor)} has {cells} cells of time, height and width and"
                    f" {short_repr(network.tensors[0])} {snippet.cells[0]}; name tensors of one size"
                )
            blocks[block_name(tensor)] = rows_of(values, cells)
        yield features_of(snippet, snippet.cells[0], blocks, description, measured)


class Snippet(NamedTuple):
    """Tensors of a network for one clip.

    Attributes
    ----------
    clip : idt.networks.views.Clip
        The clip without its views, which are not needed any more.
    windows : list of (int, int, bool)
        Its crops, as from `idt.networks.crops.crop_places`.
    values : list of (crops, cells, C) float32
        Values of each tensor.
    cells : list of (int, int, int)
        Cells of time, height and width of each tensor; (1, 1, 1) if it is no map.
    size : (int, int)
        Height and width of the resized frames.
    crop : int
        Side of the crops; 0 for whole frames.
    """

    clip: Clip
    windows: list
    values: list
    cells: list
    size: tuple
    crop: int


def choose_snippets(preset, measured, every, name="the video"):
    """Choose the snippets of a video.

    Parameters
    ----------
    preset : Preset
    measured : MeasuredVideo
    every : int or None
        As for `describe_blocks`.
    name : str
        Name of the video in messages, if ``measured`` records none.

    Returns
    -------
    (m, L) int64
        Numbers of the frames, flows or differences of each snippet.

    Raises
    ------
    DataError
        If there are too few.
    """
    name = str(measured.source.get("name", name))
    units = count_units(preset, measured.frames)
    return clips_of(preset, units, name) if every == 0 else snippets_of(preset, units, every, name)


def snippet_values(network, video, numbers, opening, measured):
    """Compute the tensors of clips.

    Parameters
    ----------
    network : Network
    video : path or array
    numbers : (m, L) int
        As from `choose_snippets`.
    opening : Opening
    measured : MeasuredVideo

    Yields
    ------
    Snippet
        In the order of their last frames.

    Raises
    ------
    DataError
        If the video cannot be read, or a tensor is neither a row nor a map.
    """
    preset = network.preset
    size = target_size(preset, measured.height, measured.width)
    windows = crop_places(preset, *size)
    crop = 0 if preset.crops == "whole" else preset.crop
    waiting: list = []

    def run(count):
        found = _run(network, [view for clip in waiting[:count] for view in clip.views])
        shaped = [_rows(network, tensor, values) for tensor, values in zip(network.tensors, found, strict=True)]
        for number, clip in enumerate(waiting[:count]):
            at = slice(number * len(windows), (number + 1) * len(windows))
            values, cells = [rows[at] for rows, _ in shaped], [cells for _, cells in shaped]
            yield Snippet(clip._replace(views=[]), windows, values, cells, size, crop)

    # As many whole clips as fit into a batch.
    n_clips = max(network.layout.batch_size // len(windows), 1)
    for clip in clips(video, preset, numbers, opening):
        waiting.append(clip)
        if len(waiting) == n_clips:
            yield from run(n_clips)
            waiting = []
    if waiting:
        yield from run(len(waiting))


def rows_of(values, cells):
    """Return rows (n, C) float32 of ``values`` (crops, cells, C).

    Each cell of each crop is a row. If ``cells`` is (1, 1, 1), the mean over the crops is the only row.
    """
    if cells == (1, 1, 1):
        values = values.mean(axis=0, keepdims=True, dtype=np.float64)
    return values.reshape(-1, values.shape[-1]).astype(np.float32)


def features_of(snippet, cells, blocks, description, measured):
    """Make features of a snippet.

    Parameters
    ----------
    snippet : Snippet
    cells : (int, int, int)
        Cells of time, height and width of the blocks.
    blocks : dict of str to (n, C) float32
        As from `rows_of`.
    description : dict
        As from `describe_blocks`.
    measured : MeasuredVideo

    Returns
    -------
    Features
    """
    windows = [None] if cells == (1, 1, 1) else snippet.windows
    position = np.concatenate([_positions(snippet, window, cells, measured) for window in windows])
    return Features(
        frame=np.full(len(position), snippet.clip.last + measured.first_frame, np.int32),
        scale=np.ones(len(position), np.float32),
        position=position,
        skip=np.ones(len(position), np.uint8),
        network=NetworkBlocks(description, blocks),
        params=params_of(description),
        width=measured.width,
        height=measured.height,
    )


def _run(network, views):
    """Compute the tensors of all views, batch by batch."""
    batch_size, parts = network.layout.batch_size, []
    for first in range(0, len(views), batch_size):
        given = views[first : first + batch_size]
        found = network.run(network.layout.pack(given))
        for name, values in zip(network.tensors, found, strict=True):
            if len(values) < len(given) or values.ndim < 2:
                raise DataError(
                    f"{network.path}: {short_repr(name)} must have a row for each of {len(given)} views, got shape"
                    f" {values.shape}; name another tensor"
                )
        parts.append([values[: len(given)] for values in found])
    return [np.concatenate(of_tensor) for of_tensor in zip(*parts, strict=True)]


def _rows(network, tensor, values):
    """Return values as (views, cells, C), and the cells of time, height and width."""
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


def _positions(snippet, window, cells, measured):
    """Compute the relative positions (cells, 3) of the cells in a crop, or in the whole frame if ``window`` is None."""
    times, rows, columns = (((np.arange(count) + 0.5) / count) for count in cells)
    if window is not None and snippet.crop:
        rows = (window[0] + rows * snippet.crop) / snippet.size[0]
        across = columns[::-1] if window[2] else columns
        columns = (window[1] + across * snippet.crop) / snippet.size[1]
    clip = snippet.clip
    middles = clip.first - 0.5 + times * (clip.last - clip.first + 1)
    grid = np.meshgrid(middles / max(measured.frames, 1), rows, columns, indexing="ij")
    position = np.stack([axis.ravel() for axis in reversed(grid)], axis=1)
    return np.clip(position, 0, LAST_POSITION).astype(np.float32)
