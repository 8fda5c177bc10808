"""Maps of two networks fused cell by cell: worked examples, alignment in time, the command, refusals."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import idt
from benchmarks.clips import write_video
from encoding.vectors_file import load_vectors
from idt.errors import DataError
from idt.networks.fused import describe_fused_block, fused_snippets
from idt.networks.model import Network
from idt.networks.presets import preset_of
from tests import scenes
from tests.commands import refused
from tests.networks import graphs

PLAIN = {"mean": (0.0,), "std": (1.0,), "short_side": 16, "crop": 16}
# Blue rises by 10 a frame, green is 5 on the left and 25 on the right, red is 1.
FILM = np.ones((6, 16, 16, 3), np.uint8)
FILM[..., 0] = 10 * np.arange(6)[:, None, None]
FILM[..., 1] = np.where(np.arange(16) < 8, 5, 25)


def cells_network(path, weights, channels=3, frames=1):
    """Means of cells of 8×8 pixels, mixed by weights (out, in)."""
    graph = graphs.Graph()
    kernel = np.float32(weights)[:, :, None, None] * np.full((8, 8), 1 / 64, np.float32)
    x = graph.conv("x", "map", kernel, relu=False, strides=[8, 8])
    return graph.save(path, {"x": ("n", channels * frames, 16, 16)}, [x])


def joined(one, two, kind, video=FILM, **given):
    return idt.Features.concatenate(list(fused_snippets(one, two, kind, video, **given)))


@pytest.fixture
def pair(tmp_path):
    """Networks of (blue, green) and of (red, blue)."""
    preset = preset_of("image", colours="bgr", **PLAIN)
    one = cells_network(tmp_path / "one.onnx", [[1, 0, 0], [0, 1, 0]])
    two = cells_network(tmp_path / "two.onnx", [[0, 0, 1], [1, 0, 0]])
    return Network(one, preset=preset), Network(two, preset=preset)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("sum", lambda b, g: [b + 1, g + b]),
        ("max", lambda b, g: [max(b, 1), max(g, b)]),
        ("concat", lambda b, g: [b, g, 1, b]),
    ],
    ids=["sum", "max", "concat"],
)
def test_maps_are_fused_cell_by_cell(pair, kind, expected):
    found = joined(*pair, kind)
    # Four cells a frame: left and right above, left and right below.
    values = [expected(10 * t, green) for t in range(6) for _ in range(2) for green in (5, 25)]
    np.testing.assert_allclose(found.need(f"map_out_{kind}_snippets"), values, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(found.position[:2], [[0.25, 0.25, 0], [0.75, 0.25, 0]], atol=1e-6)


def test_bilinear_fusion_is_the_mean_of_the_products_over_the_cells(pair):
    found = joined(*pair, "bilinear")
    # Of (b, g) and (1, b), with g 15 on the average.
    values = [[b, b * b, 15, 15 * b] for b in 10.0 * np.arange(6)]
    np.testing.assert_allclose(found.need("map_out_bilinear_snippets"), values, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(found.position[0], [0.5, 0.5, 0])


def test_a_stack_begins_where_the_frame_of_the_other_network_is_and_its_end_repeats(tmp_path, pair):
    stacked = np.kron(np.ones((1, 3)) / 3, [[1, 0, 0], [0, 1, 0]])  # means over three frames
    path = cells_network(tmp_path / "stack.onnx", stacked, frames=3)
    other = Network(path, preset=preset_of("image", length=3, colours="bgr", layout="nchw", **PLAIN))
    found = joined(pair[0], other, "concat", every=2)
    np.testing.assert_array_equal(np.unique(found.frame), [0, 2, 4])
    np.testing.assert_allclose(found.need("map_out_concat_snippets")[::4, 0], [0, 20, 40], atol=1e-4)
    np.testing.assert_allclose(found.need("map_out_concat_snippets")[::4, 2], [10, 30, (40 + 50 + 50) / 3], rtol=1e-5)


def test_flow_stands_beside_colours(tmp_path, pair):
    path = cells_network(tmp_path / "flow.onnx", np.ones((2, 10)) / 10, channels=2, frames=5)
    flow = Network(path, preset=preset_of("tsn-flow", crops="centre", **PLAIN))
    video = np.stack(scenes.translating(9, size=(64, 64)))[..., None].repeat(3, axis=3)
    found = joined(pair[0], flow, "sum", video)
    assert found.need("map_out_sum_snippets").shape == (9 * 4, 2)


def test_maps_that_do_not_fit_are_refused(tmp_path, pair):
    one, two = pair
    preset = one.preset
    wide = Network(cells_network(tmp_path / "wide.onnx", np.eye(3)), preset=preset)
    with pytest.raises(DataError, match=r"--fuse sum needs maps of equally many channels, got 2 of 'map\.out' and 3"):
        describe_fused_block(one, wide, "sum")
    many = Network(cells_network(tmp_path / "many.onnx", np.ones((300, 3))), preset=preset)
    with pytest.raises(DataError, match="bilinear of 300 and 300 channels gives 90000 numbers, expected at most"):
        describe_fused_block(many, many, "bilinear")
    fine = graphs.image_network(tmp_path / "fine.onnx")
    other = Network(fine, preset=preset, tensors=["conv1"])
    with pytest.raises(DataError, match=r"needs maps of one size, got 1 crops of \(1, 2, 2\) .* 1 of \(1, 8, 8\)"):
        joined(one, other, "concat")
    with pytest.raises(DataError, match="takes one tensor of each network"):
        describe_fused_block(Network(fine, preset=preset, tensors=["conv1", "conv2"]), two, "concat")


GIVEN = ("--preset", "image", "--crop", "24", "--short-side", "32", "--features", "conv2", "--with-preset", "image")


def test_the_command_fuses_and_3_d_max_pooling_is_that_of_the_cells(command, working_folder):
    graphs.image_network("m.onnx")
    write_video(working_folder / "a.avi", scenes.translating(9))
    write_video(working_folder / "b.avi", scenes.translating(8, seed=1))
    words = ("idt-net", "m.onnx", "a.avi", "b.avi", "-o", "f", *GIVEN, "--fuse", "concat", "--with", "m.onnx:conv3")
    assert "f: snippets of 2 videos, conv2_concat_snippets of 16\n" in command(*words)[1]
    encode = ("plain-encode", "f", "-o", "v.h5", "--blocks", "conv2_concat_snippets", "--pool", "max", "--norm", "none")
    command(*encode, "--pyramid", "1x1x1,2x1x1", "--quiet")
    found, features = load_vectors("v.h5"), idt.load("f/a.h5")
    values, left = features.need("conv2_concat_snippets"), features.position[:, 0] < 0.5
    vector = found.encodings[found.names.index("a")]
    np.testing.assert_allclose(vector[:16], values.max(axis=0), rtol=1e-6)
    np.testing.assert_allclose(vector[16:32], values[left].max(axis=0), rtol=1e-6)
    assert "up_to_date" in (working_folder / "f/summary.json").read_text()
    assert refused(command(*words[:-1], "m.onnx:conv9", status=2), "no tensor 'conv9'")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fuse", "sum"), "--features, --fuse and --with go together"),
        (("--with", "m.onnx:conv2"), "--features, --fuse and --with go together"),
        (("--fuse", "sum", "--with", "conv2"), "--with: expected MODEL:TENSOR"),
        (("--fuse", "sum", "--with", "absent.onnx:conv2"), "absent.onnx: No such file"),
    ],
)
def test_words_that_do_not_fit_are_refused(command, working_folder, words, said):
    graphs.image_network("m.onnx")
    write_video(working_folder / "a.avi", scenes.translating(9))
    assert said in command("idt-net", "m.onnx", "a.avi", "-o", "f", *GIVEN, *words, status=2)[2]
