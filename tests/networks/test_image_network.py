"""EfficientNet-Lite0 of the example: it names the palace and the daisy, and its maps are where they should be."""

import importlib.util
import os

import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from examples import image_network  # noqa: E402
from idt.networks import Network  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec(image_network.PACKAGE) is None and os.environ.get("CI") != "true",
        reason="the weights of EfficientNet-Lite0 are not installed (extra examples)",
    ),
]


@pytest.fixture(scope="module")
def lite(tmp_path_factory):
    """Path of the ONNX file."""
    path = tmp_path_factory.mktemp("lite") / "lite0.onnx"
    onnx.save(image_network.build_model(image_network.weights_of_package()), str(path))
    return path


def test_the_palace_and_the_daisy_are_named(lite):
    found = image_network.classify_pictures(lite)
    assert {name: best[0][0] for name, best in found.items()} == {"china": 698, "flower": 985}


def test_the_last_map_of_stride_16_is_after_an_activation_with_672_channels(lite):
    network = Network(lite, preset="efficientnet-lite", tensors=["stride16"])
    assert network.tensors == ["block11_expand_conv"]
    assert network.shapes["block11_expand_conv"] == (8, 672, 14, 14)
    # A kernel of 3 on an even size, padded SAME_UPPER, has nothing before the first pixel.
    assert (network.geometry["conv_stem"][0].stride, network.geometry["conv_stem"][0].start) == (2, 1.0)
