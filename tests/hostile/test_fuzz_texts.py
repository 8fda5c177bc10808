"""Hundreds of awkward texts: each is read or refused in one line. ``IDT_MUTANTS`` and ``IDT_SEED`` ask for others."""

import os

import pytest

from tests.fuzz import harness, texts

MUTANTS = int(os.environ.get("IDT_MUTANTS", "600"))
SEED = int(os.environ.get("IDT_SEED", "0"))


@pytest.mark.slow
def test_no_mutant_of_a_text_crashes_hangs_or_fills_the_memory(capsys):
    report = harness.tried("texts", capsys, seed=SEED, mutants=MUTANTS)
    # Neither all refused nor all accepted: the mutants reach the readers, and the readers look.
    assert report.counts["accepted"] > MUTANTS / 50
    assert report.counts["refused"] > MUTANTS / 4


def test_the_intact_texts_are_accepted(tmp_path):
    for path, reader in texts.prepare(tmp_path):
        reader(path)
