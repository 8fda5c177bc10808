"""Preprocessing of each family of networks: frames, size, crops, colours, and the average of its outputs.

Every row is from the family's own test code (docs/method/networks.md, section 2). Any entry can be replaced:
``dataclasses.replace(preset_of("c3d"), crop=64, short_side=72)``, or the options of idt-net.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from idt.errors import DataError, unknown_option
from idt.params.bounds import LONGEST_SIDE, Bounds

MODALITIES = ("rgb", "flow", "warped", "difference")
"""Modalities of the input: colours, optical flow, flow without the camera's motion, differences of frames."""

RULES = ("centres", "uniform", "segments", "ticks", "all")
"""Rules for the choice of clips (`idt.networks.sampling`)."""

CROPS = {"centre": 1, "three": 3, "ten": 10, "whole": 1}
"""Crops of a frame, and how many each kind has."""

AVERAGES = ("logits", "probabilities", "given")
"""Numbers whose mean is the score: the outputs, their softmax, or outputs that are probabilities already."""

FUSIONS = ("sum", "max", "concat", "bilinear")
"""Kinds of the fusion of two maps (`idt.networks.fused`)."""

LAYOUTS = ("nchw", "nhwc", "ncthw", "nthwc", "ntchw", "nmchw", "nmcthw")
"""Orders of an input's dimensions, a letter each (`idt.networks.layout`)."""

LENGTH = Bounds(1, 1024, "a clip lies in memory as a whole")
INTERVAL = Bounds(1, 1024, "no network looks as far ahead")
CLIPS = Bounds(1, 1000, "no protocol takes as many")
EVERY = Bounds(0, 100_000, "with more frames between snippets a video has only one")
CROP = Bounds(1, 4096, "no network looks at larger frames")

IMAGENET: dict[str, tuple[float, ...]] = {"mean": (123.675, 116.28, 103.53), "std": (58.395, 57.12, 57.375)}


@dataclass(frozen=True)
class Preset:
    """Preprocessing of a network.

    Attributes
    ----------
    name : str
    modality : str
        One of `MODALITIES`.
    length, interval : int
        Frames, flows or differences of a clip, and the step between two of them.
    clips : int
        Clips of a video.
    rule : str
        One of `RULES`.
    short_side : int or (int, int)
        Shorter side that frames are resized to, or width and height. 0 leaves them.
    crop : int
        Side of the crops in pixels.
    crops : str
        One of `CROPS`.
    colours : {"rgb", "bgr"}
        Order of the channels.
    mean, std : tuple of float
        Mean and standard deviation of pixel values from 0 to 255, one for each channel or for all.
    average : str
        One of `AVERAGES`.
    layout : str
        One of `LAYOUTS`; if empty, the rank of the input decides.
    fps : float or None
        Frames per second that a video is resampled to.
    alpha : int
        For SlowFast networks of two inputs: the slow input takes every ``alpha``-th frame of the fast one. 0 for other
        networks.
    """

    name: str
    modality: str = "rgb"
    length: int = 1
    interval: int = 1
    clips: int = 25
    rule: str = "centres"
    short_side: int | tuple[int, int] = 256
    crop: int = 224
    crops: str = "centre"
    colours: str = "rgb"
    mean: tuple[float, ...] = IMAGENET["mean"]
    std: tuple[float, ...] = IMAGENET["std"]
    average: str = "probabilities"
    layout: str = ""
    fps: float | None = None
    alpha: int = 0

    def __post_init__(self):
        for name, bounds in (("length", LENGTH), ("interval", INTERVAL), ("clips", CLIPS), ("crop", CROP)):
            bounds.check(name, getattr(self, name))
        sides = self.short_side if isinstance(self.short_side, tuple) else (self.short_side,)
        for side in sides:
            Bounds(0, LONGEST_SIDE, "no decoder gives larger frames").check("short_side", side)
        for name, known in (
            ("modality", MODALITIES), ("rule", RULES), ("crops", tuple(CROPS)), ("average", AVERAGES),
            ("colours", ("rgb", "bgr")),
        ):  # fmt: skip
            if getattr(self, name) not in known:
                raise DataError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r:.40}")
        for name in ("mean", "std"):
            values = getattr(self, name)
            if len(values) not in (1, self.planes):
                raise DataError(f"{name} must be 1 or {self.planes} numbers, got {values}")
        if not all(abs(value) <= 1e6 for value in self.mean) or not all(1e-6 <= value <= 1e6 for value in self.std):
            raise DataError(f"mean and std must be pixel values, std above 0, got {self.mean} and {self.std}")

    @property
    def planes(self):
        """Channels of one frame, flow or difference."""
        return 2 if self.is_flow else 3

    @property
    def is_flow(self):
        """Whether the network looks at optical flow."""
        return self.modality in ("flow", "warped")

    @property
    def views(self):
        """Clips times crops; 0 if the number of clips depends on the video."""
        return 0 if self.rule == "all" else self.clips * CROPS[self.crops]


def _presets():
    """Yield all presets."""
    flow8: dict[str, Any] = {"modality": "flow", "mean": (128.0,), "std": (1.0,)}
    caffe: dict[str, Any] = {"colours": "bgr", "mean": (104.0, 117.0, 123.0), "std": (1.0,), "average": "logits"}
    bn: dict[str, Any] = {**caffe, "mean": (104.0, 117.0, 128.0), "rule": "segments", "crops": "ten"}
    mmaction: dict[str, Any] = {"rule": "uniform", "clips": 10, "short_side": 256, "crop": 256, "crops": "three"}
    yield Preset("image")
    yield Preset("efficientnet-lite", mean=(127.0,), std=(128.0,))
    yield Preset("tsn-caffe", rule="ticks", short_side=(340, 256), crops="ten", **caffe)
    yield Preset(
        "tsn-caffe-flow", rule="ticks", length=5, short_side=(340, 256), crops="ten", average="logits", **flow8
    )
    yield Preset("tsn-bn", **bn)
    yield Preset("tsn-bn-flow", length=5, rule="segments", crops="ten", average="logits", **flow8)
    yield Preset("tsn-bn-difference", length=5, **{**bn, "modality": "difference", "mean": (0.0,)})
    yield Preset("tsn-resnet", rule="segments", crops="ten", average="logits")
    yield Preset(
        "tsn-resnet-flow", modality="flow", length=5, rule="segments", crops="ten", average="logits",
        mean=(127.5,), std=(57.63,),
    )  # fmt: skip
    yield Preset("tsn", crops="ten")
    yield Preset("tsn-flow", modality="flow", length=5, rule="uniform", crops="ten", mean=(128.0,), std=(128.0,))
    yield Preset("tsn-warped", modality="warped", length=5, rule="uniform", crops="ten", mean=(128.0,), std=(128.0,))
    yield Preset("tsm", clips=8, crops="ten")
    yield Preset("trn", clips=8, crops="three", crop=256)
    yield Preset(
        "c3d", length=16, clips=10, rule="uniform", short_side=128, crop=112, mean=(104.0, 117.0, 128.0), std=(1.0,)
    )
    i3d: dict[str, Any] = {
        "rule": "all",
        "clips": 1,
        "average": "logits",
        "mean": (127.5,),
        "std": (127.5,),
        "layout": "nthwc",
    }
    yield Preset("i3d", fps=25.0, **i3d)
    yield Preset("i3d-flow", modality="flow", fps=25.0, **i3d)
    yield Preset("i3d-r50", length=32, interval=2, **mmaction)
    yield Preset("slowfast", length=32, interval=2, **mmaction)
    yield Preset("r2plus1d", length=8, interval=8, **mmaction)
    x3d: dict[str, Any] = {**mmaction, "fps": 30.0, "mean": (114.75,), "std": (57.38,)}
    yield Preset("x3d-s", length=13, interval=6, **{**x3d, "short_side": 182, "crop": 182})
    yield Preset("x3d-m", length=16, interval=5, **x3d)
    small: dict[str, Any] = {**mmaction, "short_side": 224, "crop": 224}
    yield Preset("videomae", length=16, interval=4, **{**small, "clips": 5})
    yield Preset("swin", length=32, interval=2, **{**small, "clips": 4})
    half: dict[str, Any] = {"mean": (127.5,), "std": (127.5,)}
    yield Preset("timesformer", length=8, interval=32, **{**small, **half, "clips": 1})
    yield Preset(
        "pyslowfast", length=32, interval=2, alpha=4,
        **{**mmaction, "fps": 30.0, "mean": (114.75,), "std": (57.375,)},
    )  # fmt: skip
    yield Preset(
        "tdd", rule="all", clips=1, short_side=0, crops="whole", colours="bgr", mean=(102.7, 115.8, 123.5), std=(1.0,)
    )
    yield Preset("tdd-flow", length=10, rule="all", clips=1, short_side=0, crops="whole", **flow8)


PRESETS = {preset.name: preset for preset in _presets()}
"""Presets by name."""


def preset_of(preset, **given):
    """Return a preset.

    Parameters
    ----------
    preset : str or Preset
        A name of `PRESETS`, or a preset.
    **given
        Entries to replace; an entry that is None stays as it is.

    Returns
    -------
    Preset

    Raises
    ------
    DataError
        If no preset has that name, or an entry is unknown or has a value that does not fit.
    """
    if not isinstance(preset, Preset):
        if preset not in PRESETS:
            raise DataError(unknown_option(str(preset), PRESETS).replace("option", "preset", 1))
        preset = PRESETS[preset]
    known = [field.name for field in dataclasses.fields(Preset)]
    for name in given:
        if name not in known:
            raise DataError(unknown_option(name, known))
    return dataclasses.replace(preset, **{name: value for name, value in given.items() if value is not None})
