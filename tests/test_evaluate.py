"""`idt-evaluate`, from films to a report, on generated sets small enough to be evaluated many times."""

import json
import re
import shutil
import sys
from collections import Counter

import h5py
import numpy as np
import pytest

from benchmarks.clips import write_video
from classify import cli
from classify.datasets import hollywood2, registry
from classify.datasets.splits import Split
from classify.evaluation.fold_plan import folder_name
from classify.evaluation.resume import VARYING
from classify.fusion.read import read_scores
from encoding.codebook import Codebook
from encoding.fitting import fit_codebook
from encoding.params import EncodingParams
from encoding.vectors_file import load_vectors
from idt.features import feature_file
from idt.files.source_file import SourceFile
from tests import scenes
from tests.commands import refused
from tests.trees import write

# Short tracks of few points at one scale: what a film of 14 frames bears, extracted in a blink.
SMALL = "--length 5 --time-cells 1 --scales 1 --stride 10 --no-camera --keypoints none --k 2".split()
FRAMES, SIZE = 14, (64, 80)
WAYS = {"right": (3, 0), "down": (0, 3)}


@pytest.fixture
def command(command):
    """Run idt-evaluate with few and short tracks: exit status, stdout, stderr."""
    return lambda *words, **given: command("idt-evaluate", *words, *SMALL, **given)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Scenes that slide to the right and down, two of each."""
    folder = tmp_path_factory.mktemp("films")
    paths = {}
    for way, velocity in WAYS.items():
        for take in (1, 2):
            seed = 2 * len(paths)
            film = scenes.translating(FRAMES, velocity=velocity, size=SIZE, seed=seed)
            paths[way, take] = write_video(folder / f"{way}{take}.avi", film)
    return paths


def tree(root, films, names):
    """A set: for every film the name that it has there."""
    for film, name in names.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(films[film], root / name)
    return root


@pytest.fixture
def clips(tmp_path, films):
    """A folder of two classes, in two groups."""
    return tree(tmp_path / "clips", films, {(way, g): f"{way}/g{g}_{way}.avi" for way in WAYS for g in (1, 2)})


def read(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def lasting(folder):
    """The report but for what may differ from run to run."""
    return {key: value for key, value in read(folder).items() if key not in VARYING}


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


# What a user does.


@pytest.mark.slow
def test_a_folder_of_classes_is_evaluated_from_films_to_a_report(command, clips, tmp_path):
    out = tmp_path / "out"
    status, printed, err = command("folder", clips, "-o", out, "--group", "g[0-9]")
    assert (status, err) == (0, "")
    lines = printed.splitlines()
    assert lines[0] == "folder: accuracy 100.0 %, leave one group out, groups by the pattern g[0-9]"
    assert re.fullmatch(r"trajectory 100.0 %, hog [0-9.]+ %, hof [0-9.]+ %, mbhx [0-9.]+ %, mbhy [0-9.]+ %", lines[1])
    assert lines[2:] == [str(out / "report.md"), f"open {out / 'report.html'}"]
    report = read(out)
    assert report["accuracy"] == report["per_descriptor"]["trajectory"] == 1.0
    assert report["confusion"] == [[2, 0], [0, 2]]
    assert report["per_class"] == {"down": 1.0, "right": 1.0}
    assert [fold["n_train"] for fold in report["per_fold"]] == [2, 2]
    assert (report["settings"]["encoding"]["k"], report["settings"]["extraction"]["camera"]) == (2, False)
    assert list(report["seconds"]) == ["extraction", "codebooks", "encoding", "classification"]
    assert (out / "confusion.csv").read_text().splitlines() == ["true class,down,right", "down,2,0", "right,0,2"]
    assert (out / "confusion.png").exists()
    assert {path.name for path in (out / "folds").iterdir()} == {"01-g1", "02-g2"}
    assert (out / "features" / "right" / "g1_right.h5").exists()


@pytest.mark.slow
def test_the_codebook_of_a_split_knows_its_training_videos_only(command, clips, tmp_path):
    out = tmp_path / "out"
    command("folder", clips, "-o", out, "--group", "g[0-9]")
    names = ["down/g2_down", "right/g2_right"]
    alone = fit_codebook([out / "features" / f"{name}.h5" for name in names], names, EncodingParams(k=2))
    fold = out / "folds" / "01-g1"
    assert Codebook.load(fold / "codebook.h5").digest == alone.digest
    vectors = load_vectors(fold / "vectors.h5")
    assert vectors.codebook == alone.digest
    assert sorted(vectors.names) == sorted([*names, "down/g1_down", "right/g1_right"])


@pytest.mark.slow
def test_weizmann_leaves_one_actor_out(command, films, tmp_path):
    actors = {1: "eli", 2: "ido"}
    names = {(way, n): f"{action}/{actors[n]}_{action}.avi" for way, action in zip(WAYS, ("run", "jump"), strict=True)
             for n in actors}  # fmt: skip
    root = tree(tmp_path / "weizmann", films, names)
    assert command("weizmann", root, "-o", tmp_path / "out", "--blocks", "trajectory")[0] == 0
    report = read(tmp_path / "out")
    assert (report["accuracy"], report["per_descriptor"]) == (1.0, {"trajectory": 1.0})
    assert [fold["name"] for fold in report["per_fold"]] == ["eli", "ido"]
    assert len(report["missing"]) == 86
    assert report["published"][0]["percent"] == 98.9
    assert report["part"] == ["2 of 10 classes", "2 of 9 splits", "4 of 90 clips"]


@pytest.mark.slow
def test_ut_interaction_evaluates_its_two_sets_apart(command, films, tmp_path):
    kinds = {"right": 0, "down": 3}  # handshake, point
    both = {(way, n): f"set1/{n}{kind}_{n}_{kind}.avi" for way, kind in kinds.items() for n in (1, 2)}
    root = tree(tmp_path / "ut", films, both)
    tree(root, films, {(way, n): f"set2/{n}{kind}_{n + 10}_{kind}.avi" for way, kind in kinds.items() for n in (1, 2)})
    assert command("ut-interaction", root, "-o", tmp_path / "out", "--blocks", "trajectory,hof")[0] == 0
    report = read(tmp_path / "out")
    assert {part: numbers["accuracy"] for part, numbers in report["per_part"].items()} == {"set 1": 1.0, "set 2": 1.0}
    names = [fold["name"] for fold in report["per_fold"]]
    assert names == ["set 1 sequence 1", "set 1 sequence 2", "set 2 sequence 11", "set 2 sequence 12"]
    assert sum(map(sum, report["confusion"])) == 8
    vectors = load_vectors(tmp_path / "out" / "folds" / "03-set-2-sequence-11" / "vectors.h5")
    assert all(name.startswith("set2/") for name in vectors.names)


def kth_tree(root, films):
    """Person 1 trains, person 2 tests; two actions."""
    actions = {"right": "running", "down": "boxing"}
    names = {(way, p): f"{action}/person0{p}_{action}_d1_uncomp.avi" for way, action in actions.items() for p in (1, 2)}
    tree(root, films, names)
    lines = [f"person0{p}_{action}_d1\tframes\t1-7, 7-14" for action in actions.values() for p in (1, 2)]
    (root / "00sequences.txt").write_text("\n".join(lines))
    return root


@pytest.mark.slow
def test_kth_trains_on_some_persons_and_tests_the_others(command, films, tmp_path):
    root = kth_tree(tmp_path / "kth", films)
    status, printed, _ = command("kth", root, "-o", tmp_path / "out", "--blocks", "trajectory")
    assert status == 0
    assert printed.startswith("kth: mean class accuracy 100.0 %, persons 2, 3, 5")
    (fold,) = read(tmp_path / "out")["per_fold"]
    assert (fold["n_train"], fold["n_test"]) == (2, 2)


@pytest.mark.slow
def test_a_sub_sequence_is_extracted_as_if_it_were_all_there_is(command, films, tmp_path):
    root = kth_tree(tmp_path / "kth", films)
    assert command("kth", root, "-o", tmp_path / "out", "--subsequences", "--blocks", "trajectory")[0] == 0
    report = read(tmp_path / "out")
    (fold,) = report["per_fold"]
    assert (report["accuracy"], fold["n_train"], fold["n_test"]) == (1.0, 4, 4)
    with h5py.File(tmp_path / "out" / "features" / "running" / "person02_running_d1_uncomp_2.h5") as file:
        params = json.loads(file.attrs["params"])
        # Frames 7 to 14 of the list, which counts from 1; a track of 5 steps ends 5 frames later at the earliest.
        assert (params["start"], params["end"]) == (6, 13)
        assert (file["tracks/frame"][0], file["tracks/frame"][-1]) == (11, 13)


@pytest.mark.slow
def test_hmdb51_goes_on_without_what_is_missing_or_broken_and_counts_it(command, films, tmp_path):
    root = tmp_path / "hmdb51_org"
    odd = "#1_(a)&[b]!;?_f_nm_np1"
    names = {(way, take): f"{way}/{odd}_{take}.avi" for way in WAYS for take in (1, 2)}
    tree(root, films, names)
    (root / "right" / "broken.avi").write_bytes(b"no film")
    for way in WAYS:
        lines = [f"{odd}_1.avi 1", f"{odd}_2.avi 2"] + ["broken.avi 1", "gone.avi 2"] * (way == "right")
        for number in (1, 2, 3):
            write(tmp_path / "testTrainMulti_7030_splits" / f"{way}_test_split{number}.txt", lines)
    status, printed, _ = command(
        "hmdb51", root, "-o", tmp_path / "out", "--blocks", "trajectory", "--probability", status=3
    )
    assert status == 3
    assert printed.startswith("hmdb51: accuracy 100.0 %, 3 splits, each trained and tested by itself")
    report = read(tmp_path / "out")
    assert report["missing"] == ["right/gone"]
    assert [failed["path"] for failed in report["failed"]] == [str(root / "right" / "broken.avi")]
    assert [(fold["name"], fold["n_train"], fold["n_test"]) for fold in report["per_fold"]] == [
        (f"split {number}", 2, 2) for number in (1, 2, 3)
    ]
    # One training video of a class says nothing of how sure to be.
    assert report["log_loss"] == pytest.approx(np.log(2), abs=0.05)
    text = (tmp_path / "out" / "report.md").read_text()
    assert "Not evaluated: 1 missing clips and 1 clips that could not be used; they are listed below." in text
    assert "| iDT + FV, human boxes | 57.2 |" in text


@pytest.mark.slow
def test_hollywood2_is_evaluated_by_average_precision(command, films, tmp_path):
    root = tree(
        tmp_path / "Hollywood2",
        films,
        {(way, take): f"AVIClips/actionclip{side}0000{place}.avi" for place, way in enumerate(WAYS, start=1)
         for take, side in ((1, "train"), (2, "test"))},
    )  # fmt: skip
    holds = {"Run": (1, -1), "Kiss": (-1, 1), "HugPerson": (-1, 1)}
    for side in ("train", "test"):
        for label in hollywood2.CLASSES:
            values = enumerate(holds.get(label, (-1, -1)), start=1)
            lines = [f"actionclip{side}0000{place}  {value}" for place, value in values]
            write(root / "ClipSets" / f"{label}_{side}.txt", lines)
    status, printed, _ = command("hollywood2", root, "-o", tmp_path / "out", "--blocks", "trajectory")
    assert status == 0
    assert printed.startswith("hollywood2: mean average precision 100.0 %")
    report = read(tmp_path / "out")
    assert report["per_class_precision"] == {"HugPerson": 1.0, "Kiss": 1.0, "Run": 1.0}
    assert not (tmp_path / "out" / "confusion.csv").exists()
    assert command("hollywood2", root, "-o", tmp_path / "out", "--blocks", "trajectory")[1].count(": up to date\n") == 1


# Again, and again.


@pytest.mark.slow
def test_the_same_command_twice_leaves_everything_as_it_was(command, clips, tmp_path):
    out = tmp_path / "out"
    first = command("folder", clips, "-o", out, "--folds", "2")
    before = times(out)
    status, printed, err = command("folder", clips, "-o", out, "--folds", "2")
    assert (status, err) == (0, "")
    assert printed == first[1].replace("report.md\n", "report.md: up to date\n")
    assert times(out) == before


@pytest.mark.slow
def test_an_interrupted_evaluation_goes_on_and_finds_the_same(command, clips, tmp_path):
    out = tmp_path / "out"
    words = ("folder", clips, "-o", out, "--group", "g[0-9]")
    command(*words)
    whole = lasting(out)
    # What a run leaves that was stopped while it encoded the second split.
    for path in ("report.json", "folds/02-g2/vectors.h5", "scores/split2.h5", "features/down/g1_down.h5"):
        (out / path).unlink()
    # Scores stand for what they were made from.
    (out / "folds/01-g1/vectors.h5").unlink()
    kept = out / "scores/split1.h5", out / "folds/02-g2/codebook.h5", out / "features/right/g1_right.h5"
    before = [path.stat().st_mtime_ns for path in kept]
    assert command(*words)[0] == 0
    assert lasting(out) == whole
    assert [path.stat().st_mtime_ns for path in kept] == before


@pytest.mark.slow
def test_the_scores_of_every_split_are_kept_with_labels(command, clips, tmp_path):
    out = tmp_path / "out"
    command("folder", clips, "-o", out, "--group", "g[0-9]")
    right = []
    for split in (1, 2):
        found = read_scores(out / "scores" / f"split{split}.h5")
        assert (found.form, found.kind, found.split) == ("idt", "margins", split)
        assert found.names == [f"{way}/g{split}_{way}" for way in ("down", "right")]
        assert [found.classes[label] for label in found.labels] == ["down", "right"]
        right += (found.values.argmax(axis=1) == found.labels).tolist()
    assert np.mean(right) == read(out)["value"]


@pytest.mark.slow
def test_nothing_depends_on_the_number_of_processes_and_threads(command, clips, tmp_path):
    words = ("folder", clips, "--group", "g[0-9]", "-o")
    command(*words, tmp_path / "one")
    assert command(*words, tmp_path / "two", "--jobs", "2", "--threads", "2")[0] == 0
    assert lasting(tmp_path / "two") == lasting(tmp_path / "one")
    for split in (1, 2):
        scores = []
        for run in ("one", "two"):
            with h5py.File(tmp_path / run / "scores" / f"split{split}.h5") as file:
                scores.append(file["scores"][:])
        np.testing.assert_array_equal(*scores)


def test_an_evaluation_without_a_clip_that_failed_is_completed_by_the_next_run(command, clips, films, tmp_path):
    late = clips / "right" / "g3_right.avi"
    late.write_bytes(b"not yet copied")
    words = ("folder", clips, "--group", "g[0-9]", "-o", tmp_path / "out")
    shutil.copyfile(films["right", 2], clips / "down" / "g3_down.avi")
    assert command(*words, status=3)[0] == 3
    assert len(read(tmp_path / "out")["failed"]) == 1
    before = times(tmp_path / "out" / "folds")
    assert command(*words, status=3)[0] == 3
    assert times(tmp_path / "out" / "folds") == before
    shutil.copyfile(films["right", 1], late)
    assert command(*words)[0] == 0
    assert command("folder", clips, "--group", "g[0-9]", "-o", tmp_path / "whole")[0] == 0
    assert lasting(tmp_path / "out") == lasting(tmp_path / "whole")


@pytest.mark.slow
def test_the_tracks_of_a_video_are_read_once_to_sample_and_once_to_encode_for_all_splits(
    command, clips, tmp_path, monkeypatch
):
    read = Counter()
    iter_rows = feature_file.iter_rows
    monkeypatch.setattr(feature_file, "iter_rows", lambda path, **more: read.update([path]) or iter_rows(path, **more))
    # To hash a file is to read it, too.
    digest = SourceFile.digest
    monkeypatch.setattr(
        SourceFile, "digest", lambda file: (str(file.path).endswith("h5") and read.update([file.path])) or digest(file)
    )
    command("folder", clips, "--group", "g[0-9]", "-o", tmp_path / "out")
    assert [len(read), *set(read.values())] == [4, 2]
    assert len(list((tmp_path / "out" / "folds").iterdir())) == 2


@pytest.mark.slow
def test_features_extracted_before_are_taken_as_they_are(command, clips, tmp_path):
    words = ("folder", clips, "--group", "g[0-9]", "-o")
    command(*words, tmp_path / "one")
    before = times(tmp_path / "one" / "features")
    assert command(*words, tmp_path / "two", "--features", tmp_path / "one" / "features", "--norm", "l1")[0] == 0
    assert times(tmp_path / "one" / "features") == before
    assert not (tmp_path / "two" / "features").exists()


# What goes wrong, but not everything.


@pytest.mark.slow
def test_a_clip_that_cannot_be_read_is_listed_and_the_rest_evaluated(command, clips, tmp_path):
    (clips / "down" / "g1_broken.avi").write_bytes(b"no film")
    status, printed, err = command("folder", clips, "-o", tmp_path / "out", "--group", "g[0-9]", status=3)
    assert status == 3
    assert printed.startswith("folder: accuracy 100.0 %")
    assert re.search(r"^idt-evaluate: \S*g1_broken.avi ", err)
    assert err.count("g1_broken") == 1
    assert err.endswith("idt-evaluate: 1 clips failed and were left out\n")
    report = read(tmp_path / "out")
    assert [failed["path"] for failed in report["failed"]] == [str(clips / "down" / "g1_broken.avi")]
    assert report["clips"] == 4
    before = times(tmp_path / "out")
    command("folder", clips, "-o", tmp_path / "out", "--group", "g[0-9]", status=3)
    assert times(tmp_path / "out") == before


@pytest.mark.slow
def test_a_clip_without_tracks_has_a_zero_vector_and_is_counted(command, clips, tmp_path):
    write_video(clips / "down" / "g2_flat.avi", scenes.flat(FRAMES, size=SIZE))
    status, _, err = command("folder", clips, "-o", tmp_path / "out", "--group", "g[0-9]")
    assert status == 0
    assert err == "idt-evaluate: 1 videos without tracks have a zero vector: down/g2_flat\n"
    assert read(tmp_path / "out")["empty"] == ["down/g2_flat"]
    assert "Videos without tracks (zero vectors): 1" in (tmp_path / "out" / "report.md").read_text()


# What is refused.


@pytest.mark.slow
def test_an_output_made_otherwise_is_refused_unless_it_may_be_replaced(command, clips, tmp_path):
    out = tmp_path / "out"
    words = ("folder", clips, "-o", out, "--group", "g[0-9]")
    command(*words)
    before = times(out)
    assert refused(
        command(*words, "--power", "1", status=2), "report.json was made with power=0.5, this run asks for power=1.0;"
    )
    assert refused(
        command(*words, "--gap", "2", status=2), "made with gap=1, this run asks for gap=2; use another .* --overwrite"
    )
    assert times(out) == before
    (out / "report.json").unlink()
    assert refused(
        command(*words, "--power", "1", status=2), r"01-g1/vectors.h5 was written with power=0.5, this run asks for"
    )
    assert refused(command(*words, "--gap", "2", status=2), r"g1_down.h5 was made with gap=1, this run asks for gap=2")
    assert command(*words, "--c", "3", "--overwrite")[0] == 0
    assert read(out)["settings"]["classifier"]["C"] == 3.0
    assert times(out / "features").items() <= before.items()


@pytest.mark.slow
def test_a_set_that_changed_is_refused(command, clips, films, tmp_path):
    words = ("folder", clips, "-o", tmp_path / "out", "--group", "g[0-9]")
    command(*words)
    tree(clips, films, {("right", 1): "right/g1_again.avi"})
    assert refused(command(*words, status=2), r"vectors.h5 was made from a source with digest .*, this run's has")


@pytest.mark.slow
def test_what_lies_in_the_output_and_is_not_ours_is_refused(command, clips, tmp_path):
    (tmp_path / "out" / "scores").mkdir(parents=True)
    (tmp_path / "out" / "report.json").write_text("[]")
    words = ("folder", clips, "-o", tmp_path / "out", "--group", "g[0-9]")
    for permit in ((), ("--overwrite",)):
        done = command(*words, *permit, status=2)
        assert refused(done, "report.json is not one of this program's files.*--force .*report.json")
    (tmp_path / "out" / "report.json").unlink()
    scores = tmp_path / "out" / "scores" / "split1.h5"
    scores.write_text("[]")
    assert refused(command(*words, status=2), "split1.h5 exists and is not one of")
    assert refused(command(*words, "--overwrite", status=2), "split1.h5 is not one of")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["scores"]
    assert command(*words, "--force", scores)[0] == 0


def test_sets_options_and_splits_that_cannot_be_evaluated_are_refused(command, clips, films, tmp_path):
    out = tmp_path / "out"
    assert refused(command("ucf7", clips, "-o", out, status=2), "unknown data set 'ucf7'; known are ucf101, hmdb51, ")
    assert refused(command("folder", tmp_path / "none", "-o", out, status=2), "none is not a folder")
    assert refused(
        command("weizmann", clips, "-o", out, "--folds", "3", status=2), "protocol of its own and takes no folds"
    )
    split = tmp_path / "split.csv"
    split.write_text("down/g1_down,train\nright/g9_right,train\ndown/g2_down,test\n")
    assert refused(
        command("folder", clips, "-o", out, "--split", split, status=2), "names 1 videos that are missing: right/g9"
    )
    split.write_text("down/g1_down,train\ndown/g2_down,train\nright/g2_right,test\n")
    assert refused(
        command("folder", clips, "-o", out, "--split", split, status=2), "split trains on one class only, down"
    )
    root = kth_tree(tmp_path / "kth", films)
    assert refused(
        command("kth", root, "-o", out, "--subsequences", "--start", "3", status=2), "cut into sub-sequences"
    )
    assert not out.exists()


@pytest.mark.slow
def test_more_components_than_descriptors_are_refused(command, clips, tmp_path):
    words = ("folder", clips, "-o", tmp_path / "out", "--group", "g[0-9]", "--sample", "1000")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[__name__], "SMALL", [*SMALL, "--k", "1000"])
        assert refused(
            command(*words, status=2), "k=1000 components need at least as many descriptors, the sample holds"
        )


@pytest.mark.slow
def test_a_set_of_which_nothing_can_be_read_is_refused(command, clips, tmp_path):
    for path in clips.rglob("*.avi"):
        path.write_bytes(b"no film")
    status, out, err = command("folder", clips, "-o", tmp_path / "out", "--group", "g[0-9]", status=2)
    assert (status, out) == (2, "")
    assert "none of the 4 clips of folder can be used" in err.splitlines()[-1]


def test_the_help_names_every_set_and_folders_are_named_after_their_splits():
    assert folder_name(3, Split("set 2: a/b…", (), ())) == "03-set-2-a-b"
    assert folder_name(12, Split("..", (), ())) == "12"
    with pytest.MonkeyPatch.context() as patch:
        said = []
        patch.setattr("argparse.ArgumentParser._print_message", lambda self, text, file=None: said.append(text))
        with pytest.raises(SystemExit):
            cli.evaluate(["--help"])
    text = "".join(said[0].split())
    assert all(name in text for name in registry.READERS)
