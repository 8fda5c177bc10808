"""Optical flow as a picture: direction as colour, length as saturation, on the colour wheel of Baker et al.

Source: Baker et al., "A database and evaluation methodology for optical flow", IJCV 2011: 55 colours, from red by
yellow, green, cyan, blue and magenta back to red, in steps that look equally large. No motion is white. A displacement
of the length ``longest`` has the full colour; a longer one is darker.
"""

import numpy as np

from idt import checks
from idt.errors import DataError, short_repr

STEPS = (15, 6, 4, 11, 13, 6)
"""Colours of the wheel from red to yellow, to green, to cyan, to blue, to magenta, and back to red."""

BEYOND = 0.75
"""Factor that darkens the colour of a displacement longer than ``longest``."""

ORDERS = ("bgr", "rgb")


def colour_wheel():
    """Return the colours of the wheel.

    Returns
    -------
    (55, 3) float32
        RGB from 0 to 1. The first is the colour of a motion to the right; the angle grows clockwise in the picture.
    """
    corners = np.array([(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0)], np.float32)
    parts = [
        first + (last - first) * (np.arange(count, dtype=np.float32)[:, None] / np.float32(count))
        for first, last, count in zip(corners[:-1], corners[1:], STEPS, strict=True)
    ]
    return np.concatenate(parts)


def flow_image(flow, *, longest=None, channels="bgr"):
    """Draw a flow in colours: the direction is the colour, the length its saturation.

    Parameters
    ----------
    flow : (H, W, 2) float
        Displacement (x, y) in pixels.
    longest : float, optional
        Length in pixels that has the full colour; by default the length of the longest displacement. Give all frames
        of a video the same length.
    channels : {"bgr", "rgb"}, default "bgr"
        Order of the colours: OpenCV's, or that of matplotlib and of notebooks.

    Returns
    -------
    (H, W, 3) uint8
        White where nothing moves. Motion to the right is red, downwards yellow, to the left cyan, upwards violet. A
        displacement longer than ``longest`` is darker.

    Raises
    ------
    DataError
        If the flow is no finite (H, W, 2) array, ``longest`` is not above 0, or the order is unknown.

    Notes
    -----
    Baker et al., IJCV 2011.

    Examples
    --------
    >>> import numpy as np
    >>> flow_image(np.zeros((1, 1, 2)))
    array([[[255, 255, 255]]], dtype=uint8)
    """
    flow = checks.float_array(flow, (None, None, 2), "flow")
    if not isinstance(channels, str) or channels not in ORDERS:
        raise DataError(f"channels must be one of {', '.join(ORDERS)}, got {short_repr(channels)}")
    length = np.hypot(flow[..., 0], flow[..., 1])
    if longest is None:
        longest = float(length.max(initial=0)) or 1.0
    elif isinstance(longest, bool) or not isinstance(longest, int | float | np.number) or not 0 < longest < np.inf:
        raise DataError(f"longest must be a length above 0 px, got {short_repr(longest)}")
    wheel = colour_wheel()
    place = np.mod(np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi), 1) * len(wheel)
    below = np.floor(place).astype(np.intp) % len(wheel)
    share = (place - np.floor(place))[..., None]
    colour = (1 - share) * wheel[below] + share * wheel[(below + 1) % len(wheel)]
    reach = (length / longest)[..., None]
    colour = np.where(reach <= 1, 1 - np.minimum(reach, 1) * (1 - colour), colour * BEYOND)
    image = np.rint(255 * colour).astype(np.uint8)
    return image if channels == "rgb" else np.ascontiguousarray(image[..., ::-1])
