"""Any byte of any file of ours may be flipped: the file is refused, or gives back the very same numbers and texts.

``IDT_FLIPS=all`` flips every byte; ``make soak`` does. Otherwise a seeded sample of them.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from encoding.fitting import fit_codebook
from idt.errors import DataError
from tests.fuzz.files import prepare
from tests.hostile.contents import READERS, content
from tests.test_stacked import LABELS, NAMES, SMALL, videos

FLIPS = os.environ.get("IDT_FLIPS", "120")
KINDS = (
    "plain",
    "float32",
    "compact",
    "projected",
    "foreign",
    "codebook",
    "stacked",
    "vectors",
    "model",
    "chi2",
    "scores",
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A small file of every kind."""
    folder = tmp_path_factory.mktemp("files")
    prepare(folder)
    fit_codebook(videos(), NAMES, SMALL, labels=LABELS).save(folder / "intact" / "stacked.h5")
    return folder / "intact"


@pytest.mark.parametrize("kind", KINDS)
def test_a_flipped_byte_is_refused_or_changes_nothing(files, tmp_path, kind):
    path = Path(shutil.copy(files / f"{kind}.h5", tmp_path))
    data, expected = path.read_bytes(), content(path)
    rng = np.random.default_rng(KINDS.index(kind))
    places = (
        np.arange(len(data)) if FLIPS == "all" else rng.choice(len(data), min(int(FLIPS), len(data)), replace=False)
    )
    refused = 0
    for at in places:
        flipped = bytearray(data)
        # One bit, or all.
        flipped[at] ^= int(rng.choice([1, 2, 4, 8, 16, 32, 64, 128, 255]))
        path.write_bytes(flipped)
        try:
            assert content(path) == expected, f"byte {at} of {kind}.h5 changes what is read"
        except DataError:
            refused += 1
    # Much of a small file is unused, but not most.
    assert refused > len(places) / 2


def test_every_kind_of_file_has_its_turn(files):
    assert (
        set(KINDS) == set(READERS) == {path.stem for path in files.glob("*.h5")} - {"codebook-chunks", "vectors-rows"}
    )
