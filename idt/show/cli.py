"""The command `idt-show`: pictures of tracks, and of every step before them."""

import os
import re
import sys
from pathlib import Path

from idt.command import (
    DONE,
    Parser,
    add_common_options,
    add_fields,
    add_number_option,
    command,
    params_from,
    run_options,
    say,
    warn,
)
from idt.errors import DataError
from idt.params.bounds import Bounds
from idt.params.extraction import FRAME, ExtractionParams
from idt.workers import patience
from idt.workers.progress import progress_bar

STEPS = ("tracks", "flow", "matches", "warp", "people", "camera", "histograms")
COLOURS = ("fate", "direction", "age", "scale", "evidence")
VIDEO_SUFFIXES = (".mp4", ".avi")
TRACK = Bounds(0, 2**31 - 1, "no video has as many tracks")
MOST_CELLS = 400


@command
def show(arguments):
    """Run ``idt-show``, pictures of a video's tracks or of a step of the method, with these ``arguments``."""
    parser = Parser(
        "idt-show",
        "Draw the tracks over the frames, fading with age. Kept tracks are light green; tracks dropped because they"
        " moved with the camera are blue. Or draw a step before tracking (--step).",
        "idt-show video.avi -o tracks.png",
    )
    parser.add_argument("video", metavar="VIDEO", help="file, folder, pattern of images, camera index")
    add_common_options(
        parser, output="video (.mp4, .avi) or picture (.png, .jpg) (default NAME-tracks.mp4)",
        required=False, threads=True, videos=True,
    )  # fmt: skip
    _add_looks(parser)
    parser.add_argument("--boxes", metavar="FILE", help="human boxes")
    parser.add_argument("--segments", metavar="CSV", help="write the labels of these segments over the frames")
    add_fields(parser, ExtractionParams)
    options = parser.parse_args(arguments)
    params = params_from(options, ExtractionParams)
    from idt.batch.jobs import camera_or_path
    from idt.batch.outcome import large_hint
    from idt.files import outputs
    from idt.files.marks import carries_mark
    from idt.frames.suffixes import IMAGES, VIDEOS
    from idt.frames.video import open_video
    from idt.show import video_writer
    from idt.show.labels import Labels

    source = camera_or_path(options.video)
    output = Path(options.output or f"{Path(options.video).stem}-tracks.mp4")
    is_video = output.suffix.lower() in VIDEO_SUFFIXES
    _check(options, output, is_video)
    read = [options.video, source, options.boxes, options.evidence, options.segments]
    suffixes, unmarked = {*VIDEOS, *IMAGES}, not carries_mark(output)
    outputs.check([output], read, suffixes=suffixes, overwrite=options.overwrite, unmarked=unmarked)
    look = _look(options)
    with patience.watching(options.patience, options.video):
        opened = open_video(source, params=params, max_pixels=options.max_pixels, decoder=options.decoder)
    with opened as video, progress_bar(video.n_expected, "frame", options.quiet) as bar:
        if hint := large_hint(video.name, (video.width, video.height), params):
            _note([hint], options.quiet)
        labels = Labels(options.segments, video.name, video.fps) if options.segments else None

        def progress(items):
            for item in patience.watched(items, options.patience, options.video):
                bar.update()
                yield labels.write_on(item) if labels else item

        run = run_options(options)
        common = {"boxes": options.boxes, "threads": run.threads, "overwrite": run.overwrite}
        write = video_writer.write_video if is_video else video_writer.write_picture
        drawn = write(video, output, params, **common, progress=progress, look=look)
    _note(video.notes, options.quiet)
    prefix = "" if options.step in ("camera", "histograms") else f"frame {drawn.index} has "
    say(f"{output}: {prefix}{drawn.summary}")
    return DONE


def _add_looks(parser):
    """Add the options of the drawing: step, colours, layout."""
    group = parser.add_argument_group("what is drawn")
    group.add_argument(
        "--step", choices=STEPS, default="tracks",
        help="tracks; flow before and after the camera's motion is taken out; matches that give this motion; the warped"
        " frame; people, whose matches do not count; the camera's path; histograms of a track (default tracks)",
    )  # fmt: skip
    group.add_argument(
        "--colour", choices=COLOURS, default="fate",
        help="colour tracks by fate (kept or camera), direction, age, scale, or evidence for a class (default fate)",
    )  # fmt: skip
    group.add_argument(
        "--evidence", metavar="CSV", help="table written by idt-explain -o FILE.csv, for --colour evidence"
    )
    group.add_argument("--all", action="store_true", help="draw all tracks, not some hundreds evenly chosen")
    group.add_argument("--beside", action="store_true", help="put the plain frame beside each drawn one")
    group.add_argument("--sheet", type=_grid, metavar="CxR", help="a contact sheet of frames, such as 3x3")
    add_number_option(
        group,
        "--frame",
        FRAME,
        default=None,
        help="frame of a picture",
        unset="default: the best frame, such as the one with the most tracks",
    )
    add_number_option(
        group, "--track", TRACK, default=None, help="track of --step histograms", unset="default: the longest"
    )


def _grid(text):
    """Parse columns and rows of a contact sheet."""
    found = re.fullmatch(r"([1-9]\d{0,2})x([1-9]\d{0,2})", text)
    if not found or int(found[1]) * int(found[2]) > MOST_CELLS:
        import argparse

        raise argparse.ArgumentTypeError(
            f"must be columns x rows, such as 3x3, of {MOST_CELLS} frames at most, got {text}"
        )
    return int(found[1]), int(found[2])


_grid.takes_number = False  # type: ignore[attr-defined]  # read by the test of the bounds of options


def _check(options, output, is_video):
    """Refuse options that do not go together."""
    if is_video and options.frame is not None:
        raise DataError(f"--frame is for a picture, but {output} is a video; drop it or name a .png")
    if is_video and (options.sheet or options.step in ("camera", "histograms")):
        what = "--sheet" if options.sheet else f"--step {options.step}"
        raise DataError(f"{what} makes one picture, but {output} is a video; name a .png")
    if options.sheet and (options.frame is not None or options.step in ("camera", "histograms")):
        raise DataError("--sheet shows many frames, --frame and the steps camera and histograms one; drop one of them")
    if (options.colour == "evidence") != (options.evidence is not None):
        raise DataError("--colour evidence and --evidence FILE.csv go together; idt-explain -o FILE.csv writes one")
    if options.segments and options.step in ("camera", "histograms"):
        raise DataError(f"--segments writes over frames, but --step {options.step} shows none; drop one of them")
    if options.track is not None and options.step != "histograms":
        raise DataError("--track is for --step histograms")


def _look(options):
    """Turn the options into a `Look`."""
    from idt.show.tracks import MOST_TRACKS, Pen
    from idt.show.video_writer import Look

    evidence = None
    if options.evidence:
        from idt.show.evidence_table import read_evidence

        evidence = read_evidence(options.evidence)
    pen = Pen(options.colour, None if options.all else MOST_TRACKS, evidence=evidence)
    return Look(options.step, pen, options.frame, options.sheet, options.beside, options.track)


def _note(notes, quiet):
    """Print notes to stderr unless ``quiet``."""
    if not quiet:
        for note in notes:
            warn(f"{os.path.basename(sys.argv[0])}: {note}")
