"""Descriptors from networks: blocks with a row for each track, like trajectory, hog and hof, or for each snippet.

A feature file holds a block as ``network/NAME`` float32, sums along tracks of shape (n, C). The parameter ``network``
of the file describes the blocks. Its entry ``blocks`` has the width C of each. ``divided`` lists the blocks whose
numbers are divided by the maximum of their channel over the video when they are read. Such a divided block has shape
(n, S · C), and its maxima are ``maxima/NAME`` float32 of shape (S · C,). ``scales`` is the number S of scales, which
are added after the division. ``power`` is an exponent for the magnitude of every number. ``snippets`` exists if the
rows are not tracks but snippets of frames, or cells of their maps. Source: docs/method/networks.md, sections 6 and 7.
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
    description : dict
        Description of the blocks, as the parameter ``network`` of a feature file.
    blocks : dict of str to (n, C) float32
        On the way into a file, the sums to be stored: (n, S · C) for a divided block.
    """

    description: dict[str, Any]
    blocks: dict[str, np.ndarray]

    def __len__(self):
        return len(next(iter(self.blocks.values())))

    def __bool__(self):
        # Blocks without rows are still blocks; ``len`` would make them false.
        return True

    def take(self, index):
        """Return the blocks of the tracks ``index``, as for an array."""
        return NetworkBlocks(self.description, {name: values[index] for name, values in self.blocks.items()})

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
        if any(part is None or part.description != parts[0].description or part.blocks.keys() != parts[0].blocks.keys()
               for part in parts):  # fmt: skip
            raise DataError("features that are joined must have blocks of the same networks")
        blocks = {name: np.concatenate([part.blocks[name] for part in parts]) for name in parts[0].blocks}
        return cls(parts[0].description, blocks)


def checked_blocks(description, name="the parameter network"):
    """Check the description of blocks that a file records.

    Parameters
    ----------
    description : object
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
    blocks = description.get("blocks") if isinstance(description, dict) else None
    fits = (
        isinstance(blocks, dict)
        and 0 < len(blocks) <= MOST
        and all(
            NETWORK_BLOCK.fullmatch(key) and type(width) is int and 0 < width <= WIDEST for key, width in blocks.items()
        )
        and isinstance(description.get("divided"), list)
        and all(key in blocks for key in description["divided"])
        and description.get("scales") in (1, 5)
        and isinstance(description.get("power"), int | float)
        and 0 < description["power"] <= 1
    )
    if not fits:
        got = short_repr(description)
        raise DataError(f"{name} must describe blocks of networks, got {got}; extract the video anew")
    return description


def is_of_snippets(description):
    """Tell whether the blocks of a ``description`` have a row for each snippet of frames; None has no blocks.

    Rows of snippets have no points and no histograms.
    """
    return description is not None and "snippets" in description


def stored_width(description, name):
    """Return the number of stored columns of the block ``name`` that ``description`` describes."""
    return description["blocks"][name] * (description["scales"] if name in description["divided"] else 1)


def decoded_block(description, name, sums, maxima):
    """Decode a stored block into descriptors.

    Parameters
    ----------
    description : dict
    name : str
    sums : (n, S · C) float32
        As stored.
    maxima : (S · C,) float32 or None
        Divisors of a divided block, else None.

    Returns
    -------
    (n, C) float32
    """
    values = sums.astype(np.float64)
    if maxima is not None:
        values = (values / maxima).reshape(len(sums), description["scales"], description["blocks"][name]).sum(axis=1)
    if description["power"] != 1:
        values = np.sign(values) * np.abs(values) ** description["power"]
    return values.astype(np.float32)
