"""Convert feature files to and from the forms of the authors' release (docs/method/files.md, section 3).

The content of the source determines its form, and the suffix of the target determines the form of the target: ``.h5``
or ``.hdf5`` for ours, ``.bin`` for float32 rows of 466 numbers, ``.txt`` or ``.features``, with or without ``.gz``, for
text of 436 columns. Data that the target form cannot hold is left out, with a note. Imported rows stay float32: a round
trip is exact.

A feature file of ours is plain, compact or projected (`column_storage`). `convert` makes a plain file compact or
projected; the result equals the file that an extraction with these options writes. The way back is refused, because
the result would pass for a file that has lost nothing.
"""

from pathlib import Path

from idt.errors import DataError
from idt.features import feature_file
from idt.features.feature_file import VideoInfo
from idt.features.release import rows as release_rows
from idt.features.release.rows import BINARY, TEXT, read_binary, read_text, write_binary, write_text
from idt.features.storage import PLAIN, Storage
from idt.files import hdf5, locks, outputs
from idt.files.provenance import made_with_of
from idt.files.source_file import open_source

__all__ = ["convert", "read_binary", "read_text", "write_binary", "write_text"]

HDF5 = "HDF5"

SUFFIXES = {".h5": HDF5, ".hdf5": HDF5, ".bin": BINARY, ".txt": TEXT, ".features": TEXT}


def convert(source, target, *, storage=PLAIN, overwrite=False, say=None):
    """Convert a file of features into another form, block by block.

    Parameters
    ----------
    source : str or Path
        HDF5, text or binary rows, recognised by content.
    target : str or Path
        Its suffix says the form.
    storage : Storage
        From HDF5 to HDF5: whether the target is compact or projected. It is float32 if the source is.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`. Rows carry no mark of their maker, so an existing target is replaced only
        if a collection names it, or if it holds the same bytes already.
    say : callable, optional
        Called with one line before a wait for another run that writes the target.

    Returns
    -------
    count : int
        Tracks in the target.
    notes : list of str
        A line for each part of the source that the target cannot hold, or one line that the target was up to date.

    Raises
    ------
    DataError
        If a file is of no known form, or both are HDF5 of the same form; if the target needs points or a layout that
        the source does not have, is an input, or exists and may not be replaced.
    OSError
        If a file cannot be read or written; no incomplete target is left.
    """
    if storage.float32:
        raise DataError(f"converting cannot undo fixed point, got float32 for {target}; extract the video with float32")
    form = form_of(target)
    outputs.check([target], [source, storage.project], overwrite=overwrite, unmarked=form != HDF5)
    with locks.held(files=[target], say=say), open_source(source) as opened:
        return _convert(opened, target, form, storage, overwrite)


def form_of(path):
    """Return the form of a file of features by the suffix of its name.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    str
        `HDF5`, `TEXT` or `BINARY`.

    Raises
    ------
    DataError
        If the suffix stands for none of them.
    """
    suffixes = Path(path).suffixes
    packed = suffixes[-1:] == [".gz"]
    form = SUFFIXES.get("".join(suffixes[-2:-1] if packed else suffixes[-1:]))
    if form is None or (packed and form != TEXT):
        known = ", ".join([*SUFFIXES, ".txt.gz", ".features.gz"])
        raise DataError(f"{path} must end in one of {known}, so that its form is known")
    return form


def _convert(opened, target, form, storage, overwrite):
    """Convert a file that stays open, so that a change of the file during the conversion is refused."""
    source = opened.path
    ours = hdf5.is_hdf5(source)
    if storage != PLAIN and not (ours and form == HDF5):
        raise DataError(f"only a conversion from .h5 to .h5 can be compact or projected, got {source} to {target}")
    if ours:
        if form == HDF5:
            return _change_storage(opened, target, storage, overwrite)
        return _export(opened, target, form, overwrite), _losses(source, form)
    if form == HDF5:
        return _import(opened, target, overwrite)
    found = release_rows.form_of(source)
    return _export(opened, target, form, overwrite), ["points were left out"] * (found == BINARY and form == TEXT)


def _import(opened, target, overwrite):
    source = opened.path
    form = release_rows.form_of(source)
    origin = {"kind": form, "name": Path(source).name, "digest": opened.digest(), "bytes": opened.size}
    if feature_file.is_current(target, params=None, source=origin, overwrite=overwrite):
        return _count(target), [f"{target} is up to date"]
    count = 0
    with feature_file.Writer(target, params=None, source=origin, overwrite=overwrite) as writer:
        for part in release_rows.read_blocks(source):
            writer.append(part)
            count += len(part)
        opened.check_unchanged()
        writer.finish()
    return count, [f"{form} holds no {'camera' if form == BINARY else 'points and no camera'}: absent in {target}"]


def _change_storage(opened, target, storage, overwrite):
    """Write a compact or projected copy of a feature file; return its number of tracks, and the notes."""
    source = opened.path
    with hdf5.open_checked(source, format=feature_file.FORMAT, versions=feature_file.VERSIONS) as file:
        params = hdf5.json_attribute(file, "params")
        origin = hdf5.json_attribute(file, "source")
        made_with = made_with_of(file) or {}
    stored = params or {}
    projects = storage.project is not None
    if "projected" in stored or not (projects or (storage.compact and not stored.get("compact"))):
        raise DataError(
            f"{source} is HDF5 already{' and projected' * ('projected' in stored)}; copy it,"
            " name a target that ends in .txt, .txt.gz or .bin, or give --compact or --project"
        )
    flags = {name: stored.get(name) is True for name in ("float32", "compact")}
    storage = Storage(flags["float32"], storage.compact or flags["compact"], storage.project).loaded()
    wanted = feature_file.stored_params(params, storage)
    # The versions are those of the run that extracted the numbers, because converting does not compute them anew.
    options = {"overwrite": overwrite, "made_with": made_with}
    if feature_file.is_current(target, params=wanted, source=origin, **options):
        return _count(target), [f"{target} is up to date"]
    count, head = 0, feature_file.header(source)
    with feature_file.Writer(
        target,
        params=head.params,
        source=head.source,
        video=VideoInfo.of(head),
        storage=storage,
        **options,
    ) as writer:
        writer.append(head)
        for part in feature_file.iter_rows(source):
            writer.append(part)
            count += len(part)
        opened.check_unchanged()
        writer.finish(head.frames, fill=False)
    if projects:
        codebook = storage.project.path
        return count, [
            f"points, lengths, descriptors and camera were left out: {target} is for encoding with {codebook}"
        ]
    return count, ["points were rounded to 1/64 pixel, the trajectory descriptor to float16"]


def _count(path):
    """Return the number of tracks of a feature file."""
    with hdf5.open_checked(path, format=feature_file.FORMAT, versions=feature_file.VERSIONS) as file:
        return len(hdf5.dataset(file, "tracks/frame", shape=(None,), dtype="int32"))


def _export(opened, target, form, overwrite):
    count = 0
    with release_rows.open_writer(target, form, overwrite=overwrite) as put:
        for part in feature_file.iter_rows(opened.path, rows=release_rows.BLOCK):
            put(part)
            count += len(part)
        opened.check_unchanged()
    return count


def _losses(source, form):
    """List what a feature file holds and a form of the release does not."""
    with hdf5.open_checked(source, format=feature_file.FORMAT, versions=feature_file.VERSIONS) as file:
        lost = [] if hdf5.json_attribute(file, "params") is None else ["the parameters"]
        lost += ["the camera's motion"] if hdf5.has(file, "camera") else []
        if hdf5.has(file, "tracks/points"):
            points = feature_file.header(source).points.shape[1]
            if form == TEXT or points > release_rows.POINTS:
                lost.append("the points" if form == TEXT else "the last point of each track")
        lost += ["the frame step"] if hdf5.has(file, "tracks/skip") else []
    return [f"{form} cannot hold {name}: left out" for name in lost]
