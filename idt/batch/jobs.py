"""Turn the words of a command line into jobs: videos, their names and the paths of their feature files."""

import glob
import os
import re
from pathlib import Path
from typing import NamedTuple

from idt.errors import DataError
from idt.files import marks
from idt.files.text import numbered_lines
from idt.files.walk import file_key, fixed_folder, matching, walk
from idt.frames.image_series import frame_folders, holds_images
from idt.frames.suffixes import VIDEOS

LONGEST_PATH = 4096
"""Largest number of characters of a path, because a long pattern with brackets takes hours to parse."""

CAMERA_DIGITS = 5
"""Largest number of digits of a camera's index; a longer number is taken for the name of a file."""


class Job(NamedTuple):
    """A video to extract: its source, its name, and the path of its features."""

    source: str
    name: str
    output: Path


class _Input(NamedTuple):
    """The videos that one word of a command line names, and the folder that their names are relative to.

    ``is_tree`` says whether the word is a folder of videos or a pattern, so that it may name several.
    """

    sources: list[str]
    root: str
    is_tree: bool


def plan(inputs, output, *, on_note=None):
    """Pair inputs with outputs.

    Parameters
    ----------
    inputs : list of str
        Video files, folders of images, patterns of images, or the index of a camera. A folder stands for all videos
        below it. A folder without videos and without images of its own stands for all folders of images below it.
        ``@list.txt`` stands for the inputs that the lines of that file name (`read_list`).
    output : str
        A file for a single input, and a folder for several. It is also a folder if a folder of that name exists, if it
        ends with a slash, or if it has no suffix and an input is a folder of videos or a pattern. In a folder, outputs
        keep their path relative to the common root of the inputs.
    on_note : callable, optional
        Called with one line for every video that is left out because one folder, pattern or line of a list names it
        twice, for example by a link. Without ``on_note`` such a video is refused.

    Returns
    -------
    list of Job
        In the order of the inputs; the videos of a folder by name.

    Raises
    ------
    DataError
        If an input is an empty folder or a list that cannot be read, if two videos have the same name or two inputs are
        the same video, or if the output cannot be a file or folder.

    Notes
    -----
    docs/method/files.md, section 1.1. A video's name is its path relative to the root, without suffix; a pattern of
    images has the name of its folder. The root of a folder of videos is the folder, and the root of a pattern is the
    folder before its first wildcard. Neither depends on the videos in it, so a video keeps its name when others are
    added.
    """
    if output in ("", "-"):
        raise DataError(f"the output must be a file or a folder, got {output!r}: HDF5 cannot be piped")
    groups = _groups(inputs, on_note)
    sources = _each_once(groups, on_note)
    root = os.path.commonpath([group.root for group in groups])
    into_folder = len(sources) > 1 or os.path.isdir(output) or output.endswith(("/", os.sep))
    if not into_folder and (Path(output).suffix or not any(group.is_tree for group in groups)):
        return [Job(sources[0], _name(sources[0], root), Path(output))]
    if os.path.exists(output) and not os.path.isdir(output):
        raise DataError(f"{output} is a file, but several videos need a folder; use another path")
    if not os.path.isdir(output) and _names_a_file(output):
        raise DataError(f"{output} is the name of a file, but several videos need a folder; use another, or {output}/")
    jobs: dict[str, Job] = {}
    for source in sources:
        name = _name(source, root)
        if name in jobs:
            raise DataError(f"{source} and {jobs[name].source} have one name, {name!r}; extract them into two folders")
        jobs[name] = Job(source, name, Path(output) / f"{name}.h5")
    return list(jobs.values())


def _names_a_file(output):
    """Tell whether a name has the suffix of a feature file."""
    from idt.features.convert import form_of

    try:
        return not output.endswith(("/", os.sep)) and bool(form_of(output))
    except DataError:
        return False


def sources_of(inputs, *, on_note=None):
    """Return the videos that the words ``inputs`` of a command line name, in order; ``on_note`` as for `plan`."""
    return _each_once(_groups(inputs, on_note), on_note)


def read_list(path):
    """Read a list of videos.

    Parameters
    ----------
    path : str or Path
        UTF-8 text: on every line a file, folder or pattern, relative to the folder that the command runs in. Blank
        lines are skipped, and so are lines that begin with ``#``, unless there is a file of that name.

    Returns
    -------
    list of str

    Raises
    ------
    DataError
        If there is no such file, it is no text, or no line names anything.
    """
    if not os.path.exists(path):
        raise DataError(f"{path}: no such list of videos")
    lines = numbered_lines(path, what="a video on every line")
    # HMDB51 has names such as "#20_Rhythm_clap.avi".
    found = [line for _, line in lines if not line.startswith("#") or os.path.lexists(line)]
    if not found:
        raise DataError(f"{path} names no video; expected one on every line")
    return found


def size_of(job):
    """Return the size of the video of ``job`` in bytes, which serves as an estimate of its length; 0 if unknown."""
    try:
        if os.path.isdir(job.source):
            return sum(entry.stat().st_size for entry in os.scandir(job.source) if entry.is_file())
        return os.path.getsize(job.source)
    except OSError:
        return 0


def camera_or_path(given):
    """Return the index of a camera as an int, and any other input, such as an existing path, unchanged.

    Parameters
    ----------
    given : str

    Returns
    -------
    int or str
    """
    return int(given) if given.isdecimal() and len(given) <= CAMERA_DIGITS and not os.path.exists(given) else given


def _listed(given):
    """Return a word of the command line, or the words in the list that it names."""
    return read_list(given[1:]) if given.startswith("@") and not os.path.exists(given) else [given]


def _groups(inputs, on_note):
    """Expand every word, in order."""
    return [_expand(word, on_note) for given in inputs for word in _listed(given)]


def _each_once(groups, on_note):
    """Return the sources of all words, each file or folder once, under one of its names.

    If one word names a file twice, the first name that is not a link is taken. If two words name the same file, it is
    refused, because the user may expect two results.
    """
    known: dict[object, tuple[int, str]] = {}
    sources = []
    for number, group in enumerate(groups):
        for source in sorted(group.sources, key=os.path.islink):
            known.setdefault(file_key(source), (number, source))
        for source in group.sources:
            key = file_key(source)
            where, first = (number, source) if key is None else known[key]
            # The comparison of names in `plan` refuses a source that is given twice under one name.
            if first != source and (where != number or on_note is None):
                raise DataError(f"{source} and {first} are two names of one video; name it once")
            if first == source:
                sources.append(source)
            else:
                on_note(f"{source} is left out: {first} is the same video")
    return sources


def _expand(given, on_note):
    """Return the videos that one input names."""
    if len(given) > LONGEST_PATH:
        raise DataError(f"a path has at most {LONGEST_PATH} characters, got {len(given)}: {given[:80]}")
    if os.path.isdir(given):
        below, folders = _videos_below(given, on_note)
        if below:
            return _Input(below, os.path.abspath(given), True)
        if not os.listdir(given):
            raise DataError(f"{given} is an empty folder: expected videos or images in it")
        if not holds_images(given) and (series := sorted(map(str, frame_folders(folders, given)))):
            return _Input(series, os.path.abspath(given), True)
    elif not os.path.exists(given) and glob.has_magic(given):
        found = _not_drawn([path for path in matching(given) if Path(path).suffix.lower() in VIDEOS])
        if found:
            return _Input(found, os.path.abspath(fixed_folder(given)), True)
    return _Input([given], os.path.dirname(_place(given)), False)


def _videos_below(folder, on_note):
    """Return the videos below a folder and the folders that it links to, sorted by name, and these folders."""
    found = walk(folder, follow=True, keep=lambda name: Path(name).suffix.lower() in VIDEOS)
    videos = _not_drawn(sorted(str(path) for path in found.files if path.is_file()))
    for link in found.repeats:
        if not link.is_loop and any(link.visited in Path(video).parents for video in videos):
            if on_note is None:
                raise DataError(f"{link.path} and {link.visited} are two names of one folder of videos; remove one")
            on_note(f"{link.path} is left out: {link.visited} is the same folder")
    return videos, found.folders


def _not_drawn(paths):
    """Leave out the videos that `idt-show` drew, because the next run must not extract them."""
    return [path for path in paths if not marks.is_drawn(path)]


def _name(source, root):
    """Return the path relative to the root, without suffix, with forward slashes on any system."""
    place = _place(source)
    relative = Path(os.path.relpath(place, root))
    return relative.as_posix() if os.path.isdir(place) else relative.with_suffix("").as_posix()


def _place(source):
    """Return the absolute path of a file or folder, and for a pattern of images the path of its folder."""
    place = os.path.abspath(source)
    while not os.path.exists(place):
        name = os.path.basename(place)
        if not (glob.has_magic(name) or re.search(r"%0?\d*d", name)):
            break
        place = os.path.dirname(place)
    return place
