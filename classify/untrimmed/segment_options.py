"""The options of `idt-segment`: their parser, their bounds, and the combinations that are refused."""

from classify.params import METHODS, OVERLAP_BOUNDS, PENALTY_BOUNDS, RATE_BOUNDS, THRESHOLD_BOUNDS, UNTRIMMED
from idt.command import Parser, add_common_options, add_number_option
from idt.params.bounds import Bounds

DELAY = Bounds(0.0, 3600.0, "a label that waits for an hour is of no use while a video runs")


def parse_options(arguments):
    """Parse the ``arguments`` of `idt-segment`; options that contradict each other end the process with status 2."""
    parser = Parser(
        "idt-segment",
        "Find which action happens from when to when: segments of videos, from the scores of sliding windows. The model"
        " is one of svm-train, or is trained here from segments (--train).",
        "idt-segment long.avi --model model.h5 --codebook vectors.codebook.h5 -o segments.csv",
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT",
        help="files of slices (fv-encode --slices), feature files, or videos; for a running video the index of a"
        " camera, or - for a pipe (ffmpeg -f yuv4mpegpipe)",
    )  # fmt: skip
    add_common_options(
        parser, output="segments: .csv (video,start,end,label,score), .json (ActivityNet), .srt or .vtt of one video",
        required=False, jobs=True, threads=True, videos=True,
    )  # fmt: skip
    parser.add_argument("--codebook", metavar="FILE", help="codebook of the model's vectors")
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

    add_number_option(group, "--slices", LENGTH, default=5, help="frames of a slice, if the inputs are not sliced yet")
    add_number_option(
        group, "--penalty", PENALTY_BOUNDS, default=1.0, help="viterbi: cost of a change, in units of scores"
    )
    group.add_argument("--lengths", action="store_true", help="viterbi, windows: learn lengths of actions from --train")
    add_number_option(group, "--threshold", THRESHOLD_BOUNDS, default=0.0, help="windows: least score of a detection")
    add_number_option(
        group, "--overlap", OVERLAP_BOUNDS, default=0.3, help="windows: most overlap of a segment with a better one"
    )
    group.add_argument("--background", metavar="CLASS", help="class that makes no segments")
    group.add_argument(
        "--transcripts", metavar="DIR", help="dtw: folder of VIDEO.txt, the actions in order, one a line"
    )
    running = parser.add_argument_group("a running video, printed segment by segment")
    running.add_argument("--running", action="store_true", help="read a video file, too, as if it were running")
    add_number_option(running, "--delay", DELAY, default=4.0, help="most seconds that a label waits for later frames")
    add_number_option(
        running, "--rate", RATE_BOUNDS, default=None, help="frames a second, where the source does not say"
    )
    export = parser.add_argument_group("for temporal networks, instead of segments")
    export.add_argument(
        "--export", metavar="DIR", help="write features/VIDEO.npy (64, frames) of slices; with --truth also"
        " groundTruth/, mapping.txt and MMAction2's annotations.json",
    )  # fmt: skip
    export.add_argument(
        "--test-videos", metavar="FILE", help="names, one a line: the test split; the others are trained on"
    )
    parser.add_argument(
        "--timeline", metavar="FILE", help="picture, .png or .svg: true segments, predicted ones, scores"
    )
    parser.add_argument("--truth", metavar="CSV", help="true segments: print frame accuracy, Edit and F1")
    measure = parser.add_argument_group("to measure results of any tool, instead of segmenting")
    measure.add_argument(
        "--evaluate", choices=UNTRIMMED, help="protocol; INPUT is a folder of labels of frames, or a file of segments;"
        " --truth is the data set",
    )  # fmt: skip
    measure.add_argument("--subset", metavar="NAME", help="subset of ActivityNet's JSON, such as validation")
    options = parser.parse_args(arguments)
    if options.evaluate:
        if len(options.inputs) != 1 or not options.truth:
            parser.error("--evaluate takes one INPUT, the results, and --truth, the data set")
        return options
    if not options.codebook:
        parser.error("the following arguments are required: --codebook")
    if (options.model is None) == (options.train is None) and not options.export:
        parser.error("give a model, --model, or segments to train one from, --train")
    if options.train and not options.train_slices:
        parser.error("--train needs --train-slices, the videos of its segments")
    if options.lengths and not options.train:
        parser.error("--lengths learns from the segments of --train")
    if options.method == "dtw" and not options.transcripts:
        parser.error("--method dtw needs --transcripts")
    if options.test_videos and not options.export:
        parser.error("--test-videos is for --export")
    options.running |= len(options.inputs) == 1 and is_running(options.inputs[0])
    _check_running(parser, options)
    return options


def is_running(word):
    """Tell whether a ``word`` of the command line is a pipe or the index of a camera."""
    from idt.batch.jobs import camera_or_path

    return word == "-" or isinstance(camera_or_path(word), int)


def _check_running(parser, options):
    """Refuse options that do not go with a running video, or need one."""
    if not options.running:
        if options.output is None and not options.export:
            parser.error("the segments need an output, -o; those of a running video are printed")
        if options.rate is not None:
            parser.error("--rate is for a running video; files tell their rate")
        return
    if len(options.inputs) > 1:
        parser.error(f"one video can run at a time, got {len(options.inputs)} inputs")
    if options.method != "viterbi" or options.lengths:
        parser.error("a running video is segmented by viterbi without learnt lengths; drop --method and --lengths")
    for flag in ("output", "truth", "timeline", "export"):
        if getattr(options, flag) is not None:
            parser.error(f"the segments of a running video are printed; drop --{flag} and redirect them")
