"""Choice of the frames of clips.

Rules, for n frames, N clips of L frames with a step v between them:

=========  ===========================================================================================================
centres    MMAction2, L = 1: frame ⌊(i + ½) n / N⌋
uniform    MMAction2, L > 1: span S = (L − 1) v + 1, room m = max(n − S, 0); a clip begins at round(i m / (N − 1)), or
           at ⌊m / 2⌋ if it is the only one; frames beyond the end begin anew (modulo n)
segments   tsn-pytorch: tick = (n − L + 1) / N; a clip begins at ⌊tick / 2 + tick i⌋
ticks      TSN in Caffe: step = ⌊(n − L) / (N − 1)⌋; a clip begins at i · step, and all at 0 if the step is 0
all        one clip of all frames (I3D)
=========  ===========================================================================================================

Halves are rounded to the even number, as NumPy does. Source: docs/method/networks.md, section 2.
"""

import numpy as np

from idt.errors import DataError


def clips_of(preset, n, name="the video"):
    """Choose the clips of a video.

    Parameters
    ----------
    preset : Preset
    n : int
        Frames, flows or differences of the video.
    name : str
        Name of the video in messages.

    Returns
    -------
    (N, L) int64
        Numbers of the frames of each clip.

    Raises
    ------
    DataError
        If the video is shorter than a clip, and the family of the network does not repeat its frames.
    """
    length, interval, count = preset.length, preset.interval, preset.clips
    unit = "flow fields" if preset.is_flow else "differences" if preset.modality == "difference" else "frames"
    if n < 1:
        raise DataError(f"{name} has no {unit}: expected a video of two frames or more")
    if preset.rule == "all":
        return np.arange(n)[None]
    span = (length - 1) * interval + 1
    if preset.rule in ("segments", "ticks") and n < length:
        raise DataError(f"{name} has {n} {unit}, fewer than the {length} of a clip ({preset.name}); leave it out")
    index = np.arange(count)
    if preset.rule == "centres":
        starts = ((index + 0.5) * n / count).astype(np.int64)
    elif preset.rule == "uniform":
        room = max(n - span, 0)
        starts = np.round(index * room / (count - 1)).astype(np.int64) if count > 1 else np.array([room // 2])
    elif preset.rule == "segments":
        tick = (n - length + 1) / count
        starts = (tick / 2 + tick * index).astype(np.int64)
    else:
        starts = index * ((n - length) // (count - 1) if count > 1 else 0)
    return (starts[:, None] + interval * np.arange(length)) % n


def snippets_of(preset, n, every=None, name="the video"):
    """Choose overlapping clips all along a video, for features.

    Parameters
    ----------
    preset : Preset
    n : int
    every : int, optional
        Frames between the beginnings of two clips; half a clip's length by default.
    name : str

    Returns
    -------
    (m, L) int64
        At least one clip, whose frames begin anew if the video is shorter.

    Raises
    ------
    DataError
        If there are no frames.

    Notes
    -----
    C3D's features: clips of 16 frames with 8 overlapping.
    """
    if n < 1:
        raise DataError(f"{name} has too few frames for one clip; leave it out")
    span = (preset.length - 1) * preset.interval + 1
    starts = np.arange(0, max(n - span, 0) + 1, every or max(1, span // 2))
    return (starts[:, None] + preset.interval * np.arange(preset.length)) % n
