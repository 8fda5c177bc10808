"""Thousands of damaged and forged files: each is read or refused in one line, and the process lives on.

``IDT_MUTANTS`` and ``IDT_SEED`` ask for more, or for others; ``make soak`` does.
"""

import os

import numpy as np
import pytest

from tests.fuzz import files, harness

pytestmark = pytest.mark.slow

MUTANTS = int(os.environ.get("IDT_MUTANTS", "5000"))
SEED = int(os.environ.get("IDT_SEED", "0"))


def test_no_mutant_of_a_file_crashes_hangs_or_fills_the_memory(capsys):
    report = harness.tried("files", capsys, seed=SEED, mutants=MUTANTS, jobs=2)
    # Neither all refused nor all accepted: the mutants reach the readers, and the readers look.
    assert report.counts["accepted"] > MUTANTS / 50
    assert report.counts["refused"] > MUTANTS / 2


def test_the_intact_files_are_accepted(tmp_path):
    for path, reader in files.prepare(tmp_path):
        reader(path)


MISBEHAVIOUR = {
    "crash": "os.abort()",
    "hang": "time.sleep(60)",
    "memory": "np.zeros(2 << 30, np.uint8)",
    "error": "raise KeyError('a bug of ours')",
}


@pytest.mark.parametrize("kind", list(MISBEHAVIOUR))
def test_the_harness_notices(kind, tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "PATIENCE", 1.0)
    (tmp_path / f"misbehaving_{kind}.py").write_text(
        "import os, time\n"
        "import numpy as np\n"
        "def prepare(folder):\n"
        "    return [0]\n"
        "def attempt(state, rng, folder):\n"
        "    if rng.integers(2):\n"
        f"        {MISBEHAVIOUR[kind]}\n"
        "    return 'accepted', ''\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    expected = sum(int(np.random.default_rng([0, number]).integers(2)) for number in range(6))
    report = harness.run(f"misbehaving_{kind}", mutants=6)
    assert 0 < expected < 6
    assert report.counts == {kind: expected, "accepted": 6 - expected}
    assert len(report.failures) == expected
    assert f"{expected} {kind}" in str(report)
