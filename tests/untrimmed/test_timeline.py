"""Timelines: what is drawn, that the same numbers give the same bytes, and what cannot be drawn."""

import re

import numpy as np
import pytest

from classify.untrimmed import timeline
from classify.untrimmed.segment_videos import Segmented
from classify.untrimmed.segments import Segments
from classify.untrimmed.timeline import panel_of, write_timeline
from classify.untrimmed.window_scores import SliceScores
from idt.errors import DataError

pytest.importorskip("matplotlib")


def segmented(name="v", slices=40):
    """A video of two actions, 5 frames a slice, 10 frames a second."""
    values = np.stack([np.linspace(1, -1, slices), np.linspace(-1, 1, slices)], axis=1)
    scores = SliceScores(name, ["run", "wave"], values, np.zeros(slices, bool), 5, 5 * slices, 10.0)
    found = Segments.of([name] * 2, ["run", "wave"], [(0, slices / 4), (slices / 4, slices / 2)])
    return Segmented(name, found, np.repeat(["run", "wave"], 5 * slices // 2), None, 10.0, scores)


TRUTH = Segments.of(["v", "v", "other"], ["run", "wave", "run"], [(0, 9), (9, 20), (0, 3)])


def test_a_panel_has_the_truth_above_and_the_scores_below():
    panel = panel_of(segmented(), TRUTH)
    assert [row.name for row in panel.rows] == ["true", "predicted"]
    assert panel.rows[0].spans.tolist() == [[0, 9], [9, 20]]
    assert panel.seconds == 20.0
    np.testing.assert_allclose(panel.times, np.arange(40) / 2 + 0.25)
    assert [row.name for row in panel_of(segmented()).rows] == ["predicted"]


def test_a_long_video_is_drawn_with_means_of_neighbours(monkeypatch):
    monkeypatch.setattr(timeline, "MOST_POINTS", 10)
    found = segmented(slices=42)
    panel = panel_of(found)
    assert len(panel.times) == 9
    np.testing.assert_allclose(panel.scores[0], found.scores.values[:5].mean(axis=0))
    np.testing.assert_allclose(panel.scores[-1], found.scores.values[40:].mean(axis=0))


@pytest.mark.slow
def test_the_same_numbers_are_the_same_picture(tmp_path):
    panels = [panel_of(segmented(), TRUTH), panel_of(segmented("$other$"), TRUTH)]
    for suffix, head in ((".png", b"\x89PNG"), (".svg", b"<?xml")):
        for name in ("a", "b"):
            write_timeline(tmp_path / f"{name}{suffix}", panels, ["run", "wave"])
        content = (tmp_path / f"a{suffix}").read_bytes()
        assert content.startswith(head)
        assert content == (tmp_path / f"b{suffix}").read_bytes()


def test_what_cannot_be_drawn_is_refused(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=re.escape("must end in .png or .svg")):
        write_timeline(tmp_path / "a.gif", [panel_of(segmented())], ["run", "wave"])
    with pytest.raises(DataError, match="shows 1 to 20 videos, got 0"):
        write_timeline(tmp_path / "a.png", [], ["run", "wave"])
    monkeypatch.setattr(timeline, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="matplotlib is not installed"):
        write_timeline(tmp_path / "a.png", [panel_of(segmented())], ["run", "wave"])
    assert not list(tmp_path.iterdir())
