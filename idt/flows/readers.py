"""Readers of flow files of any tool. The names of the files tell the layout.

Fields are numbered from 0 here, whatever their first number on the disk: field k leads from frame k of the video to
frame k + ``step``. Source: docs/method/flow.md, section 2.
"""

import math
import os
import re
from functools import partial
from pathlib import Path

import numpy as np

from idt.errors import DataError, short_repr
from idt.files import text as texts
from idt.files.foreign import hdf5, npy
from idt.files.foreign.archives import Archive
from idt.flows.layouts import LAYOUTS, unit_of
from idt.flows.quantise import restore
from idt.flows.sinks import FLO_TAG
from idt.frames.image_files import decode_gray
from idt.params.bounds import LONGEST_SIDE
from idt.steps.dense_flows import checked_field

MOST_BYTES = 1 << 31
"""An archive, array or HDF5 file of more bytes is refused, because it is read as a whole."""

# Names of flow in x: direction and number. denseflow puts p or m and a step of several frames before the number.
_NAME_IN_X = re.compile(r"(?:flow_)?(x|u)_?(?:[pm][0-9]+_)?([0-9]+)")
# Names without a direction; the empty group makes the number the second group here, too.
_NAME = re.compile(r"()(?:frame|flow_|flow|)_?([0-9]+)")


def open_flow_files(folder, name, *, bound=20.0):
    """Find the flow files of a video.

    Parameters
    ----------
    folder : str or Path
        Where ``idt-flow`` or another tool wrote to.
    name : str
        Of the video, such as ``class/clip``.
    bound : float
        Displacement in pixels for which the outermost gray levels stand; in arrays of I3D the value 1 stands for it.

    Returns
    -------
    Reader

    Raises
    ------
    DataError
        If there are no such files, or numbers are missing in between.
    """
    folder = Path(folder)
    places = {key: folder / unit_of(key, name, "flow") for key in LAYOUTS}
    plain, zipped = places["tsn"], places["tsn"] / "flow_x.zip"
    if zipped.is_file():
        paths = {axis: plain / f"flow_{axis}.zip" for axis in "xy"}
        archives = {axis: Archive(texts.read_bytes(path, most=MOST_BYTES), str(path)) for axis, path in paths.items()}
        return _ZipReader(archives, plain, bound)
    if plain.is_dir():
        found = _numbered(plain, _NAME_IN_X, ".jpg")
        if found:
            return _JpegReader(found, partial(_beside, plain), bound)
        found = _numbered(plain, _NAME, ".flo")
        if found:
            return _FloReader(found)
    for horizontal in (places["twostream"], folder / "u" / name):
        if horizontal.is_dir() and (found := _numbered(horizontal, _NAME, ".jpg")):
            parts = list(horizontal.relative_to(folder).parts)
            parts[parts.index("u")] = "v"
            return _JpegReader(found, partial(_beside, folder.joinpath(*parts)), bound)
    if places["i3d"].is_file():
        values = npy.parse(texts.read_bytes(places["i3d"], most=MOST_BYTES), str(places["i3d"]))
        return _I3dReader(values, places["i3d"], bound)
    if places["h5"].is_file():
        data = texts.read_bytes(places["h5"], most=MOST_BYTES)
        if not hdf5.is_hdf5(data):
            raise DataError(f"{places['h5']} is no HDF5 file; expected datasets flow_x_00000, flow_y_00000 and so on")
        return _Hdf5Reader(hdf5.arrays_of(data, str(places["h5"]))[0], places["h5"])
    raise DataError(
        f"{folder} holds no flow of {short_repr(name)}: expected {name}/flow_x_00001.jpg, {name}/flow_x.zip,"
        f" tvl1_flow/u/{name}/frame000001.jpg, {name}/flow_00001.flo, {name}_flow.npy or {name}.h5"
    )


class Reader:
    """Reader of the flow fields of a video.

    Parameters
    ----------
    n_flows : int
        Number of fields.
    """

    def __init__(self, n_flows):
        self.n_flows = n_flows

    def __len__(self):
        return self.n_flows

    def read(self, index):
        """Read the field of an ``index``, counted from 0: (h, w, 2) float32, in pixels of the stored field.

        Raises
        ------
        DataError
            If there is no such field, or it is damaged.
        """
        if not 0 <= index < self.n_flows:
            raise DataError(f"flow {index} was asked for, but there are {self.n_flows}; is it of another video?")
        return self._read(index)

    def _read(self, index):
        raise NotImplementedError


class _JpegReader(Reader):
    """Reader of pairs of JPEGs, one for each direction."""

    def __init__(self, paths, twin, bound):
        super().__init__(len(paths))
        self._paths, self._twin, self._bound = paths, twin, bound

    def _read(self, index):
        first = self._paths[index]
        planes = [decode_gray(texts.read_bytes(path), str(path)) for path in (first, self._twin(first))]
        return _joined(planes, first, self._bound)


class _ZipReader(Reader):
    """Reader of JPEGs in two zip archives, one for each direction."""

    def __init__(self, archives, folder, bound):
        self._archives, self._folder, self._bound = archives, folder, bound
        matches = [(name, _NAME_IN_X.fullmatch(Path(name).stem)) for name in archives["x"].names]
        self._names = _in_order(matches, folder)
        super().__init__(len(self._names))

    def _read(self, index):
        name = self._names[index]
        planes = []
        for axis, member in (("x", name), ("y", _twin(name))):
            where = f"{self._folder / f'flow_{axis}.zip'}, {member}"
            planes.append(decode_gray(self._archives[axis].read(member), where))
        return _joined(planes, self._folder / name, self._bound)


class _FloReader(Reader):
    """Reader of Middlebury's .flo files."""

    def __init__(self, paths):
        super().__init__(len(paths))
        self._paths = paths

    def _read(self, index):
        path = self._paths[index]
        data = texts.read_bytes(path)
        width, height = np.frombuffer(data, "<i4", 2, 4).tolist() if len(data) >= 12 else (0, 0)
        fits = data[:4] == FLO_TAG and 0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE
        if not fits or len(data) != 12 + 8 * width * height:
            raise DataError(f"{path} is no whole .flo file: expected PIEH, width, height and two float32 a pixel")
        return checked_field(np.frombuffer(data, "<f4", -1, 12).reshape(height, width, 2), (height, width), str(path))


class _I3dReader(Reader):
    """Reader of the array of I3D."""

    def __init__(self, values, path, bound):
        if values.ndim != 5 or values.shape[0] != 1 or values.shape[4] != 2 or values.dtype.kind != "f":
            raise DataError(f"{path} must hold floats of shape (1, T, H, W, 2), got {values.dtype} of {values.shape}")
        super().__init__(values.shape[1])
        self._values, self._path, self._bound = values[0], path, bound

    def _read(self, index):
        field = self._values[index]
        return checked_field(field, field.shape[:2], str(self._path)) * np.float32(self._bound)


class _Hdf5Reader(Reader):
    """Reader of an HDF5 file with a dataset for each flow and direction."""

    def __init__(self, arrays, path):
        self._arrays, self._path = arrays, path
        names = [(name, _NAME_IN_X.fullmatch(name)) for name in self._arrays if name.startswith("flow_x")]
        self._names = _in_order(names, path)
        super().__init__(len(self._names))

    def _read(self, index):
        name = self._names[index]
        planes = [self._arrays.get(key) for key in (name, _twin(name))]
        if any(plane is None or plane.ndim != 2 for plane in planes) or planes[0].shape != planes[1].shape:
            raise DataError(f"{self._path}: {name} and {_twin(name)} must be two images of one size")
        return checked_field(np.stack(planes, axis=2), planes[0].shape, str(self._path))


def resize_field(field, height, width):
    """Resize a ``field`` that was computed in frames of another size to frames of ``height`` and ``width``.

    Displacements are scaled, too.

    Raises
    ------
    DataError
        If the proportions differ.
    """
    h, w = field.shape[:2]
    if (h, w) == (height, width):
        return field
    # Each side may have been rounded up or down.
    if abs(w * height / h - width) > math.ceil(max(height / h, width / w)):
        sizes = f"flow files of {w}×{h} px do not fit frames of {width}×{height} px"
        raise DataError(f"{sizes}; are they of another video?")
    from idt.imports.opencv import cv2

    scale = np.array([width / w, height / h], np.float32)
    return cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR) * scale


def _joined(planes, path, bound):
    """Return the field that two gray images, in x and in y, stand for."""
    if planes[0].shape != planes[1].shape:
        raise DataError(f"{path} and the image of the other direction must have one size")
    return restore(np.stack(planes, axis=2), bound)


def _twin(name):
    """Return the name of the file of the other direction; ``name`` itself if it does not show a direction."""
    found = _NAME_IN_X.fullmatch(Path(name).stem)
    if found is None:
        return name
    at = name.rindex(found[0]) + found.start(1)
    return name[:at] + ("y" if found[1] == "x" else "v") + name[at + 1 :]


def _beside(folder, path):
    """Return the file in ``folder`` that holds the other direction of the flow in ``path``."""
    return folder / _twin(path.name)


def _numbered(folder, pattern, suffix):
    """List the files of a folder whose names match, in the order of their numbers."""
    names = [name for name in os.listdir(folder) if name.endswith(suffix)]
    matches = [(name, pattern.fullmatch(name.removesuffix(suffix))) for name in names]
    if not any(found for _, found in matches):
        return []
    return [folder / name for name in _in_order(matches, folder)]


def _in_order(matches, where):
    """Sort names by their numbers, and refuse a gap between numbers."""
    found = {int(match[2]): name for name, match in matches if match and len(match[2]) < 10}
    if not found:
        raise DataError(f"{where} holds no flow with a number, such as flow_x_00001")
    first, last = min(found), max(found)
    if len(found) != last - first + 1:
        missing = next(number for number in range(first, last) if number not in found)
        raise DataError(f"{where}: flow {missing} is missing between {first} and {last}; fetch or make it anew")
    return [found[number] for number in range(first, last + 1)]
