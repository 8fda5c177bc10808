"""Resizing, cropping and normalisation of frames, as the test code of each family does it.

Source: docs/method/networks.md, section 2.
"""

import numpy as np

from idt.errors import DataError
from idt.imports.opencv import cv2


def target_size(preset, height, width):
    """Compute the size that frames are resized to.

    Parameters
    ----------
    preset : Preset
    height, width : int
        Height and width of the frames.

    Returns
    -------
    height, width : int
    """
    if isinstance(preset.short_side, tuple):
        return preset.short_side[1], preset.short_side[0]
    if not preset.short_side:
        return height, width
    factor = preset.short_side / min(height, width)
    return int(height * factor + 0.5), int(width * factor + 0.5)


def resized(image, size):
    """Resize an ``image`` (H, W, C) bilinearly to a ``size`` (height, width)."""
    if image.shape[:2] == tuple(size):
        return image
    return cv2.resize(image, (size[1], size[0]), interpolation=cv2.INTER_LINEAR)


def places(preset, height, width):
    """List the crops of a resized frame.

    Parameters
    ----------
    preset : Preset
    height, width : int
        Height and width of the resized frame.

    Returns
    -------
    list of (int, int, bool)
        Top and left edge of each crop, and whether it is mirrored. Three: left, right, middle of the long
        side. Ten: four corners, centre, then the same mirrored.

    Raises
    ------
    DataError
        If a crop is larger than the frame.
    """
    if preset.crops == "whole":
        return [(0, 0, False)]
    crop = preset.crop
    if min(height, width) < crop:
        raise DataError(
            f"crops of {crop}×{crop} px do not fit frames of {width}×{height} px; use a larger --short-side"
        )
    down, right = height - crop, width - crop
    if preset.crops == "centre":
        return [(down // 2, right // 2, False)]
    if preset.crops == "three":
        if width >= height:
            return [(down // 2, x, False) for x in (0, right, right // 2)]
        return [(y, right // 2, False) for y in (0, down, down // 2)]
    corners = [(0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2)]
    return [(*corner, mirrored) for mirrored in (False, True) for corner in corners]


def cropped(clip, place, preset):
    """Cut one crop out of a clip and normalise its values.

    Parameters
    ----------
    clip : (L, H, W, C) uint8 or int16
        Resized frames. Flow is (x, y) in 8 bits, where 128 is no motion; differences are int16.
    place : (int, int, bool)
        As from `places`.
    preset : Preset

    Returns
    -------
    (L, h, w, C) float32
        The x of a mirrored flow is 255 − x.
    """
    top, left, mirrored = place
    if preset.crops != "whole":
        clip = clip[:, top : top + preset.crop, left : left + preset.crop]
    if mirrored:
        clip = clip[:, :, ::-1]
        if preset.is_flow:
            clip = clip.copy()
            clip[..., 0] = 255 - clip[..., 0]
    return ((clip.astype(np.float32) - np.float32(preset.mean)) / np.float32(preset.std)).astype(np.float32)
