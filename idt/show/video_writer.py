"""Writers of drawn frames: all of them as a video, one as a picture, or some as a contact sheet."""

from typing import NamedTuple

import numpy as np

from idt.errors import DataError
from idt.extractor import features_of
from idt.features.camera import Camera
from idt.files import marks, outputs
from idt.frames.suffixes import IMAGES, VIDEOS
from idt.imports.opencv import cv2
from idt.show.canvas import Canvas, captioned, side_by_side, zoom_of
from idt.show.colours import legend_of
from idt.show.picture_files import check_picture, picture_file, save_video
from idt.show.plots import camera_picture, track_picture
from idt.show.step_pictures import FrameKeeper, StepPicture, step_pictures
from idt.show.tracks import DEFAULT_PEN, Pen, draw_tracks

FRAME_STEPS = ("tracks", "flow", "matches", "warp", "people")
"""Steps that have a picture for every frame."""
WHOLE_VIDEO_STEPS = ("camera", "histograms")
"""Steps that have one picture for the whole video."""
SHEET_WIDTH = 1920
"""Most pixels of a contact sheet's width."""


class Look(NamedTuple):
    """Choice of what `write_video` and `write_picture` draw.

    Attributes
    ----------
    step : str
        One of `FRAME_STEPS` or `WHOLE_VIDEO_STEPS`.
    pen : Pen
        How tracks are drawn.
    frame : int or None
        Number of the frame of a picture; None for the best.
    sheet : (int, int) or None
        Columns and rows of a contact sheet.
    beside : bool
        Put the plain frame beside each drawn one.
    track : int or None
        Number of the track whose histograms are plotted; None for the longest.
    """

    step: str = "tracks"
    pen: Pen = DEFAULT_PEN
    frame: int | None = None
    sheet: tuple[int, int] | None = None
    beside: bool = False
    track: int | None = None


DEFAULT_LOOK = Look()
"""Draws the tracks of every frame in the default colours."""


def write_video(video, output, params, *, boxes=None, threads=1, progress=iter, overwrite=False, look=DEFAULT_LOOK):
    """Write the drawn frames as a video.

    Parameters
    ----------
    video : Video
    output : path
        ``.mp4`` or ``.avi``.
    params, boxes, threads
        As for `idt.show.tracks.draw_tracks`.
    progress : callable
        Wraps the iterator of pictures.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.
    look : Look

    Returns
    -------
    StepPicture
        The best picture: for the step ``tracks``, the one with the most kept tracks.

    Raises
    ------
    DataError
        If the output is an input, or exists and may not be replaced; if the step has one picture only; or if OpenCV has
        no encoder for the suffix.
    OSError
        If the disk of the output or of temporary files takes no more.
    """
    _check(output, video, boxes, overwrite)
    if look.step in WHOLE_VIDEO_STEPS or look.sheet or look.frame is not None:
        raise DataError(f"{output} is a video, but a frame, a contact sheet, camera and histograms are pictures")
    best = None

    def images():
        nonlocal best
        for found in progress(_pictures(video, params, look, boxes, threads)):
            best = found if best is None or found.weight > best.weight else best
            yield found.image

    save_video(images(), output, rate=video.fps, overwrite=overwrite)
    return best


def write_picture(video, output, params, *, boxes=None, threads=1, progress=iter, overwrite=False, look=DEFAULT_LOOK):
    """Write one drawn frame, or a contact sheet of several, as an image.

    Parameters
    ----------
    video : Video
    output : path
        ``.png`` or another format that OpenCV writes.
    params, boxes, threads, progress, overwrite, look
        As for `write_video`.

    Returns
    -------
    StepPicture

    Raises
    ------
    DataError
        If the video has no such frame or track, the output is an input or exists and may not be replaced, or its suffix
        is not that of a picture.
    OSError
        If the disk takes no more.
    """
    check_picture(output)
    _check(output, video, boxes, overwrite)
    # Opened first: an output that cannot be written is refused before the work, not after.
    with picture_file(output, overwrite=overwrite) as write_image:
        if look.step == "camera":
            found = _plot_camera(video, params, boxes, threads, progress)
        elif look.step == "histograms":
            found = _plot_histograms(video, params, look.track, boxes, threads, progress)
        elif look.sheet:
            found = _sheet(progress(_pictures(video, params, look, boxes, threads)), look.sheet)
        else:
            found = _choose_picture(progress(_pictures(video, params, look, boxes, threads)), look.frame, video)
        write_image(found.image)
    return found


def _pictures(video, params, look, boxes, threads):
    """Yield the picture of every frame, a `StepPicture`."""
    if look.step != "tracks":
        yield from step_pictures(look.step, video, params, boxes=boxes, threads=threads)
        return
    for drawn in draw_tracks(video, params, boxes=boxes, threads=threads, pen=look.pen):
        image = drawn.image
        if look.beside:
            image = side_by_side([Canvas(drawn.gray, zoom_of(video), 1.0).image(), image])
        summary = f"{drawn.kept} kept tracks and {drawn.followed_camera} of the camera"
        caption = f"frame {drawn.index}"
        if (drawn.kept_drawn, drawn.followed_camera_drawn) != (drawn.kept, drawn.followed_camera):
            summary += f", of which {drawn.kept_drawn} and {drawn.followed_camera_drawn} are drawn (--all draws all)"
        image = captioned(image, caption, legend_of(look.pen, drawn))
        yield StepPicture(drawn.index, image, float(drawn.kept), summary)


def _choose_picture(pictures, frame, video):
    """Return the picture of the frame with this number, or the best picture if ``frame`` is None."""
    best, last = None, -1
    for found in pictures:
        last = found.index
        wanted = found.index == frame if frame is not None else best is None or found.weight > best.weight
        best = found if wanted else best
        if frame is not None and best is not None:
            break
    if best is None:
        first = video.first_frame.index
        if frame is None:
            raise DataError(f"{video.name} has a single frame, and this step compares two")
        raise DataError(f"frame {frame} is not among those of {video.name}, {first} to {last}")
    return best


def _sheet(pictures, grid):
    """Put pictures evenly spread over the video into one.

    The number of frames may be unknown. Whenever the function holds more than six times as many pictures as the sheet
    has cells, it drops every second one.
    """
    cells, held, every = grid[0] * grid[1], [], 1
    scale = None
    for number, found in enumerate(pictures):
        if number % every:
            continue
        if scale is None:
            scale = min(1.0, SHEET_WIDTH / (grid[0] * found.image.shape[1]))
        size = [max(1, round(side * scale)) for side in found.image.shape[1::-1]]
        held.append(found._replace(image=cv2.resize(found.image, size, interpolation=cv2.INTER_AREA)))
        if len(held) > 6 * cells:
            held, every = held[::2], 2 * every
    if not held:
        raise DataError("there are no frames for a contact sheet")
    chosen = [held[i] for i in np.unique(np.linspace(0, len(held) - 1, min(cells, len(held))).round().astype(int))]
    high = max(found.image.shape[0] for found in chosen)
    images = [
        cv2.copyMakeBorder(found.image, 0, high - found.image.shape[0] + 4, 0, 4, cv2.BORDER_CONSTANT)
        for found in chosen
    ]
    images += [np.zeros_like(images[0])] * (-len(images) % grid[0])
    rows = [np.concatenate(images[i : i + grid[0]], axis=1) for i in range(0, len(images), grid[0])]
    best = max(chosen, key=lambda found: found.weight)
    frames = ", ".join(str(found.index) for found in chosen)
    return best._replace(image=np.concatenate(rows), summary=f"{best.summary}; the sheet shows frames {frames}")


def _plot_camera(video, params, boxes, threads, progress):
    """Plot the camera's path."""
    parts = [chunk.camera for chunk in progress(features_of(video, params, boxes=boxes, threads=threads))]
    camera = Camera.joined(parts)
    summary = f"the camera of {len(camera)} frames"
    return StepPicture(camera.first_frame, camera_picture(camera, (video.width, video.height)), 0.0, summary)


def _plot_histograms(video, params, wanted, boxes, threads, progress):
    """Plot the histograms of the track with the number ``wanted``, or of the longest track if it is None."""
    frames, n_tracks, best = FrameKeeper(video), 0, None
    for chunk in progress(features_of(frames, params, boxes=boxes, threads=threads)):
        numbers = range(len(chunk)) if wanted is None else [wanted - n_tracks]
        for i in numbers:
            if 0 <= i < len(chunk) and (best is None or chunk.length[i] > best[1].length):
                track = chunk[i]
                best = (n_tracks + i, track, frames.kept_frames[int(track.frame)].gray)
        n_tracks += len(chunk)
        for index in [index for index in frames.kept_frames if len(chunk) and index <= int(chunk.frame[-1])]:
            del frames.kept_frames[index]
    if best is None:
        raise DataError(f"{video.name} has {n_tracks} tracks, so there is no track {wanted or 0}; they count from 0")
    number, track, gray = best
    image = track_picture(track, gray, number=number, cells=params.cells, time_cells=params.time_cells)
    return StepPicture(int(track.frame), image, 0.0, f"histograms of track {number}")


def _check(output, video, boxes, overwrite):
    """Refuse an output that would overwrite an input or somebody else's file."""
    read, suffixes = [video.path, boxes], {*VIDEOS, *IMAGES}
    outputs.check([output], read, suffixes=suffixes, overwrite=overwrite, unmarked=not marks.carries_mark(output))
