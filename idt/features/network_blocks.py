"""Descriptors that networks give: blocks of tracks, beside trajectory, hog, hof, mbhx and mbhy, or of snippets.

A feature file holds a block as ``network/NAME`` float32, sums along tracks: (n, C), or (n, S · C) for a divided block.
The parameter ``network`` of the file describes the blocks. ``blocks`` has the width C of each. ``divided`` lists the
blocks whose channels are divided, when they are read, by the maxima over the video, ``maxima/NAME`` (S · C,) float32.
``scales`` is the number S of scales, which are then added. ``power`` is the exponent of every number, which keeps its
sign. ``snippets`` exists if the rows are not tracks but snippets of frames, or cells of their maps. Source:
docs/method/networks.md, sections 6 and 7.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from idt.errors import DataError, short_repr
from idt.params.layout import NETWORK_BLOCK

WIDEST = 1 << 16
"""Largest number of columns of a block; no layer has as many channels."""

MOST = 64
"""Largest number of blocks of a file."""


@dataclass(frozen=True)
class NetworkBlocks:
    """Blocks of descriptors pooled from networks.

    Attributes
    ----------
    made : dict
        Description of the blocks, as the parameter ``network`` of a feature file.
    blocks : dict of str to (n, C) float32
        Or, on the way into a file, sums (n, S · C).
    """

    made: dict[str, Any]
    blocks: dict[str, np.ndarray]

    def __len__(self):
        return len(next(iter(self.blocks.values())))

    def __bool__(self):
        return True

    def take(self, index):
        """Return the blocks of the tracks ``index``, as for an array."""
        return NetworkBlocks(self.made, {name: values[index] for name, values in self.blocks.items()})

    @classmethod
    def concatenate(cls, parts):
        """Concatenate the blocks of several chunks.

        Parameters
        ----------
        parts : sequence of NetworkBlocks or None

        Returns
        -------
        NetworkBlocks or None
            None if all parts are.

        Raises
        ------
        DataError
            If the descriptions of their blocks differ.
        """
        if all(part is None for part in parts):
            return None
        if any(part is None or part.made != parts[0].made or part.blocks.keys() != parts[0].blocks.keys()
               for part in parts):  # fmt: skip
            raise DataError("features that are joined must have blocks of the same networks")
        return cls(
            parts[0].made, {name: np.concatenate([part.blocks[name] for part in parts]) for name in parts[0].blocks}
        )


def checked_blocks(made, name="the parameter network"):
    """Check the description of blocks that a file records.

    Parameters
    ----------
    made : object
    name : str
        For messages.

    Returns
    -------
    dict

    Raises
    ------
    DataError
        If it is no such description.
    """
    blocks = made.get("blocks") if isinstance(made, dict) else None
    fits = (
        isinstance(blocks, dict)
        and 0 < len(blocks) <= MOST
        and all(
            NETWORK_BLOCK.fullmatch(key) and type(width) is int and 0 < width <= WIDEST for key, width in blocks.items()
        )
        and isinstance(made.get("divided"), list)
        and all(key in blocks for key in made["divided"])
        and made.get("scales") in (1, 5)
        and isinstance(made.get("power"), int | float)
        and 0 < made["power"] <= 1
    )
    if not fits:
        raise DataError(f"{name} must describe blocks of networks, got {short_repr(made)}; extract the video anew")
    return made


def of_snippets(made):
    """Tell whether ``made``, the description of blocks or None, is of snippets: rows without points and histograms."""
    return made is not None and "snippets" in made


def stored_width(made, name):
    """Return the number of stored columns of the block ``name`` that ``made`` describes."""
    return made["blocks"][name] * (made["scales"] if name in made["divided"] else 1)


def decoded_block(made, name, sums, maxima):
    """Decode a stored block into descriptors.

    Parameters
    ----------
    made : dict
    name : str
    sums : (n, S · C) float32
        As stored.
    maxima : (S · C,) float32 or None
        Of a block that is divided.

    Returns
    -------
    (n, C) float32
    """
    values = sums.astype(np.float64)
    if maxima is not None:
        values = (values / maxima).reshape(len(sums), made["scales"], made["blocks"][name]).sum(axis=1)
    if made["power"] != 1:
        values = np.sign(values) * np.abs(values) ** made["power"]
    return values.astype(np.float32)
