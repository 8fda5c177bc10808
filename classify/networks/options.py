"""Options of idt-net."""

from idt.command import Parser, add_common_options, add_number_option
from idt.networks.presets import (
    AVERAGES,
    CLIPS,
    CROP,
    CROPS,
    EVERY,
    FUSIONS,
    INTERVAL,
    LAYOUTS,
    LENGTH,
    MODALITIES,
    PRESETS,
    RULES,
    preset_of,
)
from idt.params.bounds import LONGEST_SIDE, Bounds

TOP = Bounds(1, 1000, "scores.h5 has the scores of all classes")
SHORT = Bounds(0, LONGEST_SIDE, "no decoder gives larger frames")
FPS = Bounds(0.0, 10_000.0, "no camera is as fast", above=True)


def network_options(arguments):
    """Parse the ``arguments`` of idt-net.

    Returns
    -------
    argparse.Namespace
        With ``network_preset``, and for --fuse ``other_preset``: `idt.networks.presets.Preset`.
    """
    parser = Parser(
        "idt-net",
        "Run a network, an ONNX file, over videos: scores for idt-fuse and idt-evaluate --network, or features of short"
        " clips, which every encoder takes.",
        "idt-net tsn.onnx clips/ -o rgb/ --scores --classes classInd.txt --preset tsn",
    )
    parser.add_argument("model", metavar="MODEL", help="ONNX file")
    parser.add_argument("videos", nargs="*", metavar="VIDEO", help="videos, as for idt-extract")
    add_common_options(
        parser, output="folder of scores.h5 and videos/, or of feature files; and of failures.csv",
        required=False, jobs=True,
        cluster=True, videos=True,
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="print inputs, outputs and layers of the model; no VIDEO")
    parser.add_argument("--scores", action="store_true", help="write the scores of every video")
    parser.add_argument("--classes", metavar="FILE", help="classes of the network's outputs, one a line, in order")
    parser.add_argument("--tensor", metavar="NAME", help="tensor of the scores (default the model's only output)")
    parser.add_argument(
        "--features", metavar="TENSOR[,TENSOR]",
        help="write these tensors of clips along every video: feature files with blocks TENSOR_snippets",
    )  # fmt: skip
    add_number_option(
        parser, "--every", EVERY, default=None, unset="half a clip",
        help="frames between the beginnings of two clips of --features; 0: the clips of the preset",
    )  # fmt: skip
    parser.add_argument(
        "--fuse",
        choices=FUSIONS,
        help="fuse the maps of --features and --with, cell by cell, into one block",
    )
    parser.add_argument("--with", dest="other", metavar="MODEL:TENSOR", help="ONNX file and map of the other network")
    parser.add_argument(
        "--with-preset", default="tsn-flow", metavar="NAME",
        help="preset of the other network (default tsn-flow); sizes and crops are those of the first",
    )  # fmt: skip
    add_number_option(
        parser,
        "--with-clip-length",
        LENGTH,
        default=None,
        help="frames or flows of a clip of the other network",
        unset="its preset's",
    )
    add_number_option(parser, "--top", TOP, default=1, help="classes to print for each video")
    add_preset(parser)
    options = parser.parse_args(arguments)
    if options.list == bool(options.videos):
        parser.error("name VIDEO and -o, or --list alone")
    if not options.list and not ((options.scores or options.features is not None) and options.output):
        parser.error("the following arguments are required: -o, and --scores or --features")
    if options.scores and options.features is not None:
        parser.error("--scores and --features write different files; run them one after the other")
    if options.features is not None and not all(options.features.split(",")):
        parser.error(f"argument --features: expected TENSOR[,TENSOR], got {options.features!r:.60}")
    _check_fusion(options, parser)
    if options.every is not None and options.features is None:
        parser.error("--every goes with --features")
    if options.scores and not options.classes:
        parser.error("--scores needs --classes, the file of the classes that the network was trained on")
    options.network_preset = preset_from(options, parser)
    if options.fuse:
        sizes = {name: getattr(options, name) for name in ("short_side", "crop", "crops")}
        options.other_preset = preset_of(options.with_preset, length=options.with_clip_length, **sizes)
    return options


def _check_fusion(options, parser):
    """Refuse incomplete options of a fusion of maps, and split MODEL:TENSOR."""
    if bool(options.fuse) != (options.other is not None) or (options.fuse and options.features is None):
        parser.error("--features, --fuse and --with go together")
    if options.other is None:
        return
    model, _, tensor = options.other.rpartition(":")
    if not model or not tensor:
        parser.error(f"argument --with: expected MODEL:TENSOR, such as flow.onnx:conv5, got {options.other!r:.80}")
    options.other = model, tensor


def add_preset(parser):
    """Add to ``parser`` the options of the preprocessing."""
    group = parser.add_argument_group("input of the network (default: by its preset)")
    group.add_argument(
        "--preset", default="image", metavar="NAME", help=f"family: {', '.join(PRESETS)} (default image)"
    )
    group.add_argument("--modality", choices=MODALITIES, help="colours, flow, flow without the camera, differences")
    add_number_option(group, "--clips", CLIPS, default=None, help="clips of a video", unset="the preset's")
    add_number_option(group, "--clip-length", LENGTH, default=None, help="frames of a clip", unset="the preset's")
    add_number_option(
        group,
        "--interval",
        INTERVAL,
        default=None,
        help="distance of successive frames of a clip",
        unset="the preset's",
    )
    group.add_argument("--rule", choices=RULES, help="rule by which clips are chosen, see docs/method/networks.md")
    add_number_option(
        group,
        "--short-side",
        SHORT,
        default=None,
        help="shorter side of resized frames in px",
        unset="the preset's",
    )
    add_number_option(group, "--crop", CROP, default=None, help="side of a crop in px", unset="the preset's")
    group.add_argument("--crops", choices=tuple(CROPS), help="crops of a frame, or whole frames")
    group.add_argument("--colours", choices=("rgb", "bgr"), help="order of the channels")
    group.add_argument("--mean", metavar="N[,N,N]", help="subtracted from values of 0 to 255")
    group.add_argument("--std", metavar="N[,N,N]", help="divisor after --mean")
    group.add_argument("--average", choices=AVERAGES, help="mean of outputs, of their softmax, of given probabilities")
    group.add_argument("--layout", choices=LAYOUTS, help="order of the input's dimensions (default by its rank)")
    add_number_option(group, "--fps", FPS, default=None, help="frames a second for the network", unset="the preset's")


def preset_from(options, parser):
    """Make the preset that the ``options`` of ``parser`` ask for.

    Raises
    ------
    DataError
        If there is none, or an entry does not fit.
    """
    given = {
        name: getattr(options, name)
        for name in (
            "modality", "clips", "interval", "rule", "short_side", "crop", "crops", "colours", "average", "layout",
            "fps",
        )
    }  # fmt: skip
    for name in ("mean", "std"):
        text = getattr(options, name)
        try:
            given[name] = None if text is None else tuple(float(word) for word in text.split(","))
        except ValueError:
            parser.error(f"argument --{name}: expected numbers such as 127.5 or 124,116,104, got {text!r:.60}")
    return preset_of(options.preset, length=options.clip_length, **given)
