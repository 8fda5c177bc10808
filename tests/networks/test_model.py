"""Models: layouts by rank, tensors by name, and files of strangers that are refused."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from idt.errors import DataError  # noqa: E402
from idt.networks import model_file  # noqa: E402
from idt.networks.layout import Layout  # noqa: E402
from idt.networks.model import Network  # noqa: E402
from idt.networks.presets import preset_of  # noqa: E402
from tests.networks import graphs  # noqa: E402
from tests.networks.graphs import Graph  # noqa: E402


def layout(shape, preset="image", **given):
    return Layout.of({"x": shape}, preset_of(preset, **given), "m.onnx")


@pytest.mark.parametrize(
    ("shape", "preset", "kind"),
    [
        ((None, 3, 224, 224), "tsn", "nchw"),
        ((None, 10, 224, 224), "tsn-flow", "nchw"),
        ((1, 224, 224, 3), "image", "nhwc"),
        ((1, 250, 3, 224, 224), "tsn", "nmchw"),
        ((1, None, 10, 224, 224), "tsn-flow", "nmchw"),
        ((None, 3, 16, 112, 112), "c3d", "ncthw"),
        ((1, None, 224, 224, 3), "i3d", "nthwc"),
        ((None, 16, 3, 224, 224), "videomae", "ntchw"),
        ((1, 30, 3, 32, 256, 256), "slowfast", "nmcthw"),
    ],
)
def test_the_rank_decides_the_layout(shape, preset, kind):
    assert layout(shape, preset).kind == kind


def test_views_are_packed_as_the_letters_say():
    """Channel c of frame t of view v at (y, x) has the value 1000 v + 100 t + 10 c + x."""
    view = np.zeros((3, 2, 4, 2), np.float32)
    view += 100 * np.arange(3)[:, None, None, None] + 10 * np.arange(2) + np.arange(4)[:, None]
    views = [view, view + 1000]
    flow = preset_of("tsn-flow", length=3, crop=4, crops="whole")
    for kind, at in {
        "nchw": (1, 2 * 2 + 1, 0, 3), "nmchw": (0, 1, 2 * 2 + 1, 0, 3), "nhwc": (1, 0, 3, 2 * 2 + 1),
        "ncthw": (1, 1, 2, 0, 3), "nthwc": (1, 2, 0, 3, 1), "ntchw": (1, 2, 1, 0, 3), "nmcthw": (0, 1, 1, 2, 0, 3),
    }.items():  # fmt: skip
        packed = Layout(("x",), kind, ((None,) * len(kind),), flow).pack(views)
        assert packed[0][at] == 1000 + 200 + 10 + 3, kind
        assert packed[0].flags.c_contiguous


def test_the_slow_input_takes_every_fourth_frame():
    preset = preset_of("pyslowfast", crop=2, length=8)
    found = Layout.of({"fast": (None, 3, 8, 2, 2), "slow": (None, 3, 2, 2, 2)}, preset, "m")
    assert found.inputs == ("slow", "fast")
    view = np.zeros((8, 2, 2, 3), np.float32) + np.arange(8)[:, None, None, None]
    slow, fast = found.pack([view])
    assert slow[0, 0, :, 0, 0].tolist() == [0, 4]
    assert fast.shape == (1, 3, 8, 2, 2)


def test_a_fixed_batch_is_filled_up():
    preset = preset_of("image", crop=2)
    packed = Layout(("x",), "nchw", ((4, 3, 2, 2),), preset).pack([np.ones((1, 2, 2, 3), np.float32)])
    assert packed[0].shape == (4, 3, 2, 2)
    assert (packed[0] == 1).all()


@pytest.mark.parametrize(
    ("shape", "preset", "said"),
    [
        ((None, 10, 224, 224), "tsn", r"takes 10 channels, but preset tsn gives 3 \(rgb\).*5 flow fields"),
        ((None, 3, 224, 224), "tsn-flow", r"takes 3 channels, but preset tsn-flow gives 10.*preset of rgb"),
        ((None, 3, 8, 112, 112), "c3d", "takes 8 frames a clip, but preset c3d gives 16; --clip-length 8"),
        ((None, 3, 112, 112), "tsn", "takes 112 rows, but preset tsn gives 224; --crop 112"),
        ((None, 3), "tsn", "no layout fits input x of shape"),
        ((None, 7, 7, 7, 7), "tsn", "no layout fits"),
    ],
)
def test_a_preset_that_gives_other_sizes_is_refused(shape, preset, said):
    with pytest.raises(DataError, match=said):
        layout(shape, preset)


def test_two_inputs_need_a_preset_of_two():
    with pytest.raises(DataError, match="if they are slow and fast, name preset pyslowfast"):
        Layout.of({"a": (1, 3, 8, 2, 2), "b": (1, 3, 2, 2, 2)}, preset_of("slowfast"), "m")


def test_tensors_between_layers_are_computed_by_name(tmp_path):
    path = graphs.image_network(tmp_path / "m.onnx")
    image = np.random.default_rng(0).normal(size=(1, 3, 32, 32)).astype(np.float32)
    scores, conv2 = Network(path, tensors=["scores", "conv2"]).run([image])
    assert scores.shape == (1, 4)
    assert conv2.shape == (1, 8, 8, 8)
    last = Network(path, tensors=["stride4"])
    assert last.tensors == ["conv3"]
    np.testing.assert_array_equal(last.run([image])[0].shape, (1, 8, 8, 8))
    np.testing.assert_allclose(
        last.run([image])[0].mean(axis=(2, 3)) @ graphs.np.random.default_rng(0).normal(size=(8, 4)), scores, rtol=1e-4
    )


def test_an_unknown_tensor_names_the_nearest(tmp_path):
    path = graphs.image_network(tmp_path / "m.onnx")
    with pytest.raises(DataError, match="no tensor 'conv22'; did you mean conv2"):
        Network(path, tensors=["conv22"])
    with pytest.raises(DataError, match="no map of stride 16, its strides are"):
        Network(path, tensors=["stride16"])
    with pytest.raises(DataError, match="every tensor once"):
        Network(path, tensors=["conv2", "conv2"])


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07", bytes(range(256))])
def test_what_is_no_model_is_refused(tmp_path, content):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    with pytest.raises(DataError, match="is no ONNX model"):
        Network(path)


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(model_file, "import_module", missing)
    with pytest.raises(
        DataError, match=r"onnx is not installed; pip install 'improved-dense-trajectories\[networks\]'"
    ):
        Network(tmp_path / "m.onnx")


@pytest.mark.parametrize("place", ["../weights.bin", "/etc/passwd", "", "link/weights.bin"])
def test_weights_outside_the_folder_are_refused(tmp_path, place):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "weights.bin").write_bytes(bytes(10_000))
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(DataError, match=r"outside the model's folder.*put them beside"):
        Network(_external(folder / "m.onnx", place))


def test_weights_beside_the_model_are_read_and_counted_in_its_digest(tmp_path):
    plain = graphs.image_network(tmp_path / "plain.onnx")
    model = onnx.load(plain)
    weights = next(tensor for tensor in model.graph.initializer if tensor.name == "conv1.w")
    (tmp_path / "w.bin").write_bytes(b"skip" + weights.raw_data)
    path = _external(tmp_path / "m.onnx", "w.bin", offset=4)
    image = [np.ones((1, 3, 16, 16), np.float32)]
    found = Network(path)
    np.testing.assert_array_equal(found.run(image)[0], Network(plain).run(image)[0])
    (tmp_path / "w.bin").write_bytes(b"skip" + bytes(len(weights.raw_data)))
    assert Network(path).digest != found.digest


def test_weights_that_reach_beyond_their_file_are_refused(tmp_path):
    (tmp_path / "w.bin").write_bytes(bytes(10))
    with pytest.raises(DataError, match="reach beyond the 10 bytes"):
        Network(_external(tmp_path / "m.onnx", "w.bin", length=1 << 40))


def _external(path, place, **entries):
    """The network of three layers whose first weights are said to lie elsewhere."""
    graphs.image_network(path)
    model = onnx.load(str(path))
    weights = next(tensor for tensor in model.graph.initializer if tensor.name == "conv1.w")
    size = len(weights.raw_data)
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": place, "length": size, **entries}.items():
        weights.external_data.add(key=key, value=str(value))
    path.write_bytes(model.SerializeToString())
    return path


def test_a_tensor_that_would_fill_the_memory_is_refused_before_it_is_made(tmp_path):
    graph = Graph()
    size = graph.constant("size", np.int64([1, 3, 100_000, 100_000]))
    huge = graph.add("Expand", ["x", size], "huge")
    graph.add("ReduceMean", [huge], "scores")
    path = graph.save(tmp_path / "m.onnx", {"x": (1, 3, 1, 1)}, ["scores"])
    with pytest.raises(DataError, match="'huge' has 30,000,000,000 numbers"):
        Network(path, preset=preset_of("image", crop=1, short_side=1)).run([np.ones((1, 3, 1, 1), np.float32)])


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    graph = Graph()
    graph.add("Log", ["x"], "scores")
    path = graph.save(tmp_path / "m.onnx", {"x": (1, 3, 4, 4)}, ["scores"])
    with pytest.raises(DataError, match="'scores' must be finite floats"):
        Network(path, preset=preset_of("image", crop=4)).run([-np.ones((1, 3, 4, 4), np.float32)])


def test_an_array_that_the_model_does_not_take_is_refused_in_one_line(tmp_path):
    path = graphs.image_network(tmp_path / "m.onnx")
    with pytest.raises(DataError, match="the model does not take") as error:
        Network(path).run([np.ones((1, 5, 8, 8), np.float32)])
    assert "\n" not in str(error.value)
