"""Writers of one video's flow files, one for each form, into a hidden folder, from which they are moved later."""

import contextlib
import os
import struct
import zipfile

import numpy as np

from idt.errors import DataError
from idt.files.hdf5 import chunks
from idt.flows.layouts import LAYOUTS, step_text, unit_of
from idt.flows.quantise import quantise
from idt.imports.opencv import cv2
from idt.params.flow_export import I3D_SIDE

FLO_TAG = b"PIEH"

_NPY_HEAD = 128
"""The head of an .npy file has this many bytes. It is written last, when the number of frames is known."""


class Sink:
    """Writer of the flow and the frames of one video; a context manager, which opens and closes the files.

    Parameters
    ----------
    folder : str
        Paths of the layout are made below it.
    name : str
        Of the video.
    export : FlowExportParams

    Attributes
    ----------
    flows, images : int
        Numbers written so far.
    """

    def __init__(self, folder, name, export):
        self._folder, self._name, self._export = folder, name, export
        self._layout = LAYOUTS[export.layout]
        self._stack = contextlib.ExitStack()
        self.flows = self.images = 0

    def __enter__(self):
        for content in ("flow", "flow_y", *["image"] * self._export.rgb):
            path = self._unit(content)
            os.makedirs(os.path.dirname(path) if self._layout.form in ("npy", "h5") else path, exist_ok=True)
        self._begin()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def add_flow(self, flow):
        """Write a ``flow``, (H, W, 2) float32."""
        self._write_flow(flow, self._layout.first + self.flows)
        self.flows += 1

    def add_image(self, image):
        """Write a frame, the ``image`` (H, W, 3) uint8, BGR."""
        self._write_image(image, self._layout.first + self.images)
        self.images += 1

    def finish(self):
        """Write heads that need the number of flows; call it after the last flow."""

    def _begin(self):
        """Open files that hold more than one flow."""

    def _unit(self, content):
        return os.path.join(self._folder, unit_of(self._export.layout, self._name, content))

    def _path(self, content, template, number):
        return os.path.join(self._unit(content), self._item_name(template, number))

    def _item_name(self, template, number):
        return template.format(number=number, step=step_text(self._export.step))

    def _write_flow(self, flow, number):
        for content, template, plane in (("flow", self._layout.x, 0), ("flow_y", self._layout.y, 1)):
            _write(self._path(content, template, number), _jpeg(quantise(flow[..., plane], self._export.bound)))

    def _write_image(self, image, number):
        _write(self._path("image", self._layout.image, number), _jpeg(image))


class ZipSink(Sink):
    """Writer of three zip archives of JPEGs, as `Sink`; members are not compressed, because JPEGs are already."""

    def _begin(self):
        self._zips = {
            stem: self._stack.enter_context(zipfile.ZipFile(os.path.join(self._unit("flow"), f"{stem}.zip"), "x"))
            for stem in ("flow_x", "flow_y", *["img"] * self._export.rgb)
        }

    def _write_flow(self, flow, number):
        for stem, template, plane in (("flow_x", self._layout.x, 0), ("flow_y", self._layout.y, 1)):
            self._add(stem, self._item_name(template, number), quantise(flow[..., plane], self._export.bound))

    def _write_image(self, image, number):
        self._add("img", self._item_name(self._layout.image, number), image)

    def _add(self, stem, member, image):
        # ZipInfo has a constant date. With the time of writing, archives of equal content would differ.
        self._zips[stem].writestr(zipfile.ZipInfo(member), _jpeg(image))


class I3dSink(Sink):
    """Writer of the arrays of I3D, as `Sink`: squares from the middle of the frames, values from −1 to 1."""

    def _begin(self):
        self._files = {}
        for content, channels in (("flow", 2), *[("image", 3)] * self._export.rgb):
            file = self._stack.enter_context(open(self._unit(content), "xb"))  # noqa: SIM115  # closed by the stack
            file.write(bytes(_NPY_HEAD))
            self._files[content] = file, channels

    def finish(self):
        """Write the heads of the arrays, now that the number of frames is known."""
        for content, (file, channels) in self._files.items():
            count = self.flows if content == "flow" else self.images
            shape = (1, count, I3D_SIDE, I3D_SIDE, channels)
            head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
            file.seek(0)
            file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", _NPY_HEAD - 10))
            file.write(head.ljust(_NPY_HEAD - 11) + b"\n")

    def _write_flow(self, flow, number):
        bound = np.float32(self._export.bound)
        self._add("flow", np.clip(_middle(flow), -bound, bound) / bound)

    def _write_image(self, image, number):
        self._add("image", _middle(image)[..., ::-1].astype(np.float32) * np.float32(2 / 255) - 1)

    def _add(self, content, values):
        self._files[content][0].write(np.ascontiguousarray(values, "<f4").tobytes())


class FloSink(Sink):
    """Writer of Middlebury's .flo files, as `Sink`: exact float32."""

    def _write_flow(self, flow, number):
        height, width = flow.shape[:2]
        head = FLO_TAG + struct.pack("<ii", width, height)
        _write(self._path("flow", self._layout.x, number), head + np.ascontiguousarray(flow, "<f4").tobytes())


class Hdf5Sink(Sink):
    """Writer of an HDF5 file with a dataset for each flow and direction, as `Sink`: exact float32."""

    def _begin(self):
        self._file = self._stack.enter_context(chunks.new_file(self._unit("flow")))

    def _write_flow(self, flow, number):
        for template, plane in ((self._layout.x, 0), (self._layout.y, 1)):
            self._file.create_dataset(
                self._item_name(template, number), data=np.ascontiguousarray(flow[..., plane]), track_times=False
            )


FORMS = {"jpg": Sink, "zip": ZipSink, "npy": I3dSink, "flo": FloSink, "h5": Hdf5Sink}
"""Writer of each form."""


def _middle(image):
    """Cut out the square in the middle of a frame."""
    height, width = image.shape[:2]
    if min(height, width) < I3D_SIDE:
        raise DataError(f"the layout i3d cuts squares of {I3D_SIDE} px, got frames of {width}×{height} px")
    top, left = (height - I3D_SIDE) // 2, (width - I3D_SIDE) // 2
    return image[top : top + I3D_SIDE, left : left + I3D_SIDE]


def _jpeg(image):
    """Encode an image as a JPEG of OpenCV's default quality, 95."""
    return cv2.imencode(".jpg", image)[1].tobytes()


def _write(path, data):
    with open(path, "xb") as file:
        file.write(data)
