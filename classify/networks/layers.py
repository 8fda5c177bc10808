"""The layers of a model as lines of text, for idt-net --list."""


def layer_lines(network):
    """List inputs, outputs and layers of a model.

    Parameters
    ----------
    network : idt.networks.model.Network

    Yields
    ------
    str
        Inputs, outputs, then every tensor with its layer, shape, stride and receptive field.
    """
    for name, shape in network.inputs.items():
        yield f"input   {name}: {_shape(shape)}"
    for name in network.outputs:
        yield f"output  {name}: {_shape(network.shapes.get(name, ()))}"
    yield "tensor: layer, shape, stride, receptive field (time first, in frames; then rows and columns, in pixels)"
    for name, kind, shape, axes in network.layers():
        where = ""
        if axes:
            where = f", {_sizes(axis.stride for axis in axes)}, {_sizes(axis.field for axis in axes)}"
        yield f"{name}: {kind}, {_shape(shape)}{where}"


def _shape(shape):
    return _sizes(size or "open" for size in shape) or "unknown"


def _sizes(values):
    return "×".join(map(str, values))
