"""Versions that the numbers of a file depend on: this package, numerical libraries, and the decoder of videos.

Another version of any of them may give other numbers, so every file of ours records them and the up-to-date check
compares them (`idt.files.provenance`). Versions without influence on numbers, such as those of Python and HDF5, are
left out, because they would only cause repeated work.
"""

import functools
import os
import re
import sys

from idt import __version__

FEATURES = "idt-features"
"""Format of feature files."""

PACKAGE, NUMERICS = ("package",), ("numpy", "numba")
"""This package, and the libraries that all its numbers depend on."""

DECODING = ("opencv", "decoder")
"""OpenCV, which also computes flow and keypoints, and FFmpeg, by which OpenCV or PyAV decodes videos. Versions of
FFmpeg may decode other pixels."""

NETWORKS = ("onnxruntime", "onnx")
"""Libraries that run networks on frames."""

LEARNING = ("scipy", "scikit-learn")
"""Codebooks and classifiers are fitted with these."""

_MODULES = {"scikit-learn": "sklearn"}
"""Modules whose name differs from the name of their package."""


def made_with(format, params=None, source=None):
    """Return the versions that the numbers of a file depend on.

    Parameters
    ----------
    format : str
        Format of the file, such as ``"idt-features"``.
    params : dict or None
        None for features that another program extracted, whose numbers are only copied. The entry ``network`` tells
        that a network computed blocks.
    source : dict or None
        Its ``decoder`` names the decoder of the video, ``"pyav"`` or by default ``"opencv"``. In a file of vectors, the
        ``kind`` ``"videos"`` says that videos were decoded for them.

    Returns
    -------
    dict of str to str
        Version by name. A package that is not installed is absent.
    """
    computed = format != FEATURES or params is not None
    decoded = computed if format == FEATURES else (source or {}).get("kind") == "videos"
    networks = isinstance(params, dict) and bool(params.get("network"))
    names = [*PACKAGE, *NUMERICS * computed, *DECODING * decoded, *NETWORKS * networks]
    names += LEARNING * (format != FEATURES)
    by_pyav = (source or {}).get("decoder") == "pyav"
    found = {name: _version("pyav" if name == "decoder" and by_pyav else name) for name in names}
    return {name: version for name, version in found.items() if version}


def difference(before, now):
    """Return one line about how two results of `made_with` differ.

    Parameters
    ----------
    before : dict or None
        Versions that a file records; None or empty if it records none.
    now : dict

    Returns
    -------
    str or None
        Such as ``made with numpy 2.3.1, this run has 2.4.6``; None if they are equal.
    """
    if not before:
        return "does not say with which versions it was made, as files of earlier releases do not"
    differ = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    if not differ:
        return None
    was = ", ".join(f"{name} {before.get(name, 'none')}" for name in differ)
    has = ", ".join(f"{f'{name} ' * (len(differ) > 1)}{now.get(name, 'none')}" for name in differ)
    return f"was made with {was}, this run has {has}"


@functools.cache
def _version(name):
    if name == "package":
        return __version__
    if name in DECODING:
        from idt.imports.opencv import cv2

        return cv2.__version__ if name == "opencv" else _ffmpeg_of_opencv(cv2.getBuildInformation())
    if name == "pyav":
        return _ffmpeg_of_pyav()
    module = sys.modules.get(_MODULES.get(name, name))
    if module is not None and hasattr(module, "__version__"):
        return module.__version__
    # Imported only here, because this import is slow.
    import importlib.metadata

    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _ffmpeg_of_opencv(information):
    """Return the versions of FFmpeg's libraries from OpenCV's build information."""
    libraries = re.findall(r"(avcodec|avformat|swscale):\s+YES \((?:ver )?([\w.]+)\)", information)
    found = ", ".join(f"{library} {version}" for library, version in libraries) or "not FFmpeg"
    # By this variable a user may choose another decoder of FFmpeg, or its flags.
    options = os.environ.get("OPENCV_FFMPEG_CAPTURE_OPTIONS")
    return f"{found}, {options}" if options else found


def _ffmpeg_of_pyav():
    """Return the versions of PyAV and of its FFmpeg libraries."""
    import av

    libraries = ("libavcodec", "libavformat", "libswscale")
    found = (f"{name[3:]} {'.'.join(map(str, av.library_versions[name]))}" for name in libraries)
    return f"PyAV {av.__version__}, {', '.join(found)}"
