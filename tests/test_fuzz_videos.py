"""A thousand damaged videos, images, box files and lists: each is taken or refused in one line, and leaves no ruin.

``IDT_MUTANTS`` and ``IDT_SEED`` ask for more, or for others; ``make soak`` does.
"""

import os

import pytest

from idt.params.decoder import is_installed
from tests.fuzz import harness, videos

pytestmark = pytest.mark.slow

MUTANTS = int(os.environ.get("IDT_MUTANTS", "1000"))
SEED = int(os.environ.get("IDT_SEED", "0"))


def test_no_mutant_of_a_video_crashes_hangs_or_leaves_a_file_that_is_not_whole(capsys):
    report = harness.tried("videos", capsys, seed=SEED, mutants=MUTANTS)
    # Decoders forgive much: neither all refused nor all accepted.
    assert report.counts["accepted"] > MUTANTS / 10
    assert report.counts["refused"] > MUTANTS / 10


def test_the_intact_inputs_give_frames_and_some_give_tracks(tmp_path):
    found = videos.intact(videos.prepare(tmp_path), tmp_path)
    assert {name: frames for name, (frames, _) in found.items()} == {
        "FFV1.avi": 6, "MJPG.avi": 6, "mp4v.mp4": 6, "FFV1.mkv": 6, "XVID.avi": 6, "stack.tif": 6,
        "png": 3, "jpg": 3, "tif": 3, "pgm": 3,
        **(dict.fromkeys(("h264.mp4", "fields.mpg", "vp9.webm", "gif.gif"), 6) if is_installed() else {}),
    }  # fmt: skip
    assert all(tracks > 0 for name, (_, tracks) in found.items() if "." in name)
