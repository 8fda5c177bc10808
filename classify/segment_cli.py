"""The command `idt-segment`: which action, from when to when."""

from idt.command import DONE, Parser, add_habits, add_number, command, run_options, say
from idt.errors import DataError
from idt.params.bounds import Bounds

METHODS = ("viterbi", "windows", "dtw")

PENALTY = Bounds(0.0, 1e12, "no score is as large")
OVERLAP = Bounds(0.0, 1.0, "it is a share, and 1 is all of it")
THRESHOLD = Bounds(-1e12, 1e12, "no score is beyond")


@command
def segment(arguments):
    """Run ``idt-segment``, videos to segments with labels, with these ``arguments``."""
    options = _parsed(arguments)
    from classify.untrimmed.formats.by_suffix import write_segments
    from classify.untrimmed.segment_videos import agreement, joined, read_slices, segment_slices
    from encoding.codebook import Codebook
    from encoding.params import FITTING
    from encoding.slices.cut import Cut

    run = run_options(options)
    _check(options)
    codebook = Codebook.load(options.codebook)
    classifier, encoding = _classifier(options, codebook)
    given = {key: value for key, value in (encoding or {}).items() if key not in (*FITTING, "pyramid")}
    params = codebook.params_with(**given)
    how = _method(options)
    found = []
    for slices in read_slices(
        options.inputs, codebook, params, path=options.codebook, cut=Cut(options.slices), run=run
    ):
        found.append(segment_slices(slices, codebook, params, classifier, how))
        own = found[-1].segments
        say(f"{slices.name}: {len(own)} segments, {', '.join(sorted(set(own.labels.tolist()))) or 'none'}")
    write_segments(options.output, joined([each.segments for each in found]), overwrite=run.overwrite)
    if options.truth:
        from classify.untrimmed.formats.table import read_table

        truth, name = read_table(options.truth), options.background or "background"
        _print_agreement(agreement(found, truth, background=name), options.method)
        if found and found[0].baseline is not None:
            _print_agreement(agreement(found, truth, background=name, baseline=True), "equal parts")
    say(str(options.output))
    return DONE


def _parsed(arguments):
    parser = Parser(
        "idt-segment",
        "Find which action happens from when to when: segments of videos, from the scores of sliding windows. The model"
        " is one of svm-train, or is trained here from segments (--train).",
        "idt-segment long.avi --model model.h5 --codebook vectors.codebook.h5 -o segments.csv",
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="files of slices (fv-encode --slices), feature files, or videos"
    )
    add_habits(
        parser, output="segments: .csv (video,start,end,label,score), .json (ActivityNet), .srt or .vtt of one video",
        jobs=True, threads=True, videos=True,
    )  # fmt: skip
    parser.add_argument("--codebook", required=True, metavar="FILE", help="codebook of the model's vectors")
    model = parser.add_argument_group("model, one of the two")
    model.add_argument("--model", metavar="FILE", help="model file, as from svm-train")
    model.add_argument("--train", metavar="CSV", help="train on segments, lines video,start,end,label in seconds")
    model.add_argument(
        "--train-slices", metavar="PATH", help="with --train: files of slices, features or videos of these segments"
    )
    group = parser.add_argument_group("method")
    group.add_argument(
        "--method", choices=METHODS, default="viterbi",
        help="viterbi: one label a slice, each change costs --penalty; windows: detections in sliding windows; dtw:"
        " alignment with --transcripts (default viterbi)",
    )  # fmt: skip
    group.add_argument("--window", default="30", metavar="N[,N]", help="frames of the windows (default 30)")
    from encoding.slices.cut import LENGTH

    add_number(group, "--slices", LENGTH, default=5, help="frames of a slice, where inputs are no slices")
    add_number(group, "--penalty", PENALTY, default=1.0, help="viterbi: cost of a change, in units of scores")
    group.add_argument("--lengths", action="store_true", help="viterbi: learn lengths of actions from --train")
    add_number(group, "--threshold", THRESHOLD, default=0.0, help="windows: least score of a detection")
    add_number(
        group, "--overlap", OVERLAP, default=0.3, help="windows: drop segments that overlap a better one by more"
    )
    group.add_argument("--background", metavar="CLASS", help="class that makes no segments")
    group.add_argument(
        "--transcripts", metavar="DIR", help="dtw: folder of VIDEO.txt, the actions in order, one a line"
    )
    parser.add_argument("--truth", metavar="CSV", help="true segments: print frame accuracy, Edit and F1")
    options = parser.parse_args(arguments)
    if (options.model is None) == (options.train is None):
        parser.error("give a model, --model, or segments to train one from, --train")
    if options.train and not options.train_slices:
        parser.error("--train needs --train-slices, the videos of its segments")
    if options.lengths and not options.train:
        parser.error("--lengths learns from the segments of --train")
    if options.method == "dtw" and not options.transcripts:
        parser.error("--method dtw needs --transcripts")
    return options


def _check(options):
    """Refuse what would destroy something, before any work."""
    from classify.untrimmed.formats.by_suffix import check_suffix
    from classify.untrimmed.segment_videos import form_of
    from idt.batch.jobs import sources_of
    from idt.files import outputs
    from idt.frames.suffixes import IMAGES, VIDEOS

    slices = [options.train_slices] if options.train_slices else []
    read = [options.model, options.codebook, options.train, options.truth, options.transcripts]
    for given in (options.inputs, slices):
        read += [*given, *(sources_of(given) if given and form_of(given) is None else [])]
    outputs.check(
        [options.output], read, suffixes={*VIDEOS, *IMAGES, ".h5", ".txt"}, overwrite=options.overwrite, unmarked=True
    )
    check_suffix(options.output)


def _classifier(options, codebook):
    """The classifier, and the options of the encoding of its vectors."""
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
    sliced = list(
        read_slices(
            [options.train_slices], codebook, params, path=options.codebook, cut=Cut(options.slices),
            run=run_options(options),
        )
    )  # fmt: skip
    fitted = train_on_segments(
        sliced, read_table(options.train), codebook, params, LinearSVM(C=100.0),
        length=_lengths(options)[0], background=options.background,
    )  # fmt: skip
    return fitted, None


def _method(options):
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
        from classify.untrimmed.segmenting import log_lengths

        segments = read_table(options.train)

        def rewards(classes, rate, longest):
            return log_lengths(segments, classes, slice_seconds=1 / rate, longest=longest)

    return SegmentOptions(
        options.method, _lengths(options), options.penalty, options.threshold, options.overlap, options.background,
        transcripts, rewards,
    )  # fmt: skip


def _lengths(options):
    try:
        return tuple(int(word) for word in options.window.split(","))
    except ValueError:
        raise DataError(f"--window must be frames, such as 30 or 20,40,80, got {options.window!r}") from None


def _print_agreement(found, name):
    shares = [f"frames {100 * found.accuracy_pooled:.1f} %", f"Edit {100 * found.edit:.1f} %"]
    shares += [f"F1@{100 * overlap:.0f} {100 * value:.1f} %" for overlap, value in found.f1_pooled.items()]
    say(f"{name}: {', '.join(shares)} (pooled)")
