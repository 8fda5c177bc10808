"""Any set that lists describe: the annotation files that a network is trained from, and a folder of videos.

The folders in the listed names may differ from the folders below the root. A listed name and a video match if one path
ends with the other. Among several such videos the one that agrees in most folders is taken. If no video matches,
leading folders are removed from the listed name, and it is tried again. The number of folders removed is the larger of
two: the leading folders that the names of all lists share, and one less than those that the names of its own list
share.

Source: docs/method/protocols.md, section 2.12.
"""

import re
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from classify.datasets.dataset import Clip, Dataset, Skipped, find_videos, require_clips, unique_clips
from classify.datasets.splits import Split
from classify.datasets.video_list import read_video_lists
from classify.text_files import listed
from idt.errors import DataError
from idt.files.walk import walk
from idt.frames import suffixes

FLOW = ("flow_x", "flow_y", "flow_x_", "flow_y_", "x_", "y_")
"""Beginnings of the names of flow images beside the frames of a video."""

_NUMBERED = re.compile(r"(.*?)(\d{1,9})(\.\w+)", re.ASCII)


class Entry(NamedTuple):
    """A listed video: its name, the video that it is cut from, its label or labels, and the stretch."""

    name: str
    source: str
    label: str | tuple[str, ...]
    first: int | str | None = None
    last: int | str | None = None


def read_listed(root, params):
    """Read any set that lists of training and test videos describe.

    Parameters
    ----------
    root : Path
        Folder of the videos, or of folders of their frames.
    params : DatasetParams
        Only ``train``, ``test``, ``classes``, ``list_form`` and ``first_label`` are used.

    Returns
    -------
    Dataset
        Each list of training videos and the list of test videos at its position make a split. Videos that no list
        names are skipped.

    Raises
    ------
    DataError
        If a list is malformed or has no labels, lists contradict each other, none of their videos lies below
        ``root``, or it is not clear which video is meant.
    OSError
        If a list cannot be read.
    """
    count = len(params.train)
    if not count or count != len(params.test):
        raise DataError(
            f"a set of lists needs as many lists of training videos as of test videos, got {count} (train) and"
            f" {len(params.test)} (test)"
        )
    lists = read_video_lists(
        [*params.train, *params.test], classes=params.classes, form=params.list_form, first_label=params.first_label
    )
    sides = [_entries(each) for each in lists]
    entries: dict[str, Entry] = {}
    for each, side in zip(lists, sides, strict=True):
        for entry in side:
            if entries.setdefault(entry.name, entry).label != entry.label:
                raise DataError(
                    f"{each.path} gives {entry.name} the label {entry.label}, another list {entries[entry.name].label}"
                )
    videos, skipped = find_videos(root)
    # A list may name videos and folders of frames, so folders are searched for even if there are videos.
    videos = {name: path for name, path in videos.items() if not path.is_dir()}
    places = _locate(sides, videos | _frame_folders(root, videos, skipped), root)
    clips = _clips(entries.values(), places, skipped)
    require_clips(clips.values(), root, "list", "videos whose paths end as the names in the lists")
    used = {clip.path for clip in clips.values()}
    skipped += [Skipped(str(path), "in none of the lists") for path in videos.values() if path not in used]
    names = ["split"] if count == 1 else [f"split {number}" for number in range(1, count + 1)]
    splits = []
    for number, name in enumerate(names):
        train, test = (
            tuple(clips[entry.name].name for entry in sides[at] if entry.name in clips)
            for at in (number, count + number)
        )
        splits.append(Split(name, train, test, name if count > 1 else ""))
    return Dataset(
        name="list",
        root=root,
        clips=sorted(clips.values(), key=lambda clip: clip.name),
        splits=splits,
        protocol=_protocol(params, lists),
        metric="mean_average_precision" if any(each.label_sets for each in lists) else "accuracy",
        skipped=skipped,
        missing=[name for name in entries if name not in places],
    )


def _entries(videos):
    """Return the entries of a `VideoList`."""
    sets = videos.label_sets or [(label,) for label in videos.labels or ()]
    if not sets:
        raise DataError(
            f"{videos.path} has no labels; name a file of the classes, in which each class has the name of the"
            " folder of its videos"
        )
    width = len(str(max(label for labels in sets for label in labels)))
    class_names = videos.classes or [f"{number:0{width}}" for number in range(10**width)]
    found = []
    for row, (name, labels) in enumerate(zip(videos.names, sets, strict=True)):
        words = tuple(sorted(class_names[label] for label in labels))
        label = words if videos.label_sets else words[0]
        if videos.times:
            start, end = videos.times[row]
            found.append(Entry(name, videos.ids[row], label, f"{start:g}s", f"{end:g}s"))
        elif videos.offsets:
            first = videos.offsets[row]
            last = first + videos.frames[row] - 1
            found.append(Entry(f"{name}_{first:06d}_{last:06d}", name, label, first, last))
        else:
            found.append(Entry(name, name, label))
    return found


def _steps(name):
    """Split a path into its folders and the name of the video, without suffix."""
    steps = [step for step in name.split("/") if step not in ("", ".", "..")]
    stem, _, suffix = steps[-1].rpartition(".") if steps else ("", "", "")
    if stem and f".{suffix.lower()}" in suffixes.VIDEOS:
        steps[-1] = stem
    return tuple(steps)


def _locate(sides, videos, root):
    """Map the name of each entry with a video to (name below the root, path, whether the entry is cut from it)."""
    by_stem: dict[str, list[tuple[str, ...]]] = {}
    for video in videos:
        steps = tuple(video.split("/"))
        by_stem.setdefault(steps[-1], []).append(steps)
    places: dict[str, tuple[str, Path, bool]] = {}
    taken: dict[str, str] = {}
    everywhere = _count_common_folders([_steps(entry.source) for side in sides for entry in side])
    for side in sides:
        here = _count_common_folders([_steps(entry.source) for entry in side])
        for entry in side:
            found = _find(entry.name, entry, by_stem, root, max(everywhere, here - 1))
            cut = found is None and entry.first is not None
            if cut:
                found = _find(entry.source, entry, by_stem, root, max(everywhere, here - 1))
            if found is None:
                continue
            if not cut and taken.setdefault(found, entry.name) != entry.name:
                raise DataError(
                    f"{entry.name} and {taken[found]} of the lists are both {videos[found]}; give the folder"
                    f" above {root} as root"
                )
            places[entry.name] = found, videos[found], cut
    return places


def _count_common_folders(paths):
    """Count the leading folders that all paths have in common."""
    count = 0
    for steps in zip(*(path[:-1] for path in paths), strict=False):
        if len(set(steps)) > 1:
            break
        count += 1
    return count


def _find(name, entry, by_stem, root, common):
    """Find the video of a listed name; if there is none, try without the first ``common`` folders."""
    steps = _steps(name)
    found = _nearest(steps, by_stem, entry.name, root)
    return _nearest(steps[common:], by_stem, entry.name, root) if found is None and common > 0 else found


def _nearest(steps, by_stem, name, root):
    """Find the video whose path ends in ``steps``, or whose whole path is the end of ``steps``."""
    best: dict[int, list[str]] = {}
    for path in by_stem.get(steps[-1], ()) if steps else ():
        shared = min(len(path), len(steps))
        if path[-shared:] == steps[-shared:]:
            # Of two with the same overlap, a video whose whole path is the overlap is preferred.
            best.setdefault(2 * shared + (len(path) == shared), []).append("/".join(path))
    if not best:
        return None
    nearest = best[max(best)]
    if len(nearest) > 1:
        raise DataError(f"{name} of the lists may be any of {listed(nearest)} in {root}; name a folder that holds one")
    return nearest[0]


def _clips(entries, places, skipped):
    """Map the name of each entry whose video exists to its clip."""
    clips = {}
    for entry in entries:
        if entry.name in places:
            video, path, cut = places[entry.name]
            if cut:
                name = (PurePosixPath(video).parent / PurePosixPath(entry.name).name).as_posix()
                clips[entry.name] = Clip(name, path, entry.label, first_frame=entry.first, last_frame=entry.last)
            else:
                clips[entry.name] = Clip(video, path, entry.label)
    kept = {id(clip) for clip in unique_clips([clip for clip in clips.values() if clip.first_frame is None], skipped)}
    return {name: clip for name, clip in clips.items() if clip.first_frame is not None or id(clip) in kept}


def _frame_folders(root, videos, skipped):
    """Map the name of each folder of frames to the folder; if it also has flow images, to the pattern of its frames."""
    groups: dict[Path, dict[tuple[str, str], list[str]]] = {}
    for path in walk(root, follow=True).files:
        if path.suffix.lower() in suffixes.IMAGES and not path.name.startswith("."):
            match = _NUMBERED.fullmatch(path.name)
            kind, digits = ((match[1], match[3]), match[2]) if match else ((path.name, ""), "")
            groups.setdefault(path.parent, {}).setdefault(kind, []).append(digits)
    found = {}
    for folder, kinds in groups.items():
        name = folder.relative_to(root).as_posix()
        if name in videos or name == ".":
            continue
        frames = {kind: digits for kind, digits in kinds.items() if kind[0] not in FLOW}
        if len(kinds) == 1 or not any(suffix for _, suffix in frames):
            found[name] = folder
        elif len(frames) == 1:
            ((prefix, suffix), digits), *_ = frames.items()
            widths = {len(number) for number in digits}
            found[name] = folder / f"{prefix}%{f'0{widths.pop()}' if len(widths) == 1 else ''}d{suffix}"
        else:
            prefixes = listed(sorted(prefix for prefix, _ in frames))
            skipped.append(Skipped(str(folder), f"images of several kinds, which begin with {prefixes}"))
    return found


def _protocol(params, lists):
    """Describe the splits in words."""
    pairs = [
        f"{Path(train).name} against {Path(test).name}" for train, test in zip(params.train, params.test, strict=True)
    ]
    notes = "; ".join(dict.fromkeys(note for each in lists for note in each.notes))
    forms = listed(dict.fromkeys(each.form for each in lists))
    several = f"{len(pairs)} splits, the mean of their numbers: " if len(pairs) > 1 else ""
    return f"{several}{', '.join(pairs)} ({forms}{'; ' + notes if notes else ''})"
