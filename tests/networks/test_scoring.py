"""Scores of videos: against a slow rival, for every shape of network, and what is refused."""

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from idt.errors import DataError
from idt.networks import flow_input
from idt.networks.model import Network
from idt.networks.presets import preset_of
from idt.networks.scoring import scores
from idt.networks.views import Opening, clips, measure
from tests import scenes
from tests.networks import graphs

RTOL = 1e-5
"""Sums of float32 values in another order."""


def colour_clip(n=12, height=48, width=64, seed=0):
    """Frames of differing colours, BGR."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, height, width, 3), dtype=np.uint8)


def test_means_of_colours_are_those_of_the_chosen_frames(tmp_path):
    """A network that averages each channel: its scores are the mean colours of frames 1, 4, 7, 10 in RGB."""
    frames = colour_clip()
    preset = preset_of("image", clips=4, crops="whole", short_side=0, mean=(0.0,), std=(1.0,), average="logits")
    found = scores(Network(graphs.mean_colours(tmp_path / "m.onnx"), preset=preset), frames)
    np.testing.assert_allclose(found, frames[[1, 4, 7, 10]].mean(axis=(0, 1, 2))[::-1], rtol=RTOL)


def rival(network, frames, preset, size, crops):
    """Average of the softmax of each crop of each frame, one run for each."""
    rows = []
    for number in [int((i + 0.5) * len(frames) / preset.clips) for i in range(preset.clips)]:
        image = cv2.resize(frames[number], (size[1], size[0]), interpolation=cv2.INTER_LINEAR)[..., ::-1]
        for top, left in crops:
            view = image[top : top + preset.crop, left : left + preset.crop].astype(np.float32)
            view = (view - np.float32(preset.mean)) / np.float32(preset.std)
            for mirrored in (view, view[:, ::-1]):
                (values,) = network.run([np.ascontiguousarray(mirrored.transpose(2, 0, 1))[None]])
                rows.append(np.exp(values[0].astype(float)) / np.exp(values[0].astype(float)).sum())
    return np.mean(rows, axis=0)


def test_ten_crops_of_a_classifier_equal_a_slow_rival(tmp_path):
    preset = preset_of("tsn", clips=3, crop=24, short_side=32)
    network = Network(graphs.image_network(tmp_path / "m.onnx"), preset=preset)
    frames = colour_clip(7)
    crops = [(0, 0), (0, 19), (8, 0), (8, 19), (4, 9)]
    expected = rival(network, frames, preset, (32, 43), crops)
    np.testing.assert_allclose(scores(network, frames), expected, rtol=1e-4)
    # The same network with all views in one input, as MMAction2's tools export it.
    views = graphs.Graph()
    views.constant("shape", np.int64([-1, 3, 24, 24]))
    x = views.add("Reshape", ["x", "shape"], "flat_views")
    x = views.conv(x, "conv1", graphs.random_conv(6, 3, 3, 3), strides=[2, 2], pads=[1] * 4)
    x = views.conv(x, "conv2", graphs.random_conv(8, 6, 3, 3), strides=[2, 2], pads=[1] * 4)
    x = views.conv(x, "conv3", graphs.random_conv(8, 8, 3, 3), pads=[1] * 4)
    views.head(x, 8, 4)
    views.add("Softmax", ["scores"], "probabilities", axis=1)
    views.add("ReduceMean", ["probabilities"], "output", axes=[0], keepdims=1)
    exported = views.save(tmp_path / "e.onnx", {"x": (1, 30, 3, 24, 24)}, ["output"])
    given = preset_of(preset, average="given")
    np.testing.assert_allclose(scores(Network(exported, preset=given), frames), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "shape", "given"),
    [
        ("c3d", ("n", 3, 8, 16, 16), {"length": 8, "crop": 16, "short_side": 20}),
        ("r2plus1d", ("n", 3, 8, 16, 16), {"crop": 16, "short_side": 16}),
        ("x3d-s", ("n", 3, 13, 16, 16), {"crop": 16, "short_side": 16}),
    ],
)
def test_clips_of_three_dimensions_are_averaged(tmp_path, name, shape, given):
    preset = preset_of(name, **given)
    network = Network(graphs.clip_network(tmp_path / "m.onnx", shape=shape), preset=preset)
    found = scores(network, colour_clip(30))
    assert found.shape == (4,)
    assert found.sum() == pytest.approx(1)


def test_i3d_takes_the_whole_video_at_once(tmp_path):
    graph = graphs.Graph()
    x = graph.add("Transpose", ["x"], "ncthw", perm=[0, 4, 1, 2, 3])
    x = graph.conv(x, "conv1", graphs.random_conv(4, 3, 3, 3, 3), pads=[1] * 6)
    graph.head(x, 4, 5)
    path = graph.save(tmp_path / "m.onnx", {"x": (1, "t", 16, 16, 3)}, ["scores"])
    preset = preset_of("i3d", crop=16, short_side=16)
    found = scores(Network(path, preset=preset), colour_clip(9))
    assert found.shape == (5,)


def test_a_slowfast_network_is_given_both_rates(tmp_path):
    graph = graphs.Graph()
    slow = graph.conv("slow", "a", graphs.random_conv(4, 3, 1, 3, 3))
    fast = graph.conv("fast", "b", graphs.random_conv(2, 3, 3, 3, 3), strides=[4, 1, 1], pads=[1, 0, 0, 1, 0, 0])
    x = graph.add("Concat", [slow, fast], "both", axis=1)
    graph.head(x, 6, 3)
    path = graph.save(tmp_path / "m.onnx", {"slow": ("n", 3, 2, 16, 16), "fast": ("n", 3, 8, 16, 16)}, ["scores"])
    network = Network(path, preset=preset_of("pyslowfast", crop=16, short_side=16, length=8, clips=2))
    assert scores(network, colour_clip(20)).shape == (3,)


def test_a_flow_network_sees_the_motion_in_eight_bits(tmp_path):
    """A scene that slides by (3, −2) pixels a frame: 128 + 255 · 3 / 40 ≈ 146.6 and 114.75."""
    frames = scenes.translating(8, velocity=(3, -2))
    preset = preset_of("tsn-bn-flow", clips=1, crop=48, short_side=0, crops="centre", mean=(0.0,), std=(1.0,), length=2)
    (clip,) = clips(frames, preset, np.array([[2, 3]]), Opening())
    x, y = np.median(clip.views[0].reshape(-1, 2), axis=0)
    assert abs(x - 146.6) < 1.5
    assert abs(y - 114.75) < 1.5
    still = np.zeros((4, 4, 2), np.float32)
    assert set(flow_input.quantise(still).ravel()) == {128}
    assert flow_input.quantise(still + 99).max() == 255
    assert flow_input.quantise(still - 99).min() == 0


def test_warped_flow_has_no_camera_motion():
    frames = scenes.translating(8, velocity=(3, -2))
    preset = preset_of("tsn-warped", clips=1, crop=48, short_side=0, crops="centre", mean=(0.0,), std=(1.0,), length=1)
    (clip,) = clips(frames, preset, np.array([[3]]), Opening())
    assert np.abs(np.median(clip.views[0].reshape(-1, 2), axis=0) - 127.5).max() < 2


def test_differences_are_those_of_successive_frames():
    frames = np.stack([np.full((48, 48, 3), value, np.uint8) for value in (10, 40, 30, 200)])
    preset = preset_of("tsn-bn-difference", clips=1, crop=16, short_side=0, crops="centre", length=2)
    (clip,) = clips(frames, preset, np.array([[1, 2]]), Opening())
    assert clip.views[0][0].max() == -10
    assert clip.views[0][1].min() == 170


def test_frames_are_kept_only_as_long_as_a_clip_needs_them(tmp_path):
    """Clips that wrap around, overlap and repeat frames are the frames that their numbers say."""
    frames = np.stack([np.full((40, 40, 3), number, np.uint8) for number in range(20)])
    preset = preset_of("c3d", crop=8, short_side=0, mean=(0.0,), length=4)
    numbers = np.array([[10, 11, 12, 13], [0, 2, 4, 6], [18, 19, 0, 1], [5, 5, 5, 5]])
    found = {clip.index: clip for clip in clips(frames, preset, numbers, Opening())}
    for index, row in enumerate(numbers):
        assert found[index].views[0][:, 0, 0, 0].tolist() == row.tolist()


def test_a_stream_is_refused_because_its_frames_cannot_be_counted_first(tmp_path):
    network = Network(graphs.image_network(tmp_path / "m.onnx"))
    with pytest.raises(DataError, match=r"read twice.*record it first"):
        scores(network, iter(colour_clip(3)))


def test_outputs_that_are_no_rows_of_classes_are_refused(tmp_path):
    path = graphs.image_network(tmp_path / "m.onnx")
    network = Network(path, tensors=["conv2"], preset=preset_of("image", crop=24, short_side=32))
    with pytest.raises(DataError, match="must have a row of classes for each of"):
        scores(network, colour_clip(3))
    network = Network(path, preset=preset_of("image", crop=24, short_side=32, average="given"))
    with pytest.raises(DataError, match="says that the outputs are probabilities"):
        scores(network, colour_clip(3))


def test_a_model_that_takes_another_number_of_views_is_refused(tmp_path):
    graph = graphs.Graph()
    graph.add("ReduceMean", ["x"], "scores", axes=[1, 3, 4], keepdims=0)
    path = graph.save(tmp_path / "m.onnx", {"x": (1, 7, 3, 8, 8)}, ["scores"])
    network = Network(path, preset=preset_of("tsn", crop=8, short_side=16, clips=3))
    with pytest.raises(DataError, match="takes 7 views at once, but preset tsn has 3 clips of 10 crops"):
        scores(network, colour_clip(5))


def test_the_size_and_length_of_a_video_are_measured():
    found = measure(colour_clip(5), Opening())
    assert (found.frames, found.width, found.height) == (5, 64, 48)
