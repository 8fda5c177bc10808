"""`ExtractionParams`: everything that changes the numbers of an extraction, and the only home of the defaults."""

import contextlib
import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from idt.errors import DataError, short_repr, unknown_option
from idt.params.bounds import LONGEST_SIDE, LONGEST_TRACK, MOST_FRAMES, Bounds
from idt.params.flow_choice import METHODS, MPEG, Flows, flow_parameter, has_second_flow
from idt.params.layout import block_sizes
from idt.params.option import check_fields, option

MOST_COLUMNS = 32_768
"""A track is described by at most this many numbers, 77 times as many as in the release, because memory holds them for
thousands of live tracks."""


FRAME = Bounds(0, MOST_FRAMES, "frames are numbered in 32 bits")


@dataclass(frozen=True)
class ExtractionParams:
    """Parameters of an extraction; the defaults are those of the authors' release.

    Two extractions with equal parameters and equal sources give equal numbers. So the parameters are written into every
    feature file, and compared before a file is called up to date.
    """

    PRESETS: ClassVar[dict[str, dict[str, Any]]] = {
        "exact": {},
        "fast": {
            "keypoints": "none",
            "flow_from": 2,
            "compensation": "field",
            "scales": 4,
            "gap": 2,
            "describe_every": 2,
        },
        "mpeg": {
            "keypoints": "none",
            "flow": "mpeg",
            "compensation": "field",
            "stride": 8,
            "scales": 2,
            "gap": 5,
            "describe_every": 5,
        },
    }
    """Values over the defaults. exact: the release's numbers; fast: options that cost little accuracy; mpeg: the
    motion vectors of a codec for the flow, fewer points and fewer descriptions, at a loss of accuracy."""

    start: int | str = option(0, bounds=FRAME, method="extraction 1.1", help='first frame, or a time such as "2.5s"')
    end: int | str | None = option(None, bounds=FRAME, method="extraction 1.1", help="last frame, inclusive, or a time")
    length: int = option(
        15, bounds=Bounds(1, LONGEST_TRACK, "a point leaves the view or drifts off its object much earlier"),
        unit="frames", method="extraction 1.1", help='length of a track ("L")',
    )  # fmt: skip
    stride: int = option(
        5, bounds=Bounds(1, LONGEST_SIDE, f"no frame has more than {LONGEST_SIDE} px to a side"),
        unit="px", method="extraction 5", help='distance of the sampled points ("W")',
    )  # fmt: skip
    patch: int = option(
        32, bounds=Bounds(2, 4096, "a patch lies inside the frame, and describes one point of it"),
        unit="px", method="extraction 7.3", help='side of the patch that is described ("N")',
    )  # fmt: skip
    cells: int = option(
        2,
        bounds=Bounds(1, 16, "descriptors grow with its square"),
        method="extraction 7.3",
        help="cells of a patch, in x and in y",
    )
    time_cells: int = option(
        3, bounds=Bounds(1, 100, "descriptors grow with it"), method="extraction 7.5", help="cells of a track in time"
    )
    scales: int = option(
        8, bounds=Bounds(1, 100, f"a frame of {LONGEST_SIDE} px holds no more than 30"),
        method="extraction 2", help="largest number of scales",
    )  # fmt: skip
    gap: int = option(
        1, bounds=Bounds(1, MOST_FRAMES, "frames are numbered in 32 bits"),
        unit="frames", method="extraction 5", help="interval between two samplings of new points",
    )  # fmt: skip
    describe_every: int = option(
        1, bounds=Bounds(1, LONGEST_TRACK, f"a track has at most {LONGEST_TRACK} frames"),
        unit="frames", method="extraction 7.5", help="interval between two descriptions of a track",
    )  # fmt: skip
    skips: str = option("1", method="encoding 14", help="frame steps of the tracks, rising from 1, such as 1,2,3")
    keypoints: str = option(
        "surf",
        method="extraction 4.1",
        choices=("surf", "sift", "orb", "none"),
        help="keypoints matched for the camera's motion",
    )
    camera: bool = option(
        True,
        method="extraction 8",
        flag="no-camera",
        help="do not compensate the camera's motion (plain dense trajectories)",
    )
    flow: str = option(
        "farneback",
        method="extraction 3.8",
        choices=Flows((*METHODS, MPEG)),
        help="dense flow: the release's own; OpenCV's DIS, TV-L1 (slow) or Lucas-Kanade;"
        " motion vectors of a codec (needs PyAV; with compensation field)",
    )
    tracks: str = option(
        "flow",
        method="extraction 6.1",
        choices=("flow", "none"),
        help="flow: points follow the flow; none: cuboids stay in place, in all cells of a grid, textured or not",
    )
    flow_from: int = option(
        0, bounds=Bounds(0, 100, f"a frame of {LONGEST_SIDE} px holds no more than 30 scales"),
        method="extraction 3.7", help="number of fine scales whose flow is resized from the next coarser scale",
    )  # fmt: skip
    compensation: str = option(
        "warp", method="extraction 4.7", choices=("warp", "moved", "field"),
        help="how the camera's motion is removed: warp, the flow to the warped frame; moved, the same, but only if the"
        " camera moved; field, subtract the field of the motion",
    )  # fmt: skip
    local_norm: str = option(
        "rootl1",
        method="extraction 7.4",
        choices=("rootl1", "l2", "none"),
        help="normalisation of each step's histogram",
    )
    humans: str = option(
        "none",
        method="extraction 4.4",
        choices=("none", "hog"),
        help="leave out matches on people found by OpenCV's detector",
    )
    max_side: int | None = option(
        None, bounds=Bounds(2, LONGEST_SIDE, f"no frame has more than {LONGEST_SIDE} px to a side"),
        unit="px", method="extraction 1.2", help="shrink frames whose longer side exceeds this",
    )  # fmt: skip
    fps: float | None = option(
        None, bounds=Bounds(1e-6, 1e6, "between a frame in eleven days and the fastest cameras"),
        unit="1/s", method="extraction 1.2", help="keep the frames nearest to this rate",
    )  # fmt: skip

    deinterlace: bool = option(
        False, method="extraction 1.1", help="interpolate every other line of all frames (yadif; needs PyAV)"
    )

    def __post_init__(self):
        object.__setattr__(self, "flow", flow_parameter(self.flow))
        check_fields(self)
        if not self.steps or self.steps[0] != 1 or self.steps[-1] > 255 or list(self.steps) != sorted(set(self.steps)):
            raise DataError(
                f'skips must be rising whole numbers from 1 to 255 such as "1,2,3", got {short_repr(self.skips)}'
            )
        if self.flow != "farneback" and self.flow_from:
            given = f"{self.flow_from} with flow={self.flow}"
            raise DataError(f"flow_from is for farneback's pyramid, got {given}; leave it 0")
        if self.camera and self.compensation != "field" and not has_second_flow(self.flow):
            known = "flow files are" if self.flow.startswith("files:") else f"flow={self.flow} is"
            raise DataError(
                f"{known} known between consecutive frames only, but compensation={self.compensation} asks for a flow"
                " to a warped frame; use compensation=field, or no camera"
            )
        if self.time_cells > self.length:
            raise DataError(
                f"time_cells must not exceed length: a cell holds length // time_cells steps,"
                f" got time_cells={self.time_cells} and length={self.length}"
            )
        if self.describe_every > self.length // self.time_cells:
            raise DataError(
                f"describe_every must not exceed the {self.length // self.time_cells} steps of a time cell,"
                f" got {self.describe_every}"
            )
        if self.cells > self.patch:
            raise DataError(f"cells must not exceed patch, got cells={self.cells} and patch={self.patch}")
        columns = sum(block_sizes(self.length, self.cells, self.time_cells).values())
        if columns > MOST_COLUMNS:
            raise DataError(
                f"length={self.length}, cells={self.cells} and time_cells={self.time_cells} make {columns} numbers a"
                f" track, expected at most {MOST_COLUMNS}, because memory holds them for all live tracks;"
                " use fewer cells"
            )
        parse_time(self.start, "start")
        if self.end is not None:
            first, last = parse_time(self.start, "start"), parse_time(self.end, "end")
            if type(first) is type(last) and last < first:
                raise DataError(f"end must not lie before start, got start={self.start} and end={self.end}")

    @property
    def steps(self):
        """Return the frame steps, a tuple of int; empty if the text is no list of numbers."""
        parts = [part.strip() for part in self.skips.split(",")] if isinstance(self.skips, str) else []
        return tuple(int(part) for part in parts) if all(part.isdecimal() and len(part) < 10 for part in parts) else ()

    @classmethod
    def from_locals(cls, names):
        """Build the parameters from the ``locals()`` of a function, ignoring its other variables."""
        return cls(**{item.name: names[item.name] for item in fields(cls)})

    @classmethod
    def preset(cls, name):
        """Return the values of the preset ``name`` by option; refuse an unknown name with a list of the presets."""
        if not isinstance(name, str) or name not in cls.PRESETS:
            raise DataError(f"preset must be one of {', '.join(cls.PRESETS)}, got {short_repr(name)}")
        return cls.PRESETS[name]

    @classmethod
    def from_options(cls, *, preset="exact", **options):
        """Build the parameters from keyword arguments over a preset; refuse an unknown option by its name."""
        options = {**cls.preset(preset), **options}
        known = [item.name for item in fields(cls)]
        for name in options:
            if name not in known:
                raise DataError(unknown_option(name, known))
        return cls(**options)


def parse_time(value, name):
    """Parse ``value``: a frame index gives an int, a time such as ``"2.5s"`` gives seconds as a float.

    Messages call it ``name``.

    Raises
    ------
    DataError
        If ``value`` is neither an index nor a time, is negative, or is larger than the number of any frame.
    """
    time: Any = None
    if isinstance(value, str):
        text = value.strip()
        with contextlib.suppress(ValueError):
            time = int(text) if text.isdecimal() else float(text[:-1]) if text.endswith("s") else None
    elif isinstance(value, int) and not isinstance(value, bool):
        time = value
    if time is None or not time >= 0 or math.copysign(1, time) < 0:
        raise DataError(f'{name} must be a frame index such as 30 or a time such as "2.5s", got {short_repr(value)}')
    if time > MOST_FRAMES:
        raise DataError(f"{name} must be at most {MOST_FRAMES} or {MOST_FRAMES}s, got {short_repr(value)}: {FRAME.why}")
    return time
