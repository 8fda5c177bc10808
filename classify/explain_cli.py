"""The command `idt-explain`, which finds the tracks and regions of a video that contribute to a class's score."""

from operator import itemgetter
from pathlib import Path

from idt.command import DONE, Parser, add_common_options, add_number_option, command, run_options, say
from idt.errors import DataError
from idt.params.extraction import FRAME

VIDEO_SUFFIXES = (".mp4", ".avi")
MOST_CELLS = 5
"""At most this many cells are printed."""


@command
def explain(arguments):
    """Run ``idt-explain``, which computes the evidence for a class in a video, with these ``arguments``."""
    options = _parsed(arguments)
    _check(options)
    from classify.models.explain import explain
    from idt.workers.progress import progress_bar

    run = run_options(options)
    evidence = explain(
        options.video, options.model, options.codebook, class_name=options.class_name, versus=options.versus,
        by=options.by, cells=options.cells, run=run,
    )  # fmt: skip
    _report(evidence)
    if options.output is None:
        return DONE
    suffix = Path(options.output).suffix.lower()
    if suffix == ".csv":
        from classify.models.evidence_pictures import write_evidence

        write_evidence(options.output, evidence, overwrite=run.overwrite)
        say(str(options.output))
        return DONE
    from classify.models.evidence_pictures import evidence_picture, evidence_pictures
    from idt.show.picture_files import save_picture, save_video

    frames = options.frames or (None if _is_features(options.video) else options.video)
    with progress_bar(evidence.features.frames, "frame", options.quiet) as bar:
        if suffix in VIDEO_SUFFIXES:

            def images():
                for picture in evidence_pictures(evidence, frames, run=run):
                    bar.update()
                    yield picture.image

            count = save_video(images(), options.output, rate=evidence.features.fps, overwrite=run.overwrite)
            say(f"{options.output}: {count} frames")
        else:
            picture = evidence_picture(evidence, frames, frame=options.frame, run=run)
            save_picture(picture.image, options.output, overwrite=run.overwrite)
            say(f"{options.output}: frame {picture.index}")
    return DONE


def _parsed(arguments):
    parser = Parser(
        "idt-explain",
        "Say why a video has its class: what each track adds to the class's score (share), or what the score loses"
        " without each space-time cell (without). Pictures show the map left and the tracks right; orange adds, blue"
        " takes away.",
        "idt-explain video.avi --model model.h5 --codebook vectors.codebook.h5 -o why.png",
    )
    parser.add_argument("video", metavar="VIDEO", help="video, or its feature file")
    add_common_options(
        parser, output="picture (.png, .jpg), video (.mp4, .avi) or table (.csv); default: print the score only",
        required=False, threads=True, videos=True,
    )  # fmt: skip
    parser.add_argument("--model", required=True, metavar="FILE", help="model file, as from svm-train")
    parser.add_argument("--codebook", required=True, metavar="FILE", help="codebook of the model's vectors")
    parser.add_argument("--class", dest="class_name", metavar="NAME", help="class to explain (default: the best)")
    parser.add_argument("--versus", metavar="NAME", help="second class: explain the difference of the two scores")
    parser.add_argument(
        "--by", choices=("share", "without"), default="share",
        help="what each track adds, or what is lost without each cell (default share)",
    )  # fmt: skip
    from encoding.evidence.cells import GRID, GRID_BOUNDS, LENGTH, LENGTH_BOUNDS

    add_number_option(parser, "--columns", GRID_BOUNDS, default=GRID[0], help="--by without: columns of cells")
    add_number_option(parser, "--rows", GRID_BOUNDS, default=GRID[1], help="--by without: rows of cells")
    add_number_option(parser, "--cell-frames", LENGTH_BOUNDS, default=LENGTH, help="--by without: frames of a cell")
    parser.add_argument("--frames", metavar="PATH", help="video of the feature file (default: the path stored in it)")
    add_number_option(parser, "--frame", FRAME, default=None, help="frame of a picture", unset="default: the strongest")
    options = parser.parse_args(arguments)
    options.cells = (options.columns, options.rows, options.cell_frames)
    return options


def _check(options):
    """Refuse an output that has no known form or would overwrite an input or a file of another program."""
    from idt.batch.jobs import sources_of
    from idt.files import outputs
    from idt.files.marks import carries_mark
    from idt.frames.suffixes import IMAGES, VIDEOS

    if options.output is None:
        return
    output = Path(options.output)
    suffix = output.suffix.lower()
    if options.frame is not None and suffix in (*VIDEO_SUFFIXES, ".csv"):
        raise DataError(f"--frame is for a picture, but {output} is none; drop it or name a .png")
    read = [options.video, options.model, options.codebook, options.frames]
    for given in (options.video, options.frames):
        read += sources_of([given]) if given and not _is_features(given) else []
    outputs.check(
        [output], read, suffixes={*VIDEOS, *IMAGES, ".h5"}, overwrite=options.overwrite,
        unmarked=not carries_mark(output),
    )  # fmt: skip
    if suffix not in (*VIDEO_SUFFIXES, ".csv"):
        from idt.show.picture_files import check_picture

        check_picture(output)


def _is_features(path):
    """Tell whether a path is a feature file and no video."""
    from idt.files import hdf5

    return Path(path).suffix.lower() in (".h5", ".hdf5") or (Path(path).is_file() and hdf5.is_hdf5(path))


def _report(evidence):
    """Print the score and where it comes from."""
    n = len(evidence.features)
    say(f"{evidence.title}; {n} tracks")
    if evidence.blocks:
        parts = ", ".join(f"{name} {values.sum():+.3f}" for name, values in evidence.blocks.items())
        say(f"by descriptor: {parts}")
    columns, rows, length = evidence.grid
    losses = zip(evidence.cells.tolist(), evidence.losses.tolist(), strict=True)
    for (x, y, t), loss in sorted(losses, key=itemgetter(1), reverse=True)[:MOST_CELLS]:
        say(
            f"without column {x + 1} of {columns}, row {y + 1} of {rows}, frames {t * length} to"
            f" {(t + 1) * length - 1}: {-loss:+.3f}"
        )
