"""Reading, checking and shape inference of ONNX files before ONNX Runtime loads them.

An ONNX file holds no code. It can still harm a reader in two ways: it may name weights in files anywhere on the disk,
and demand tensors of any size. `read_model` refuses both. Source: docs/method/networks.md, section 1.
"""

import math
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from idt.errors import DataError, short_repr, with_name
from idt.files.source_file import open_source

LARGEST_FILE = 2**31 - 1
"""Most bytes of a model with its weights; Protocol Buffers take no more."""

LARGEST_TENSOR = 2**28
"""Most numbers of an intermediate tensor: a gigabyte."""

EXTRA = "improved-dense-trajectories[networks]"


class ModelFile(NamedTuple):
    """Model that was read and checked.

    Attributes
    ----------
    path : str
    proto : onnx.ModelProto
        With all weights inside.
    digest : str
        SHA-256 of the file and of the files of its weights.
    """

    path: str
    proto: Any
    digest: str


def library(name):
    """Import ``name``, onnx or onnxruntime.

    Returns
    -------
    module

    Raises
    ------
    DataError
        If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise DataError(f"{name} is not installed; pip install '{EXTRA}' brings it") from None


def read_model(path):
    """Read an ONNX file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    ModelFile

    Raises
    ------
    DataError
        If onnx is missing, or the file is no ONNX model, or names weights outside its folder.
    OSError
        If it cannot be read.
    """
    onnx = library("onnx")
    library("google.protobuf.message")
    with open_source(path) as file:
        data = file.read(LARGEST_FILE)
        digest = file.digest()
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except Exception:  # protobuf's DecodeError, and other exceptions of its implementations in C
        raise DataError(f"{path} is no ONNX model: its {len(data):,} bytes are no Protocol Buffers") from None
    if not proto.graph.node or not proto.graph.output:
        raise DataError(f"{path} is no ONNX model: expected a graph with layers and outputs, got none")
    digests = [digest]
    total = len(data)
    for tensor in _tensors(proto.graph):
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            total += _read_external(tensor, Path(path), digests, LARGEST_FILE - total)
    if len(digests) > 1:
        import hashlib

        digest = hashlib.sha256("".join(digests).encode()).hexdigest()
    return ModelFile(str(path), proto, digest)


def _tensors(graph):
    """Yield all constant tensors of a graph and of the graphs in its nodes."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (tensor for tensor in (attribute.t, *attribute.tensors) if tensor.dims or tensor.data_type)
            for inner in (attribute.g, *attribute.graphs):
                if inner.node or inner.initializer:
                    yield from _tensors(inner)


def _read_external(tensor, path, digests, most):
    """Read the external data of a tensor into the model; return the number of bytes."""
    entries = {entry.key: entry.value for entry in tensor.external_data}
    place, folder = entries.get("location", ""), path.resolve().parent
    found = (folder / place).resolve()
    if not place or Path(place).is_absolute() or not found.is_relative_to(folder):
        raise DataError(
            f"{path}: the weights {short_repr(tensor.name)} lie outside the model's folder, in {short_repr(place)};"
            " put them beside the model"
        )
    try:
        offset, length = int(entries.get("offset") or 0), int(entries.get("length") or -1)
    except ValueError:
        offset, length = -1, -1
    with open_source(found) as file:
        length = file.size - offset if length < 0 else length
        if not (0 <= offset <= file.size and 0 <= length <= min(most, file.size - offset)):
            raise DataError(
                f"{path}: the weights {short_repr(tensor.name)} reach beyond the {file.size:,} bytes of {found}"
            )
        tensor.raw_data = file.read_at(offset, length)
        digests.append(file.digest())
    del tensor.external_data[:]
    tensor.data_location = 0
    return length


def inputs_of(proto):
    """List the inputs of a model, without the weights among them.

    Parameters
    ----------
    proto : onnx.ModelProto

    Returns
    -------
    dict of str to tuple of (int or None)
        Name → shape; None is a dimension left open.
    """
    weights = {tensor.name for tensor in proto.graph.initializer}
    return {value.name: shape_of(value) for value in proto.graph.input if value.name not in weights}


def shape_of(value):
    """Return the shape of a ``value``, an onnx.ValueInfoProto: () if it states none; open sizes are None."""
    dims = value.type.tensor_type.shape.dim
    return tuple(dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in dims)


def shapes_with(model, sizes):
    """Infer the shape of every tensor of a model when its inputs have these sizes.

    Parameters
    ----------
    model : ModelFile
    sizes : dict of str to tuple of int
        By input.

    Returns
    -------
    dict of str to tuple of (int or None)
        By tensor; those whose shape cannot be told are left out.

    Raises
    ------
    DataError
        If the sizes do not fit the model, or a tensor would fill the memory.
    """
    onnx = library("onnx")
    shape_inference = library("onnx.shape_inference")
    proto = onnx.ModelProto()
    proto.CopyFrom(model.proto)
    for value in proto.graph.input:
        for dim, size in zip(value.type.tensor_type.shape.dim, sizes.get(value.name, ()), strict=False):
            dim.dim_value = size
    for value in proto.graph.output:
        value.type.tensor_type.ClearField("shape")
    del proto.graph.value_info[:]
    try:
        inferred = shape_inference.infer_shapes(proto, strict_mode=True, data_prop=True).graph
    except Exception as problem:  # onnx raises InferenceError, ValueError and RuntimeError
        given = ", ".join(f"{name} {shape}" for name, shape in sizes.items())
        raise DataError(with_name(model.path, f"the model does not take {given}: {problem}")) from None
    found = {tensor.name: tuple(tensor.dims) for tensor in inferred.initializer}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        if not value.type.HasField("tensor_type") or not value.type.tensor_type.HasField("shape"):
            continue
        shape = shape_of(value)
        found[value.name] = shape
        if None not in shape and math.prod(shape) > LARGEST_TENSOR:
            raise DataError(
                f"{model.path}: the tensor {short_repr(value.name)} has {math.prod(shape):,} numbers, expected at most"
                f" {LARGEST_TENSOR:,}; use smaller inputs"
            )
    return found
