"""The command `idt-flow`: write optical flow and warped flow of videos as files for two-stream networks."""

import functools
import os
from dataclasses import replace

from idt.command import (
    DONE,
    SOME_FAILED,
    Parser,
    add_common_options,
    add_fields,
    command,
    params_from,
    run_options,
    say,
    warn,
)
from idt.errors import DataError, with_name
from idt.params.extraction import ExtractionParams
from idt.params.flow_export import FLAGS_WITHOUT_EFFECT, FlowExportParams


@command
def flow(arguments):
    """Run ``idt-flow``, videos to flow files, with these ``arguments``."""
    options, params, export = _flow_options(arguments)
    if options.verify is not None:
        return _verify(options.verify, options.quiet)
    from idt.batch.export_flow import check_flow_outputs
    from idt.batch.extract_many import threads_for
    from idt.batch.extract_one import boxes_of
    from idt.batch.jobs import plan
    from idt.batch.summary import RUN_FILES
    from idt.files import locks
    from idt.flows import lists, record
    from idt.flows.layouts import LAYOUTS
    from idt.workers import cluster

    if os.path.lexists(options.output) and not os.path.isdir(options.output):
        _refuse_file(options)
    videos = [*options.videos, *(f"@{path}" for path in options.list)]
    folder = os.path.abspath(options.output)
    jobs = plan(videos, os.path.join(options.output, ""), on_note=lambda note: _note([note], options.quiet))
    jobs = [job._replace(output=record.path_of(folder, job.name)) for job in jobs]
    run = run_options(options)
    if options.threads is None:
        run = replace(run, threads=1 if options.scheduler else threads_for(len(jobs), options.jobs))
    words = [*options.videos, *options.list]
    beside = [os.path.join(folder, name) for name in RUN_FILES]
    inputs = [*words, *{boxes_of(job, options.boxes) for job in jobs}]
    check_flow_outputs(jobs, export, folder, inputs, beside=beside, overwrite=options.overwrite)
    if LAYOUTS[export.layout].lists:
        lists.check(folder, [*inputs, *(job.source for job in jobs)], overwrite=options.overwrite)
    if len(jobs) == 1 and not options.scheduler:
        return _export_one(jobs[0], (params, export, folder), run, options)
    with cluster.connected(options.scheduler), locks.shared(folder, say=run.say) as is_shared:
        return _export_many(jobs, (params, export, folder), run, options, is_shared=is_shared)


def _flow_options(arguments):
    """Parse the options of ``idt-flow``; return them with the parameters of the flow and of its files."""
    parser = Parser(
        "idt-flow",
        "Write the optical flow of videos, or what remains of it without the camera's motion (--warped), as the files"
        " that two-stream networks are trained from.",
        "idt-flow clips/ -o flow/ --flow tvl1 --layout mmaction2 --rgb --short-side 256 --jobs 2",
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
        help="the same as @FILE: a text with a VIDEO on each line",
    )
    add_common_options(
        parser, output="folder of the flow files", required=False, jobs=True,
        threads="1; for several videos the cores divided by --jobs", cluster=True, videos=True,
    )  # fmt: skip
    parser.add_argument(
        "--verify", metavar="FOLDER",
        help="check all flow files in FOLDER and name the videos to export again; without VIDEO and -o",
    )  # fmt: skip
    parser.add_argument("--boxes", metavar="FILE", help="human boxes, or a folder with a file NAME.txt for each video")
    parser.add_argument("--strict", action="store_true", help="refuse a truncated or damaged video")
    add_fields(parser, FlowExportParams, "flow files")
    add_fields(parser, ExtractionParams, exclude=FLAGS_WITHOUT_EFFECT)
    options = parser.parse_args(arguments)
    wanted = {"VIDEO": bool(options.videos or options.list), "-o": options.output is not None}
    if options.verify is not None and any(wanted.values()):
        parser.error("--verify checks files that exist, so it goes with neither VIDEO nor -o")
    if options.verify is None and not all(wanted.values()):
        missing = [name for name, given in wanted.items() if not given]
        parser.error(f"the following arguments are required: {', '.join(missing)}")
    if options.output == "":
        parser.error("argument -o/--output: expected a folder, got an empty text")
    export = params_from(options, FlowExportParams)
    options.camera = export.warped
    return options, params_from(options, ExtractionParams), export


def _refuse_file(options):
    """Refuse an output that is an existing file, be it an input or anything else."""
    from idt.files import outputs
    from idt.frames.suffixes import IMAGES, VIDEOS

    words = [*options.videos, *options.list, options.boxes]
    outputs.check([options.output], words, suffixes={*VIDEOS, *IMAGES}, unmarked=True)
    raise DataError(f"{options.output} is a file, but flow files need a folder; use another path")


def _export_one(job, params, run, options):
    """Export one video in this process; return the exit status."""
    from idt.batch.export_flow import export_job

    outcome = export_job(job, params, boxes=options.boxes, strict=options.strict, run=run)
    _note(outcome.notes, options.quiet)
    _report(outcome)
    _write_lists(params, run)
    return DONE


def _write_lists(params, run):
    """Write the lists of the videos, if the layout has any."""
    from idt.flows import lists
    from idt.flows.layouts import LAYOUTS

    _, export, folder = params
    for path in lists.write(folder, overwrite=run.overwrite) if LAYOUTS[export.layout].lists else ():
        say(f"{path}")


def _export_many(jobs, params, run, options, *, is_shared):
    """Export many videos with a summary; return the exit status."""
    from idt.batch import jobs as videos
    from idt.batch import run_report, summary
    from idt.batch.export_flow import export_job
    from idt.batch.extract_many import extract_many

    sizes = [videos.size_of(job) for job in jobs]
    tally = summary.begin(params[2], sizes, overwrite=run.overwrite, is_shared=is_shared)
    common = {"boxes": options.boxes, "strict": options.strict, "make": export_job}
    run_report.report_outcomes(
        tally,
        lambda advance: extract_many(jobs, params, run=run, advance=advance, **common),
        lambda _, outcome: _report(outcome),
        quiet=options.quiet,
    )
    status = run_report.end_run(
        "idt-flow", tally, len(jobs), params[2], run, scheduler=options.scheduler, quiet=options.quiet
    )
    _write_lists(params, run)
    return status


def _verify(folder, quiet):
    """Print which videos must be exported again; return the exit status."""
    from idt.batch import run_report
    from idt.batch.export_flow import check_flow_files
    from idt.flows import record

    records = record.find(folder)
    if not records:
        raise DataError(f"{folder} holds no record of flow files; name the folder that idt-flow wrote to")
    bad, without_source = run_report.verify_files(
        records, functools.partial(check_flow_files, folder), "video", quiet=quiet
    )
    if without_source and not quiet:
        warn(f"idt-flow: {without_source} source videos are not where they were, so they were not compared")
    say(f"{folder}: the flow files of {len(records) - bad} of {len(records)} videos are whole")
    return SOME_FAILED if bad else DONE


def _report(outcome):
    """Print one line: on stdout for a finished video, on stderr for a failed one."""
    job = outcome.job
    if outcome.error is not None:
        warn(f"idt-flow: {with_name(job.source, outcome.error)}")
    elif outcome.up_to_date:
        say(f"{job.name}: up to date")
    else:
        say(f"{job.name}: {outcome.tracks} flows, {(outcome.tracks + 1) / outcome.seconds:.1f} frames/s")


def _note(notes, quiet):
    if not quiet:
        for note in notes:
            warn(f"idt-flow: {note}")
