"""Comparison of our tracks with the release's: which tracks are the same, and how much their numbers differ."""

import numpy as np
from scipy.spatial import cKDTree

BLOCKS = ("trajectory", "hog", "hof", "mbhx", "mbhy")

# Two builds of the release itself agree on 99.98 % of the tracks; a track near a threshold of the selection may fall
# either way, and RANSAC may draw another homography where a match differs in the last bit.
SHARE = 0.995
# The golden histograms are float16, an error of 2e-4; our files store multiples of 1/1024, up to 3e-3 for small bins.
MEDIAN_ERROR = 0.004
LARGE_ERROR = 0.1
# Two tracks are the same if no two of their points are farther apart, px.
SAME = 0.5


def reference(folder, last=np.inf):
    """Read the release's tracks that end by frame ``last``."""
    golden = dict(np.load(folder / "tracks.npz"))
    info = golden["info"].astype(float)
    chosen = info[:, 0] <= last
    tracks = {"frame": info[chosen, 0], "scale": info[chosen, 6], "points": golden["points"][chosen].astype(float)}
    tracks["summary"] = info[chosen, 1:6]
    tracks["position"] = info[chosen, 7:10]
    return tracks | {name: golden[name][chosen].astype(float) for name in BLOCKS}


def match(reference, features):
    """Match each reference track with one of ours: its index, or −1; a track of ours serves once."""
    n_points = reference["points"].shape[1]
    own = features.points[:, :n_points].astype(float)
    found = np.full(len(reference["frame"]), -1)
    if not len(found) or not len(own):
        return found
    _, index = cKDTree(_keys(features.frame, features.scale, own[:, 0])).query(
        _keys(reference["frame"], reference["scale"], reference["points"][:, 0])
    )
    apart = np.sqrt(((reference["points"] - own[index]) ** 2).sum(2)).max(1)
    same = (features.frame[index] == reference["frame"]) & (apart < SAME)
    same &= np.abs(features.scale[index] - reference["scale"]) < 0.01
    used = set()
    for i in np.argsort(apart, kind="stable"):
        if same[i] and index[i] not in used:
            used.add(index[i])
            found[i] = index[i]
    return found


def assert_same_tracks(features, reference):
    """Assert that both have at least 99.5 % of the other's tracks, in the same order, with the same numbers."""
    found = match(reference, features)
    hit = found >= 0
    assert hit.mean() >= SHARE, f"{(~hit).sum()} of {len(hit)} reference tracks are not found"
    assert hit.sum() >= SHARE * len(features), f"{len(features) - hit.sum()} of {len(features)} own tracks are unknown"
    for name in BLOCKS:
        expected, own = reference[name][hit], getattr(features, name)[found[hit]]
        error = np.linalg.norm(expected - own, axis=1) / np.linalg.norm(expected, axis=1)
        assert np.median(error) <= MEDIAN_ERROR, name
        assert np.quantile(error, 0.99) <= LARGE_ERROR, name
    own = np.column_stack([features.mean, features.std, features.length])[found[hit]]
    assert np.quantile(np.abs(own - reference["summary"][hit]).max(1), 0.99) <= 0.05
    assert np.quantile(np.abs(features.position[found[hit], :2] - reference["position"][hit, :2]).max(1), 0.99) <= 1e-3
    assert (np.diff(found[hit]) > 0).mean() >= SHARE, "rows are in another order"


def corner_error(a, b, width, height):
    """Compute the largest distance, in pixels, between the image's corners under two homographies."""
    x, y = width - 1, height - 1
    corners = np.array([[0, 0, 1], [x, 0, 1], [0, y, 1], [x, y, 1.0]]).T
    p, q = a @ corners, b @ corners
    return np.abs(p[:2] / p[2] - q[:2] / q[2]).max()


def _keys(frame, scale, first_point):
    return np.column_stack([frame * 1e4, np.round(2 * np.log2(scale)) * 1e7, first_point])
