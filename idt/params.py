"""`ExtractionParams`: everything that changes the numbers of an extraction, and the only home of the defaults."""

import math
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from idt.errors import DataError, shown, unknown_option


def option(default, *, help, unit="", method="", choices=None, flag=None) -> Any:
    """A dataclass field that is also a command-line option.

    Parameters
    ----------
    default : int, float, str, bool or None
    help : str
        One line for ``--help``.
    unit, method : str
        Unit of the value, page and section of docs/method, such as ``"extraction 4"``.
    choices : tuple of str, optional
    flag : str, optional
        Name on the command line where it is not the field's own (``--no-camera`` for ``camera``).
    """
    return field(
        default=default, metadata={"help": help, "unit": unit, "method": method, "choices": choices, "flag": flag}
    )


@dataclass(frozen=True)
class ExtractionParams:
    """What an extraction does; the defaults are those of the authors' release.

    Two extractions with equal parameters and equal sources give equal numbers, so these are
    written into every feature file and compared before a file is called up to date.
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
    }
    """Values over the defaults. exact: the release's numbers; fast: what costs little accuracy."""

    start: int | str = option(0, method="extraction 1.1", help='first frame, or a time such as "2.5s"')
    end: int | str | None = option(None, method="extraction 1.1", help="last frame, inclusive, or a time")
    length: int = option(15, unit="frames", method="extraction 1.1", help='length of a track ("L")')
    stride: int = option(5, unit="px", method="extraction 5", help='distance of the sampled points ("W")')
    patch: int = option(32, unit="px", method="extraction 7.3", help='side of the patch that is described ("N")')
    cells: int = option(2, method="extraction 7.3", help="cells of a patch, in x and in y")
    time_cells: int = option(3, method="extraction 7.5", help="cells of a track in time")
    scales: int = option(8, method="extraction 2", help="largest number of scales")
    gap: int = option(1, unit="frames", method="extraction 5", help="frames between two samplings of new points")
    describe_every: int = option(
        1, unit="frames", method="extraction 7.5", help="frames between two descriptions of a track"
    )
    skips: str = option(
        "1", method="encoding 14", help="frame steps to extract at, one after the other from 1, such as 1,2,3"
    )
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
        choices=("farneback", "dis"),
        help="dense flow: the release's own, or OpenCV's DIS",
    )
    flow_from: int = option(
        0, method="extraction 3.7", help="scales at the fine end whose flow is carried over from the next one"
    )
    compensation: str = option(
        "warp", method="extraction 4.7", choices=("warp", "moved", "field"),
        help="camera motion out of the flow: flow to the warped frame; the same, but for a camera that stands still;"
        " subtract the motion's own field",
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
        help="keep matches off people found by OpenCV's detector",
    )
    max_side: int | None = option(
        None, unit="px", method="extraction 1.2", help="shrink frames whose longer side exceeds this"
    )
    fps: float | None = option(None, unit="1/s", method="extraction 1.2", help="keep the frames nearest to this rate")

    def __post_init__(self):
        for item in fields(self):
            value = _python(getattr(self, item.name))
            if value is not None and not isinstance(value, int | float | str):
                # An array, say, can be compared with nothing below.
                raise DataError(f"{item.name} must be a number, a text, a truth value or None, got {shown(value)}")
            object.__setattr__(self, item.name, value)
        for name, least in (
            ("length", 1), ("stride", 1), ("patch", 2), ("cells", 1), ("time_cells", 1), ("scales", 1), ("gap", 1),
            ("describe_every", 1), ("flow_from", 0),
        ):  # fmt: skip
            value = getattr(self, name)
            if not _is_int(value) or value < least:
                raise DataError(f"{name} must be a whole number of at least {least}, got {value!r}")
        for name in ("keypoints", "flow", "compensation", "local_norm", "humans"):
            choices = _metadata(name)["choices"]
            if getattr(self, name) not in choices:
                raise DataError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        if not self.steps or self.steps[0] != 1 or self.steps[-1] > 255 or list(self.steps) != sorted(set(self.steps)):
            raise DataError(f'skips must be rising whole numbers from 1 to 255 such as "1,2,3", got {self.skips!r}')
        if not isinstance(self.camera, bool):
            raise DataError(f"camera must be True or False, got {self.camera!r}")
        if self.flow == "dis" and self.flow_from:
            raise DataError(f"flow_from is for farneback's pyramid, got {self.flow_from} with flow=dis; leave it 0")
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
        if self.max_side is not None and (not _is_int(self.max_side) or self.max_side < 2):
            raise DataError(f"max_side must be a whole number of at least 2 px, got {self.max_side!r}")
        if self.fps is not None and not (isinstance(self.fps, int | float) and 0 < self.fps < math.inf):
            raise DataError(f"fps must be a positive number of frames per second, got {self.fps!r}")
        parse_time(self.start, "start")
        if self.end is not None:
            first, last = parse_time(self.start, "start"), parse_time(self.end, "end")
            if type(first) is type(last) and last < first:
                raise DataError(f"end must not lie before start, got start={self.start} and end={self.end}")

    @property
    def steps(self):
        """The frame steps, a tuple of int; empty if the text holds anything else."""
        parts = [part.strip() for part in self.skips.split(",")] if isinstance(self.skips, str) else []
        return tuple(int(part) for part in parts) if all(part.isdecimal() for part in parts) else ()

    @classmethod
    def among(cls, names):
        """Build from the options among a function's ``locals()``, which hold others, too."""
        return cls(**{item.name: names[item.name] for item in fields(cls)})

    @classmethod
    def preset(cls, name):
        """Return the values of a preset, by option, and name the known ones if there is none of that name."""
        if not isinstance(name, str) or name not in cls.PRESETS:
            raise DataError(f"preset must be one of {', '.join(cls.PRESETS)}, got {shown(name)}")
        return cls.PRESETS[name]

    @classmethod
    def from_options(cls, *, preset="exact", **options):
        """Build from keyword arguments over a preset, and name an unknown one instead of raising `TypeError`."""
        options = {**cls.preset(preset), **options}
        known = [item.name for item in fields(cls)]
        for name in options:
            if name not in known:
                raise DataError(unknown_option(name, known))
        return cls(**options)


def parse_time(value, name):
    """A frame index (int) stays one; a text such as ``"2.5s"`` becomes seconds (float).

    Raises
    ------
    DataError
        If ``value`` is neither, or negative.
    """
    if _is_int(value) and value >= 0:
        return int(value)
    if isinstance(value, str):
        text = value.strip()
        if text.isdecimal():
            return int(text)
        try:
            seconds = float(text[:-1]) if text.endswith("s") else math.nan
        except ValueError:
            seconds = math.nan
        if 0 <= seconds < math.inf:
            return seconds
    raise DataError(f'{name} must be a frame index such as 30 or a time such as "2.5s", got {value!r}')


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _python(value):
    """A numpy scalar as Python's own number or truth, which JSON can hold, too; anything else as it is."""
    return value.item() if getattr(value, "shape", None) == () else value


def _metadata(name):
    return ExtractionParams.__dataclass_fields__[name].metadata
