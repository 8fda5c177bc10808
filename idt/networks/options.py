"""Options of idt-extract for maps of networks."""

from idt.command import add_number_option
from idt.params.bounds import SHARE_REASON, Bounds


def add_maps(parser):
    """Add to ``parser`` the options of maps of networks that are pooled along tracks."""
    group = parser.add_argument_group("maps of networks pooled along the tracks (docs/method/networks.md)")
    group.add_argument(
        "--maps", action="append", default=[], metavar="MODEL:TENSOR[,TENSOR]",
        help="ONNX file and tensors, or stride16 for the last map of stride 16; a block for each tensor and norm",
    )  # fmt: skip
    group.add_argument(
        "--maps-preset",
        default="tdd",
        metavar="NAME",
        help="colours and normalisation, a preset of idt-net (default tdd)",
    )
    group.add_argument(
        "--maps-norm", default="st,channel", metavar="NORM[,NORM]",
        help="divide by the maximum of each channel over the video (st), or of each place over its channels (channel);"
        " none does not divide (default st,channel)",
    )  # fmt: skip
    group.add_argument(
        "--maps-scales", choices=("1", "5"), default="1", help="number of sizes of the frames (default 1)"
    )
    group.add_argument(
        "--maps-mapping", choices=("ratio", "exact"), default="ratio",
        help="find the cell of a point by the ratio of sizes, or by the centres of cells (default ratio)",
    )  # fmt: skip
    power = Bounds(0.0, 1.0, SHARE_REASON, above=True)
    add_number_option(
        group, "--maps-power", power, default=0.5, help="exponent of the absolute value of every number; 1 changes none"
    )


def maps_of(options):
    """Make an `idt.networks.map_params.MapParams` of the parsed ``options``; None without ``--maps``.

    Raises
    ------
    DataError
        If a model cannot be run, or an option does not fit.
    """
    if not options.maps:
        return None
    from idt.networks.map_params import MapParams

    found = MapParams.parse(
        options.maps, options.maps_preset, norms=tuple(options.maps_norm.split(",")),
        scales=int(options.maps_scales), mapping=options.maps_mapping, power=options.maps_power,
    )  # fmt: skip
    # A model that cannot be run is a mistake of the caller's, not a failure of every video.
    found.describe_blocks(found.networks())
    return found
