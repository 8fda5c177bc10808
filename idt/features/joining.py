"""Concatenate features of several videos, or of several stretches of one."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from idt.errors import DataError
from idt.features.camera import Camera
from idt.features.columns import COLUMNS
from idt.features.network_blocks import NetworkBlocks
from idt.features.projection import Projected


def concatenate(cls, parts):
    """Concatenate features.

    Parameters
    ----------
    cls : type
        `Features`.
    parts : list of Features

    Returns
    -------
    Features
        As `Features.concatenate`.
    """
    if len(parts) < 2:
        return parts[0] if parts else cls.empty()
    if any(part.skip is not None for part in parts):
        parts = [replace(part, skip=np.ones(len(part), np.uint8)) if part.skip is None else part for part in parts]
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        values = [getattr(part, name) for part in parts]
        shapes = {None if value is None else value.shape[1:] for value in values}
        if len(shapes) > 1:
            raise DataError(f"features that are joined must have equal columns, got {name} of rows {shapes}")
        columns[name] = None if values[0] is None else np.concatenate(values)
    frames = [part.frames for part in parts]
    return cls(
        **columns,
        projected=Projected.concatenate([part.projected for part in parts]),
        network=NetworkBlocks.concatenate([part.network for part in parts]),
        camera=Camera.joined([part.camera for part in parts]),
        frames=None if None in frames else sum(frames),
        fps=_agreed([part.fps for part in parts], math.nan),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        **{
            name: _agreed([getattr(part, name) for part in parts], None)
            for name in ("width", "height", "params", "source")
        },
    )


def _agreed(values, otherwise):
    """Return the value if all ``values`` are equal, and ``otherwise`` if they are not; NaN equals NaN."""
    first = values[0]
    same = all(value == first or (value != value and first != first) for value in values)
    return first if same else otherwise
