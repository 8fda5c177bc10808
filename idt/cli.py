"""The commands `idt-extract`, `idt-convert` and `idt-show`: parse, call one function, print what was done."""

import os
import sys
from pathlib import Path

from idt.command import DONE, SOME_FAILED, Parser, add_fields, add_habits, command, fields_of, progress_bar
from idt.errors import DataError
from idt.params import ExtractionParams


@command
def extract(arguments):
    """``idt-extract``: videos to feature files."""
    parser = Parser(
        "idt-extract",
        "Extract improved dense trajectories with HOG, HOF, MBH and trajectory descriptors from videos.",
        "idt-extract video.avi -o features.h5",
    )
    parser.add_argument("videos", nargs="+", metavar="VIDEO", help="file, folder, pattern of images, camera index")
    add_habits(
        parser, output="feature file; a folder for several videos, an existing folder or a name with a slash",
        jobs=True, threads=True,
    )  # fmt: skip
    parser.add_argument("--boxes", metavar="FILE", help="human boxes, or a folder with NAME.txt for each video name")
    parser.add_argument("--float32", action="store_true", help="store histograms as float32, not in fixed point")
    parser.add_argument("--strict", action="store_true", help="refuse a truncated video")
    add_fields(parser, ExtractionParams)
    options = parser.parse_args(arguments)
    params = fields_of(options, ExtractionParams)
    from idt import batch

    jobs = batch.plan(options.videos, options.output)
    settings = {
        "boxes": options.boxes,
        "float32": options.float32,
        "strict": options.strict,
        "threads": options.threads,
        "overwrite": options.overwrite,
    }
    if len(jobs) == 1:
        with progress_bar(None, "frame", options.quiet) as bar:

            def progress(frames, expected):
                bar.total = expected
                bar.update(frames)

            outcome = batch.extract_job(jobs[0], params, progress=progress, **settings)
        _report(outcome, options.quiet)
        return DONE
    failed = 0
    with progress_bar(len(jobs), "video", options.quiet) as bar:
        for outcome in batch.extract_many(jobs, params, n_jobs=options.jobs, **settings):
            with bar.external_write_mode(file=sys.stderr):
                _report(outcome, options.quiet)
            bar.update()
            failed += outcome.error is not None
    if failed:
        print(f"idt-extract: {failed} of {len(jobs)} videos failed; the others are complete", file=sys.stderr)
    return SOME_FAILED if failed else DONE


@command
def convert(arguments):
    """``idt-convert``: feature files to and from the forms of the authors' release."""
    parser = Parser(
        "idt-convert",
        "Convert features between our HDF5 (.h5), the release's text of 436 columns (.txt, .txt.gz)"
        " and packed float32 rows of 466 numbers (.bin).",
        "idt-convert tracks.txt.gz -o features.h5",
    )
    parser.add_argument("features", metavar="FILE", help="what to convert; its form is recognised by its content")
    add_habits(parser, output="what to write; its form follows from its suffix")
    options = parser.parse_args(arguments)
    from idt.convert import convert

    count, notes = convert(options.features, options.output, overwrite=options.overwrite)
    _note(notes, options.quiet)
    print(f"{options.output}: {count} tracks")
    return DONE


@command
def show(arguments):
    """``idt-show``: tracks drawn over the frames."""
    parser = Parser(
        "idt-show",
        "Draw the tracks over the frames, fading with age: kept ones in green, in blue those dropped because they"
        " moved with the camera.",
        "idt-show video.avi -o tracks.png",
    )
    parser.add_argument("video", metavar="VIDEO", help="file, folder, pattern of images, camera index")
    add_habits(
        parser, output="video (.mp4, .avi) or picture (.png, .jpg) (default NAME-tracks.mp4)",
        required=False, threads=True,
    )  # fmt: skip
    parser.add_argument("--frame", type=int, metavar="N", help="frame of a picture (default: most tracks)")
    parser.add_argument("--boxes", metavar="FILE", help="human boxes")
    add_fields(parser, ExtractionParams)
    options = parser.parse_args(arguments)
    params = fields_of(options, ExtractionParams)
    from idt import atomic, batch
    from idt import show as pictures
    from idt.video import open_video

    source = batch.camera_or_path(options.video)
    output = Path(options.output or f"{Path(options.video).stem}-tracks.mp4")
    is_video = output.suffix.lower() in (".mp4", ".avi")
    if is_video and options.frame is not None:
        raise DataError(f"--frame is for a picture, but {output} is a video; drop it or name a .png")
    atomic.refuse_input(output, source)
    with open_video(source, params=params) as video, progress_bar(video.n_expected, "frame", options.quiet) as bar:

        def progress(items):
            for item in items:
                bar.update()
                yield item

        common = {
            "boxes": options.boxes,
            "threads": options.threads,
            "overwrite": options.overwrite,
            "progress": progress,
        }
        if is_video:
            drawn = pictures.write_video(video, output, params, **common)
        else:
            drawn = pictures.write_picture(video, output, params, frame=options.frame, **common)
    _note(video.notes, options.quiet)
    print(f"{output}: frame {drawn.index} has {drawn.kept} kept tracks and {drawn.followed_camera} of the camera")
    return DONE


def _report(outcome, quiet):
    """One line on stdout for a finished video, on stderr for a failed one."""
    job = outcome.job
    if outcome.error is not None:
        print(f"idt-extract: {job.source}: {outcome.error}", file=sys.stderr)
        return
    _note(outcome.notes, quiet)
    if outcome.up_to_date:
        print(f"{job.output}: up to date")
        return
    rate = outcome.frames / outcome.seconds
    print(f"{job.output}: {outcome.tracks} tracks, {outcome.frames} frames, {rate:.1f} frames/s")


def _note(notes, quiet):
    if not quiet:
        for note in notes:
            print(f"{os.path.basename(sys.argv[0])}: {note}", file=sys.stderr)
