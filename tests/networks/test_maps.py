"""Maps pooled along tracks: against the rival, a bright dot that moves, and what is refused."""

import weakref

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from idt.errors import DataError
from idt.networks.colour import Picture
from idt.networks.map_params import MapParams
from idt.networks.map_stream import frame_maps, input_sizes
from idt.networks.maps import MapPool
from idt.networks.presets import preset_of
from tests.networks.graphs import Graph, random_conv
from tests.reference import maps as rival

RTOL = 2e-5
"""Sums of float32 values, in float64 here and there, rounded to float32 once."""

SIZE = (48, 64)


def two_layers(path, size=("n", 3, "h", "w"), relu=True):
    graph = Graph()
    x = graph.conv("x", "one", random_conv(5, 3, 3, 3), strides=[2, 2], pads=[1] * 4, relu=relu)
    x = graph.conv(x, "two", random_conv(6, 5, 3, 3, seed=1), strides=[2, 2], pads=[1] * 4)
    return graph.save(path, {"x": size}, [x])


def pictures(n=22, seed=0, size=SIZE):
    rng = np.random.default_rng(seed)
    return [Picture(i, i, rng.integers(0, 256, (*size, 3), dtype=np.uint8)) for i in range(n)]


def tracks(n=40, frames=22, length=5, seed=1, size=SIZE):
    rng = np.random.default_rng(seed)
    points = rng.uniform([-1, -1], [size[1] + 1, size[0] + 1], (n, length + 1, 2)).astype(np.float32)
    return points, np.sort(rng.integers(length, frames, n)).astype(np.int32)


def params_of(path, tensors=("two",), preset="tdd", **given):
    return MapParams.parse([f"{path}:{','.join(tensors)}"], preset, **given)


def run(params, frames, points, ends, size=SIZE, parts=3):
    """Pool in several calls; the sums divided by their maxima."""
    networks = params.networks()
    pool = MapPool(iter(frames), params, networks, size=size)
    found = [pool.pool(points[part], ends[part]) for part in np.array_split(np.arange(len(points)), parts)]
    joined = {name: np.concatenate([one[name] for one in found]) for name in pool.names}
    maxima = pool.finish()
    return {name: values / maxima[name] if name in maxima else values for name, values in joined.items()}


@pytest.mark.parametrize("size", [SIZE, (33, 47), (20, 90)], ids=str)
def test_pooling_equals_the_rival(tmp_path, size):
    path = two_layers(tmp_path / "m.onnx")
    params = params_of(path, ("one", "two"), norms=("st", "channel", "none"))
    frames, (points, ends) = pictures(size=size), tracks(size=size)
    found = run(params, frames, points, ends, size=size)
    (network,) = params.networks()
    every = list(frame_maps(iter(frames), network, input_sizes(network, *size, 1)))
    for tensor, name in enumerate(("one", "two")):
        maps = [made.maps[0][tensor] for made in every]
        for norm in ("st", "channel", "none"):
            expected = rival.pooled(maps, points, ends, size, norm=norm)
            np.testing.assert_allclose(found[f"{name}_{norm}"], expected, rtol=RTOL, atol=1e-5)


def test_negative_maps_are_divided_by_absolute_values(tmp_path):
    path = two_layers(tmp_path / "m.onnx", relu=False)
    params = params_of(path, ("one.out",), norms=("st", "channel"))
    frames, (points, ends) = pictures(), tracks()
    found = run(params, frames, points, ends)
    (network,) = params.networks()
    maps = [made.maps[0][0] for made in frame_maps(iter(frames), network, input_sizes(network, *SIZE, 1))]
    assert min(one.min() for one in maps) < 0
    for norm in ("st", "channel"):
        expected = rival.pooled(maps, points, ends, SIZE, norm=norm)
        np.testing.assert_allclose(found[f"one_out_{norm}"], expected, rtol=RTOL, atol=1e-5)


def test_the_parts_in_which_tracks_come_change_nothing(tmp_path):
    params = params_of(two_layers(tmp_path / "m.onnx"))
    frames, (points, ends) = pictures(), tracks()
    one, many = (run(params, frames, points, ends, parts=parts) for parts in (1, 8))
    for name, values in one.items():
        np.testing.assert_array_equal(values, many[name])


@pytest.mark.parametrize("frames", [100, 400])
def test_maps_are_kept_only_as_long_as_a_track_can_need_them(tmp_path, monkeypatch, frames):
    alive, most = [], [0]

    def watched(pictures, network, sizes):
        for made in frame_maps(pictures, network, sizes):
            alive.append(weakref.ref(made.maps[0][0]))
            most[0] = max(most[0], sum(ref() is not None for ref in alive))
            yield made

    monkeypatch.setattr("idt.networks.maps.frame_maps", watched)
    params = params_of(two_layers(tmp_path / "m.onnx"))
    images = (Picture(i, i, np.full((*SIZE, 3), i % 256, np.uint8)) for i in range(frames))
    pool = MapPool(images, params, params.networks(), size=SIZE)
    for end in range(15, frames):
        pool.pool(np.full((1, 16, 2), 20, np.float32), np.array([end], np.int32))
    pool.finish()
    assert len(alive) == frames
    # The 15 of a track, 32 before it, and the one that is made.
    assert most[0] <= 15 + 32 + 2


def test_five_scales_have_the_sizes_of_the_released_code(tmp_path):
    (network,) = params_of(two_layers(tmp_path / "m.onnx")).networks()
    assert input_sizes(network, 240, 320, 5) == [(480, 640), (340, 454), (240, 320), (170, 227), (120, 160)]
    assert input_sizes(network, 240, 320, 1) == [(240, 320)]
    assert input_sizes(network, 480, 360, 1) == [(320, 240)]


def test_several_scales_lie_side_by_side_for_their_own_maxima(tmp_path):
    params = params_of(two_layers(tmp_path / "m.onnx"), scales=5, norms=("st", "none"))
    frames, (points, ends) = pictures(8), tracks(6, 8)
    found = run(params, frames, points, ends)
    (network,) = params.networks()
    sizes = input_sizes(network, *SIZE, 5)
    every = list(frame_maps(iter(frames), network, sizes))
    expected = [
        rival.pooled([made.maps[scale][0] for made in every], points, ends, SIZE, norm="st") for scale in range(5)
    ]
    np.testing.assert_allclose(found["two_st"], np.concatenate(expected, axis=1), rtol=RTOL, atol=1e-5)
    assert found["two_none"].shape == (6, 6)


def dot_network(path, pads, mapping_size=(240, 320)):
    graph = Graph()
    kernel = np.float32([[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    x = graph.conv("x", "one", np.broadcast_to(kernel, (1, 3, 3, 3)), strides=[2, 2], pads=pads)
    x = graph.conv(x, "two", kernel[None, None], strides=[2, 2], pads=pads)
    return graph.save(path, {"x": ("n", 3, "h", "w")}, [x])


@pytest.mark.parametrize(("mapping", "pads"), [("ratio", [1] * 4), ("exact", [1] * 4), ("exact", [0] * 4)])
def test_a_dot_that_moves_by_whole_pixels_moves_the_pooled_maximum(tmp_path, mapping, pads):
    """Still tracks over the whole frame: the brightest is the one whose cell the dot lies in."""
    path = dot_network(tmp_path / "m.onnx", pads)
    preset = preset_of("tdd", mean=(0.0,))
    params = params_of(path, preset=preset, norms=("none",), mapping=mapping)
    grid = np.stack(np.meshgrid(np.arange(0, 320, 4), np.arange(0, 240, 4)), axis=-1).reshape(-1, 2)
    points = np.repeat(grid[:, None].astype(np.float32), 3, axis=1)
    ends = np.full(len(points), 2, np.int32)
    for x, y in [(100, 60), (104, 60), (100, 68), (212, 180)]:
        image = np.zeros((240, 320, 3), np.uint8)
        image[y, x] = 255
        frames = [Picture(i, i, image) for i in range(3)]
        found = run(params, frames, points, ends, size=(240, 320), parts=1)["two_none"][:, 0]
        brightest = grid[found == found.max()]
        if mapping == "exact" or pads == [1] * 4:
            assert np.abs(brightest.mean(axis=0) - (x, y)).max() <= 2
        assert (np.abs(brightest - (x, y)).max(axis=1) <= 4).all()


def test_the_ratio_is_off_where_nothing_is_padded_as_the_page_says(tmp_path):
    """Cell n of two unpadded layers has its centre at 4 n + 3, which the ratio takes for 4 n and more."""
    path = dot_network(tmp_path / "m.onnx", [0] * 4)
    params = params_of(path, preset=preset_of("tdd", mean=(0.0,)), mapping="exact")
    (network,) = params.networks()
    axes = network.map_axes("two", {"x": (1, 3, 240, 320)})
    assert [(axis.stride, axis.start) for axis in axes] == [(4, 3.0)] * 2


@pytest.mark.parametrize("dot", [(100, 60), (103, 63), (212, 180), (6, 8)], ids=str)
def test_the_ratio_takes_the_cell_of_its_formula_where_nothing_is_padded(tmp_path, dot):
    """Maps of 59 × 79 cells: the dot is brightest in the cell round((x − 3)/4), which is given to round(79 x/320)."""
    path = dot_network(tmp_path / "m.onnx", [0] * 4)
    params = params_of(path, preset=preset_of("tdd", mean=(0.0,)), norms=("none",), mapping="ratio")
    grid = np.stack(np.meshgrid(np.arange(0, 320, 4), np.arange(0, 240, 4)), axis=-1).reshape(-1, 2)
    points = np.repeat(grid[:, None].astype(np.float32), 3, axis=1)
    image = np.zeros((240, 320, 3), np.uint8)
    image[dot[1], dot[0]] = 255
    ends = np.full(len(points), 2, np.int32)
    found = run(params, [Picture(i, i, image) for i in range(3)], points, ends, size=(240, 320), parts=1)
    values = found["two_none"][:, 0]
    cells = np.floor(grid * [79 / 320, 59 / 240] + 0.5)
    bright = np.floor((np.array(dot) - 3) / 4 + 0.5)
    np.testing.assert_array_equal(values == values.max(), (cells == bright).all(axis=1))


def clip_network(path, length=8):
    graph = Graph()
    peak = np.float32([1, 2, 1])
    kernel = peak[:, None, None] * peak[:, None] * peak
    x = graph.conv("x", "one", np.broadcast_to(kernel, (1, 3, 3, 3, 3)), strides=[2, 2, 2], pads=[1] * 6)
    return graph.save(path, {"x": ("n", 3, length, "h", "w")}, [x])


@pytest.mark.parametrize("flash", [0, 1, 5, 6, 11, 12, 17, 22])
def test_a_flash_in_a_clip_is_brightest_in_the_frames_of_its_cell(tmp_path, flash):
    """A 3-D network of temporal stride 2, clips of 8 with 4 overlapping, 23 frames: every frame has its own map."""
    preset = preset_of("c3d", length=8, mean=(0.0,), crops="whole", short_side=0)
    params = params_of(clip_network(tmp_path / "m.onnx"), ("one",), preset=preset)
    (network,) = params.networks()
    images = [np.full((16, 16, 3), 255 * (i == flash), np.uint8) for i in range(23)]
    made = list(frame_maps((Picture(i, i, image) for i, image in enumerate(images)), network, [(16, 16)]))
    assert [one.index for one in made] == list(range(23))
    bright = np.array([one.maps[0][0].max() for one in made])
    # A flash between the centres of two cells is as bright in both.
    assert abs(np.flatnonzero(bright == bright.max()).mean() - flash) <= 1
    assert bright[flash] > 0


def test_stacks_of_flow_repeat_the_last_flow(tmp_path):
    """Frame t has the flows t … t + 9, and the last one again past the end."""
    graph = Graph()
    graph.add("Identity", ["x"], "same")
    path = graph.save(tmp_path / "m.onnx", {"x": ("n", 6, "h", "w")}, ["same"])
    preset = preset_of("tdd-flow", length=3, mean=(0.0,))
    params = params_of(path, ("same",), preset=preset)
    from tests import scenes

    frames = [Picture(i, i, np.repeat(image[..., None], 3, 2)) for i, image in enumerate(scenes.translating(6))]
    (network,) = params.networks()
    made = [one.maps[0][0] for one in frame_maps(iter(frames), network, [scenes.SIZE])]
    assert len(made) == 6
    assert made[0].shape == (*scenes.SIZE, 6)
    np.testing.assert_array_equal(made[0][..., 2:], made[1][..., :4])
    np.testing.assert_array_equal(made[3][..., 2:4], made[3][..., 4:])
    np.testing.assert_array_equal(made[5][..., :2], made[4][..., :2])


def test_a_tensor_that_is_no_map_is_refused(tmp_path):
    graph = Graph()
    x = graph.conv("x", "one", random_conv(5, 3, 3, 3))
    graph.head(x, 5, 3)
    path = graph.save(tmp_path / "m.onnx", {"x": ("n", 3, "h", "w")}, ["scores"])
    params = params_of(path, ("scores",))
    points, ends = tracks(3)
    with pytest.raises(DataError, match="'scores' is no map of places, its shape is"):
        run(params, pictures(), points, ends)


@pytest.mark.parametrize(
    ("texts", "given", "said"),
    [
        (["net.onnx"], {}, "must be MODEL:TENSOR"),
        (["net.onnx:"], {}, "must be MODEL:TENSOR"),
        (["net.onnx:a"], {"norms": ("st", "st")}, "each once"),
        (["net.onnx:a"], {"norms": ("max",)}, "--maps-norm must be some of st,channel,none"),
        (["net.onnx:a"], {"scales": 3}, "1 or 5 scales"),
        (["net.onnx:a"], {"power": 0.0}, "maps-power"),
    ],
)
def test_wrong_parameters_are_refused(texts, given, said):
    with pytest.raises(DataError, match=said):
        MapParams.parse(texts, "tdd", **given)


def test_five_scales_of_a_network_of_one_size_are_refused(tmp_path):
    params = params_of(two_layers(tmp_path / "m.onnx", size=(1, 3, 48, 64)), scales=5)
    with pytest.raises(DataError, match="takes frames of 64×48 px only; --maps-scales 1"):
        MapPool(iter(pictures()), params, params.networks(), size=SIZE)
