"""The functions that everybody calls: `extract`, `stream`, `draw`, with every option of an extraction written out.

`ExtractionParams` has the same options as one object. A test compares the two lists.
"""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

from idt.errors import DataError, unknown_option
from idt.extractor import features_of, load_boxes, source_of
from idt.features.features import Features
from idt.frames.video import open_video
from idt.params.bounds import MOST_PIXELS
from idt.params.extraction import ExtractionParams
from idt.show.tracks import MOST_TRACKS, Drawn, Pen, draw_tracks

Options = ParamSpec("Options")
Result = TypeVar("Result")


def with_preset_defaults(function: Callable[Options, Result]) -> Callable[Options, Result]:
    """Let the options that a call leaves out take the values of its ``preset``, as if the call had given them.

    Parameters
    ----------
    function : callable
        With the options of `ExtractionParams` and ``preset`` among its keyword arguments.

    Returns
    -------
    callable
        With the same signature. It names the nearest option when it meets an unknown one.
    """
    known = inspect.signature(function).parameters

    @functools.wraps(function)
    def call(*args: Options.args, **given: Options.kwargs) -> Result:
        preset = given.get("preset", "exact")
        for name in given:
            if name not in known:
                raise DataError(unknown_option(name, list(known)[1:]))
        return function(*args, **{**ExtractionParams.preset(preset), **given})

    return call


@with_preset_defaults
def extract(
    video,
    *,
    length=15,
    stride=5,
    patch=32,
    cells=2,
    time_cells=3,
    scales=8,
    gap=1,
    describe_every=1,
    skips="1",
    keypoints="surf",
    camera=True,
    flow="farneback",
    tracks="flow",
    flow_from=0,
    compensation="warp",
    local_norm="rootl1",
    humans="none",
    start=0,
    end=None,
    fps=None,
    max_side=None,
    deinterlace=False,
    preset="exact",
    boxes=None,
    threads=1,
    strict=False,
    channels="bgr",
    max_pixels=MOST_PIXELS,
    decoder="auto",
) -> Features:
    """Extract improved dense trajectories from a video.

    Parameters
    ----------
    video : path, int, array or iterable
        A file; a folder or pattern of images; the index of a camera; or gray (H, W) or colour (H, W, 3) uint8 frames.
    length : int, default 15
        Steps of a track, in frames ("L").
    stride : int, default 5
        Distance of the sampled points, in pixels ("W").
    patch : int, default 32
        Side of the patch that is described around a track, in pixels ("N").
    cells : int, default 2
        Cells of a patch, in x and in y.
    time_cells : int, default 3
        Cells of a track in time.
    scales : int, default 8
        Largest number of scales.
    gap : int, default 1
        Interval between two samplings of new points, in frames.
    describe_every : int, default 1
        Interval between two descriptions of a track, in frames.
    skips : str, default "1"
        Frame steps to extract at, rising from 1, such as "1,2,3" (multi-skip feature stacking).
    keypoints : {"surf", "sift", "orb", "none"}, default "surf"
        Keypoints matched for the camera's motion.
    camera : bool, default True
        Compensate the camera's motion; False gives plain dense trajectories.
    flow : {"farneback", "dis", "tvl1", "lk", "mpeg"} or callable, default "farneback"
        Dense flow: the release's own; OpenCV's DIS, TV-L1 (slow) or Lucas–Kanade; motion vectors of
        MPEG-4, which need PyAV and ``compensation="field"``; or a function of two gray (H, W) uint8 images,
        ``(previous, current) -> (H, W, 2)``, which is recorded under its name.
    tracks : {"flow", "none"}, default "flow"
        "flow": points follow the flow; "none": points stay in place on a grid, and cuboids are described.
    flow_from : int, default 0
        Number of fine scales whose flow is resized from the next coarser scale.
    compensation : {"warp", "moved", "field"}, default "warp"
        How the camera's motion is removed: "warp", the flow to the warped frame; "moved", the same, but only if the
        camera moved; "field", subtract the field of the motion.
    local_norm : {"rootl1", "l2", "none"}, default "rootl1"
        Normalisation of each step's histogram.
    humans : {"none", "hog"}, default "none"
        Keep matches off people that OpenCV's detector finds.
    start : int or str, default 0
        First frame, or a time such as "2.5s".
    end : int, str or None, default None
        Last frame, inclusive, or a time; None is the end of the video.
    fps : float or None, default None
        Keep the frames nearest to this rate, in 1/s; None keeps all.
    max_side : int or None, default None
        Shrink frames whose longer side exceeds this, in pixels.
    deinterlace : bool, default False
        Interpolate every other line of all frames, as interlaced video needs it; for PyAV only.
    preset : {"exact", "fast", "mpeg"}, default "exact"
        Values of the options above that the call leaves out. "exact": the defaults, which give the release's numbers.
        "fast": ``keypoints="none", flow_from=2, compensation="field", scales=4, gap=2, describe_every=2``, which costs
        little accuracy. "mpeg": ``keypoints="none", flow="mpeg", compensation="field", stride=8, scales=2, gap=5,
        describe_every=5``, which is faster still, at a loss of accuracy.
    boxes : path, optional
        Text file of human boxes, one line for each frame: its index, then x1 y1 x2 y2 confidence for each person
        (docs/method/extraction.md, section 9.4). No match for the camera's motion is taken from inside a box.
    threads : int, default 1
        With more than one thread, read-ahead threads prepare the next frames, and the scales of the present frame are
        divided among the threads. The result does not depend on the number of threads.
    strict : bool, default False
        Refuse a truncated or damaged video instead of taking what decodes.
    channels : {"bgr", "rgb"}, default "bgr"
        Order of the colours in frames that are arrays. Files and cameras have their own order.
    max_pixels : int, default 64000000
        Refuse a file or camera whose frames have more pixels.
    decoder : {"auto", "opencv", "pyav"}, default "auto"
        Decoder of video files; "auto" is PyAV if it is installed, else OpenCV.

    Returns
    -------
    Features
        All kept tracks, sorted by last frame, frame step, scale and order of sampling. A video of one frame has no
        tracks. ``notes`` has one line for each irregularity, such as a truncated video.

    Raises
    ------
    DataError
        If the video, the boxes or an option cannot be used; the message says why.

    Notes
    -----
    Wang & Schmid, "Action recognition with improved trajectories", ICCV 2013; docs/method/extraction.md,
    sections 1 to 8. Memory grows with the number of tracks: for a long video, or a stream without an end, use
    `stream` or the command ``idt-extract``.

    Examples
    --------
    >>> import idt
    >>> features = idt.extract("walk.avi", stride=10)  # doctest: +SKIP
    """
    params, boxes = ExtractionParams.from_locals(locals()), load_boxes(boxes)
    opening = {"strict": strict, "channels": channels, "max_pixels": max_pixels, "decoder": decoder}
    with open_video(video, params=params, **opening) as opened:
        chunks = list(features_of(opened, params, boxes=boxes, threads=threads))
        features = Features.concatenate(chunks).with_times(sum(chunk.frames for chunk in chunks))
        return dataclasses.replace(features, source=source_of(opened, boxes), notes=tuple(opened.notes))


@with_preset_defaults
def stream(
    video,
    *,
    length=15,
    stride=5,
    patch=32,
    cells=2,
    time_cells=3,
    scales=8,
    gap=1,
    describe_every=1,
    skips="1",
    keypoints="surf",
    camera=True,
    flow="farneback",
    tracks="flow",
    flow_from=0,
    compensation="warp",
    local_norm="rootl1",
    humans="none",
    start=0,
    end=None,
    fps=None,
    max_side=None,
    deinterlace=False,
    preset="exact",
    boxes=None,
    threads=1,
    strict=False,
    channels="bgr",
    max_pixels=MOST_PIXELS,
    decoder="auto",
) -> Iterator[Features]:
    """Extract from a video that need not end, a chunk at a time.

    Parameters
    ----------
    video, length, stride, patch, cells, time_cells, scales, gap, describe_every, skips
        As for `extract`.
    keypoints, camera, flow, tracks, flow_from, compensation, local_norm, humans
        As for `extract`.
    start, end, fps, max_side, deinterlace, preset, boxes, threads, strict, channels, max_pixels, decoder
        As for `extract`.

    Yields
    ------
    Features
        Tracks that ended within 16 consecutive frames, with the camera's motion of these frames; the last chunk may
        have fewer frames. The time positions are NaN, because they are relative to the number of frames;
        `Features.with_times` fills them in when this number is known.

    Raises
    ------
    DataError
        As for `extract`, when the first chunk is asked for or the frame at fault is reached.
    """
    params = ExtractionParams.from_locals(locals())
    opening = {"strict": strict, "channels": channels, "max_pixels": max_pixels, "decoder": decoder}
    with open_video(video, params=params, **opening) as opened:
        yield from features_of(opened, params, boxes=boxes, threads=threads)


@with_preset_defaults
def draw(
    video,
    *,
    length=15,
    stride=5,
    patch=32,
    cells=2,
    time_cells=3,
    scales=8,
    gap=1,
    describe_every=1,
    skips="1",
    keypoints="surf",
    camera=True,
    flow="farneback",
    tracks="flow",
    flow_from=0,
    compensation="warp",
    local_norm="rootl1",
    humans="none",
    start=0,
    end=None,
    fps=None,
    max_side=None,
    deinterlace=False,
    preset="exact",
    boxes=None,
    threads=1,
    strict=False,
    channels="bgr",
    max_pixels=MOST_PIXELS,
    decoder="auto",
    zoom=None,
    dropped=True,
    colour="fate",
    most=MOST_TRACKS,
) -> Iterator[Drawn]:
    """Draw the tracks of a video over its frames, fading with age.

    Kept tracks are light green with a pale end point. Tracks dropped because they moved with the camera are
    blue.

    Parameters
    ----------
    video, length, stride, patch, cells, time_cells, scales, gap, describe_every, skips
        As for `extract`; tracks are drawn at the first frame step only.
    keypoints, camera, flow, tracks, flow_from, compensation, local_norm, humans
        As for `extract`.
    start, end, fps, max_side, deinterlace, preset, boxes, threads, strict
        As for `extract`.
    channels : {"bgr", "rgb"}, default "bgr"
        Order of the colours, in frames that are arrays and in the pictures: OpenCV's, or that of matplotlib and of
        notebooks.
    max_pixels, decoder
        As for `extract`.
    zoom : int or None, default None
        Integer factor by which frames are enlarged; None for a shorter side of about 360 pixels.
    dropped : bool, default True
        Draw the tracks that moved with the camera, too.
    colour : {"fate", "direction", "age", "scale"}, default "fate"
        Quantity that the colour of a track shows; "fate" is kept or dropped.
    most : int or None, default 400
        Largest number of kept tracks and of dropped tracks in a picture, evenly chosen; None draws all.

    Yields
    ------
    idt.show.tracks.Drawn
        One for every frame: its number ``index``, the picture ``image``, and the numbers of tracks that it shows, kept
        (``kept``) or dropped (``followed_camera``). A track is kept or dropped at its end, so a picture comes L frames
        late.

    Raises
    ------
    DataError
        As for `extract`, when the first picture is asked for or the frame at fault is reached; and if ``zoom`` is no
        whole number of at least 1.

    Examples
    --------
    >>> pictures = [drawn.image for drawn in idt.draw("walk.avi", channels="rgb")]  # doctest: +SKIP
    """
    params = ExtractionParams.from_locals(locals())
    opening = {"strict": strict, "channels": channels, "max_pixels": max_pixels, "decoder": decoder}
    with open_video(video, params=params, **opening) as opened:
        pen = Pen(colour, most, dropped)
        yield from draw_tracks(opened, params, boxes=boxes, threads=threads, zoom=zoom, channels=channels, pen=pen)
