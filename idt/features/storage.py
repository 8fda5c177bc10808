"""`Storage`: how the user asks for a feature file to be stored.

This module loads neither numpy nor HDF5, because every command that extracts begins with it.
"""

import dataclasses
import os
from dataclasses import dataclass
from typing import Any

FORMAT = "idt-features"
VERSION = 3
"""Version of plain files; earlier releases, with text of variable length in HDF5, wrote 1."""
SMALL_VERSION = 4
"""Version of compact and projected files; earlier releases wrote 2."""
NETWORK_VERSION = 5
"""Version of files with blocks of networks."""
VERSIONS = (VERSION, SMALL_VERSION, NETWORK_VERSION)
"""Versions that this release reads."""


@dataclass(frozen=True)
class Storage:
    """How a feature file stores its columns, as the user asks for it.

    Attributes
    ----------
    float32 : bool
        Store histograms as float32 instead of fixed point.
    compact : bool
        Store points as differences in 1/64 pixel and the trajectory descriptor as float16.
    project : str, Path or None
        Codebook along whose axes descriptors are stored; the only other columns are
        `idt.features.column_storage.PROJECTED_COLUMNS`. `loaded` replaces the path by a `Projection`.
    network : object
        From the user, the maps of networks to pool along tracks (`idt.networks.map_params.MapParams`). For the writer,
        the description of their blocks (`idt.features.network_blocks`).
    """

    float32: bool = False
    compact: bool = False
    project: Any = None
    network: Any = None

    def loaded(self):
        """Return the same storage with the axes of the codebook in place of its path.

        Returns
        -------
        Storage

        Raises
        ------
        DataError
            If the file is no codebook, or one without axes.
        OSError
            If it cannot be read.
        """
        if not isinstance(self.project, str | os.PathLike):
            return self
        from idt.features.projection import Projection

        return dataclasses.replace(self, project=Projection.load(self.project))

    @property
    def version(self):
        """Return the version of the format of a file in this form."""
        if self.network is not None:
            return NETWORK_VERSION
        return VERSION if self.project is None and not self.compact else SMALL_VERSION


PLAIN = Storage()
"""The form without options: all columns, histograms in fixed point."""
