from types import SimpleNamespace

import numpy as np
import pytest

from idt.errors import DataError
from idt.steps.tracks import LiveTracks
from tests.reference import tracks as reference

# A mean of a few float32 numbers of magnitude one, summed in another order.
MEAN = 1e-6

SIZE = (30, 40)


def constant_flow(u, v):
    return np.broadcast_to(np.float32([u, v]), (*SIZE, 2))


def steps_of(tracks, value=0.0, size=2):
    return np.full((len(tracks), size), value, np.float32)


def advance(tracks, flow, flow_warp, steps):
    """One step, described by ``steps``, (n, D)."""
    used = tracks.rows >= 0
    tracks.sums[tracks.rows[used]] += steps[used]
    ended = tracks.advance(flow, flow_warp)
    return SimpleNamespace(**ended._asdict(), histograms=tracks.histograms(ended.slots))


def run(tracks, flow, flow_warp, n):
    """Advance n times with the histograms 0, 1, 2 …; what finished at each time."""
    return [advance(tracks, flow, flow_warp, steps_of(tracks, k)) for k in range(n)]


# Worked examples


def test_a_point_in_a_constant_flow_goes_straight():
    tracks = LiveTracks(3, 3, 2)
    tracks.start(np.float32([[10, 12]]))
    early, late, last = run(tracks, constant_flow(1.5, -0.5), constant_flow(0.25, 1), 3)
    assert len(early.points) == len(late.points) == 0
    assert last.points.tolist() == [[[10, 12], [11.5, 11.5], [13, 11], [14.5, 10.5]]]
    assert last.displacements.tolist() == [[[0.25, 1]] * 3]
    assert last.histograms.tolist() == [[[0, 0], [1, 1], [2, 2]]]
    assert len(tracks) == 0


def test_each_time_cell_is_the_mean_of_its_steps():
    tracks = LiveTracks(15, 3, 2)
    tracks.start(np.float32([[10, 12]]))
    finished = run(tracks, constant_flow(0, 0), constant_flow(0, 0), 15)[-1]
    # Steps 0–4, 5–9 and 10–14.
    assert finished.histograms[0, :, 0].tolist() == [2, 7, 12]


def test_leftover_steps_are_not_used():
    tracks = LiveTracks(10, 3, 2)
    tracks.start(np.float32([[10, 12]]))
    finished = run(tracks, constant_flow(0, 0), constant_flow(0, 0), 10)[-1]
    # Groups of 10 // 3 steps: 0–2, 3–5 and 6–8; step 9 is left over.
    assert finished.histograms[0, :, 0].tolist() == [1, 4, 7]


def test_the_rows_of_the_sums_go_with_the_steps():
    tracks = LiveTracks(5, 2, 2)
    tracks.start(np.float32([[10, 12], [20, 12]]))
    rows = []
    for _ in range(5):
        rows.append(tracks.rows.tolist())
        tracks.advance(constant_flow(0, 0), constant_flow(0, 0))
    # Two time cells of two steps for each track; the fifth step is left over.
    assert rows == [[0, 2], [0, 2], [1, 3], [1, 3], [-1, -1]]


def test_the_flow_is_read_at_the_rounded_position():
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[7, 13] = 1, 2
    flow[8, 13] = 3, 4
    flow[8, 14] = 5, 6
    tracks = LiveTracks(1, 1, 2)
    # Halves go to the even neighbour: 12.5 to 12, 13.5 to 14, 7.5 to 8.
    tracks.start(np.float32([[13.4, 7.49], [13.4, 7.5], [13.5, 8.2], [12.5, 7]]))
    moved = advance(tracks, flow, flow, steps_of(tracks)).displacements[:, 0]
    assert moved.tolist() == [[1, 2], [3, 4], [5, 6], [0, 0]]


def test_the_flow_of_the_last_pixel_moves_what_rounds_beyond_it():
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[-1, -1] = -5, -6
    tracks = LiveTracks(1, 1, 2)
    tracks.start(np.float32([[39.75, 29.75]]))
    assert advance(tracks, flow, flow, steps_of(tracks)).points[0, 1].tolist() == [34.75, 23.75]


@pytest.mark.parametrize(
    ("to", "lives"),
    [((0, 15), False), ((0.01, 15), True), ((20, 0), False), ((20, 0.01), True), ((-3, 15), False)]
    + [((40, 15), False), ((39.99, 15), True), ((20, 30), False), ((20, 29.99), True), ((20, 99), False)],
)
def test_a_point_that_lands_on_or_beyond_the_border_is_dropped(to, lives):
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[15, 20] = np.float32(to) - np.float32([20, 15])
    tracks = LiveTracks(1, 1, 2)
    tracks.start(np.float32([[20, 15]]))
    assert len(advance(tracks, flow, flow, steps_of(tracks)).points) == lives
    assert len(tracks) == 0


def test_a_flow_that_is_no_number_loses_the_track():
    flow = np.zeros((*SIZE, 2), np.float32)
    flow[15, 20] = np.nan
    tracks = LiveTracks(5, 1, 2)
    tracks.start(np.float32([[20, 15], [10, 10]]))
    advance(tracks, flow, flow, steps_of(tracks))
    assert tracks.positions.tolist() == [[10, 10]]


def test_without_tracks_nothing_finishes():
    tracks = LiveTracks(15, 3, 132)
    for finished in (tracks.none_finished(), tracks.advance(constant_flow(0, 0), constant_flow(0, 0))):
        histograms = tracks.histograms(finished.slots)
        assert finished.points.shape == (0, 16, 2)
        assert finished.displacements.shape == (0, 15, 2)
        assert histograms.shape == (0, 3, 132)
        assert {a.dtype for a in (finished.points, finished.displacements, histograms)} == {np.dtype(np.float32)}
    assert tracks.positions.shape == (0, 2)


# Rival


@pytest.mark.parametrize(("length", "time_cells"), [(15, 3), (10, 3), (4, 4), (1, 1), (7, 2)])
def test_tracks_are_those_of_the_specification(length, time_cells):
    rng = np.random.default_rng(length)
    tracks, live = LiveTracks(length, time_cells, 5), []
    n_finished = n_lost = 0
    for frame in range(length + 12):
        # More than 256 at once, so that the arrays grow while tracks are live.
        new = (rng.random((300 if frame == 3 else 20, 2)) * (38, 28) + 1).astype(np.float32)
        tracks.start(new)
        live += [reference.Track(point) for point in new]
        np.testing.assert_array_equal(tracks.positions, [track.points[-1] for track in live])
        flow, flow_warp = rng.normal(0, 1.5, (2, *SIZE, 2)).astype(np.float32)
        steps = rng.random((len(live), 5), dtype=np.float32)
        before = len(live)
        finished = advance(tracks, flow, flow_warp, steps)
        live, expected = reference.advance(live, flow, flow_warp, steps, length, time_cells)
        assert len(finished.points) == len(expected)
        assert len(tracks) == len(live)
        for n, (points, displacements, means) in enumerate(expected):
            np.testing.assert_array_equal(finished.points[n], points)
            np.testing.assert_array_equal(finished.displacements[n], displacements)
            np.testing.assert_allclose(finished.histograms[n], means, atol=MEAN)
        n_finished += len(expected)
        n_lost += before - len(live) - len(expected)
    assert n_finished > 50
    assert n_lost > 10


# Laws


def test_tracks_finish_in_the_order_in_which_they_began():
    tracks = LiveTracks(3, 1, 2)
    flow = constant_flow(0.5, 0)
    order = []
    for k in range(6):
        tracks.start(np.float32([[5 + k, 10], [5 + k, 20], [39, 5]]))
        order += advance(tracks, flow, flow, steps_of(tracks)).points[:, 0].tolist()
    # (39, 5) leaves on the right in its second step, and does not disturb the others.
    assert order == [[5 + k, y] for k in range(4) for y in (10, 20)]


def test_what_finished_is_not_changed_by_what_follows():
    tracks = LiveTracks(1, 1, 2)
    tracks.start(np.float32([[10, 12]]))
    first = advance(tracks, constant_flow(1, 0), constant_flow(1, 0), steps_of(tracks, 3))
    kept = {name: array.copy() for name, array in vars(first).items()}
    tracks.start(np.float32([[5, 5], [6, 6]]))
    advance(tracks, constant_flow(0, 1), constant_flow(0, 1), steps_of(tracks, 9))
    for name, old in kept.items():
        np.testing.assert_array_equal(getattr(first, name), old)


def test_a_new_track_inherits_nothing_from_a_lost_one():
    tracks = LiveTracks(2, 1, 2)
    tracks.start(np.float32([[39, 12]]))
    advance(tracks, constant_flow(2, 0), constant_flow(2, 0), steps_of(tracks, 100))
    assert len(tracks) == 0
    tracks.start(np.float32([[10, 12]]))
    finished = run(tracks, constant_flow(2, 0), constant_flow(2, 0), 2)[-1]
    assert finished.histograms.tolist() == [[[0.5, 0.5]]]
    assert finished.points.tolist() == [[[10, 12], [12, 12], [14, 12]]]


# Refusals


def test_both_flows_have_one_size():
    tracks = LiveTracks(15, 3, 2)
    with pytest.raises(DataError, match=r"one shape, got \(30, 40, 2\) and \(29, 40, 2\)"):
        advance(tracks, constant_flow(0, 0), constant_flow(0, 0)[1:], steps_of(tracks))
