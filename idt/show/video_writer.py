"""Drawn frames written to the disk: all of them as a video, or one as a picture."""

from idt.errors import DataError
from idt.files import marks, outputs
from idt.frames.suffixes import IMAGES, VIDEOS
from idt.show.picture_files import check_picture, picture_file, save_video
from idt.show.tracks import draw_tracks


def write_video(video, output, params, *, boxes=None, threads=1, progress=iter, overwrite=False):
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

    Returns
    -------
    Drawn
        The picture with the most kept tracks.

    Raises
    ------
    DataError
        If the output is an input, exists and may not be replaced, or OpenCV has no encoder for its suffix.
    OSError
        If the disk takes no more, be it that of the output or of temporary files.
    """
    _check(output, video, boxes, overwrite)
    best = None

    def images():
        nonlocal best
        for drawn in progress(draw_tracks(video, params, boxes=boxes, threads=threads)):
            best = drawn if best is None or drawn.kept > best.kept else best
            yield drawn.image

    save_video(images(), output, rate=video.fps, overwrite=overwrite)
    return best


def write_picture(video, output, params, *, frame=None, boxes=None, threads=1, progress=iter, overwrite=False):
    """Write one drawn frame as an image.

    Parameters
    ----------
    video : Video
    output : path
        ``.png`` or another format that OpenCV writes.
    params, boxes, threads, progress, overwrite
        As for `write_video`.
    frame : int, optional
        Number of the frame; the one with the most kept tracks if not given.

    Returns
    -------
    Drawn

    Raises
    ------
    DataError
        If the video has no such frame, the output is an input or exists and may not be replaced, or its suffix is not
        that of a picture.
    OSError
        If the disk takes no more.
    """
    check_picture(output)
    _check(output, video, boxes, overwrite)
    best = None
    last = -1
    # Opened first: an output that cannot be written is refused before the work, not after.
    with picture_file(output, overwrite=overwrite) as put:
        for drawn in progress(draw_tracks(video, params, boxes=boxes, threads=threads)):
            last = drawn.index
            wanted = drawn.index == frame if frame is not None else best is None or drawn.kept > best.kept
            best = drawn if wanted else best
            if frame is not None and best is not None:
                break
        if best is None:
            raise DataError(f"frame {frame} is not among those of {video.name}, {video.first_frame.index} to {last}")
        put(best.image)
    return best


def _check(output, video, boxes, overwrite):
    """Refuse an output that would destroy something."""
    read, suffixes = [video.path, boxes], {*VIDEOS, *IMAGES}
    outputs.check([output], read, suffixes=suffixes, overwrite=overwrite, unmarked=not marks.carries_mark(output))
