"""`idt.batch.renew`: every file of an earlier release becomes one of the present form with the same content."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from encoding.codebook import Codebook
from idt.batch import renew
from idt.errors import DataError
from idt.features import feature_file
from idt.features.storage import PLAIN, Storage
from idt.files import hdf5
from tests.commands import refused
from tests.hostile import hdf5_earlier
from tests.hostile.contents import content, flat
from tests.samples import random_features

EARLIER = Path(__file__).resolve().parent / "data" / "earlier"
KINDS = sorted(path.stem for path in EARLIER.glob("*.h5"))


def rewritten(name, folder):
    """A file of the earlier release in the present form, rewritten in this process."""
    with renew.hdf5_earlier.opened(EARLIER / f"{name}.h5") as file:
        renew.rewrite(file, EARLIER / f"{name}.h5", folder / f"{name}.h5", True)
    return folder / f"{name}.h5"


def numbers(path):
    """Every dataset of a file, by the last parts of its name."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: found.update({name: item[...]}) if isinstance(item, h5py.Dataset) else None)
    return found


@pytest.mark.parametrize("name", KINDS)
def test_every_number_and_text_is_kept(tmp_path, name):
    before, after = numbers(EARLIER / f"{name}.h5"), numbers(rewritten(name, tmp_path))
    if name == "scores":
        blocks = [before.pop(f"descriptors/{block}") for block in ("hog", "all")]
        before["descriptors"] = np.array(blocks)
    assert len(before) == len(after)
    for (_, one), (_, other) in zip(sorted(before.items(), key=place), sorted(after.items(), key=place), strict=True):
        np.testing.assert_array_equal(other, one)
        assert other.dtype == one.dtype or one.dtype == object
    with h5py.File(EARLIER / f"{name}.h5") as old, h5py.File(tmp_path / f"{name}.h5") as new:
        same = set(old.attrs) - {"version", "tool"}
        assert set(old.attrs) == set(new.attrs)
        found = [value.decode() if isinstance(value := new.attrs[key], bytes) else value for key in sorted(same)]
        # A rate that is unknown is NaN, which is not equal to itself.
        assert str(found) == str([old.attrs[key] for key in sorted(same)])
    assert content(tmp_path / f"{name}.h5")


def place(item):
    """Where a dataset lies now, for one that lay elsewhere."""
    name = item[0]
    for old, new in (("tracks/st", "tracks/points/st"), ("/volume_", "/volume/"), ("/second_", "/second/")):
        name = name if new in name or "tracks/std" in name else name.replace(old, new)
    return name


@pytest.mark.parametrize(("name", "options"), [("plain", {}), ("compact", {"compact": True})])
def test_features_are_those_that_are_written_now(tmp_path, name, options):
    feature_file.save(random_features(3, seed=1, frames=18), tmp_path / "now.h5", **options)
    assert flat(feature_file.load(tmp_path / "now.h5")) == content(rewritten(name, tmp_path))


def test_a_codebook_keeps_its_digest_so_that_its_vectors_stay_its_own(tmp_path):
    for name in ("codebook", "stacked"):
        with h5py.File(EARLIER / f"{name}.h5") as file:
            digest = file.attrs["digest"]
        assert Codebook.load(rewritten(name, tmp_path)).digest == digest


def test_rewriting_twice_gives_the_same_bytes(tmp_path):
    first = rewritten("model", tmp_path).read_bytes()
    assert rewritten("model", tmp_path).read_bytes() == first


@pytest.mark.slow
def test_the_command_rewrites_and_what_was_refused_is_read(command, tmp_path):
    source = EARLIER / "plain.h5"
    done = command("idt-convert", source, "-o", tmp_path / "a.txt", status=2)
    assert refused(done, "was written by an earlier release; rewrite it first: idt-convert .* -o NEW.h5")
    _, out, _ = command("idt-convert", source, "-o", tmp_path / "a.h5")
    assert out == f"{tmp_path / 'a.h5'}: rewritten in the present form\n"
    command("idt-convert", tmp_path / "a.h5", "-o", tmp_path / "a.txt")
    assert (tmp_path / "a.h5").read_bytes() == rewritten("plain", tmp_path).read_bytes()


def test_what_needs_no_rewriting_is_left_to_the_conversion(tmp_path):
    feature_file.save(random_features(3), tmp_path / "now.h5")
    assert not renew.applies(tmp_path / "now.h5", tmp_path / "b.h5", PLAIN)
    assert renew.applies(EARLIER / "plain.h5", tmp_path / "b.h5", PLAIN)
    with pytest.raises(DataError, match="was written by an earlier release; rewrite it first"):
        renew.applies(EARLIER / "plain.h5", tmp_path / "b.h5", Storage(compact=True))
    with pytest.raises(DataError, match="nothing to rewrite"), renew.hdf5_earlier.opened(tmp_path / "now.h5"):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("forge", [hdf5_earlier.endless_heap, hdf5_earlier.one_text_many_times])
def test_a_file_that_is_damaged_ends_its_process_and_no_other(tmp_path, monkeypatch, forge):
    monkeypatch.setattr(renew, "SECONDS", 3)
    path = forge(tmp_path / "v.h5")
    with pytest.raises(DataError, match=r"v\.h5 is damaged"):
        renew.renew(path, tmp_path / "new.h5")
    assert [item.name for item in tmp_path.iterdir()] == ["v.h5"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "idt-other"}, "which no release wrote"),
        ({"version": 9}, "which no release wrote"),
        ({"extra": np.arange(3)}, "neither text nor a number"),
    ],
)
def test_what_no_release_wrote_is_not_rewritten(tmp_path, change, words):
    path = hdf5_earlier.vectors(tmp_path / "v.h5", **change)
    with pytest.raises(DataError, match=words), renew.hdf5_earlier.opened(path) as file:
        renew.rewrite(file, path, tmp_path / "new.h5", False)
    assert not (tmp_path / "new.h5").exists()


def test_nothing_outside_the_file_is_copied(tmp_path):
    path = hdf5_earlier.vectors(tmp_path / "v.h5")
    (tmp_path / "secret").write_bytes(bytes(144))
    layout = h5py.VirtualLayout((3, 12), "f4")
    layout[...] = h5py.VirtualSource(str(tmp_path / "x.h5"), "x", (3, 12))

    def replace(make):
        with h5py.File(path, "r+", libver=("v110", "v110")) as file:
            del file["encodings"]
            make(file)

    for make, words in (
        (lambda file: file.__setitem__("encodings", h5py.ExternalLink("x.h5", "/x")), "more than our files do"),
        (lambda file: file.create_virtual_dataset("encodings", layout), "outside the file"),
        (lambda file: file.create_dataset("encodings", (3, 12), "f4", external=[(str(tmp_path / "secret"), 0, 144)]),
         "outside the file"),
        (lambda file: file.create_dataset("encodings", (2**40,), "u1", chunks=(2**20,)), "more than the file can hold"),
        (lambda file: file.create_dataset("encodings", data=np.ones(9), chunks=(3,), compression="lzf"), "foreign"),
    ):  # fmt: skip
        replace(make)
        with pytest.raises(DataError, match=words), renew.hdf5_earlier.opened(path) as file:
            renew.rewrite(file, path, tmp_path / "new.h5", True)
    assert hdf5.is_ours(path)
