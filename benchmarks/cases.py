"""What the benchmarks run on, and what machine they ran on."""

import os
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from tests import golden
from tests.matching import reference

CLIPS = ("wave", "bowling", "ice_dancing")


@dataclass
class Clip:
    """A clip's gray frames and the tracks that the release finds in them."""

    name: str
    frames: np.ndarray
    reference: dict[str, Any]


def clips(names=CLIPS):
    """Those of the clips that are at hand; the shipped one always is."""
    for name in names:
        if name == "wave" or (golden.SHARED / "real" / name).is_dir():
            yield Clip(name, golden.gray(name), reference(golden.golden(name)))


def machine():
    """Processor, cores and versions, to be stated beside every figure."""
    names = ("opencv-contrib-python", "numpy", "numba", "scikit-learn", "h5py")
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
