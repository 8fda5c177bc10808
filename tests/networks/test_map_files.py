"""`idt-extract --maps`: blocks beside those of tracks, in a file that every encoder takes."""

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import idt
from benchmarks.clips import write_video
from encoding.vectors_file import load_vectors
from idt.batch import verify
from idt.errors import DataError
from idt.features import feature_file
from idt.networks.colour import open_colour
from idt.networks.map_params import MapParams
from idt.networks.map_stream import frame_maps, input_sizes
from tests import scenes
from tests.commands import refused
from tests.hostile.things import SMALL
from tests.kills import ROOT
from tests.networks.graphs import image_network
from tests.networks.test_maps import two_layers
from tests.reference import maps as rival

MAPS = ("--maps", "m.onnx:one,two")
BLOCKS = "one_channel,one_st,two_channel,two_st"


@pytest.fixture
def place(working_folder):
    """A folder with a network of two layers and three videos."""
    two_layers(working_folder / "m.onnx")
    for seed, name in enumerate("abc"):
        write_video(working_folder / f"{name}.avi", scenes.translating(20 + 3 * seed, velocity=(2, 1), seed=seed))
    return working_folder


def test_the_blocks_of_a_file_equal_the_rival(command, place):
    command("idt-extract", "a.avi", "-o", "a.h5", *MAPS, *SMALL)
    features = idt.load("a.h5")
    assert sorted(features.network.blocks) == BLOCKS.split(",")
    assert len(features) > 20
    (network,) = MapParams.parse(["m.onnx:one,two"], "tdd").networks()
    with open_colour("a.avi") as video:
        maps = list(frame_maps(video, network, input_sizes(network, *scenes.SIZE, 1)))
    for tensor, name in enumerate(("one", "two")):
        for norm in ("st", "channel"):
            expected = rival.pooled(
                [made.maps[0][tensor] for made in maps], features.points, features.frame, scenes.SIZE, norm=norm,
                power=0.5,
            )  # fmt: skip
            np.testing.assert_allclose(features.need(f"{name}_{norm}"), expected, rtol=1e-4, atol=1e-4)
    assert features[:5].need("two_st").shape == (5, 6)
    assert next(feature_file.iter_rows("a.h5", rows=7, columns=("two_st",))).need("two_st").shape == (7, 6)


def test_tracks_are_the_same_with_and_without_maps(command, place):
    command("idt-extract", "a.avi", "-o", "with.h5", *MAPS, *SMALL)
    command("idt-extract", "a.avi", "-o", "without.h5", *SMALL)
    np.testing.assert_array_equal(idt.load("with.h5").hog, idt.load("without.h5").hog)


def test_a_part_of_a_video_and_smaller_frames_have_the_maps_of_their_frames(command, place):
    words = ("--start", "4", "--end", "17", "--max-side", "96")
    command("idt-extract", "c.avi", "-o", "c.h5", "--maps", "m.onnx:two", "--maps-norm", "none", *words, *SMALL)
    features = idt.load("c.h5")
    (network,) = MapParams.parse(["m.onnx:two"], "tdd").networks()
    with open_colour("c.avi", params=features.params) as video:
        size = video.height, video.width
        first = video.first_frame.index
        maps = [made.maps[0][0] for made in frame_maps(video, network, input_sizes(network, *size, 1))]
    expected = rival.pooled(maps, features.points, features.frame - first, size, norm="none", power=0.5)
    np.testing.assert_allclose(features.need("two_none"), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_every_encoder_takes_the_blocks_and_jobs_change_nothing(command, place):
    command("idt-extract", "a.avi", "b.avi", "c.avi", "-o", "f/", *MAPS, *SMALL, "--jobs", "2")
    command("idt-extract", "b.avi", "-o", "b.h5", *MAPS, *SMALL)
    for name, values in idt.load("b.h5").network.blocks.items():
        np.testing.assert_array_equal(idt.load("f/b.h5").network.blocks[name], values)
    command("fv-encode", "f", "-o", "v.h5", "--k", "2", "--sample", "100", "--blocks", f"hog,{BLOCKS}", "--whiten")
    assert [part["block"] for part in load_vectors("v.h5").layout] == ["hog", *BLOCKS.split(",")]
    command("vlad-encode", "f", "-o", "l.h5", "--k", "2", "--sample", "100", "--blocks", "two_st")
    command("bovw-encode", "f", "-o", "w.h5", "--k", "2", "--sample", "100", "--blocks", "two_st", "--seeds", "1")
    assert refused(
        command("fv-encode", "f", "-o", "u.h5", "--k", "2", "--blocks", "three_st", status=2),
        "no block three_st; networks gave one_channel, one_st",
    )


def test_a_file_with_maps_is_whole_and_up_to_date(command, place):
    words = ("idt-extract", "a.avi", "-o", "a.h5", *MAPS, *SMALL)
    command(*words)
    assert verify.check_feature_file("a.h5").fault is None
    assert "up to date" in command(*words)[1]
    assert refused(command(*words, "--maps-power", "1", status=2), "was written with network=")


def test_blocks_are_not_lost_on_the_way(command, place):
    command("idt-extract", "a.avi", "-o", "a.h5", *MAPS, *SMALL)
    assert command("idt-convert", "a.h5", "-o", "b.h5", "--compact", status=2)[2].count("\n") == 1
    with pytest.raises(DataError, match="written by idt-extract --maps only"):
        idt.save(idt.load("a.h5"), place / "c.h5")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--maps", "m.onnx"), "must be MODEL:TENSOR"),
        (("--maps", "m.onnx:three"), "no tensor 'three'"),
        (("--maps", "absent.onnx:one"), "absent.onnx: No such file"),
        (("--maps", "m.onnx:one", "--maps-norm", "l2"), "--maps-norm must be some of"),
        (("--maps", "m.onnx:one", "--maps-preset", "tdd-flow"), "takes 3 channels, but preset tdd-flow gives 20"),
    ],
)
def test_maps_that_cannot_be_made_are_refused_before_any_work(command, place, words, said):
    assert refused(command("idt-extract", "a.avi", "-o", "a.h5", *words, status=2), said)
    assert not (place / "a.h5").exists()


def test_rows_of_the_release_have_no_room_for_maps(command, place):
    assert command("idt-extract", "a.avi", "-o", "a.txt", *MAPS, *SMALL, status=2)[2].count("\n") == 1


def test_the_example_of_networks_leaves_one_actor_out(command, working_folder, monkeypatch):
    """The table that `make demo-network` prints, of a small network; the demo's own network is a download."""
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    import beside_network_features as example

    image_network("m.onnx")
    for seed, actor in enumerate(("ann", "ben", "cid")):
        for action, velocity in (("left", (-2, 0)), ("right", (2, 0)), ("down", (0, 2))):
            film = scenes.translating(20, velocity=velocity, seed=seed)
            (working_folder / f"clips/{action}").mkdir(parents=True, exist_ok=True)
            write_video(working_folder / f"clips/{action}/{actor}_{action}.avi", film)
    command("idt-extract", "clips", "-o", "features", "--maps", "m.onnx:conv2", "--maps-preset", "image", *SMALL)
    accuracies, count = example.measure_accuracies(
        "clips", "features", "m.onnx", k=1, preset="image", tensor="scores", sample=5000
    )
    assert count == 9
    assert set(accuracies) == {"iDT", "network features", "TDD", "TDD + iDT", "late fusion of TDD and iDT"}
    assert accuracies["iDT"] == 1
