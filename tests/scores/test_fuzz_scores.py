"""Thousands of damaged and forged score files: each is read or refused in one line, and nothing in one is run.

``IDT_MUTANTS`` and ``IDT_SEED`` ask for more, or for others; ``make soak`` does.
"""

import os

import pytest

from tests.fuzz import harness, scores

MUTANTS = int(os.environ.get("IDT_MUTANTS", "2000"))
SEED = int(os.environ.get("IDT_SEED", "0"))


@pytest.mark.slow
def test_no_mutant_of_a_score_file_crashes_hangs_fills_the_memory_or_is_run(capsys):
    report = harness.tried("scores", capsys, seed=SEED, mutants=MUTANTS, jobs=2)
    # Neither all refused nor all accepted: the mutants reach the readers, and the readers look.
    assert report.counts["accepted"] > MUTANTS / 50
    assert report.counts["refused"] > MUTANTS / 4


def test_the_intact_score_files_are_accepted(tmp_path):
    for path in scores.prepare(tmp_path):
        scores.read(path)
