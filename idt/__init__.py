"""Improved dense trajectories (Wang & Schmid, ICCV 2013): from a video to tracks and descriptors.

The pipeline, step by step, each in the module that bears its name:

1. `video`       a file, folder, camera or iterable becomes gray frames
2. `pyramid`     sizes of the scales, gray pyramid
3. `flow`        dense optical flow between two frames (a Farnebäck variant)
4. `camera`      keypoints (`surf`) and corners give a homography, which undoes the camera's motion
5. `sampling`    textured grid points that no live track occupies
6. `tracks`      points follow the flow for 15 frames
7. `histograms`  HOG, HOF, MBHx and MBHy along the tracks
8. `selection`   which finished tracks are kept
9. `store`       feature files; `convert` reads and writes the authors' forms

`extractor` joins them. Coordinates are ``(x, y)``, images ``(H, W)``, flows ``(H, W, 2)`` with x first;
pixels are pixels of the step's own scale unless a name ends in ``_full``.
"""

from importlib import import_module

__version__ = "0.1.0"

_PUBLIC = {
    "DataError": "idt.errors",
    "ExtractionParams": "idt.params",
    "Features": "idt.features.features",
    "extract": "idt.extractor",
    "stream": "idt.extractor",
    "load": "idt.features.feature_file",
    "save": "idt.features.feature_file",
}
__all__ = ["DataError", "ExtractionParams", "Features", "__version__", "extract", "load", "save", "stream"]


def __getattr__(name):
    """Load a public name when it is first asked for, so that ``idt-extract --help`` need not wait for OpenCV."""
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'idt' has no attribute {name!r}")


def __dir__():
    return sorted([*globals(), *_PUBLIC])
