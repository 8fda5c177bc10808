"""Pool feature maps of networks along the tracks of a video; the video is decoded a second time for them."""

import contextlib
import dataclasses

from idt.errors import DataError


@contextlib.contextmanager
def map_pool(video, job, params, maps, run):
    """Open a video a second time for its feature maps.

    Parameters
    ----------
    video : idt.frames.video.Video
        The video of the tracks.
    job : idt.batch.jobs.Job
    params : ExtractionParams
    maps : idt.networks.map_params.MapParams or None
    run : RunOptions

    Yields
    ------
    TrackMaps or None
        None without maps.

    Raises
    ------
    DataError
        If a model or the video does not fit.
    """
    if maps is None:
        yield None
        return
    from idt.networks.colour import open_colour
    from idt.networks.maps import MapPool

    if not video.path:
        raise DataError(f"{video.name}: maps need a video that is read twice, not a camera; record it first")
    networks = maps.networks()
    made = maps.describe_blocks(networks)
    with open_colour(job.source, params=params, max_pixels=run.max_pixels, decoder=run.decoder) as pictures:
        size = video.height, video.width
        pool = MapPool(pictures, maps, networks, size=size, first=video.first_frame.index)
        yield TrackMaps(pool, made)


class TrackMaps:
    """Source of the networks' descriptors for the chunks of one video.

    Parameters
    ----------
    pool : idt.networks.maps.MapPool
    description : dict
        Description of the blocks, as `idt.features.network_blocks.NetworkBlocks.description`.
    """

    def __init__(self, pool, description):
        self._pool = pool
        self.description = description

    def with_blocks(self, chunk):
        """Return the ``chunk`` of features with the networks' descriptors of its tracks."""
        from idt.features.network_blocks import NetworkBlocks

        blocks = self._pool.pool(chunk.points, chunk.frame, chunk.skip)
        return dataclasses.replace(chunk, network=NetworkBlocks(self.description, blocks))

    def finish(self):
        """Read the rest of the video, and return the maxima of the channels, as `MapPool.finish`."""
        return self._pool.finish()
