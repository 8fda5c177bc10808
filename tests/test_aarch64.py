"""How extractions of two processors are compared, and when there is nothing to compare."""

import re
import sys

import pytest

from tests import aarch64
from tests.samples import random_features


def test_equal_extractions_are_called_identical():
    features = random_features(20)
    assert aarch64.difference(features, features) == (
        "20 of 20 tracks, of 20 there, points within 0.0e+00 px, descriptors within 0.0e+00, identical"
    )


def test_the_largest_difference_of_points_and_the_tracks_that_are_missing_are_said():
    one, other = random_features(20), random_features(20)
    other.points[3, 2, 1] += 0.25
    other.points[7] += 5
    said = aarch64.difference(one, other)
    assert said.startswith("19 of 20 tracks, of 20 there, points within 2.5e-01 px")
    assert "identical" not in said
    assert aarch64.difference(one, other[:0]) == "0 of 20 tracks, of 0 there"


def test_without_the_emulator_it_is_skipped_with_the_reason(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["aarch64", "--root", str(tmp_path / "arm")])
    monkeypatch.setenv("PATH", str(tmp_path))
    assert aarch64.main() == 0
    assert re.match(
        r"aarch64: skipped, for qemu-aarch64-static \(qemu-user-static\), .* missing", capsys.readouterr().out
    )
    assert not (tmp_path / "arm").exists()


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(SystemExit, match="link is somebody else's"):
        aarch64._own_folder(tmp_path / "link")
