"""`FlowExportParams`: the options of `idt-flow` about the files that it writes."""

from dataclasses import dataclass, fields

from idt.errors import DataError
from idt.params.bounds import LONGEST_SIDE, Bounds
from idt.params.extraction import ExtractionParams
from idt.params.option import check_fields, option

LAYOUTS = ("tsn", "tsn-zip", "denseflow", "mmaction2", "twostream", "i3d", "flo", "h5")
"""Names of the layouts (`idt.flows.layouts`)."""

BOUND = Bounds(0.01, 1000.0, "a longer displacement is no flow between two frames")

I3D_SIDE, I3D_SHORT_SIDE = 224, 256
"""The layout i3d cuts squares of `I3D_SIDE` px from frames whose shorter side is `I3D_SHORT_SIDE` px by default."""

FLAGS_WITHOUT_EFFECT = frozenset(
    f"--{name}"
    for name in (
        "tracks", "length", "stride", "patch", "cells", "time-cells", "scales", "gap", "describe-every", "skips",
        "local-norm", "no-camera",
    )
)  # fmt: skip
"""`idt-flow` leaves out these flags of an extraction, because they change no flow."""


@dataclass(frozen=True)
class FlowExportParams:
    """Parameters of the flow files: the flow that is written, and its form.

    They are recorded beside the files. Files whose recorded parameters differ are not up to date.
    """

    layout: str = option(
        "tsn",
        method="flow 2",
        choices=LAYOUTS,
        help="names and numbers of the files (docs/method/flow.md)",
    )
    warped: bool = option(
        False, method="flow 3", help="write the flow that remains without the camera's motion, not the flow itself"
    )
    bound: float = option(
        20.0, bounds=BOUND, unit="px", method="flow 1", help="displacement that the outermost gray levels stand for"
    )
    rgb: bool = option(False, method="flow 2", help="write the frames, too")
    step: int = option(
        1, bounds=Bounds(1, 1000, "frames that lie farther apart show no flow"),
        unit="frames", method="flow 1", help="distance from the first frame of a flow to the second",
    )  # fmt: skip
    short_side: int | None = option(
        None, bounds=Bounds(16, LONGEST_SIDE, f"no frame has more than {LONGEST_SIDE} px to a side"),
        unit="px", method="flow 1", help="resize frames to this shorter side (i3d: 256 if not given)",
    )  # fmt: skip

    def __post_init__(self):
        check_fields(self)
        if self.rgb and self.layout == "h5":
            raise DataError("the layout h5 has no place for frames; drop rgb, or use another layout")
        if self.layout == "i3d":
            side = I3D_SHORT_SIDE if self.short_side is None else self.short_side
            if side < I3D_SIDE:
                raise DataError(f"the layout i3d cuts squares of {I3D_SIDE} px, got short_side={side}")
            object.__setattr__(self, "short_side", side)


def recorded_params(params, export):
    """Return the parameters that determine the content of flow files, as a record holds them.

    Parameters
    ----------
    params : ExtractionParams
        Of the flow.
    export : FlowExportParams

    Returns
    -------
    dict
    """
    kept = {
        item.name: getattr(params, item.name)
        for item in fields(ExtractionParams)
        if f"--{(item.metadata['flag'] or item.name).replace('_', '-')}" not in FLAGS_WITHOUT_EFFECT
    }
    return {**kept, **{item.name: getattr(export, item.name) for item in fields(FlowExportParams)}}
