"""Feature-level fusion: outside vectors in every container, names in every spelling, by training and by protocol."""

import json
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from benchmarks.clips import write_video
from classify.datasets.dataset import Clip, Dataset
from classify.evaluation.resume import VARYING
from classify.fusion.features import read_features
from classify.models.outside_vectors import (
    OutsideBlock,
    OutsideFile,
    read_blocks,
    read_outside_block,
    with_outside_blocks,
)
from classify.svm.linear import LinearSVM
from encoding.vectors_file import VectorsWriter, load_vectors
from idt.errors import DataError
from idt.files import csv_text
from tests import scenes
from tests.commands import refused

SMALL = "--length 5 --time-cells 1 --scales 1 --stride 10 --no-camera --keypoints none --k 2 --blocks hof".split()
NAMES = [f"{label}/v_({label})-;{i}" for label in ("jump", "run", "walk") for i in range(4)]
LABELS = [name.partition("/")[0] for name in NAMES]


def mangled(name):
    """A name as CoViAR writes it."""
    folder, _, stem = name.partition("/")
    return f"data/{folder}/{''.join(char if char.isalnum() else '_' for char in stem)}.mp4"


def vectors(names=NAMES, size=4, seed=0):
    return np.random.default_rng(seed).normal(size=(len(names), size)).astype(np.float32)


def save(path, values, names):
    """Write features in the container that the suffix says, with their names where it can hold them."""
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".npz":
        np.savez(path, features=values, names=np.array(names))
    elif path.suffix == ".mat":
        savemat(path, {"features": values.astype(np.float64), "names": np.array(names, object)[:, None]})
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["features"] = values
            file["names"] = np.array(names, h5py.string_dtype())
    else:
        rows = [[name, *map(float, row)] for name, row in zip(names, values, strict=True)]
        path.write_text(csv_text.dumps([["name", *(f"f{i}" for i in range(values.shape[1]))], *rows]))
    return path


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat", ".h5", ".csv"])
def test_features_are_read_from_every_container(tmp_path, suffix):
    path = save(tmp_path / f"c3d{suffix}", vectors(), NAMES)
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    found = read_features(path, tmp_path / "names.txt" if suffix == ".npy" else None)
    assert found.names == NAMES
    assert found.values.dtype == np.float32
    np.testing.assert_array_equal(found.values, vectors())


def test_a_single_column_and_zero_rows_are_features_where_they_are_no_scores(tmp_path):
    found = read_features(save(tmp_path / "one.csv", np.zeros((12, 1), np.float32), NAMES))
    assert found.values.shape == (12, 1)


def test_scores_of_a_network_are_features_too_and_a_matrix_may_lie_down(tmp_path):
    # The form of jeffreyhuang1's two-stream release.
    rows = dict(zip(NAMES, vectors(), strict=True))
    (tmp_path / "rgb.pkl").write_bytes(pickle.dumps(rows, protocol=2))
    found = read_features(tmp_path / "rgb.pkl")
    assert found.names == NAMES
    np.testing.assert_array_equal(found.values, vectors())
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    np.save(tmp_path / "flat.npy", vectors().T)
    np.testing.assert_array_equal(read_features(tmp_path / "flat.npy", tmp_path / "names.txt").values, vectors())


@pytest.mark.parametrize("line", ["{}", "{}.avi 3", "{}.avi", "/data/{}.mp4,3", "{} 120 3"])
def test_an_annotation_file_names_the_rows(tmp_path, line):
    (tmp_path / "list.txt").write_text("\n".join(line.format(name) for name in NAMES))
    extra = read_outside_block(save(tmp_path / "c3d.npy", vectors(), NAMES), tmp_path / "list.txt")
    assert extra.rows_of(NAMES[::-1]) == list(range(12))[::-1]


def test_plain_names_that_look_like_labelled_ones_are_taken_as_they_are(tmp_path):
    names = ["walk 1", "run 2", "hop 3"]
    (tmp_path / "list.txt").write_text("\n".join(names))
    extra = read_outside_block(save(tmp_path / "c3d.npy", vectors(names), names), tmp_path / "list.txt")
    assert extra.rows_of(["hop 3", "walk 1"]) == [2, 0]
    assert extra.rows_of(["hop", "walk"]) == [2, 0]


def test_mangled_names_find_their_rows_and_those_that_cannot_be_told_apart_are_refused():
    extra = OutsideBlock("c3d", [mangled(name) for name in NAMES], vectors())
    assert extra.rows_of(NAMES) == list(range(12))
    with pytest.raises(DataError, match="has no row for hop/new"):
        extra.rows_of([*NAMES, "hop/new"])
    twins = OutsideBlock("c3d", ["clap/a_b_0", "clap/a-b.0"], vectors(["a", "b"]))
    assert twins.rows_of(["clap/a-b.0", "clap/a_b_0"]) == [1, 0]
    with pytest.raises(DataError, match=r"has names that cannot be told apart: .*clap/a_b_0"):
        twins.rows_of(["clap/a b 0"])


def test_files_that_do_not_fit_are_refused(tmp_path):
    path = save(tmp_path / "c3d.npz", vectors(), NAMES)
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    with pytest.raises(DataError, match=r"c3d.npz names the videos of its rows itself; leave .*names.txt out"):
        read_features(path, tmp_path / "names.txt")
    with pytest.raises(DataError, match=r"does not name the videos of its rows; give a list of them, --extra-names"):
        read_features(save(tmp_path / "c3d.npy", vectors(), NAMES))
    with pytest.raises(DataError, match="two outside blocks are called 'c3d'; name one of them, as in NAME="):
        read_blocks([OutsideFile(path), OutsideFile(path)])
    with pytest.raises(DataError, match=r"c3d.csv names jump/\S+ more than once"):
        read_features(save(tmp_path / "c3d.csv", vectors(), [NAMES[0], NAMES[0], *NAMES[2:]]))
    (tmp_path / "bad.csv").write_text("name,f1,f2\na,1,nan\nb,1,2\n")
    with pytest.raises(DataError, match=r"bad.csv must be finite, got 1 NaN"):
        read_features(tmp_path / "bad.csv")


def test_a_block_must_have_a_row_for_every_clip_of_a_set(tmp_path):
    clips = [Clip(name, Path("x.avi"), label) for name, label in zip(NAMES, LABELS, strict=True)]
    dataset = Dataset("folder", tmp_path, clips, [], "", "accuracy", [], [])
    path = save(tmp_path / "c3d.npz", vectors()[1:], NAMES[1:])
    with pytest.raises(DataError, match=r"the outside block 'c3d' has no row for jump/v_\(jump\)-;0"):
        with_outside_blocks(dataset, [OutsideFile(str(path))])
    full = save(tmp_path / "full.npz", vectors(), NAMES)
    found = with_outside_blocks(dataset, [OutsideFile(str(full), None, "c3d")])
    assert [block.name for block in found.outside] == ["c3d"]
    assert found.lists == [str(full)]


@pytest.mark.slow
def test_training_with_mangled_names_gives_the_numbers_of_exact_ones(command, tmp_path):
    layout = [{"block": "hog", "cell": "whole", "first": 0, "size": 3}]
    with VectorsWriter(tmp_path / "v.h5", layout=layout, codebook="c0ffee", params={}, source={"digest": "a"}) as file:
        for name, row in zip(NAMES, vectors(size=3, seed=1), strict=True):
            file.append(name, row)
    (tmp_path / "l.csv").write_text(csv_text.dumps(zip(NAMES, LABELS, strict=True)))
    order = np.random.default_rng(2).permutation(12)
    exact = save(tmp_path / "exact.npz", vectors(), NAMES)
    shuffled = save(tmp_path / "other.h5", vectors()[order], [mangled(NAMES[i]) for i in order])
    printed = []
    for path in (exact, shuffled):
        extra = ("--extra", f"c3d={path}")
        model = tmp_path / f"{path.stem}.model.h5"
        words = ("svm-train", tmp_path / "v.h5", "--labels", tmp_path / "l.csv", "-o", model, *extra)
        assert command(*words)[0] == 0
        assert command(*words)[1].endswith("up to date\n")
        printed.append(command("svm-predict", model, tmp_path / "v.h5", *extra)[1])
    assert printed[0] == printed[1]
    assert "jump/v_(jump)-;0: " in printed[0]


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Scenes that slide to the right and down, two of each, with names that others would mangle."""
    folder = tmp_path_factory.mktemp("films")
    for way, velocity in {"right": (3, 0), "down": (0, 3)}.items():
        (folder / way).mkdir()
        for take in (1, 2):
            film = scenes.translating(14, velocity=velocity, size=(64, 80), seed=take + 2 * (way == "down"))
            write_video(folder / way / f"g{take}_({way})-!.avi", film)
    return folder


def read(folder):
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return {key: value for key, value in report.items() if key not in (*VARYING, "settings")}


@pytest.mark.slow
def test_an_evaluation_with_outside_vectors_keeps_the_protocol(command, films, tmp_path):
    names = [path.relative_to(films).with_suffix("").as_posix() for path in sorted(films.rglob("*.avi"))]
    values = vectors(names, seed=3)
    exact = save(tmp_path / "exact.npz", values, names)
    order = [2, 0, 3, 1]
    other = save(tmp_path / "other.csv", values[order], [mangled(names[i]) for i in order])
    features = ("--features", tmp_path / "features", "--group", "g[0-9]", *SMALL)
    for path, out in ((exact, "a"), (other, "b")):
        words = ("idt-evaluate", "folder", films, "-o", tmp_path / out, "--extra", f"c3d={path}", *features)
        assert command(*words)[0] == 0
    assert read(tmp_path / "a") == read(tmp_path / "b")
    assert list(read(tmp_path / "a")["per_descriptor"]) == ["hof", "c3d"]

    # The slow way: the block beside the vectors of the first split, a machine trained on its training videos.
    fold = tmp_path / "a" / "folds" / "01-g1"
    stored = load_vectors(fold / "vectors.h5")
    block = values[[names.index(name) for name in stored.names]].astype(np.float64)
    block /= np.linalg.norm(block, axis=1, keepdims=True)
    rows = np.hstack([stored.encodings, block])
    train, test = (np.array([name.split("/")[1].startswith(f"g{g}") for name in stored.names]) for g in (2, 1))
    labels = np.array([name.split("/")[0] for name in stored.names])
    wanted = LinearSVM(C=100).fit(rows[train], labels[train].tolist()).scores(rows[test])
    with h5py.File(tmp_path / "a" / "scores" / "split1.h5") as file:
        kept = [name.decode() for name in file["names"][:]]
        found = file["scores"][:]
    at = {name: row for row, name in enumerate(np.array(stored.names)[test])}
    np.testing.assert_allclose(found, wanted[[at[name] for name in kept]], rtol=1e-5)

    # Known to be up to date, and other vectors are other results.
    assert "report.md: up to date\n" in command(*words)[1]
    without = ("idt-evaluate", "folder", films, "-o", tmp_path / "b", *features)
    assert refused(command(*without, status=2), "report.json was made with c3d=[0-9a-f]{64}.*asks for c3d=none")
    save(other, values[order] + 1, [mangled(names[i]) for i in order])
    assert refused(command(*words, status=2), "was made with c3d=.* this run asks for c3d=")
    assert command(*words, "--overwrite")[0] == 0
    assert read(tmp_path / "a") != read(tmp_path / "b")


@pytest.mark.slow
def test_recipes_stand_beside_outside_vectors_or_go_without(command, films, tmp_path):
    names = [path.relative_to(films).with_suffix("").as_posix() for path in sorted(films.rglob("*.avi"))]
    extra = ("--extra", save(tmp_path / "c3d.npz", vectors(names), names))
    (tmp_path / "recipes.ini").write_text("[both]\n[ours]\nextra = no\n")
    words = ("idt-evaluate", "folder", films, "-o", tmp_path / "out", "--group", "g[0-9]", *SMALL)
    words = (*words, "--compare", tmp_path / "recipes.ini", *extra)
    assert command(*words)[0] == 0
    both, ours = (read(tmp_path / "out" / "rows" / name) for name in ("both", "ours"))
    assert (list(both["per_descriptor"]), list(ours["per_descriptor"])) == (["hof", "c3d"], ["hof"])
    assert both["columns"] == ours["columns"] + 4
    assert "comparison.md: up to date\n" in command(*words)[1]
    (tmp_path / "recipes.ini").write_text("[both]\nextra = perhaps\n")
    assert refused(command(*words, status=2), "extra must be yes or no, got 'perhaps'")


def test_a_list_belongs_to_the_file_before_it(command, tmp_path):
    words = ("svm-train", tmp_path / "v.h5", "--labels", tmp_path / "l.csv", "-o", tmp_path / "m.h5")
    assert "must follow the --extra" in command(*words, "--extra-names", "a", "--extra-names", "b", status=2)[2]
    twice = ("--extra", "a", "--extra", "b", "--extra", "c", "--extra-names", "d", "--extra-names", "e")
    assert "--extra-names e must follow" in command(*words, *twice, status=2)[2]
