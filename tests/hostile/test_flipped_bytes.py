"""Any byte of any file of ours may be flipped: the file is refused, or gives back the very same numbers and texts.

``IDT_FLIPS=all`` flips every byte; ``make soak`` does. Otherwise a seeded sample of them.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from idt.batch import renew
from idt.errors import DataError
from tests.hostile.contents import READERS, content

EARLIER = Path(__file__).resolve().parent.parent / "data" / "earlier"
FLIPS = os.environ.get("IDT_FLIPS", "120")
KINDS = sorted(path.stem for path in EARLIER.glob("*.h5"))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A small file of every kind in the present form, rewritten from the earlier one in this process."""
    folder = tmp_path_factory.mktemp("files")
    for name in KINDS:
        with renew.hdf5_earlier.opened(EARLIER / f"{name}.h5") as file:
            renew.rewrite(file, EARLIER / f"{name}.h5", folder / f"{name}.h5", False)
    return folder


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


def test_every_kind_of_file_has_its_turn():
    assert set(KINDS) >= {
        "plain",
        "compact",
        "projected",
        "foreign",
        "codebook",
        "stacked",
        "vectors",
        "model",
        "scores",
    }
    assert set(KINDS) <= set(READERS)
