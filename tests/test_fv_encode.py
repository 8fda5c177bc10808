"""`fv-encode`, as a user meets it: exit status, what is printed, what is left on the disk."""

import dataclasses
import functools
import subprocess
import sys

import h5py
import numpy as np
import pytest

import idt
from encoding import FisherEncoder, pipeline
from encoding.codebook import Codebook
from encoding.vectors_file import load_vectors
from idt.features.release import rows as release_rows
from idt.params.extraction import ExtractionParams
from tests import commands
from tests.samples import random_features

NAMES = ["hop/ann", "hop/bob", "walk/ann", "walk/bob"]
TRACKS = [30, 0, 40, 25]


@pytest.fixture
def command(command, working_folder):
    """Run fv-encode in the folder of the features: exit status, stdout, stderr."""
    return functools.partial(command, "fv-encode")


@pytest.fixture
def features(tmp_path):
    """A folder as idt-extract leaves it."""
    folder = tmp_path / "features"
    for i, (name, n) in enumerate(zip(NAMES, TRACKS, strict=True)):
        path = folder / f"{name}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        video = random_features(n, seed=i)
        idt.save(dataclasses.replace(video, source={**video.source, "name": name}), path)
    return folder


def refused(result, pattern):
    """As `commands.refused`, and the command named itself."""
    assert result[2].startswith("fv-encode: ")
    return commands.refused(result, pattern)


def test_a_codebook_is_fitted_and_stored_beside_the_vectors(command, features):
    status, out, err = command("--k", 2, "features", "-o", "vectors.h5")
    assert status == 0
    assert out.splitlines() == [
        "vectors.codebook.h5: mixtures of 2 components for trajectory, hog, hof, mbhx, mbhy, fitted on 95 of 95 tracks"
        " of 3 videos",
        "vectors.h5: 4 vectors of 852 numbers; 1 without tracks: hop/bob",
    ]
    assert err == "fv-encode: no --train list, so the codebook was fitted on all 4 videos\n"
    found = load_vectors("vectors.h5")
    assert (found.names, found.empty) == (NAMES, ["hop/bob"])
    assert found.codebook == Codebook.load("vectors.codebook.h5").digest
    encoder = FisherEncoder(2)
    np.testing.assert_array_equal(
        encoder.fit_transform([features / f"{name}.h5" for name in NAMES]), found.encodings
    )  # fmt: skip


def test_a_second_run_finds_all_up_to_date(command, features, tmp_path):
    first = command("--k", 2, "features", "-o", "vectors.h5", "--quiet")
    assert first[2] == ""
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.h5")}
    status, out, _ = command("--k", 2, "features", "-o", "vectors.h5")
    assert (status, out) == (0, "vectors.codebook.h5: up to date\nvectors.h5: up to date\n")
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.h5")}
    # The results may lie in the folder of the features.
    assert command("--k", 2, ".", "-o", "vectors.h5")[1] == out
    # A lost codebook comes back, and the vectors stay.
    (tmp_path / "vectors.codebook.h5").unlink()
    out = command("--k", 2, "features", "-o", "vectors.h5")[1].splitlines()
    assert out[0].endswith("of 3 videos")
    assert out[1] == "vectors.h5: up to date"


def test_a_stored_codebook_gives_the_same_vectors(command, features):
    command("--k", 2, "features", "-o", "one.h5", "--blocks", "mbhy,hog", "--zero-order")
    status, out, err = command("features/*/*.h5", "-o", "two.h5", "--codebook", "one.codebook.h5", "--zero-order")
    assert (status, err) == (0, "")
    assert out == "two.h5: 4 vectors of 386 numbers; 1 without tracks: hop/bob\n"
    one, two = load_vectors("one.h5"), load_vectors("two.h5")
    np.testing.assert_array_equal(one.encodings, two.encodings)
    assert (one.names, one.layout, one.params) == (two.names, two.layout, two.params)
    assert [part["block"] for part in two.layout] == ["hog", "mbhy"]
    # One video alone has the vector and the name that it has among others.
    command("features/walk/ann.h5", "-o", "three.h5", "--codebook", "one.codebook.h5", "--zero-order")
    three = load_vectors("three.h5")
    assert three.names == ["walk/ann"]
    np.testing.assert_array_equal(three.encodings, one.encodings[2:3])
    assert command("features", "-o", "two.h5", "--codebook", "one.codebook.h5", "--zero-order")[1].endswith(
        "up to date\n"
    )


@pytest.mark.slow
def test_processes_and_threads_leave_the_bytes(command, features, tmp_path):
    for jobs in (1, 2):
        command("--k", 2, "features", "-o", f"{jobs}/v.h5", "--jobs", jobs, "--threads", jobs)
    for name in ("v.h5", "v.codebook.h5"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_only_the_videos_of_the_list_are_fitted_on(command, features, tmp_path):
    (tmp_path / "train.txt").write_text("walk/ann\n\nwalk/bob.avi\nhop/bob\n")
    status, out, err = command("--k", 2, "features", "-o", "v.h5", "--train", "train.txt")
    assert (status, err) == (0, "")
    assert "fitted on 65 of 65 tracks of 2 videos" in out
    assert load_vectors("v.h5").names == NAMES
    (tmp_path / "train.txt").write_text("walk/bob\nhop/bob\nwalk/ann\n")
    assert command("--k", 2, "features", "-o", "v.h5", "--train", "train.txt")[1].count("up to date") == 2
    command("--k", 2, "features/walk", "features/hop/bob.h5", "-o", "only.h5", "--fit-only")
    assert Codebook.load("only.h5").digest == Codebook.load("v.codebook.h5").digest


@pytest.mark.slow
def test_only_a_codebook_is_fitted_on_demand(command, features, tmp_path):
    status, out, _ = command("--k", 2, "--joint", "features", "-o", "codebook.h5", "--fit-only")
    assert status == 0
    assert out.startswith("codebook.h5: mixtures of 2 components for joint, fitted on 95 of 95 tracks")
    assert [path.name for path in tmp_path.glob("*.h5")] == ["codebook.h5"]
    assert command("--k", 2, "--joint", "features", "-o", "codebook.h5", "--fit-only")[1] == "codebook.h5: up to date\n"


def test_the_forms_that_others_wrote_are_encoded(command, tmp_path):
    for i, write in enumerate((release_rows.write_text, release_rows.write_binary)):
        write(random_features(20, seed=i, foreign="binary"), tmp_path / ("a.txt.gz", "b.bin")[i])
    assert command("--k", 2, "a.txt.gz", "b.bin", "-o", "v.h5")[0] == 0
    assert load_vectors("v.h5").names == ["a", "b"]


def test_help_comes_at_once(tmp_path):
    loaded = (
        "import sys, encoding.cli\n"
        "try: encoding.cli.fv_encode(['--help'])\n"
        "finally: print([name for name in ('cv2', 'numba', 'sklearn', 'h5py', 'numpy') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert found.stdout.endswith("example: fv-encode --k 256 features/ -o vectors.h5\n[]\n")


def test_one_video_is_refused_and_the_message_names_the_remedy(command, features):
    assert refused(command("--k", 2, "features/walk/ann.h5", "-o", "v.h5", status=2), "on one video.*--codebook")
    assert refused(command("--k", 2, "features/hop", "-o", "v.h5", status=2), "on one video.*--codebook")


def test_features_that_do_not_go_together_are_refused_and_nothing_is_left(command, features, tmp_path):
    idt.save(random_features(9, params=ExtractionParams(stride=7)), features / "walk" / "eve.h5")
    assert refused(
        command("--k", 2, "features", "-o", "v.h5", status=2),
        r"hop/ann.h5 with stride=5 and .*walk/eve.h5 with stride=7",
    )
    (features / "walk" / "eve.h5").unlink()
    with h5py.File(features / "walk" / "bob.h5", "r+") as file:
        file["descriptors/trajectory"][3, 1] = np.nan
    assert refused(command("--k", 2, "features", "-o", "v.h5", status=2), r"trajectory of .*bob.h5 must be finite")
    (features / "walk" / "bob.h5").write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    assert refused(command("--k", 2, "features", "-o", "v.h5", status=2), r"bob.h5 is damaged")
    assert not list(tmp_path.glob("*.h5"))


def test_wrong_words_are_refused(command, features, tmp_path):
    (tmp_path / "train.txt").write_text("walk/ann\nrun/eve\n")
    (tmp_path / "none.txt").write_text("\n")
    train = ["--k", 2, "features", "-o", "v.h5", "--train"]
    assert refused(command(*train, "train.txt", status=2), "must be among those given, missing are run/eve")
    assert refused(command(*train, "none.txt", status=2), "none.txt names no video")
    assert refused(command(*train, "lost.txt", status=2), "lost.txt: No such file")
    assert refused(
        command(*train, "train.txt", "--codebook", "c.h5", status=2), "goes with neither --train nor --fit-only"
    )
    assert refused(
        command("features", "-o", "v.h5", "--codebook", "c.h5", status=2), "fv-encode: c.h5: No such file or directory$"
    )
    assert refused(command("lost", "-o", "v.h5", status=2), "lost does not exist")
    assert refused(
        command("--k", 0, "features", "-o", "v.h5", status=2), "--k: expected a whole number of at least 1, got '0'"
    )
    assert refused(command("--k", 96, "features", "-o", "v.h5", status=2), "k=96 components need .* holds 95 of 3")
    assert refused(command("--blocks", "mbh", "features", "-o", "v.h5", status=2), "blocks must be some of")
    assert not list(tmp_path.glob("*.h5"))


def test_what_contradicts_the_codebook_is_refused(command, features, tmp_path):
    command("--k", 2, "features", "-o", "v.h5")
    use = ["-o", "w.h5", "--codebook", "v.codebook.h5"]
    assert refused(command("features", *use, "--k", 256, status=2), "fitted with k=2, this run asks for 256")
    idt.save(random_features(9, params=ExtractionParams(length=9)), tmp_path / "short.h5")
    assert refused(command("short.h5", *use, status=2), "with length=15, short.h5 has length=9")
    assert refused(
        command("features", "-o", "w.h5", "--codebook", "v.h5", status=2), "format 'idt-vectors', expected 'idt-code"
    )
    assert not (tmp_path / "w.h5").exists()


def test_another_output_is_not_replaced_unasked(command, features, tmp_path):
    command("--k", 2, "features", "-o", "v.h5")
    before = {path: path.read_bytes() for path in tmp_path.glob("*.h5")}
    assert refused(command("--k", 3, "features", "-o", "v.h5", status=2), "v.codebook.h5 was written with k=2")
    assert refused(command("--k", 2, "features", "-o", "v.h5", "--power", 1, status=2), "v.h5 was written with power")
    assert refused(command("--k", 2, "features/walk", "-o", "v.h5", status=2), "made from a source with digest")
    assert before == {path: path.read_bytes() for path in tmp_path.glob("*.h5")}
    assert command("--k", 3, "features", "-o", "v.h5", "--overwrite")[0] == 0
    assert Codebook.load("v.codebook.h5").params["k"] == 3
    assert load_vectors("v.h5").params["k"] == 3


def test_vectors_of_another_codebook_are_not_called_up_to_date(command, features, tmp_path, monkeypatch):
    command("--k", 2, "features", "-o", "v.h5")
    (tmp_path / "v.codebook.h5").unlink()
    # As if another release had fitted it.
    monkeypatch.setattr(pipeline.Codebook, "digest", "f" * 64)
    assert refused(command("--k", 2, "features", "-o", "v.h5", status=2), "v.h5 was made with another codebook than")
