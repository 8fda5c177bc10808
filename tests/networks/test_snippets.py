"""Features of snippets: what a row holds, where it lies, and that every encoder takes the files."""

import json

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import idt
from benchmarks.clips import write_video
from encoding.descriptors.inputs import Inputs
from encoding.vectors_file import load_vectors
from idt.batch import verify
from idt.errors import DataError
from idt.features import feature_file
from idt.networks.model import Network
from idt.networks.presets import preset_of
from idt.networks.sampling import snippets_of
from idt.networks.snippet_params import block_name
from idt.networks.snippets import snippets
from tests import scenes
from tests.commands import refused
from tests.networks import graphs

PLAIN = {"mean": (0.0,), "std": (1.0,), "short_side": 16, "crop": 16}


def film(frames, size=(16, 24)):
    """Frames of one colour each: blue 10 · t, green 5, red t."""
    made = np.zeros((frames, *size, 3), np.uint8)
    made[..., 0], made[..., 1] = 10 * np.arange(frames)[:, None, None], 5
    made[..., 2] = np.arange(frames)[:, None, None]
    return made


def joined(network, video, **given):
    return idt.Features.concatenate(list(snippets(network, video, **given)))


def test_a_snippet_of_one_frame_is_the_tensor_of_that_frame(tmp_path):
    network = Network(graphs.mean_colours(tmp_path / "m.onnx"), preset=preset_of("image", **PLAIN), tensors=["pooled"])
    found = joined(network, film(5))
    np.testing.assert_allclose(found.need("pooled_snippets"), [[t, 5, 10 * t] for t in range(5)], atol=1e-4)
    np.testing.assert_array_equal(found.frame, range(5))
    np.testing.assert_allclose(found.position, [[0.5, 0.5, t / 5] for t in range(5)], atol=1e-6)


def clip_means(path, channels=3):
    """A network of clips of four frames whose features are the means of the channels."""
    graph = graphs.Graph()
    graph.add("GlobalAveragePool", ["x"], "pooled")
    graph.add("Flatten", ["pooled"], "flat")
    return graph.save(path, {"x": ("n", channels, 4, 16, 16)}, ["flat"])


def test_clips_overlap_by_half_and_have_the_means_of_their_frames(tmp_path):
    preset = preset_of("c3d", length=4, colours="bgr", **PLAIN)
    found = joined(Network(clip_means(tmp_path / "m.onnx"), preset=preset), film(10))
    # Clips begin at 0, 2, 4 and 6.
    blue = [np.mean([10 * t for t in range(first, first + 4)]) for first in (0, 2, 4, 6)]
    np.testing.assert_allclose(found.need("flat_snippets")[:, 0], blue, rtol=1e-5)
    np.testing.assert_array_equal(found.frame, [3, 5, 7, 9])
    np.testing.assert_allclose(found.position[:, 2], [0.15, 0.35, 0.55, 0.75], atol=1e-6)
    np.testing.assert_array_equal(snippets_of(preset, 10)[:, 0], [0, 2, 4, 6])


def test_every_says_where_clips_begin_and_0_takes_those_of_the_preset(tmp_path):
    preset = preset_of("c3d", length=4, clips=2, **PLAIN)
    network = Network(clip_means(tmp_path / "m.onnx"), preset=preset)
    np.testing.assert_array_equal(joined(network, film(10), every=3).frame, [3, 6, 9])
    np.testing.assert_array_equal(joined(network, film(10), every=0).frame, [3, 9])


def test_a_video_shorter_than_a_clip_begins_anew(tmp_path):
    preset = preset_of("c3d", length=4, colours="bgr", **PLAIN)
    found = joined(Network(clip_means(tmp_path / "m.onnx"), preset=preset), film(3))
    np.testing.assert_allclose(found.need("flat_snippets")[0, 0], np.mean([0, 10, 20, 0]), rtol=1e-5)


def test_crops_are_averaged(tmp_path):
    picture = np.zeros((3, 16, 40, 3), np.uint8)
    picture[:, :, :12], picture[:, :, 28:] = 90, 30
    given = {**PLAIN, "crops": "three"}
    network = Network(graphs.mean_colours(tmp_path / "m.onnx"), preset=preset_of("image", **given))
    # Crops at 0, 24 and 12: means 90 · 12/16, 30 · 12/16 and 0.
    np.testing.assert_allclose(joined(network, picture).need("scores_snippets")[0], np.full(3, 30.0), rtol=1e-5)


def map_network(path):
    """A map of cells of 8×8 pixels with the colours in them, of two frames at a time."""
    graph = graphs.Graph()
    graph.add("AveragePool", ["x"], "cells", kernel_shape=[2, 8, 8], strides=[2, 8, 8])
    return graph.save(path, {"x": ("n", 3, 4, 16, 16)}, ["cells"])


def test_a_map_has_a_row_for_each_cell_with_its_place(tmp_path):
    video = np.zeros((4, 16, 24, 3), np.uint8)
    video[2:, 8:, 4:12] = 40  # the lower left cell of the crop, in its second half
    network = Network(map_network(tmp_path / "m.onnx"), preset=preset_of("c3d", length=4, **PLAIN))
    found = joined(network, video)
    assert len(found) == 8
    (bright,) = np.flatnonzero(found.need("cells_snippets")[:, 0] > 1)
    np.testing.assert_allclose(found.need("cells_snippets")[bright], [40, 40, 40], rtol=1e-5)
    # Columns 4 to 12 of 24, rows 8 to 16 of 16, frames 2 and 3 of 4, whose middle is 2.5.
    np.testing.assert_allclose(found.position[bright], [8 / 24, 12 / 16, 2.5 / 4], atol=1e-6)


def test_the_cells_of_a_mirrored_crop_are_where_they_were(tmp_path):
    video = np.zeros((4, 16, 24, 3), np.uint8)
    video[:, :8, :8] = 40
    network = Network(map_network(tmp_path / "m.onnx"), preset=preset_of("c3d", length=4, crops="ten", **PLAIN))
    found = joined(network, video)
    bright = found.need("cells_snippets")[:, 0] > 39
    assert bright.sum() == 8  # four crops at the left edge, two halves of time each
    np.testing.assert_allclose(np.unique(found.position[bright, :2], axis=0), [[4 / 24, 4 / 16]], atol=1e-6)


def test_a_batch_changes_nothing(tmp_path):
    preset = preset_of("image", crops="ten", **PLAIN)
    paths = (graphs.image_network(tmp_path / f"{n}.onnx", size=(n, 3, 16, 16)) for n in ("n", 3))
    open_, fixed = (Network(path, preset=preset) for path in paths)
    video = np.stack(scenes.translating(7))[..., None].repeat(3, axis=3)
    one, two = (joined(network, video).need("scores_snippets") for network in (open_, fixed))
    np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_two_tensors_are_two_blocks_of_equal_rows(tmp_path):
    path = graphs.image_network(tmp_path / "m.onnx")
    preset = preset_of("image", **PLAIN)
    found = joined(Network(path, preset=preset, tensors=["flat", "scores"]), film(3))
    assert {name: values.shape for name, values in found.network.blocks.items()} == {
        "flat_snippets": (3, 8), "scores_snippets": (3, 4),
    }  # fmt: skip
    with pytest.raises(DataError, match=r"'flat' has \(1, 1, 1\) cells .* 'conv1' \(1, 8, 8\); name tensors of one"):
        joined(Network(path, preset=preset, tensors=["conv1", "flat"]), film(3))


def test_names_of_tensors_become_names_of_blocks():
    assert block_name("/layer4/layer4.2/relu_2/Relu_output_0") == "layer4_layer4_2_relu_2_Relu_output_0_snippets"


GIVEN = ("--preset", "image", "--crop", "24", "--short-side", "32")


@pytest.fixture
def place(working_folder):
    """A folder with a network and three videos."""
    graphs.image_network(working_folder / "m.onnx")
    (working_folder / "clips").mkdir()
    for seed, name in enumerate("abc"):
        write_video(working_folder / "clips" / f"{name}.avi", scenes.translating(9 + seed, seed=seed))
    return working_folder


def run(command, *words, status=0, tensor="flat"):
    return command("idt-net", "m.onnx", "clips", "-o", "f", "--features", tensor, *GIVEN, *words, status=status)


def test_every_encoder_takes_the_files_and_a_pyramid_over_time_too(command, place):
    _, out, err = run(command)
    assert out == "f: snippets of 3 videos, flat_snippets of 8\n"
    assert err == ""
    assert verify.check_feature_file("f/a.h5").fault is None
    found = idt.load("f/b.h5")
    assert (len(found), found.frames, found.hog) == (10, 10, None)
    small = ("--blocks", "flat_snippets", "--sample", "30")
    command("fv-encode", "f", "-o", "v.h5", "--k", "2", *small, "--pyramid", "1x1x1,1x1x2")
    assert [part["cell"] for part in load_vectors("v.h5").layout] == ["whole", "1x1x2[0,0,0]", "1x1x2[0,0,1]"]
    command("vlad-encode", "f", "-o", "l.h5", "--k", "2", *small)
    command("bovw-encode", "f", "-o", "w.h5", "--k", "2", *small, "--seeds", "1")
    assert load_vectors("w.h5").encodings.shape == (3, 2)
    assert Inputs.of(["f/a.h5", "f/c.h5"], descriptors=("flat_snippets",)).sizes == {"flat_snippets": 8}


def test_a_run_is_resumed_and_another_tensor_is_refused(command, place):
    run(command)
    before = (place / "f/a.h5").stat().st_mtime_ns
    run(command, "--jobs", "2")
    assert (place / "f/a.h5").stat().st_mtime_ns == before
    assert json.loads((place / "f/summary.json").read_text())["up_to_date"] == 3
    _, _, err = run(command, tensor="scores", status=2)
    assert "f/a.h5 was written with network=" in err


def test_descriptors_of_tracks_are_not_in_these_files(command, place):
    run(command)
    said = "a.h5 has no hog: it holds snippets of a network, flat_snippets"
    assert refused(command("fv-encode", "f", "-o", "v.h5", "--k", "2", "--blocks", "hog", status=2), said)
    with pytest.raises(DataError, match="has no points"):
        list(feature_file.iter_rows("f/a.h5", columns=("points",)))
    for words in (("a.txt",), ("b.h5", "--compact"), ("c.h5",)):
        assert command("idt-convert", "f/a.h5", "-o", *words, status=2)[2].count("\n") == 1
        assert not (place / words[0]).exists()


@pytest.mark.parametrize(
    ("tensor", "words", "said"),
    [
        ("flot", (), "no tensor 'flot'.*flat"),
        ("head", (), "no tensor 'head'"),
        ("flat", ("--preset", "tsn-flow"), "takes 3 channels, but preset tsn-flow gives 10"),
        ("flat", ("--clip-length", "1024", "--interval", "1024"), "takes 3 channels|spans"),
    ],
)
def test_features_that_cannot_be_made_are_refused_before_any_work(command, place, tensor, words, said):
    assert refused(run(command, *words, tensor=tensor, status=2), said)
    assert not (place / "f").exists()
