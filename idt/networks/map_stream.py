"""Feature maps of a video, frame by frame, in constant memory.

A frame has the map of the frame itself (2-D networks), of the stack of flows that begins with it, or of its place in
the clip whose middle is nearest (3-D networks). Source: docs/method/networks.md, section 7.
"""

import math
from typing import NamedTuple

import numpy as np

from idt.errors import DataError, short_repr
from idt.imports.opencv import cv2
from idt.networks.crops import cropped
from idt.networks.flow_input import flow_fields

SIDES = (480, 340, 240, 170, 120)
"""Short sides of the frames at the five scales of the released code, for videos of 240 rows."""

SINGLE_SIDE = 240
"""Short side of the frames at a single scale."""


class FrameMaps(NamedTuple):
    """Maps of one frame.

    Attributes
    ----------
    index : int
        Number of the frame, counted from 0.
    maps : list of list of (h, w, C) float32
        For each scale, for each tensor.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody searches maps with
    maps: list[list[np.ndarray]]


def input_sizes(network, height, width, scales):
    """Compute the sizes that the frames of a video are resized to.

    Parameters
    ----------
    network : Network
    height, width : int
        Height and width of the frames.
    scales : {1, 5}

    Returns
    -------
    list of (int, int)
        Heights and widths. A network with an input of fixed size has this size only.

    Raises
    ------
    DataError
        If several scales are asked of a network of a fixed size.
    """
    shape = network.layout.shapes[0]
    kind = network.layout.kind
    fixed = shape[kind.index("h")], shape[kind.index("w")]
    if None not in fixed:
        if scales != 1:
            raise DataError(f"{network.path} takes frames of {fixed[1]}×{fixed[0]} px only; --maps-scales 1")
        return [fixed]
    short = min(height, width)
    sides = SIDES if scales == 5 else (SINGLE_SIDE,)
    # Rounded up, as 340/240 · 320 is 454 in the released code; products that are whole numbers stay so.
    return [tuple(math.ceil(round(side * size / short, 6)) for size in (height, width)) for side in sides]


def frame_maps(pictures, network, sizes):
    """Compute the maps of every frame.

    Parameters
    ----------
    pictures : iterable of Picture
    network : Network
        Network with the wanted tensors, whose preset takes whole frames.
    sizes : list of (int, int)
        As from `input_sizes`.

    Yields
    ------
    FrameMaps
        In order, one for each frame.

    Raises
    ------
    DataError
        If a tensor is no map, or the video has too few frames for one flow.
    """
    if "m" in network.layout.kind:
        raise DataError(
            f"{network.path} averages several views itself, so a frame has no maps; export it without the average"
        )
    if "t" in network.layout.kind:
        yield from _of_clips(pictures, network, sizes)
    else:
        yield from _of_stacks(pictures, network, sizes)


def _of_stacks(pictures, network, sizes):
    """Yield the maps of every frame, or of the stack of flows that begins at it; past the end the last flow repeats."""
    preset, length = network.preset, network.preset.length
    waiting: list[np.ndarray] = []
    at = 0
    for image in _images(pictures, preset):
        waiting.append(image)
        if len(waiting) == length:
            yield FrameMaps(at, [_compute_maps(network, waiting, size, False) for size in sizes])
            at += 1
            waiting = waiting[1:]
    if length == 1 and not preset.is_flow:
        return
    if not waiting and not at:
        raise DataError("flow needs two frames or more, got a video of one; leave it out")
    # Flow stacks of the last frames; the last frame has no flow of its own.
    last = waiting[-1] if waiting else image
    for _ in range(len(waiting) + preset.is_flow):
        filled = [*waiting, *[last] * (length - len(waiting))]
        yield FrameMaps(at, [_compute_maps(network, filled, size, False) for size in sizes])
        at, waiting = at + 1, waiting[1:]


def _of_clips(pictures, network, sizes):
    """Yield the maps of every frame, taken from the clip whose middle is nearest; clips overlap by half."""
    preset = network.preset
    span = (preset.length - 1) * preset.interval + 1
    hop = max(1, span // 2)
    kept: list[np.ndarray] = []
    begin = served = seen = 0
    clip_maps = None
    for image in _images(pictures, preset):
        kept.append(image)
        seen += 1
        if len(kept) == span:
            clip_maps = [_compute_maps(network, kept[:: preset.interval], size, True) for size in sizes]
            # This clip serves the frames up to half-way to the middle of the next clip; ties go to this one.
            until = begin + (span - 1 + hop) // 2 + 1
            while served < min(until, seen):
                yield _maps_at(network, clip_maps, served, begin)
                served += 1
            kept, begin = kept[hop:], begin + hop
    frames = seen + preset.is_flow
    if not seen:
        raise DataError("the video has no frames or flows for a clip; leave it out")
    covered = begin - hop + span if clip_maps is not None else 0
    if covered < seen:
        filled = [*kept, *[kept[-1]] * (span - len(kept))]
        clip_maps = [_compute_maps(network, filled[:: preset.interval], size, True) for size in sizes]
    else:
        begin -= hop
    for at in range(served, frames):
        yield _maps_at(network, clip_maps, at, begin)


def _maps_at(network, clip_maps, frame, begin):
    """Select the maps of one frame from those of its clip."""
    maps = []
    for per_tensor in clip_maps:
        chosen = []
        for volume, axis in per_tensor:
            chosen.append(volume[axis.cell((frame - begin) / network.preset.interval, len(volume))])
        maps.append(chosen)
    return FrameMaps(frame, maps)


def _images(pictures, preset):
    """Yield the pixels of the frames or flows."""
    if preset.is_flow:
        for _, field in flow_fields(pictures, warped=preset.modality == "warped"):
            yield field
        return
    if preset.modality != "rgb":
        raise DataError(f"maps are of colours or flow, not of {preset.modality}; name another preset")
    for picture in pictures:
        yield picture.bgr if preset.colours == "bgr" else picture.bgr[..., ::-1]


def _compute_maps(network, images, size, is_clip):
    """Compute the tensors of one input.

    Each is a map (h, w, C); of a clip it is a pair of the volume (t, h, w, C) and its axis of time.
    """
    resized = [
        cv2.resize(np.ascontiguousarray(image), (size[1], size[0]), interpolation=cv2.INTER_LINEAR) for image in images
    ]
    view = cropped(np.stack(resized), (0, 0, False), network.preset)
    arrays = network.layout.pack([view])
    found = network.run(arrays)
    tensors: list = []
    for name, values in zip(network.tensors, found, strict=True):
        if not is_clip and values.ndim == 4:
            tensors.append(np.ascontiguousarray(values[0].transpose(1, 2, 0)))
        elif is_clip and values.ndim == 5:
            axes = axes_of(network, name, tuple(array.shape for array in arrays))
            tensors.append((np.ascontiguousarray(values[0].transpose(1, 2, 3, 0)), axes[0]))
        else:
            raise DataError(
                f"{network.path}: {short_repr(name)} is no map of places, its shape is {values.shape}; idt-net --list"
                " names the maps"
            )
    return tensors


def axes_of(network, tensor, shapes):
    """Return the axes of a ``tensor`` of a ``network`` whose inputs have these ``shapes``, from a cache."""
    known = network.axes_known
    key = tensor, shapes
    if key not in known:
        known[key] = network.map_axes(tensor, dict(zip(network.layout.inputs, shapes, strict=True)))
    return known[key]
