"""`Network`: an ONNX model as a function of arrays, on one thread, with its intermediate tensors by name.

Source: docs/method/networks.md, section 1.
"""

import functools
import math
from typing import Any

import numpy as np

from idt.checks import type_and_shape
from idt.errors import DataError, did_you_mean, short_repr, with_name
from idt.networks.geometry import geometry
from idt.networks.layout import Layout
from idt.networks.model_file import LARGEST_TENSOR, inputs_of, library, read_model, shapes_with
from idt.networks.presets import preset_of

STRIDE = "stride"
"""``stride16`` names the last map whose cells lie 16 pixels apart."""

USUAL_SIDE, USUAL_LENGTH = 224, 16
"""Height and width, and number of frames, that a list of layers assumes where the model leaves these sizes open."""


class Network:
    """An ONNX model.

    Parameters
    ----------
    path : str or Path
    preset : str, Preset or None
        Preprocessing of the frames (`idt.networks.presets`). With None the model cannot be run; only its layers can be
        listed.
    tensors : sequence of str
        Tensors that `run` returns: outputs, or any between two layers, or ``stride16`` for the last map of stride 16.
        If empty, the model's outputs.

    Attributes
    ----------
    path, digest : str
        The SHA-256 is that of the file and its weights.
    inputs : dict of str to tuple of (int or None)
        Shapes of the inputs; None is a size left open.
    preset : Preset
    layout : Layout
        How views are laid out in the inputs.
    tensors : list of str
        Names of the tensors that `run` returns, as in the model.
    axes_known : dict
        Cache of `idt.networks.map_stream.axes_of`.

    Raises
    ------
    DataError
        If onnx or onnxruntime is missing, the file is no model or unsafe, no layout fits its inputs, or a tensor is
        unknown.
    OSError
        If the file cannot be read.
    """

    def __init__(self, path, *, preset="image", tensors=()):
        self._model = read_model(path)
        self.path, self.digest = str(path), self._model.digest
        self.inputs = inputs_of(self._model.proto)
        self.preset: Any = None if preset is None else preset_of(preset)
        self.layout: Any = None if preset is None else Layout.of(self.inputs, self.preset, self.path)
        self.tensors = self._resolve_names(tensors)
        self._sessions: dict[tuple, Any] = {}
        self.axes_known: dict[tuple, tuple] = {}

    @property
    def outputs(self):
        """Names of the model's outputs: list of str."""
        return [value.name for value in self._model.proto.graph.output]

    @functools.cached_property
    def shapes(self):
        """Shape of every tensor when the inputs hold one batch of the preset: dict of str to tuple."""
        return shapes_with(self._model, self._usual() if self.layout is None else self.layout.sizes())

    @functools.cached_property
    def geometry(self):
        """Where the cells of every map lie: dict of str to tuple of `idt.networks.geometry.Axis`."""
        return geometry(self._model.proto, self.shapes)

    def layers(self):
        """List the layers in the order of the graph.

        Yields
        ------
        name, kind : str
            Of the tensor and of the layer that makes it.
        shape : tuple
            () if it cannot be told.
        axes : tuple of Axis
            () if it is no map.
        """
        for node in self._model.proto.graph.node:
            for name in node.output[:1]:
                yield name, node.op_type, self.shapes.get(name, ()), self.geometry.get(name, ())

    def map_axes(self, tensor, shapes):
        """Compute the axes of a tensor.

        Parameters
        ----------
        tensor : str
        shapes : dict of str to tuple of int
            Of the inputs.

        Returns
        -------
        tuple of Axis

        Raises
        ------
        DataError
            If the tensor is no map.
        """
        axes = geometry(self._model.proto, shapes_with(self._model, shapes)).get(tensor)
        if axes is None:
            shape = self.shapes.get(tensor, "unknown")
            raise DataError(
                f"{self.path}: {short_repr(tensor)} is no map of places, its shape is {shape}; idt-net --list names"
                " the maps"
            )
        return axes

    def run(self, arrays):
        """Compute the tensors.

        Parameters
        ----------
        arrays : list of ndarray
            One for each input, float32.

        Returns
        -------
        list of ndarray
            One for each of `tensors`, float32.

        Raises
        ------
        DataError
            If the model does not take these arrays, or its numbers are not finite.
        """
        session = self._session(tuple(array.shape for array in arrays))
        try:
            found = session.run(self.tensors, dict(zip(self.layout.inputs, arrays, strict=True)))
        except Exception as problem:  # onnxruntime's exceptions have no base class of their own
            raise DataError(
                with_name(self.path, f"the model does not take {type_and_shape(arrays[0])}: {problem}")
            ) from None
        for name, values in zip(self.tensors, found, strict=True):
            if not isinstance(values, np.ndarray) or values.dtype.kind != "f" or not np.isfinite(values).all():
                raise DataError(f"{self.path}: {short_repr(name)} must be finite floats, got {type_and_shape(values)}")
        return [values.astype(np.float32, copy=False) for values in found]

    def _session(self, shapes):
        """Return the inference session, whose graph is pruned to the wanted tensors."""
        if shapes not in self._sessions:
            # Tensors that would fill the memory are refused before the session computes any.
            sizes = dict(zip(self.layout.inputs, shapes, strict=True))
            if sum(math.prod(shape) for shape in shapes) > LARGEST_TENSOR:
                raise DataError(f"{self.path}: inputs of {sizes} are larger than {LARGEST_TENSOR:,} numbers")
            shapes_with(self._model, sizes)
            session = next(iter(self._sessions.values()), None) or self._open_session()
            self._sessions[shapes] = session
        return self._sessions[shapes]

    def _usual(self):
        """Return the shapes of the inputs, with usual sizes where the model leaves them open."""
        found = {}
        for name, shape in self.inputs.items():
            usual = [1, *[USUAL_LENGTH] * (len(shape) - 4), 3, USUAL_SIDE, USUAL_SIDE][-len(shape) :]
            found[name] = tuple(have or size for have, size in zip(shape, usual, strict=True))
        return found

    def _open_session(self):
        """Open an inference session of the model whose only outputs are the wanted tensors."""
        onnx, runtime = library("onnx"), library("onnxruntime")
        proto = onnx.ModelProto()
        proto.CopyFrom(self._model.proto)
        known = {value.name: value for value in proto.graph.output}
        # ONNX Runtime skips the layers that no output needs.
        wanted = [known.get(name) or onnx.ValueInfoProto(name=name) for name in self.tensors]
        del proto.graph.output[:]
        proto.graph.output.extend(wanted)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            return runtime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except Exception as problem:  # without a base class, as in `run`
            raise DataError(with_name(self.path, f"ONNX Runtime does not take the model: {problem}")) from None

    def _resolve_names(self, tensors):
        """Resolve the requested names to names of the model; ``stride16`` is the last map of that stride."""
        made = {name for node in self._model.proto.graph.node for name in node.output if name}
        named = []
        for name in tensors or self.outputs:
            if name not in made and name.startswith(STRIDE) and name[len(STRIDE) :].isdecimal():
                name = self._last_of_stride(int(name[len(STRIDE) :]))
            if name not in made:
                near = did_you_mean(name, made) or "; idt-net --list names them"
                raise DataError(f"{self.path} has no tensor {short_repr(name)}{near}")
            named.append(name)
        if len(set(named)) < len(named):
            raise DataError(f"{self.path}: name every tensor once, got {', '.join(named)}")
        return named

    def _last_of_stride(self, stride):
        """Name the last map of a ``stride``."""
        names = [name for name, _, _, axes in self.layers() if axes and axes[-1].stride == axes[-2].stride == stride]
        if not names:
            strides = sorted({axes[-1].stride for _, _, _, axes in self.layers() if axes})
            raise DataError(f"{self.path} has no map of stride {stride}, its strides are {strides}")
        return names[-1]
