"""Layout of the views of a video in the inputs of a network; the rank of the inputs decides unless a layout is named.

A view is one crop of one clip. N is the batch, M the views whose outputs the model averages itself, C the
channels, T the frames. Source: docs/method/networks.md, section 3.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from idt.errors import DataError
from idt.networks.presets import LAYOUTS

DEFAULT_BATCH_SIZE = 8
"""Size of a batch where the model leaves it open."""


class Layout(NamedTuple):
    """Layout of a network's inputs.

    Attributes
    ----------
    inputs : tuple of str
        Names of the inputs: one, or two for SlowFast, the slow input first.
    kind : str
        One of `LAYOUTS`.
    shapes : tuple of tuple of (int or None)
    preset : Preset
    """

    inputs: tuple[str, ...]
    kind: str
    shapes: tuple[tuple, ...]
    preset: Any

    @classmethod
    def of(cls, inputs, preset, path):
        """Find the layout of a model's inputs.

        Parameters
        ----------
        inputs : dict of str to tuple of (int or None)
        preset : Preset
        path : str
            Path of the model in messages.

        Returns
        -------
        Layout

        Raises
        ------
        DataError
            If none fits, or the model takes other sizes than the preset gives.
        """
        names = tuple(inputs)
        wanted = 2 if preset.alpha else 1
        if len(names) != wanted:
            said = "two inputs, slow and fast," if wanted == 2 else "one input"
            hint = "; if they are slow and fast, name preset pyslowfast" if len(names) == 2 else ""
            raise DataError(f"{path}: preset {preset.name} has {said} but the model has {len(names)}{hint}")
        shapes = [inputs[name] for name in names]
        kind = preset.layout or _kind_of(shapes[0], preset, path, names[0])
        if kind not in LAYOUTS:
            raise DataError(f"layout must be one of {', '.join(LAYOUTS)}, got {kind!r:.40}")
        if wanted == 2:
            if kind != "ncthw":
                raise DataError(f"{path}: slow and fast inputs must be (N, 3, T, H, W), got {shapes}")
            times = [shape[2] or 0 for shape in shapes]
            if times[0] > times[1] > 0:
                names, shapes = names[::-1], shapes[::-1]
        layout = cls(names, kind, tuple(shapes), preset)
        layout._check(path)
        return layout

    @property
    def batch_size(self):
        """Largest number of views that one run takes; 0 if a run takes all views of a video."""
        shape = self.shapes[0]
        if "m" in self.kind:
            return shape[1] or 0
        return shape[0] or DEFAULT_BATCH_SIZE

    def sizes(self, views=None, size=None):
        """Return the shapes of the inputs by name, for so many ``views`` of a ``size`` (height, width)."""
        views = views or self.batch_size or self.preset.views or 1
        size = size or (self.preset.crop, self.preset.crop)
        lengths = [self.preset.length] * len(self.inputs)
        if self.preset.alpha:
            lengths[0] = math.ceil(lengths[0] / self.preset.alpha)
        found = {}
        for name, length, shape in zip(self.inputs, lengths, self.shapes, strict=True):
            length = length if self.preset.rule != "all" or self._stacks else shape[self.kind.index("t")] or 16
            known = {"n": views, "c": self.preset.planes, "t": length, "h": size[0], "w": size[1], "m": views}
            if "m" in self.kind:
                known["n"] = 1
            if self._stacks:
                known["c"] *= length
            whole = self.preset.crops == "whole"
            found[name] = tuple(
                have if whole and have and letter in "hw" else known[letter]
                for letter, have in zip(self.kind, shape, strict=False)
            )
        return found

    @property
    def _stacks(self):
        """Whether the frames of a clip are channels."""
        return "t" not in self.kind

    def pack(self, views):
        """Lay out views.

        Parameters
        ----------
        views : list of (L, h, w, C) float32
            At most `batch_size`. A fixed batch is filled up with copies of the last view.

        Returns
        -------
        list of ndarray
            One for each input.
        """
        fixed = self.batch_size if "m" not in self.kind and self.shapes[0][0] else 0
        stacked = np.stack([*views, *[views[-1]] * max(0, fixed - len(views))])
        arrays = [stacked]
        if self.preset.alpha:
            arrays = [stacked[:, :: self.preset.alpha], stacked]
        return [self._in_model_order(array) for array in arrays]

    def _in_model_order(self, array):
        """Transpose views (V, T, H, W, C) to the order of the model's input."""
        if self._stacks:
            v, t, h, w, c = array.shape
            planes = array.transpose(0, 1, 4, 2, 3).reshape(v, t * c, h, w)
            if self.kind == "nhwc":
                planes = planes.transpose(0, 2, 3, 1)
            return np.ascontiguousarray(planes if self.kind != "nmchw" else planes[None])
        order = {letter: i for i, letter in enumerate("nthwc")}
        kind = self.kind.replace("m", "") if "m" in self.kind else self.kind
        array = array.transpose([order[letter] for letter in kind])
        return np.ascontiguousarray(array[None] if "m" in self.kind else array)

    def _check(self, path):
        """Refuse a preset that gives other sizes than the model takes."""
        options = {"t": "--clip-length", "h": "--crop", "w": "--crop"}
        for (name, sizes), shape in zip(self.sizes().items(), self.shapes, strict=True):
            if len(shape) != len(self.kind):
                raise DataError(f"{path}: input {name} has rank {len(shape)}, which layout {self.kind} does not fit")
            for letter, have, want in zip(self.kind, shape, sizes, strict=True):
                if letter in "nm" or have in (None, want) or (self.preset.crops == "whole" and letter in "hw"):
                    continue
                if letter == "c":
                    raise DataError(
                        f"{path}: input {name} takes {have} channels, but preset {self.preset.name} gives {want}"
                        f" ({self.preset.modality}); {_remedy(have)}"
                    )
                what = {"t": "frames a clip", "h": "rows", "w": "columns"}[letter]
                raise DataError(
                    f"{path}: input {name} takes {have} {what}, but preset {self.preset.name} gives {want};"
                    f" {options[letter]} {have}"
                )


def _remedy(channels):
    """Return the end of a message about a wrong number of ``channels``."""
    if channels == 3:
        return "it takes colours: name a preset of rgb"
    if channels % 2 == 0:
        return f"{channels} may be {channels // 2} flow fields: name a preset of flow, and --clip-length"
    return "name another preset, or --layout"


def _kind_of(shape, preset, path, name):
    """Find the layout of an input by its rank and channels."""
    stacked = preset.planes * preset.length
    if len(shape) == 4:
        return "nhwc" if shape[3] in (stacked, 3) and shape[1] not in (stacked, 3) else "nchw"
    if len(shape) == 5:
        if shape[2] == stacked and (preset.length == 1 or preset.is_flow):
            return "nmchw"
        if shape[1] == preset.planes:
            return "ncthw"
        if shape[4] == preset.planes:
            return "nthwc"
        if shape[2] == preset.planes:
            return "nmchw" if preset.length == 1 else "ntchw"
    if len(shape) == 6 and shape[2] in (preset.planes, None):
        return "nmcthw"
    said = ", ".join(str(size or "open") for size in shape)
    raise DataError(
        f"{path}: no layout fits input {name} of shape ({said}) with {preset.planes} channels ({preset.modality});"
        f" name one with --layout: {', '.join(LAYOUTS)}"
    )
