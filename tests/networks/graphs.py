"""Small ONNX graphs with known weights: what the tests of networks run."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """A graph that is built layer by layer; each method returns the name of the tensor that it makes."""

    def __init__(self):
        self.nodes, self.weights = [], []

    def constant(self, name, values):
        """Add weights."""
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def add(self, kind, inputs, name, **attributes):
        """Add a layer."""
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def conv(self, given, name, weights, relu=True, **attributes):
        """Add a convolution of (out, in, …) weights, with a ReLU unless told otherwise."""
        found = self.add("Conv", [given, self.constant(f"{name}.w", np.float32(weights))], f"{name}.out", **attributes)
        return self.add("Relu", [found], name) if relu else found

    def head(self, given, channels, classes, seed=0):
        """Add a global average and a linear layer of random weights, named ``scores``."""
        pooled = self.add("GlobalAveragePool", [given], "pooled")
        flat = self.add("Flatten", [pooled], "flat")
        weights = np.random.default_rng(seed).normal(size=(channels, classes)).astype(np.float32)
        return self.add("MatMul", [flat, self.constant("head", weights)], "scores")

    def model(self, inputs, outputs):
        """Make the model: ``inputs`` name → shape, whose sizes may be names; ``outputs`` names."""
        made = helper.make_graph(
            self.nodes,
            "test",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
            [onnx.ValueInfoProto(name=name, type=_any_float()) for name in outputs],
            self.weights,
        )
        return helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

    def save(self, path, inputs, outputs):
        """Write the model; its path as text."""
        onnx.save(self.model(inputs, outputs), str(path))
        return str(path)


def _any_float():
    return helper.make_tensor_type_proto(TensorProto.FLOAT, None)


def random_conv(*shape, seed=0):
    """Weights (out, in, …)."""
    return np.random.default_rng(seed).normal(size=shape, scale=0.3).astype(np.float32)


def mean_colours(path, *, size=("n", 3, "h", "w")):
    """A network whose three scores are the means of the three channels of what it is given."""
    graph = Graph()
    graph.add("GlobalAveragePool", ["x"], "pooled")
    graph.add("Flatten", ["pooled"], "scores")
    return graph.save(path, {"x": size}, ["scores"])


def image_network(path, *, classes=4, size=("n", 3, "h", "w")):
    """Three layers of stride 2, 2 and 1, and a head."""
    graph = Graph()
    x = graph.conv("x", "conv1", random_conv(6, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    x = graph.conv(x, "conv2", random_conv(8, 6, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1])
    x = graph.conv(x, "conv3", random_conv(8, 8, 3, 3), pads=[1, 1, 1, 1])
    graph.head(x, 8, classes)
    return graph.save(path, {"x": size}, ["scores"])


def clip_network(path, *, classes=4, shape=("n", 3, 8, 16, 16), head="pool", channels=3):
    """A network of 3-D convolutions: C3D's form; with ``head="time"`` I3D's, which averages logits over time."""
    graph = Graph()
    x = graph.conv("x", "conv1", random_conv(5, channels, 3, 3, 3), pads=[1] * 6)
    x = graph.add("MaxPool", [x], "pool1", kernel_shape=[1, 2, 2], strides=[1, 2, 2])
    x = graph.conv(x, "conv2", random_conv(6, 5, 3, 3, 3), pads=[1] * 6, strides=[2, 1, 1])
    graph.head(x, 6, classes)
    return graph.save(path, {"x": shape}, ["scores"])
