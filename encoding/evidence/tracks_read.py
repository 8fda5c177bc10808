"""Tracks of one video along the axes of a codebook, in memory, because evidence reads them more than once."""

from typing import NamedTuple

import numpy as np

from encoding.coders.pyramid import CellTracks, Pyramid
from encoding.descriptors.track_columns import TrackColumns
from encoding.encode import projected_batches
from idt.errors import DataError, with_name

MOST_COORDINATES = 2**28
"""Largest number of coordinates that the projected descriptors of a video may have: a gigabyte in float32."""


class ProjectedTracks(NamedTuple):
    """Tracks of one video.

    Attributes
    ----------
    rows : list of (n, D) float32
        Projected descriptors of each block.
    columns : TrackColumns
        With frames, frame steps and positions.
    """

    rows: list[np.ndarray]
    columns: TrackColumns

    def __len__(self):
        return len(self.rows[0])


def read_tracks(source, codebook, params, *, projected=False):
    """Read the tracks of a video and project their descriptors.

    Parameters
    ----------
    source : Source
        As from `encoding.descriptors.sources.source_of`.
    codebook : Codebook
        It must fit the descriptors (`Codebook.check_fits`).
    params : BlockParams
        As from `Codebook.params_with`.
    projected : bool
        As for `encoding.encode.encode_video`.

    Returns
    -------
    ProjectedTracks
        In the order of the source's tracks. Only tracks of the frame steps ``params.skips`` are read.

    Raises
    ------
    DataError
        If the source is a plain array, has more tracks than fit the memory, or as `encoding.encode.encode_video`.
    """
    if not source.has_tracks:
        raise DataError("plain arrays have no tracks to show; explain features")
    found, tracks, numbers = [], [], 0
    for (rows,), part in projected_batches(
        source, [codebook], params, ("frame", "skip", "scale", "position"), projected=projected
    ):
        numbers += sum(block.size for block in rows)
        if numbers > MOST_COORDINATES:
            raise DataError(
                with_name(
                    source.label,
                    f"has tracks of more than {MOST_COORDINATES} numbers; explain a part of it (--start, --end)",
                )
            )
        found.append(rows)
        tracks.append(part)
    return ProjectedTracks([np.concatenate(blocks) for blocks in zip(*found, strict=True)], TrackColumns.joined(tracks))


def pyramid_parts(tracks, params):
    """Group the tracks of a video by the pyramid cells that they lie in.

    Parameters
    ----------
    tracks : ProjectedTracks
    params : BlockParams

    Returns
    -------
    list of CellTracks
    """
    pyramid = Pyramid.parse(params.pyramid)
    if pyramid.is_whole:
        return [CellTracks(np.arange(len(tracks)), (0,))]
    return pyramid.group_by_cells(tracks.columns.position)
