"""Strides, starts and receptive fields of maps: known ones, and as a bright dot shows them."""

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from idt.networks.geometry import Axis  # noqa: E402
from idt.networks.model import Network  # noqa: E402
from idt.networks.presets import preset_of  # noqa: E402
from tests.networks.graphs import Graph  # noqa: E402


def network(tmp_path, graph, shape, output, preset="tdd"):
    return Network(graph.save(tmp_path / "m.onnx", {"x": shape}, [output]), tensors=[output], preset=preset)


def test_the_layers_of_the_tdd_network_have_the_strides_and_fields_of_its_table(tmp_path):
    """Kernel and stride of conv1 to pool5, and the receptive fields that the paper's table gives."""
    graph, x = Graph(), "x"
    table = [
        ("conv1", 7, 2, 2, 7), ("pool1", 3, 2, 4, 11), ("conv2", 5, 2, 8, 27), ("pool2", 3, 2, 16, 43),
        ("conv3", 3, 1, 16, 75), ("conv4", 3, 1, 16, 107), ("conv5", 3, 1, 16, 139), ("pool5", 3, 2, 32, 171),
    ]  # fmt: skip
    channels = 3
    for name, kernel, stride, _, _ in table:
        pad = kernel // 2
        if name.startswith("conv"):
            weights = np.zeros((2, channels, kernel, kernel), np.float32)
            x = graph.conv(x, name, weights, strides=[stride] * 2, pads=[pad] * 4)
            channels = 2
        else:
            x = graph.add("MaxPool", [x], name, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4)
    found = network(tmp_path, graph, (1, 3, 224, 224), "pool5").geometry
    assert {name: (found[name][0].stride, found[name][0].field) for name, *_ in table} == {
        name: (stride, field) for name, _, _, stride, field in table
    }
    assert all(axis.start == 0 for name, *_ in table for axis in found[name])


def test_pools_without_padding_shift_the_cells_as_in_the_released_code(tmp_path):
    """Pixel 16 n + 10 is the centre of cell n of conv3 to conv5 when the two pools are not padded."""
    graph = Graph()
    x = graph.conv("x", "conv1", np.zeros((2, 3, 7, 7)), strides=[2, 2], pads=[3] * 4)
    x = graph.add("MaxPool", [x], "pool1", kernel_shape=[3, 3], strides=[2, 2])
    x = graph.conv(x, "conv2", np.zeros((2, 2, 5, 5)), strides=[2, 2], pads=[2] * 4)
    x = graph.add("MaxPool", [x], "pool2", kernel_shape=[3, 3], strides=[2, 2])
    x = graph.conv(x, "conv3", np.zeros((2, 2, 3, 3)), pads=[1] * 4)
    found = network(tmp_path, graph, (1, 3, 240, 320), "conv3").geometry
    assert found["conv3"] == (Axis(16, 10.0, 75),) * 2


@pytest.mark.parametrize("pads", [[1] * 4, [0] * 4, [2, 0, 1, 1]], ids=["padded", "not padded", "odd"])
@pytest.mark.parametrize("auto", [None, "SAME_UPPER", "SAME_LOWER"])
def test_a_bright_dot_is_brightest_in_the_cell_that_the_geometry_names(tmp_path, pads, auto):
    """Two layers with a peak in the middle of their kernels, moved over whole pixels."""
    graph = Graph()
    kernel = np.float32([[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    padding = {"auto_pad": auto} if auto else {"pads": pads}
    x = graph.conv("x", "one", np.broadcast_to(kernel, (1, 3, 3, 3)), strides=[2, 2], **padding)
    x = graph.conv(x, "two", kernel[None, None], strides=[2, 2], **padding)
    made = network(tmp_path, graph, (1, 3, 40, 56), "two")
    rows, columns = made.geometry["two"]
    for y, x in [(8, 12), (16, 17), (21, 30), (30, 41), (19, 24)]:
        image = np.zeros((1, 3, 40, 56), np.float32)
        image[:, :, y, x] = 1
        (found,) = made.run([image])
        row, column = np.unravel_index(found[0, 0].argmax(), found.shape[2:])
        # A dot between two centres may lie nearer to either by the same distance.
        assert abs(rows.start + rows.stride * row - y) <= rows.stride / 2
        assert abs(columns.start + columns.stride * column - x) <= columns.stride / 2


def test_a_bright_dot_in_a_clip_is_brightest_in_its_cell_of_time_and_place(tmp_path):
    graph = Graph()
    peak = np.float32([1, 2, 1])
    kernel = peak[:, None, None] * peak[:, None] * peak
    x = graph.conv("x", "one", np.broadcast_to(kernel, (1, 3, 3, 3, 3)), strides=[2, 2, 2], pads=[1] * 6)
    graph.add("MaxPool", [x], "two", kernel_shape=[1, 2, 2], strides=[1, 2, 2])
    made = network(tmp_path, graph, (1, 3, 16, 32, 32), "two", preset_of("c3d", crop=32, short_side=32))
    axes = made.geometry["two"]
    assert [axis.stride for axis in axes] == [2, 4, 4]
    for dot in [(4, 8, 12), (7, 17, 21), (10, 26, 14)]:
        clip = np.zeros((1, 3, 16, 32, 32), np.float32)
        clip[(0, slice(None), *dot)] = 1
        (found,) = made.run([clip])
        cell = np.unravel_index(found[0, 0].argmax(), found.shape[2:])
        for axis, at, where in zip(axes, cell, dot, strict=True):
            assert abs(axis.start + axis.stride * at - where) <= axis.stride / 2


def test_a_padding_layer_and_a_residual_branch_are_followed(tmp_path):
    graph = Graph()
    graph.constant("pads", np.int64([0, 0, 2, 2, 0, 0, 2, 2]))
    x = graph.add("Pad", ["x", "pads"], "padded")
    x = graph.conv(x, "a", np.zeros((2, 3, 5, 5)))
    y = graph.conv(x, "b", np.zeros((2, 2, 3, 3)), pads=[1] * 4)
    graph.add("Add", [x, y], "sum")
    assert network(tmp_path, graph, (1, 3, 20, 20), "sum").geometry["sum"] == (Axis(1, 0.0, 7),) * 2


def test_the_cell_of_a_pixel_is_rounded_half_up_and_cut_at_the_edges():
    axis = Axis(4, 1.5, 9)
    assert [axis.cell(pixel, 5) for pixel in (-9, 1.5, 3.4, 3.5, 5.5, 99)] == [0, 0, 0, 1, 1, 4]


def test_behind_a_global_average_there_is_no_map(tmp_path):
    graph = Graph()
    x = graph.conv("x", "a", np.zeros((2, 3, 3, 3)))
    graph.add("GlobalAveragePool", [x], "pooled")
    found = network(tmp_path, graph, (1, 3, 20, 20), "pooled").geometry
    assert "a" in found
    assert "pooled" not in found


def test_squeeze_and_excite_keeps_the_map(tmp_path):
    graph = Graph()
    x = graph.conv("x", "a", np.zeros((2, 3, 3, 3)))
    gate = graph.add("GlobalAveragePool", [x], "pooled")
    gate = graph.conv(gate, "gate", np.zeros((2, 2, 1, 1)))
    graph.add("Mul", [x, gate], "gated")
    assert network(tmp_path, graph, (1, 3, 20, 20), "gated").geometry["gated"][0].field == 3


def test_the_light_zfnet_of_onnx_has_the_strides_of_its_family():
    light = Path(onnx.__file__).parent / "backend/test/data/light/light_zfnet512.onnx"
    made = Network(light, preset=None)
    strides = [axes[0].stride for _, kind, _, axes in made.layers() if kind == "Conv"]
    assert strides == [2, 8, 16, 16, 16]
