"""`bovw-encode`, `vlad-encode`, `sfv-encode`, as users meet them; what `fv-encode` shares with them is tested there."""

import dataclasses
import re
import subprocess
import sys

import numpy as np
import pytest

import idt
from encoding import BovwEncoder, VladEncoder
from encoding.codebook import Codebook
from encoding.vectors_file import load_vectors
from idt.params.extraction import ExtractionParams
from tests.samples import random_features

NAMES = ["hop/ann", "hop/bob", "walk/ann", "walk/bob"]


@pytest.fixture
def command(command, working_folder):
    """Run a command beside the folder of features: exit status, stdout, stderr."""
    for i, name in enumerate(NAMES):
        path = working_folder / "features" / f"{name}.h5"
        path.parent.mkdir(parents=True, exist_ok=True)
        video = random_features(40 + i, seed=i)
        idt.save(dataclasses.replace(video, source={**video.source, "name": name}), path, float32=True)
    (working_folder / "labels.csv").write_text("name,label\n" + "".join(f"{name},{name[:3]}\n" for name in NAMES))
    return command


BAG = ("--k", 5, "--seeds", 2, "--blocks", "hog")
STACK = ("--k", 2, "--first-k", 2, "--blocks", "hog", "--least", 3, "--volumes", "1x1x20,2x2x20", "--reduced", 5)


@pytest.mark.slow
def test_words_are_counted_as_the_encoder_does(command, tmp_path):
    status, out, err = command("bovw-encode", *BAG, "features", "-o", "v.h5", "--coding", "somp", "--atoms", 2)
    assert status == 0
    lines = out.splitlines()
    assert re.fullmatch(
        r"v.codebook.h5: 5 words and distortions for hog \([\d.]+\), fitted on 166 of 166 tracks of 4 videos", lines[0]
    )
    assert lines[1] == "v.h5: 4 vectors of 10 numbers"
    assert err == "bovw-encode: no --train list, so the codebook was fitted on all 4 videos\n"
    files = sorted((tmp_path / "features").rglob("*.h5"))
    encoder = BovwEncoder.from_codebook(Codebook.load("v.codebook.h5"), coding="somp", atoms=2)
    np.testing.assert_array_equal(load_vectors("v.h5").encodings, encoder.transform(files))
    # Another coding needs no other words.
    assert command("bovw-encode", "features", "-o", "w.h5", "--codebook", "v.codebook.h5")[1] == (
        "w.h5: 4 vectors of 5 numbers\n"
    )
    assert (
        command("bovw-encode", *BAG, "features", "-o", "v.h5", "--coding", "somp", "--atoms", 2)[1].count("date") == 2
    )


def test_vlad_is_that_of_the_encoder(command, tmp_path):
    words = ("--k", 3, "--blocks", "hog", "--power", 0.5, "--no-intra", "--pyramid", "1x1x1,1x2x1")
    assert command("vlad-encode", *words, "features", "-o", "v.h5", "--quiet")[0] == 0
    files = sorted((tmp_path / "features").rglob("*.h5"))
    options = {"power": 0.5, "intra": False, "pyramid": "1x1x1,1x2x1"}
    encoder = VladEncoder.from_codebook(Codebook.load("v.codebook.h5"), **options)
    found = load_vectors("v.h5")
    np.testing.assert_array_equal(found.encodings, encoder.transform(files))
    assert [part["cell"] for part in found.layout] == ["whole", "1x2x1[0,0,0]", "1x2x1[0,1,0]"]


@pytest.mark.slow
def test_labels_make_the_stacked_codebook(command, tmp_path):
    status, out, err = command("sfv-encode", *STACK, "features", "-o", "v.h5", "--labels", "labels.csv")
    assert status == 0
    assert out.startswith("v.codebook.h5: mixtures of 2 and 2 components for hog, fitted on")
    assert "principal" not in err
    err = command("sfv-encode", *STACK, "features", "-o", "w.h5")[2]
    assert "no --labels, so principal components stand in for the max-margin projection" in err
    assert Codebook.load("v.codebook.h5").digest != Codebook.load("w.codebook.h5").digest
    again = command("sfv-encode", *STACK, "features", "-o", "v.h5", "--labels", "labels.csv")
    assert again[1].count("up to date") == 2
    (tmp_path / "files.csv").write_text("video,class\n" + "".join(f"{name}.avi,{name[:3]}\n" for name in NAMES))
    again = command("sfv-encode", *STACK, "features", "-o", "v.h5", "--labels", "files.csv")
    assert again[1].count("up to date") == 2
    assert "video,class, was taken for the header" in again[2]
    assert "hop/ann.avi is hop/ann" in again[2]
    (tmp_path / "labels.csv").write_text("".join(f"{name},{i}\n" for i, name in enumerate(NAMES)))
    status, _, err = command("sfv-encode", *STACK, "features", "-o", "v.h5", "--labels", "labels.csv", status=2)
    assert status == 2
    assert "labels_digest" in err


def test_a_codebook_of_another_command_is_refused_by_name(command):
    command("vlad-encode", "--k", 3, "--blocks", "hog", "features", "-o", "v.h5")
    status, out, err = command("bovw-encode", "features", "-o", "w.h5", "--codebook", "v.codebook.h5", status=2)
    assert (status, out) == (2, "")
    assert err == "bovw-encode: v.codebook.h5 is a codebook of VLAD; use vlad-encode\n"


def test_some_skips_of_the_features_are_encoded(command, tmp_path):
    folder = tmp_path / "two"
    folder.mkdir()
    for i in range(4):
        video = random_features(40, seed=i, params=ExtractionParams(skips="1,2"))
        video.skip = np.random.default_rng(i).integers(1, 3, 40).astype(np.uint8)
        idt.save(video, folder / f"{i}.h5", float32=True)
    out = command("fv-encode", "--k", 2, "--blocks", "hog", "--only-skips", 2, "two", "-o", "v.h5")[1]
    chosen = sum(int((np.random.default_rng(i).integers(1, 3, 40) == 2).sum()) for i in range(4))
    assert f"fitted on {chosen} of {chosen} tracks of 4 videos" in out


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("hop/ann\n", "labels.csv, line 1: expected name,label, each name once, got 'hop/ann'"),
        ("hop/ann,a\nhop/ann,b\n", "line 2: expected name,label, each name once"),
        ("\n", "holds no lines of name,label"),
        ("hop/ann,a\n", "every training video needs a label, hop/bob and 2 more have none"),
    ],
)
def test_labels_that_are_none_are_refused(command, tmp_path, labels, message):
    (tmp_path / "labels.csv").write_text(labels)
    status, out, err = command("sfv-encode", *STACK, "features", "-o", "v.h5", "--labels", "labels.csv", status=2)
    assert (status, out) == (2, "")
    assert message in err
    assert not list(tmp_path.glob("*.h5"))


@pytest.mark.parametrize("name", ["bovw-encode", "vlad-encode", "sfv-encode"])
def test_help_comes_at_once(name):
    loaded = (
        "import sys, encoding.cli\n"
        f"try: encoding.cli.{name.replace('-', '_')}(['--help'])\n"
        "finally: print([name for name in ('cv2', 'numba', 'sklearn', 'h5py', 'numpy') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert found.stdout.rstrip().splitlines()[-2].startswith(f"example: {name} ")
    assert found.stdout.endswith("\n[]\n")
