"""Scores of a video: the mean of the outputs of a network over all views of its clips.

Source: docs/method/networks.md, sections 2 and 5.
"""

import numpy as np

from idt.errors import DataError, short_repr
from idt.networks.sampling import clips_of
from idt.networks.views import PLAIN, clips, measure, units_of

SUM = 1e-3
"""Largest deviation from 1 of a sum of probabilities, which are float32 numbers of up to thousands of classes."""


def scores(network, video, *, opening=PLAIN, measured=None):
    """Score a video.

    Parameters
    ----------
    network : Network
        Its first tensor has a column for each class.
    video : path or array
    opening : Opening
    measured : Measured, optional
        As from `idt.networks.views.measure`, if it is known.

    Returns
    -------
    (C,) float64
        Means of logits or probabilities, as the preset says.

    Raises
    ------
    DataError
        If the video cannot be read or is too short, or the network's output is no row of classes.
    """
    preset = network.preset
    opening = opening.for_preset(video, preset)
    measured = measured or measure(video, opening)
    name = str(measured.source.get("name", "the video"))
    numbers = clips_of(preset, units_of(preset, measured.frames), name)
    video_clips = clips(video, preset, numbers, opening)
    total, count = 0.0, 0
    for views in _batches(network, video_clips, len(numbers)):
        rows = rows_of(network, network.run(network.layout.pack(views))[0], len(views))
        total = total + _to_average(rows, preset, network).sum(axis=0)
        count += len(rows)
    return total / count


def _batches(network, video_clips, n_clips):
    """Yield the batches of views."""
    layout = network.layout
    if "m" not in layout.kind:
        waiting: list = []
        for clip in video_clips:
            waiting += clip.views
            while len(waiting) >= layout.group:
                yield waiting[: layout.group]
                waiting = waiting[layout.group :]
        if waiting:
            yield waiting
        return
    # All clips of one crop, then all clips of the next: the order that the network's head expects.
    found = sorted(video_clips, key=lambda clip: clip.index)
    views = [clip.views[crop] for crop in range(len(found[0].views)) for clip in found]
    group = layout.group or len(views)
    if len(views) % group or group % n_clips:
        raise DataError(
            f"{network.path}: input {layout.inputs[0]} takes {group} views at once, but preset {network.preset.name}"
            f" has {n_clips} clips of {len(found[0].views)} crops; --clips and --crops change that"
        )
    for first in range(0, len(views), group):
        yield views[first : first + group]


def rows_of(network, values, count):
    """Reshape the outputs of one run to rows of classes.

    Parameters
    ----------
    network : Network
    values : ndarray
    count : int
        Number of views in the run.

    Returns
    -------
    (n, C) float64
        A row for each view, or one for all views if the model averages them.

    Raises
    ------
    DataError
        If they have another shape.
    """
    squeezed = values.reshape(values.shape[0], *[size for size in values.shape[1:] if size != 1])
    if squeezed.ndim == 3 and "m" in network.layout.kind and len(squeezed) == 1:
        squeezed = squeezed[0]
    batch = network.layout.group if "m" not in network.layout.kind and network.layout.shapes[0][0] else count
    allowed = (1, count) if "m" in network.layout.kind else (batch,)
    if squeezed.ndim != 2 or len(squeezed) not in allowed:
        raise DataError(
            f"{network.path}: the scores {short_repr(network.tensors[0])} must have a row of classes for each of"
            f" {count} views, got shape {values.shape}; name another tensor"
        )
    return squeezed[:count].astype(np.float64)


def _to_average(rows, preset, network):
    """Return the logits or probabilities of each view, as the preset says."""
    if preset.average == "probabilities":
        powers = np.exp(rows - rows.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)
    if preset.average == "given" and ((rows < -SUM).any() or (abs(rows.sum(axis=1) - 1) > SUM).any()):
        raise DataError(
            f"{network.path}: --average given says that the outputs are probabilities, but a row sums to"
            f" {rows.sum(axis=1)[0]:.4g}; use --average probabilities or logits"
        )
    return rows
