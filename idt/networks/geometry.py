"""Stride, first centre and receptive field of the cells of every feature map.

Cell n of a map has its centre at pixel c + j · n along an axis, where j is the stride (jump) and c the start. For a
layer with kernel k, stride s, dilation d and left padding p: c ← c + (d (k − 1) / 2 − p) · j, field ← field + d (k − 1)
· j, j ← j · s. If several paths lead to a tensor, the one with the largest field is taken; residual branches agree in j
and c.

Source: docs/method/networks.md, section 4.
"""

import math
from typing import NamedTuple

WINDOWED = {"Conv", "MaxPool", "AveragePool", "LpPool", "ConvInteger", "QLinearConv", "FusedConv"}
"""Layers that slide a window over their input."""

POINTWISE = {
    *("Relu", "Clip", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu", "Sigmoid", "HardSigmoid", "HardSwish"),
    *("Tanh", "Softplus", "Softsign", "Mish", "Swish", "ThresholdedRelu", "Erf", "Abs", "Neg", "Sqrt", "Exp", "Pow"),
    *("BatchNormalization", "InstanceNormalization", "LRN", "LpNormalization", "GroupNormalization", "Dropout"),
    *("Add", "Sub", "Mul", "Div", "Sum", "Mean", "Max", "Min", "Concat", "Identity", "Cast", "Softmax"),
    *("QuantizeLinear", "DequantizeLinear", "Constant"),
}
"""Layers whose output has the cells of their input."""


class Axis(NamedTuple):
    """Cells along one axis: stride j, centre c of the first one, receptive field, all in pixels of the input."""

    stride: float = 1
    start: float = 0.0
    field: int = 1

    def cell(self, pixel, cells):
        """Return the cell of ``cells`` whose centre is nearest to a ``pixel``, halves up."""
        return min(max(math.floor((pixel - self.start) / self.stride + 0.5), 0), cells - 1)


def geometry(proto, shapes):
    """Compute stride, start and receptive field of every map.

    Parameters
    ----------
    proto : onnx.ModelProto
    shapes : dict of str to tuple of (int or None)
        By tensor, as from `idt.networks.model_file.shapes_with`.

    Returns
    -------
    dict of str to tuple of Axis
        For each tensor of rank 4 or 5 that is a map: axes of height and width, or of time, height and width. Layers
        after one that mixes all positions, such as a global average, are left out.
    """
    weights = {tensor.name for tensor in proto.graph.initializer}
    found = {
        value.name: (Axis(),) * (len(shapes[value.name]) - 2)
        for value in proto.graph.input
        if value.name not in weights and len(shapes.get(value.name, ())) in (4, 5)
    }
    constants = _constants(proto)
    for node in proto.graph.node:
        known = [found[name] for name in node.input if name in found]
        if not known or not node.output:
            continue
        axes = max(known, key=lambda axes: [axis.field for axis in axes])
        output = _output_axes(node, axes, shapes, constants)
        if output is not None and len(shapes.get(node.output[0], ())) == len(output) + 2:
            found[node.output[0]] = output
    return found


def _output_axes(node, axes, shapes, constants):
    """Return the axes of a node's output; None if the output is no map."""
    if node.op_type in WINDOWED:
        return _window_axes(node, axes, shapes)
    if node.op_type == "Pad":
        pads = _padding(node, constants)
        if pads is None or len(pads) != 2 * (len(axes) + 2):
            return None
        before = pads[2 : 2 + len(axes)]
        return tuple(
            axis._replace(start=axis.start - pad * axis.stride) for axis, pad in zip(axes, before, strict=True)
        )
    if node.op_type in POINTWISE:
        # A pointwise layer cannot reduce a map to one cell, so an output of one cell is a map only if an input has one
        # cell, too.
        sizes = {shapes.get(name, ())[2:] for name in node.output[:1]}
        return axes if sizes != {(1,) * len(axes)} or _are_single(node, shapes) else None
    return None


def _are_single(node, shapes):
    """Tell whether an input of the node has a single cell."""
    return any(set(shapes.get(name, (0, 0, 0))[2:]) == {1} for name in node.input)


def _window_axes(node, axes, shapes):
    """Return the axes of the output of a layer that slides a window; None if its sizes are unknown."""
    attributes = {attribute.name: attribute for attribute in node.attribute}
    count = len(axes)
    kernel = (
        list(attributes["kernel_shape"].ints)
        if "kernel_shape" in attributes
        else list(shapes.get(node.input[1], ())[2:])
    )
    strides = list(attributes["strides"].ints) if "strides" in attributes else [1] * count
    dilations = list(attributes["dilations"].ints) if "dilations" in attributes else [1] * count
    pads = list(attributes["pads"].ints)[:count] if "pads" in attributes else [0] * count
    auto = attributes["auto_pad"].s.decode("ascii", "replace") if "auto_pad" in attributes else "NOTSET"
    if not all(len(values) == count for values in (kernel, strides, dilations, pads)) or None in kernel:
        return None
    sizes = shapes.get(node.input[0], ())[2:]
    output = []
    for i, axis in enumerate(axes):
        reach = dilations[i] * (kernel[i] - 1)
        pad = pads[i]
        if auto in ("SAME_UPPER", "SAME_LOWER"):
            if sizes[i] is None:
                return None
            total = max((math.ceil(sizes[i] / strides[i]) - 1) * strides[i] + reach + 1 - sizes[i], 0)
            pad = total // 2 if auto == "SAME_UPPER" else total - total // 2
        elif auto == "VALID":
            pad = 0
        output.append(
            Axis(
                axis.stride * strides[i],
                axis.start + (reach / 2 - pad) * axis.stride,
                int(axis.field + reach * axis.stride),
            )
        )
    return tuple(output)


def _constants(proto):
    """Return the constant integers that the layer Pad takes as inputs, by name."""
    from idt.networks.model_file import library

    numpy_helper = library("onnx.numpy_helper")
    tensors = {tensor.name: tensor for tensor in proto.graph.initializer}
    for node in proto.graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            tensors[node.output[0]] = node.attribute[0].t
    wanted = {node.input[1] for node in proto.graph.node if node.op_type == "Pad" and len(node.input) > 1}
    return {name: numpy_helper.to_array(tensors[name]).ravel().tolist() for name in wanted if name in tensors}


def _padding(node, constants):
    """Return the paddings of a layer Pad, which are its second input or an attribute; None if unknown."""
    if len(node.input) > 1:
        return constants.get(node.input[1])
    return next((list(attribute.ints) for attribute in node.attribute if attribute.name in ("pads", "paddings")), None)
