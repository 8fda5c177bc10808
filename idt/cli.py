"""The commands `idt-extract` and `idt-convert`: parse the options, call one function, print the result."""

import functools
import os
import sys
from dataclasses import replace

from idt.command import (
    DONE,
    SOME_FAILED,
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
from idt.errors import with_name
from idt.features.storage import Storage
from idt.networks.options import add_maps, maps_of
from idt.params.extraction import ExtractionParams
from idt.params.flow_export import BOUND
from idt.workers.profile import stage


@command
def extract(arguments):
    """Run ``idt-extract``, videos to feature files, with these ``arguments``."""
    options, params = _extraction_options(arguments)
    if options.verify is not None:
        return _verify(options.verify, options.quiet)
    from idt.batch.extract_many import threads_for
    from idt.batch.jobs import plan
    from idt.batch.summary import RUN_FILES
    from idt.files import locks
    from idt.workers import cluster

    videos = [*options.videos, *(f"@{path}" for path in options.list)]
    jobs = plan(videos, options.output, on_note=lambda note: _print_notes([note], options.quiet))
    settings = {
        "boxes": options.boxes,
        "storage": Storage(options.float32, options.compact, options.project, maps_of(options)),
        "strict": options.strict,
    }
    run = run_options(options)
    if options.threads is None:
        run = replace(run, threads=1 if options.scheduler else threads_for(len(jobs), options.jobs))
    is_single = len(jobs) == 1 and not options.scheduler
    run_files = [] if is_single else [os.path.join(options.output, name) for name in RUN_FILES]
    _check_extraction(jobs, options, run_files)
    params_of_jobs = [params] * len(jobs)
    if options.flow_files is not None:
        from idt.flows.from_files import flow_of_files

        flows = (
            flow_of_files(options.flow_files, job.name, bound=options.flow_bound, refuse_missing=len(jobs) == 1)
            for job in jobs
        )
        params_of_jobs = [replace(params, flow=flow) for flow in flows]
    with cluster.connected(options.scheduler):
        if is_single:
            return _extract_one(jobs[0], params_of_jobs[0], run, settings, options.quiet)
        with locks.shared(options.output, say=run.say) as is_shared:
            return _extract_many(jobs, params_of_jobs, run, settings, options, is_shared=is_shared)


def _extraction_options(arguments):
    """Parse the options of ``idt-extract``; return them with the parameters of the extraction."""
    parser = Parser(
        "idt-extract",
        "Extract improved dense trajectories with HOG, HOF, MBH and trajectory descriptors from videos.",
        "idt-extract video.avi -o features.h5",
    )
    parser.add_argument(
        "videos", nargs="*", metavar="VIDEO",
        help="video file, folder, pattern of videos or images, camera index, or @FILE for the videos in a list",
    )  # fmt: skip
    parser.add_argument(
        "--list",
        action="append",
        default=[],
        metavar="FILE",
        help="the same as @FILE: a text file with a VIDEO on each line",
    )
    add_common_options(
        parser,
        output="feature file (.h5), or rows of the release (.txt, .txt.gz, .bin); a folder for several videos",
        required=False, jobs=True, threads="1; for several videos the cores divided by --jobs", cluster=True,
        videos=True,
    )  # fmt: skip
    parser.add_argument(
        "--verify", metavar="FOLDER",
        help="check every feature file in FOLDER and name those that must be made again; without VIDEO and -o",
    )  # fmt: skip
    parser.add_argument("--boxes", metavar="FILE", help="human boxes, or a folder with a file NAME.txt for each video")
    parser.add_argument(
        "--flow-files", metavar="FOLDER", help="track along these flow files; needs --compensation field"
    )
    add_number_option(
        parser, "--flow-bound", BOUND, default=20.0,
        help="displacement that the outermost gray levels of --flow-files stand for, px",
    )  # fmt: skip
    storage = parser.add_argument_group("storage")
    storage.add_argument("--float32", action="store_true", help="store histograms as float32, not in fixed point")
    storage.add_argument(
        "--compact", action="store_true", help="store points to 1/64 px and the trajectory descriptor as float16"
    )
    storage.add_argument(
        "--project", metavar="CODEBOOK",
        help="store descriptors projected onto the axes of CODEBOOK (fv-encode), for encoding with it only",
    )  # fmt: skip
    parser.add_argument("--strict", action="store_true", help="refuse a truncated or damaged video")
    add_maps(parser)
    add_fields(parser, ExtractionParams)
    options = parser.parse_args(arguments)
    wanted = {"VIDEO": bool(options.videos or options.list), "-o": options.output is not None}
    if options.verify is not None and any(wanted.values()):
        parser.error("--verify checks files that exist, so it goes with neither VIDEO nor -o")
    if options.verify is None and not all(wanted.values()):
        missing = [name for name, given in wanted.items() if not given]
        parser.error(f"the following arguments are required: {', '.join(missing)}")
    if options.flow_files is not None and "flow" in options:
        parser.error("--flow and --flow-files are two ways to say what the tracks follow; give one")
    return options, params_from(options, ExtractionParams)


def _check_extraction(jobs, options, run_files):
    """Refuse, before any work, feature files and ``run_files`` that would overwrite an input or a foreign file."""
    from idt.batch.extract_one import boxes_of, check_outputs

    lists = [*options.list, *(word for word in options.videos if word.startswith("@"))]
    models = [text.rpartition(":")[0] for text in options.maps]
    inputs = [*options.videos, *lists, options.project, options.flow_files, *models]
    inputs += {boxes_of(job, options.boxes) for job in jobs}
    check_outputs(jobs, inputs, beside=run_files, overwrite=options.overwrite)


def _extract_one(job, params, run, settings, quiet):
    """Extract one video in this process; return the exit status."""
    from idt.batch.extract_one import extract_job
    from idt.batch.extract_rows import extract_rows
    from idt.features.convert import HDF5, form_of

    form = form_of(job.output) if job.output.suffix else HDF5
    extract_video = extract_job if form == HDF5 else functools.partial(extract_rows, form=form)
    _report(extract_video(job, params, run=run, **settings), quiet)
    return DONE


def _extract_many(jobs, params_of_jobs, run, settings, options, *, is_shared):
    """Extract many videos with a summary; return the exit status."""
    from idt.batch import run_report, summary
    from idt.batch.extract_many import extract_many
    from idt.batch.jobs import size_of
    from idt.batch.outcome import large_hint

    tally = summary.begin(options.output, [size_of(job) for job in jobs], overwrite=run.overwrite, is_shared=is_shared)
    hint = None

    def report(index, outcome):
        nonlocal hint
        _report(outcome, quiet=True)
        if hint is None and (hint := large_hint(outcome.job.source, outcome.size, params_of_jobs[index])):
            _print_notes([f"{hint}; other videos may have large frames, too"], options.quiet)

    with stage("videos to features"):
        run_report.report_outcomes(
            tally,
            lambda advance: extract_many(jobs, params_of_jobs, run=run, advance=advance, **settings),
            report,
            quiet=options.quiet,
        )
    return run_report.end_run(
        "idt-extract", tally, len(jobs), options.output, run, scheduler=options.scheduler, quiet=options.quiet
    )


def _verify(folder, quiet):
    """Print which feature files must be made again; return the exit status."""
    from idt.batch import run_report, verify

    files = verify.find_feature_files(folder)
    bad, without_video = run_report.verify_files(files, verify.check_feature_file, "file", quiet=quiet)
    if without_video and not quiet:
        warn(f"idt-extract: {without_video} files were not compared with their videos, which are not where they were")
    say(f"{folder}: {len(files) - bad} of {len(files)} feature files are whole")
    if bad:
        warn(f"idt-extract: remove the {bad} others and run idt-extract again")
    return SOME_FAILED if bad else DONE


@command
def convert(arguments):
    """Run ``idt-convert``, which converts feature files to and from the release's forms, with these ``arguments``."""
    parser = Parser(
        "idt-convert",
        "Convert features between our HDF5 (.h5), the release's text of 436 columns (.txt, .txt.gz)"
        " and packed float32 rows of 466 numbers (.bin).",
        "idt-convert tracks.txt.gz -o features.h5",
    )
    parser.add_argument("features", metavar="FILE", help="file of features; its form is recognised by its content")
    add_common_options(parser, output="file to write; its form follows from its suffix")
    parser.add_argument("--compact", action="store_true", help="from .h5 to .h5: as with idt-extract --compact")
    parser.add_argument("--project", metavar="CODEBOOK", help="from .h5 to .h5: as with idt-extract --project")
    options = parser.parse_args(arguments)
    from idt.features.convert import convert

    storage = Storage(compact=options.compact, project=options.project)
    count, notes = convert(
        options.features,
        options.output,
        storage=storage,
        overwrite=options.overwrite,
        say=run_options(options).say,
    )
    _print_notes(notes, options.quiet)
    say(f"{options.output}: {count} tracks")
    return DONE


def _report(outcome, quiet):
    """Print the outcome of one video in one line: on stdout if it is finished, on stderr if it failed."""
    job = outcome.job
    if outcome.error is not None:
        warn(f"idt-extract: {with_name(job.source, outcome.error)}")
        return
    _print_notes(outcome.notes, quiet)
    if outcome.up_to_date:
        say(f"{job.output}: up to date")
        return
    rate = outcome.frames / outcome.seconds
    say(f"{job.output}: {outcome.tracks} tracks, {outcome.frames} frames, {rate:.1f} frames/s")


def _print_notes(notes, quiet):
    """Print each note on stderr, unless the run is quiet."""
    if not quiet:
        for note in notes:
            warn(f"{os.path.basename(sys.argv[0])}: {note}")
