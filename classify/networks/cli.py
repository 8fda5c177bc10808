"""The command `idt-net`: parse, run the network, print the best classes or the blocks of features."""

from pathlib import Path

from idt.command import DONE, SOME_FAILED, command, run_options, say, warn
from idt.errors import DataError, with_name

SCORES, VIDEOS = "scores.h5", "videos"
"""File of the scores of all videos, and folder of the score files of single videos, in the output folder."""


@command
def network(arguments):
    """Run ``idt-net``, which writes scores or features of a network, with these ``arguments``."""
    from classify.networks.options import network_options

    options = network_options(arguments)
    if options.list:
        return _list(options)
    from idt.batch.jobs import plan
    from idt.files import locks
    from idt.workers import cluster

    folder = Path(options.output)
    below = folder / VIDEOS if options.scores else folder
    jobs = plan(options.videos, f"{below}/", on_note=None if options.quiet else _note)
    _check(jobs, options)
    recipe = _recipe(options)
    # Fails here, in one message, if the model cannot be run, because every video would fail otherwise.
    recipe.params(recipe.network())
    if len(jobs) == 1 and not options.scheduler:
        return _run_one(jobs[0], recipe, options)
    with cluster.connected(options.scheduler), locks.shared(options.output, say=run_options(options).say) as is_shared:
        return _run(jobs, recipe, options, is_shared=is_shared)


def _recipe(options):
    """Return the recipe that the options ask for."""
    if options.features:
        from classify.networks.feature_videos import FeatureRecipe
        from classify.networks.run_videos import Recipe
        from idt.networks.snippet_params import snippet_preset

        tensors = tuple(options.features.split(","))
        beside = None
        if options.fuse:
            model, tensor = options.other
            beside = Recipe(model, snippet_preset(options.other_preset), (tensor,))
        return FeatureRecipe(
            options.model, snippet_preset(options.network_preset), tensors, options.every, options.fuse or "", beside
        )
    from classify.datasets.class_files import read_class_file
    from classify.networks.score_videos import ScoreRecipe

    classes = tuple(read_class_file(options.classes))
    tensors = (options.tensor,) if options.tensor else ()
    return ScoreRecipe(options.model, options.network_preset, tensors, classes, options.classes)


def _list(options):
    from classify.networks.layers import layer_lines
    from idt.networks.model import Network

    for line in layer_lines(Network(options.model, preset=None)):
        say(line)
    return DONE


def _check(jobs, options):
    """Refuse outputs that would overwrite an input or a file of another program, before any work."""
    from idt.batch.jobs import camera_or_path
    from idt.batch.summary import RUN_FILES
    from idt.files import outputs
    from idt.frames.suffixes import IMAGES
    from idt.frames.suffixes import VIDEOS as FILMS

    folder = Path(options.output)
    outputs.check(
        [*(job.output for job in jobs), *([folder / SCORES] if options.scores else [])],
        [
            *(camera_or_path(job.source) for job in jobs),
            *options.videos,
            *(options.model, options.other and options.other[0], options.classes),
        ],
        beside=[folder / name for name in RUN_FILES],
        suffixes={*FILMS, *IMAGES},
        overwrite=options.overwrite,
    )


def _run_one(job, recipe, options):
    """Run the network over the only video, in this process; return the exit status."""
    from classify.networks.run_videos import run_job

    outcome = run_job(job, recipe, run_options(options))
    for note in () if options.quiet else outcome.notes:
        _note(note)
    return _finish([job], recipe, options)


def _run(jobs, recipe, options, *, is_shared):
    """Run the network over all videos, and write summary.json and failures.csv; return the exit status."""
    from classify.networks.run_videos import run_videos
    from idt.batch import jobs as videos
    from idt.batch import run_report, summary
    from idt.workers.profile import stage

    run = run_options(options)
    count = summary.begin(
        options.output, [videos.size_of(job) for job in jobs], overwrite=run.overwrite, is_shared=is_shared
    )
    done = []

    def report(index, outcome):
        if outcome.error is None:
            done.append(index)
        else:
            warn(f"idt-net: {with_name(outcome.job.source, outcome.error)}")

    with stage("videos to scores" if options.scores else "videos to features"):
        run_report.report_outcomes(
            count, lambda advance: run_videos(jobs, recipe, run, advance=advance), report, quiet=options.quiet
        )
    count.write_summary(jobs=run.jobs, scheduler=options.scheduler)
    if not done:
        raise DataError(
            f"the network was run on none of {len(jobs)} videos, see {Path(options.output) / summary.FAILURES}"
        )
    noted = count.notes.line(len(jobs), Path(options.output) / summary.SUMMARY)
    if noted and not options.quiet:
        _note(noted)
    if count.failed:
        warn(f"idt-net: {count.failed} of {len(jobs)} videos failed, see {Path(options.output) / summary.FAILURES}")
    _finish([jobs[index] for index in sorted(done)], recipe, options)
    return SOME_FAILED if count.failed else DONE


def _finish(jobs, recipe, options):
    """Join the scores of all videos, and print the result; return the exit status."""
    if options.features:
        blocks = ", ".join(
            f"{name} of {width}" for name, width in recipe.describe_blocks(recipe.network())["blocks"].items()
        )
        say(f"{options.output}: snippets of {len(jobs)} videos, {blocks}")
        return DONE
    from classify.networks.score_videos import join
    from idt.files import locks

    run, path = run_options(options), Path(options.output) / SCORES
    with locks.held(files=[path], say=run.say):
        # Always replaced, because this command joins it from the files of the videos, to which each run adds.
        found = join(path, jobs, recipe, overwrite=run.overwrite or True)
    for name, row in zip(found.names, found.values, strict=True):
        best = row.argsort(kind="stable")[::-1][: options.top]
        say(f"{name}: " + ", ".join(f"{found.classes[at]} {row[at]:.3f}" for at in best))
    say(f"{path}: {len(jobs)} videos, {len(found.classes)} classes, {found.kind}")
    return DONE


def _note(line):
    warn(f"idt-net: {line}")
