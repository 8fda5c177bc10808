"""Features to store: random ones of any layout, and those of the release for a golden clip."""

import h5py
import numpy as np

from idt.features.camera import Camera
from idt.features.features import Features
from idt.params import layout
from idt.params.extraction import ExtractionParams
from tests.golden import golden_folder


def random_features(n=10, *, seed=0, frames=60, params=None, timed=True, foreign=None):
    """``n`` seeded tracks with plausible numbers.

    ``foreign`` is None, ``"text"`` or ``"binary"``: rows as others wrote them, without camera and parameters.
    """
    rng = np.random.default_rng(seed)
    params = params or ExtractionParams()
    sizes = layout.block_sizes(params.length, params.cells, params.time_cells)
    position = rng.random((n, 3), dtype=np.float32) * np.float32(0.99)
    if not timed:
        position[:, 2] = np.nan
    points = rng.random((n, params.length + (foreign is None), 2), dtype=np.float32) * 300
    own = {
        "camera": random_camera(frames, seed=seed),
        "width": 320,
        "height": 240,
        "fps": 25.0,
        "frames": frames,
        "params": params,
        "source": {"kind": "file", "path": "a.avi", "name": "a", "digest": "0" * 64, "bytes": 1},
    }
    return Features(
        frame=np.sort(rng.integers(params.length, frames, n)).astype(np.int32),
        scale=np.float32(np.sqrt(2)) ** rng.integers(0, 4, n).astype(np.float32),
        mean=rng.random((n, 2), dtype=np.float32) * 300,
        std=rng.random((n, 2), dtype=np.float32) * 10,
        length=rng.random(n, dtype=np.float32) * 90,
        position=position,
        points=None if foreign == "text" else points,
        trajectory=rng.normal(0, 0.05, (n, sizes["trajectory"])).astype(np.float32),
        **{name: rng.beta(2, 12, (n, sizes[name])).astype(np.float32) for name in layout.HISTOGRAMS},
        **(own if foreign is None else {}),
    )


def random_camera(frames, *, first_frame=0, seed=0):
    """Small random homographies."""
    rng = np.random.default_rng(seed)
    homography = np.eye(3) + rng.normal(0, 1e-3, (frames, 3, 3))
    matches = rng.integers(50, 900, frames).astype(np.int32)
    return Camera(homography, matches, matches // 2, first_frame)


def golden_features(clip, *, seed=0):
    """What the release computes for a clip.

    The golden histograms are float16 and one of the points is missing: the lost bits, which cost space on disk, are
    made up, and so is the last point.
    """
    rng = np.random.default_rng(seed)
    stored = np.load(golden_folder(clip) / "tracks.npz")
    motion = np.load(golden_folder(clip) / "camera.npz")
    info, points = stored["info"], stored["points"]
    last = 2 * points[:, -1] - points[:, -2] + rng.normal(0, 0.1, (len(points), 2)).astype(np.float32)
    frames = len(motion["frame"]) + 1
    homography = np.concatenate([np.eye(3)[None], motion["homography"]])
    matches = np.concatenate([[0], motion["surf_matches"] + motion["flow_matches"]])
    inliers = np.concatenate([[0], motion["inliers"]])
    histograms = {}
    for name in layout.HISTOGRAMS:
        lost = 1 + rng.uniform(-(2.0**-12), 2.0**-12, stored[name].shape)
        histograms[name] = (stored[name] * lost).astype(np.float32)
    return Features(
        frame=info[:, 0].astype(np.int32),
        mean=info[:, 1:3],
        std=info[:, 3:5],
        length=info[:, 5],
        scale=info[:, 6],
        position=info[:, 7:10],
        points=np.concatenate([points, last[:, None]], axis=1),
        trajectory=stored["trajectory"],
        **histograms,
        camera=Camera(homography, matches, inliers, int(motion["frame"][0]) - 1),
        width=320,
        height=240,
        fps=25.0,
        frames=frames,
        params=ExtractionParams(length=points.shape[1]),
        source={"kind": "file", "path": f"{clip}.avi", "name": clip, "digest": "0" * 64, "bytes": 1},
    )


def assert_same_features(one, other):
    """The same columns with the same bits, and the same camera."""
    first, second = one.columns(), other.columns()
    assert first.keys() == second.keys()
    for name, values in first.items():
        assert values.dtype == second[name].dtype
        np.testing.assert_array_equal(values, second[name], err_msg=name)
    assert (one.camera is None) == (other.camera is None)
    if one.camera is not None:
        assert one.camera.first_frame == other.camera.first_frame
        for name in ("homography", "matches", "inliers"):
            np.testing.assert_array_equal(getattr(one.camera, name), getattr(other.camera, name))


def contents(path):
    """Every dataset and attribute of a file but for its source, as plain values."""
    found = {}
    with h5py.File(path) as file:
        found["/"] = {name: value for name, value in file.attrs.items() if name != "source"}

        def add(name, item):
            found[name] = dict(item.attrs)
            if isinstance(item, h5py.Dataset):
                found[name].update(values=item[()], dtype=item.dtype, chunks=item.chunks)

        file.visititems(add)
    return found


def assert_same_contents(one, other):
    first, second = contents(one), contents(other)
    assert first.keys() == second.keys()
    for name, entries in first.items():
        np.testing.assert_equal(entries, second[name], err_msg=name)
