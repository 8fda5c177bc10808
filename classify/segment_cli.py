"""The command `idt-segment`, which finds the actions in long videos with their start and end."""

from classify.params import lengths_of
from classify.untrimmed.segment_options import parse_options
from idt.command import DONE, command, run_options, say, warn
from idt.errors import DataError


@command
def segment(arguments):
    """Run ``idt-segment``, which segments videos into actions, with these ``arguments``."""
    options = parse_options(arguments)
    if options.evaluate:
        return _evaluate(options)
    from classify.untrimmed.formats.by_suffix import write_segments
    from classify.untrimmed.segment_videos import agreement, joined, read_slices, segment_slices
    from encoding.codebook import Codebook
    from encoding.params import FITTING
    from encoding.slices.cut import Cut

    run = run_options(options)
    _check(options)
    codebook = Codebook.load(options.codebook)
    if options.export:
        return _export(options, codebook)
    classifier, encoding = _classifier(options, codebook)
    given = {key: value for key, value in (encoding or {}).items() if key not in (*FITTING, "pyramid")}
    params = codebook.params_with(**given)
    if options.running:
        return _run(options, codebook, params, classifier)
    how = _segment_options(options)
    found = []
    for slices in read_slices(
        options.inputs, codebook, params, path=options.codebook, cut=Cut(options.slices), run=run
    ):
        found.append(segment_slices(slices, codebook, params, classifier, how))
        own = found[-1].segments
        say(f"{slices.name}: {len(own)} segments, {', '.join(sorted(set(own.labels.tolist()))) or 'none'}")
    write_segments(options.output, joined([each.segments for each in found]), overwrite=run.overwrite)
    truth = _truth(options)
    if options.timeline:
        from classify.untrimmed.timeline import MOST_VIDEOS, panel_of, write_timeline

        panels = [panel_of(each, truth) for each in found[:MOST_VIDEOS]]
        if len(found) > MOST_VIDEOS:
            warn(f"idt-segment: {options.timeline} shows the first {MOST_VIDEOS} of {len(found)} videos")
        write_timeline(options.timeline, panels, found[0].scores.classes, overwrite=run.overwrite)
        say(str(options.timeline))
    if truth is not None:
        name = options.background or "background"
        _print_agreement(agreement(found, truth, background=name), options.method)
        if found and found[0].baseline is not None:
            _print_agreement(agreement(found, truth, background=name, baseline=True), "equal parts")
    say(str(options.output))
    return DONE


def _evaluate(options):
    """Measure results by the protocol of a data set; return the exit status."""
    from classify.untrimmed.protocols import FRAMES, SEGMENTS, evaluate_frames, evaluate_segments

    (results,) = options.inputs
    if options.evaluate in FRAMES:
        found = evaluate_frames(
            options.evaluate, options.truth, results, rate=options.rate, background=options.background
        )
        for name, scores in found.items():
            for convention in ("pooled", "mean"):
                _print_agreement(scores, f"{options.evaluate}, {name}", convention)
        return DONE
    known = SEGMENTS[options.evaluate]
    means = evaluate_segments(options.evaluate, options.truth, results, subset=options.subset)
    say(
        f"{options.evaluate}, rule of {known.rule}: "
        + ", ".join(f"mAP@{at:g} {100 * v:.2f}" for at, v in means.items())
    )
    average = sum(means[at] for at in known.averaged) / len(known.averaged)
    say(f"mean over {known.averaged[0]:g} to {known.averaged[-1]:g}: {100 * average:.2f} %")
    return DONE


def _export(options, codebook):
    """Write a data set for temporal networks; return the exit status."""
    from classify.text_files import read_lines
    from classify.untrimmed.formats.network_features import Labelling, write_data_set
    from encoding.slices.slice_files import find_slices

    (length, *_) = lengths_of(options.window)
    truth = _truth(options)
    test = read_lines(options.test_videos) if options.test_videos else ()
    if options.test_videos and not test:
        raise DataError(f"{options.test_videos}: expected the names of the test videos, one a line, got none")
    made = write_data_set(
        options.export, find_slices(options.inputs), codebook, codebook.params_with(), length=length,
        labelling=None if truth is None else Labelling(truth, options.background or "background"),
        test=test, overwrite=run_options(options).overwrite,
    )  # fmt: skip
    say(f"{options.export}: features of {len(made)} videos")
    return DONE


def _run(options, codebook, params, classifier):
    """Print the segments of a running video as they are settled; return the exit status."""
    from classify.untrimmed.formats.table import HEADER, row
    from classify.untrimmed.running import RunningSegments, slices_to_wait
    from classify.untrimmed.running_video import open_running_video
    from encoding.slices.cut import Cut

    if codebook.features is None:
        raise DataError(f"{options.codebook} does not say how features are extracted, so a video cannot be segmented")
    (source,), (length, *more) = options.inputs, lengths_of(options.window)
    if more:
        raise DataError(f"a running video has windows of one length, got --window {options.window}")
    with open_running_video(source, codebook, params, run=run_options(options)) as video:
        rate = options.rate or video.fps
        if not rate > 0:
            raise DataError(f"the rate of {video.name} is unknown, so its segments have no times; give --rate")
        wait = slices_to_wait(options.delay, rate, options.slices)
        running = RunningSegments(
            codebook, params, classifier, length=length, penalty=options.penalty, wait=wait, cut=Cut(options.slices)
        )
        if not options.quiet:
            warn(f"idt-segment: a segment is printed at most {running.delay / rate:.1f} s after its end")
        say(",".join(HEADER))
        latest = 0
        for each in running.run(video.chunks, name=video.name, threads=run_options(options).threads):
            latest = max(latest, each.settled_at - each.end)
            if each.label != options.background:
                say(row(video.name, each.label, (each.start / rate, each.end / rate), each.score))
        if not options.quiet:
            for note in [*video.notes, f"the latest segment was printed {latest / rate:.1f} s after its end"]:
                warn(f"idt-segment: {note}")
    return DONE


def _check(options):
    """Refuse outputs that would overwrite an input or a file of another program, before any work."""
    from classify.untrimmed.formats.by_suffix import check_suffix
    from classify.untrimmed.segment_videos import form_of
    from idt.batch.jobs import sources_of
    from idt.files import outputs
    from idt.files.marks import carries_mark
    from idt.frames.suffixes import IMAGES, VIDEOS

    if options.running:
        return
    slices = [options.train_slices] if options.train_slices else []
    read = [options.model, options.codebook, options.train, options.truth, options.transcripts, options.test_videos]
    for given in (options.inputs, slices):
        read += [*given, *(sources_of(given) if given and form_of(given) is None else [])]
    drawn = [options.timeline] if options.timeline else []
    if drawn:
        from classify.untrimmed.timeline import check_timeline

        check_timeline(options.timeline)
        outputs.check(drawn, overwrite=options.overwrite, unmarked=not carries_mark(options.timeline))
    suffixes = {*VIDEOS, *IMAGES, ".h5", ".txt"}
    made = [path for path in (options.output, options.export) if path]
    outputs.check([*made, *drawn], read, suffixes=suffixes, overwrite=options.overwrite, unmarked=True)
    if options.output:
        check_suffix(options.output)


def _truth(options):
    """Return the true segments, None if none are given."""
    if not options.truth:
        return None
    from classify.untrimmed.formats.table import read_table

    return read_table(options.truth)


def _classifier(options, codebook):
    """Return the classifier and the options with which its vectors are encoded; None for those of the codebook."""
    if options.model:
        from classify.models.model_file import load_model

        model = load_model(options.model)
        if model.codebook != codebook.digest:
            raise DataError(f"{options.model} was trained on vectors of another codebook than {options.codebook}")
        return model.classifier, model.encoding
    from classify.svm.linear import LinearSVM
    from classify.untrimmed.formats.table import read_table
    from classify.untrimmed.segment_training import train_on_segments
    from classify.untrimmed.segment_videos import read_slices
    from encoding.slices.cut import Cut

    params = codebook.params_with()
    sliced = read_slices(
        [options.train_slices], codebook, params, path=options.codebook, cut=Cut(options.slices),
        run=run_options(options),
    )  # fmt: skip
    fitted = train_on_segments(
        sliced, read_table(options.train), codebook, params, LinearSVM(C=100.0),
        length=lengths_of(options.window)[0], background=options.background,
    )  # fmt: skip
    return fitted, None


def _segment_options(options):
    """Collect the options of the segmentation: SegmentOptions."""
    from pathlib import Path

    from classify.untrimmed.segment_videos import SegmentOptions

    transcripts = rewards = None
    if options.transcripts:
        from classify.text_files import read_lines
        from idt.files.walk import walk

        place = Path(options.transcripts)
        paths = [path for path in walk(place).files if path.suffix == ".txt"]
        if not paths:
            raise DataError(f"{place} holds no transcripts, expected VIDEO.txt with one action a line")
        transcripts = {path.relative_to(place).with_suffix("").as_posix(): read_lines(path) for path in paths}
    if options.lengths:
        from classify.untrimmed.formats.table import read_table
        from classify.untrimmed.segmenting import estimate_length_rewards

        segments = read_table(options.train)

        def rewards(classes, rate, longest):
            return estimate_length_rewards(segments, classes, slice_seconds=1 / rate, longest=longest)

    return SegmentOptions(
        options.method, lengths_of(options.window), options.penalty, options.threshold, options.overlap,
        options.background, transcripts, rewards,
    )  # fmt: skip


def _print_agreement(found, name, convention="pooled"):
    """Print accuracy, Edit and F1, over all frames and segments ("pooled") or as the mean over videos ("mean")."""
    pooled = convention == "pooled"
    accuracy = found.accuracy_pooled if pooled else found.accuracy_mean
    shares = [f"frames {100 * accuracy:.1f} %", f"Edit {100 * found.edit:.1f} %"]
    f1 = found.f1_pooled if pooled else found.f1_mean
    shares += [f"F1@{100 * overlap:.0f} {100 * value:.1f} %" for overlap, value in f1.items()]
    say(f"{name}: {', '.join(shares)} ({convention if pooled else 'mean of the videos'})")
