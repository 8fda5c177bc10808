"""Choose the image files that are the frames of a video: a series in a folder, a pattern, a tree of folders.

The files of one series have names that differ in their numbers only. A folder with several, such as the frames and the
flow that other tools write side by side (``img_00001.jpg``, ``flow_x_00001.jpg``), is one video if all but one hold
flow. Else the caller says which series is meant.
"""

import glob
import os
import re
from pathlib import Path

from idt.errors import DataError
from idt.files.walk import escape_existing
from idt.frames.suffixes import IMAGES

_NUMBERS = re.compile("[0-9]+")
# Beginning of the key of a series that holds flow.
_FLOW = re.compile(r"flow|[xyuv]_?#")
# Most series that a message lists.
_SHOWN = 6


def series_in(folder):
    """Choose the images of a folder that form one video.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    paths : list of Path
        In natural order: frame2 before frame10.
    notes : list of str
        Notes about the images that are left out.

    Raises
    ------
    DataError
        If the folder holds no images, or several series that may be meant.
    """
    series: dict[str, list[Path]] = {}
    for path in folder.iterdir():
        if is_image(path):
            series.setdefault(_key(path), []).append(path)
    if not series:
        raise DataError(f"{folder} holds no image files ({' '.join(IMAGES)}); name a video file inside it")
    frames = [key for key in series if not _FLOW.match(key)] if len(series) > 1 else list(series)
    if len(frames) != 1:
        shown = [f"{_pattern(key)} ({len(series[key])})" for key in sorted(series)]
        rest = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
        raise DataError(
            f"{folder} holds {len(series)} series of images, {', '.join(shown[:_SHOWN])}{rest}; name the one that is"
            f' meant: "{folder / _pattern(sorted(frames or series)[0])}"'
        )
    notes = []
    if len(series) > 1:
        others = ", ".join(sorted(_pattern(key) for key in series if key != frames[0]))
        notes.append(f"{folder}: {_pattern(frames[0])} is read; {others} are taken for flow and left out")
    return sorted(series[frames[0]], key=natural_order), notes


def matching_images(pattern):
    """List the images that match a ``pattern`` such as ``frames/*.png``, in natural order.

    Returns
    -------
    list of Path

    Raises
    ------
    DataError
        If there is none.
    """
    found = glob.glob(escape_existing(pattern))
    names = sorted((path for path in map(Path, found) if is_image(path)), key=natural_order)
    if not names:
        if not found:
            raise DataError(f"{pattern}: no such file, and as a pattern it matches none")
        raise DataError(f"{pattern} matches no image files ({' '.join(IMAGES)})")
    return names


def numbered_images(path, number):
    """List the files that a pattern such as ``img_%05d.jpg`` names, from the lowest number on.

    Parameters
    ----------
    path : Path
    number : re.Match
        Match of ``%05d`` in the name.

    Returns
    -------
    list of Path

    Raises
    ------
    DataError
        If there is none, or one is missing in between.
    """
    name = re.compile(re.escape(path.name[: number.start()]) + "([0-9]+)" + re.escape(path.name[number.end() :]))
    found = {}
    for file in path.parent.iterdir() if path.parent.is_dir() else ():
        digits = name.fullmatch(file.name)
        if digits and number[0] % int(digits[1]) == digits[1]:
            found[int(digits[1])] = file
    if not found:
        raise DataError(f"{path} matches no files")
    for i in range(min(found), max(found)):
        if i not in found:
            missing = path.name.replace(number[0], number[0] % i, 1)
            raise DataError(f"{path}: {missing} is missing; take the files as they are with a pattern such as *.png")
    return [found[i] for i in sorted(found)]


def holds_images(folder):
    """Tell whether a ``folder`` itself contains image files; the search ends at the first."""
    try:
        with os.scandir(folder) as entries:
            return any(is_image(Path(entry.path)) for entry in entries)
    except OSError:
        return False


def frame_folders(folders, root):
    """Choose the folders that hold the frames of a video.

    Parameters
    ----------
    folders : iterable of Path
        Below the root.
    root : str or Path

    Returns
    -------
    list of Path
        Folders that hold images. Hidden folders, and those that macOS adds to archives, are left out.
    """
    return [
        folder
        for folder in folders
        if not any(step.startswith((".", "__MACOSX")) for step in folder.relative_to(root).parts)
        and holds_images(folder)
    ]


def is_image(path):
    """Tell by the suffix whether ``path`` is an image; hidden files are not."""
    # macOS adds hidden files such as ._frame1.png, which hold no picture.
    return path.suffix.lower() in IMAGES and not path.name.startswith(".") and path.is_file()


def natural_order(path):
    """Return the sort key of a ``path`` under which frame2 comes before frame10."""
    pieces = re.split(r"([0-9]+)", path.name)
    return [int(p) if i % 2 else p for i, p in enumerate(pieces)], path.name


def _key(path):
    """Return the key of a file's series: its name with # for each number, or the empty string if it has no number."""
    stem = _NUMBERS.sub("#", path.stem)
    return stem + path.suffix if "#" in stem else ""


def _pattern(key):
    """Return the shell pattern of a series from its key."""
    return key.replace("#", "*") if key else "names without a number"
