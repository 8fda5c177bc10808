"""Views of a video for a network: clips of frames, flows or differences, cropped and normalised.

A video is read twice. The first pass counts its frames, because the clips of most families depend on their number, and
containers often state it wrongly. The second pass keeps each frame until the last clip that needs it. Only the frames
of overlapping clips are in memory.
"""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from idt.errors import DataError
from idt.frames.video import DEFAULTS
from idt.networks.colour import open_colour
from idt.networks.crops import crop_places, cropped, resized, target_size
from idt.networks.flow_input import flow_fields
from idt.networks.model_file import LARGEST_TENSOR


class Clip(NamedTuple):
    """One clip of a video.

    Attributes
    ----------
    index : int
        Its number among the video's clips.
    first, last : int
        Numbers of its first and last frame.
    views : list of (L, h, w, C) float32
        One view a crop.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody searches a clip with
    first: int
    last: int
    views: list[np.ndarray]


class Opening(NamedTuple):
    """Options for opening videos.

    Attributes
    ----------
    params : ExtractionParams
        ``start``, ``end``, ``fps``, ``max_side`` and ``deinterlace`` are used.
    channels, max_pixels, decoder
        As for `idt.frames.video.open_video`.
    """

    params: Any = DEFAULTS
    channels: str = "bgr"
    max_pixels: int | None = None
    decoder: str = "auto"

    def open_video(self, video):
        """Open a ``video`` in colour."""
        given = {} if self.max_pixels is None else {"max_pixels": self.max_pixels}
        return open_colour(video, params=self.params, channels=self.channels, decoder=self.decoder, **given)

    def for_preset(self, video, preset):
        """Return these options with the frame rate of the ``preset``.

        They are unchanged if the preset has no rate, the options have one, or the rate of ``video`` is unknown.
        """
        if preset.fps is None or self.params.fps is not None:
            return self
        with self.open_video(video) as opened:
            known = not math.isnan(opened.source_fps)
        return self._replace(params=replace(self.params, fps=preset.fps)) if known else self


DEFAULT_OPENING = Opening()
"""Default options."""


class MeasuredVideo(NamedTuple):
    """Size, frame rate, frames and first frame of a video, its source (`idt.frames.video.Video.source`) and notes."""

    width: int
    height: int
    fps: float
    frames: int
    first_frame: int
    source: dict
    notes: tuple[str, ...]


def measure(video, opening):
    """Count the frames of a video by reading it.

    Parameters
    ----------
    video : path or array
    opening : Opening

    Returns
    -------
    MeasuredVideo

    Raises
    ------
    DataError
        If the video cannot be read, or cannot be read twice.
    """
    if not (isinstance(video, str) or hasattr(video, "__fspath__") or isinstance(video, np.ndarray | list | tuple)):
        raise DataError(
            "a network needs a video that can be read twice, because its clips depend on the number of frames; got a"
            " camera or a stream: record it first"
        )
    with opening.open_video(video) as opened:
        count = sum(1 for _ in opened)
        return MeasuredVideo(
            opened.width, opened.height, opened.fps, count, opened.first_frame.index, opened.source, tuple(opened.notes)
        )


def count_units(preset, frames):
    """Count the flows or differences of a video of so many ``frames``, or the frames themselves, as ``preset`` says."""
    return frames if preset.modality == "rgb" else max(0, frames - 1)


def clips(video, preset, numbers, opening):
    """Read clips of a video.

    Parameters
    ----------
    video : path or array
    preset : Preset
    numbers : (N, L) int
        Frames, flows or differences of each clip, as from `idt.networks.sampling.clips_of`.
    opening : Opening

    Yields
    ------
    Clip
        In the order of their last frames.

    Raises
    ------
    DataError
        If the video cannot be read, a clip is too large, or crops do not fit the frames.
    """
    last_use: dict[int, int] = {}
    order = sorted(range(len(numbers)), key=lambda clip: (int(numbers[clip].max()), clip))
    for turn, clip in enumerate(order):
        last_use.update(dict.fromkeys(numbers[clip].tolist(), turn))
    kept: dict[int, np.ndarray] = {}
    waiting = iter(enumerate(order))
    turn, clip = next(waiting)
    with opening.open_video(video) as opened:
        size = target_size(preset, opened.height, opened.width)
        windows = crop_places(preset, *size)
        if math.prod(size) * preset.planes * len(numbers[0]) > LARGEST_TENSOR:
            raise DataError(
                f"a clip of {len(numbers[0])} frames of {size[1]}×{size[0]} px has more than {LARGEST_TENSOR:,}"
                " numbers; name a smaller --short-side, or --end"
            )
        for number, image in _units(opened, preset, last_use):
            kept[number] = resized(image, size)
            while number >= numbers[clip].max():
                stacked = np.stack([kept[at] for at in numbers[clip].tolist()])
                yield Clip(
                    clip, int(numbers[clip].min()), int(numbers[clip].max()),
                    [cropped(stacked, window, preset) for window in windows],
                )  # fmt: skip
                del stacked
                for at in [at for at in kept if last_use[at] <= turn]:
                    del kept[at]
                following = next(waiting, None)
                if following is None:
                    return
                turn, clip = following
    raise DataError(f"{opened.name} has fewer frames than when they were counted; run again when it no longer changes")


def _units(pictures, preset, wanted):
    """Yield number and pixels of the wanted frames, flows or differences."""
    if preset.is_flow:
        yield from flow_fields(pictures, warped=preset.modality == "warped", wanted=wanted)
        return
    before = None
    for number, picture in enumerate(pictures):
        image = picture.bgr if preset.colours == "bgr" else picture.bgr[..., ::-1]
        if preset.modality == "rgb":
            if number in wanted:
                yield number, np.ascontiguousarray(image)
            continue
        image = image.astype(np.int16)
        if before is not None and number - 1 in wanted:
            yield number - 1, image - before
        before = image
