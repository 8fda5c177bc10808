"""The command `idt-fuse`: what it prints and writes, and what it refuses in one line."""

import json

import numpy as np
import pytest

from classify.fusion.fuse import fuse
from classify.fusion.read import FORMS, read_scores
from classify.fusion.scores import Scores
from classify.fusion.write import WRITERS, write_scores
from classify.fusion_options import FORMS as FORMS_OF_HELP
from tests import score_sets
from tests.commands import refused
from tests.score_sets import CLASSES, LABELS, VIDEOS

IDT, CNN = score_sets.classifier(0, strength=1.2), score_sets.classifier(1, strength=1.5)


@pytest.fixture
def place(working_folder):
    """The working folder with score files, lists and labels."""
    score_sets.write_ltc("i.mat", IDT)
    score_sets.write_coviar("c.npz", CNN)
    score_sets.write_matrix("m.mat", CNN)
    score_sets.write_lists("lists")
    score_sets.write_list("list.txt", labels=LABELS)
    (working_folder / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    lines = [f"{video},{CLASSES[label]}" for video, label in zip(VIDEOS, LABELS, strict=True)]
    (working_folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return working_folder


def report_of(folder="out"):
    with open(f"{folder}/report.json", encoding="utf-8") as file:
        return json.load(file)


TWO = ("idt=i.mat", "cnn=c.npz")


def test_two_files_become_one_report(command, place):
    _, out, err = command("idt-fuse", *TWO, "-o", "out")
    report = report_of()
    assert report["accuracy"] == fuse({"idt": "i.mat", "cnn": "c.npz"}).accuracy
    lines = out.splitlines()
    assert lines[0] == f"idt: {100 * report['sources']['idt']['accuracy']:.2f} % accuracy (l2)"
    assert lines[2].startswith(
        f"fused: {100 * report['accuracy']:.2f} % accuracy; 0.25 idt + 0.75 cnn, weights the def"
    )
    assert lines[3].startswith("against cnn, ")
    assert lines[-2:] == ["out/report.md", "open out/report.html"]
    assert err == ""
    assert sorted(path.name for path in (place / "out").iterdir()) == [
        "accuracy.png", "fused.h5", "gain.png", "report.html", "report.json", "report.md",
    ]  # fmt: skip
    text = (place / "out" / "report.md").read_text()
    assert text.startswith(
        f"# idt + cnn: {100 * report['accuracy']:.1f} % accuracy\n\n48 clips of 6 classes; one split."
    )
    assert "color:red" not in text
    assert "![Gain of each class](gain.png)" in text
    fused = read_scores("out/fused.h5")
    assert (fused.values.argmax(axis=1) == fused.labels).mean() == report["accuracy"]


@pytest.mark.parametrize(
    "given",
    [("--lists", "lists"), ("--labels", "labels.csv"), ("--dataset", "hmdb51", "--lists", "lists", "--split", "1")],
)
def test_labels_may_come_from_lists_or_csv(command, place, given):
    command("idt-fuse", *TWO, *given, "-o", "out", "--quiet")
    assert report_of()["accuracy"] == fuse({"idt": "i.mat", "cnn": "c.npz"}).accuracy


def test_a_run_that_is_repeated_changes_nothing_and_another_needs_overwrite(command, place):
    command("idt-fuse", *TWO, "-o", "out")
    before = {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in (place / "out").iterdir()}
    _, out, _ = command("idt-fuse", *TWO, "-o", "out")
    assert out.endswith("out/report.md: up to date\nopen out/report.html\n")
    again = ("idt-fuse", *TWO, "-o", "out", "--weights", "idt=1,cnn=1")
    _, out, err = command(*again, status=2)
    assert "out/report.json exists; use another path or --overwrite" in err
    assert {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in (place / "out").iterdir()} == before
    command(*again, "--overwrite")
    assert report_of()["weights"] == {"idt": 0.5, "cnn": 0.5}


def test_a_fusion_may_be_a_source(command, place):
    command("idt-fuse", *TWO, "-o", "out")
    command("idt-fuse", "idt=i.mat", "both=out/fused.h5", "--weights", "idt=0,both=1", "-o", "next")
    assert report_of("next")["accuracy"] == report_of()["accuracy"]


def test_several_splits_in_one_call(command, place):
    for split, rows in (("1", np.arange(0, 48, 2)), ("2", np.arange(1, 48, 2))):
        score_sets.write_ltc(f"i{split}.mat", IDT, order=rows)
        score_sets.write_coviar(f"c{split}.npz", CNN, order=rows)
    given = ("idt=i{split}.mat", "cnn=c{split}.npz", "--split", "1-2", "--labels", "labels.csv")
    _, out, _ = command("idt-fuse", *given, "-o", "out", "--write", "csv")
    report = report_of()
    assert ", 2 splits; " in out
    assert [split["name"] for split in report["per_split"]] == ["1", "2"]
    assert report["accuracy"] == pytest.approx(np.mean([split["accuracy"] for split in report["per_split"]]))
    assert {path.name for path in (place / "out").iterdir()} >= {
        "fused.split1.h5",
        "fused.split2.h5",
        "fused.split1.csv",
    }
    command("idt-fuse", *given, "--pool", "-o", "pool")
    assert report_of("pool")["accuracy"] == pytest.approx(fuse({"idt": "i.mat", "cnn": "c.npz"}).accuracy)
    assert (place / "pool" / "fused.h5").exists()
    refused(
        command("idt-fuse", "idt=i{split}.mat", "cnn=c.npz", "-o", "x", status=2), "name the splits, such as --split"
    )
    refused(command("idt-fuse", *TWO, "--split", "1,2", "-o", "x", status=2), r"several splits need \{split\}")


def held_out():
    """Validation files of both sources."""
    names = [f"{video}_held" for video in VIDEOS]
    for name, seed in (("iv.h5", 10), ("cv.h5", 11)):
        made = score_sets.classifier(seed, strength=1.0)
        write_scores(name, Scores(made.values, names, list(CLASSES), LABELS, "margins"))


def test_weights_are_searched_on_validation_videos(command, place):
    held_out()
    _, out, _ = command("idt-fuse", *TWO, "--search", "idt=iv.h5", "cnn=cv.h5", "-o", "out")
    assert "weights found on validation videos" in out
    report = report_of()
    wanted = fuse({"idt": "i.mat", "cnn": "c.npz"}, weights="search", validation={"idt": "iv.h5", "cnn": "cv.h5"})
    assert (report["weights"], report["weights_from"]) == (wanted.report["weights"], "validation")
    _, out, _ = command("idt-fuse", *TWO, "--svm", "idt=iv.h5", "cnn=cv.h5", "-o", "svm")
    assert "stacked, weights a linear SVM" in out
    refused(
        command("idt-fuse", *TWO, "--search", "idt=i.mat", "cnn=cv.h5", "-o", "x", status=2), "i.mat holds test scores"
    )
    refused(
        command(
            "idt-fuse", *TWO, "--search", "idt=iv.h5", "cnn=cv.h5", "--weights", "idt=1,cnn=1", "-o", "x", status=2
        ),
        "--weights and --search exclude each other",
    )


def test_a_list_may_give_validation_videos_their_labels(command, place):
    held_out()
    for name in ("iv", "cv"):
        found = read_scores(f"{name}.h5")
        write_scores(f"{name}_bare.h5", Scores(found.values, found.names, found.classes))
    words = ("idt-fuse", *TWO, "--lists", "list.txt", "--search", "idt=iv_bare.h5", "cnn=cv_bare.h5")
    score_sets.write_list("held.txt", names=[f"{video}_held" for video in VIDEOS], suffix="", labels=LABELS)
    command(*words, "--validation-list", "held.txt", "-o", "out")
    command("idt-fuse", *TWO, "--search", "idt=iv.h5", "cnn=cv.h5", "-o", "other")
    assert report_of()["weights"] == report_of("other")["weights"]
    assert report_of()["accuracy"] == report_of("other")["accuracy"]
    refused(command(*words, "-o", "x", status=2), "none of the files has labels")


def test_weights_chosen_on_the_test_videos_are_red_wherever_their_number_stands(command, place):
    _, out, err = command("idt-fuse", *TWO, "--search", "test", "--dataset", "hmdb51", "-o", "out")
    assert "weights chosen on the TEST videos" in out
    assert "do not quote it" in err
    report, text = report_of(), (place / "out" / "report.md").read_text()
    number = f"{100 * report['accuracy']:.1f}"
    alone = {f"{100 * source['accuracy']:.1f}" for source in report["sources"].values()}
    assert number not in alone
    for line in text.splitlines():
        for cell in line.split("|"):
            if f"{number} %" in cell or cell.strip(" *") == number:
                assert "color:red" in cell, line
    assert text.count("color:red") >= 3
    assert "**this run" not in text


def test_a_terminal_shows_the_line_in_red(monkeypatch, capsys):
    from idt.command import say

    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    say("93.7 %\x1b[0m", red=True)
    monkeypatch.setenv("NO_COLOR", "1")
    say("93.7 %", red=True)
    assert capsys.readouterr().out == "\x1b[31m93.7 %\\x1b[0m\x1b[0m\n93.7 %\n"


def test_options_of_a_source_may_be_given_by_its_name(command, place):
    given = ["idt=i.mat", "cnn=m.mat", "--list", "cnn=list.txt", "--classes", "cnn=classes.txt", "--lists", "lists"]
    command("idt-fuse", *given, "--norm", "z,cnn=l2", "--form", "cnn=mat", "-o", "out")
    report = report_of()
    assert report["norms"] == {"idt": "z", "cnn": "l2"}
    wanted = fuse({"idt": "i.mat", "cnn": "c.npz"}, norm={"idt": "z", "cnn": "l2"})
    assert report["accuracy"] == pytest.approx(wanted.accuracy)


@pytest.mark.parametrize("form", [form for form in WRITERS if form != "idt"])
def test_fused_scores_are_written_for_others_tools(command, place, form):
    command("idt-fuse", *TWO, "-o", "out", "--write", form, "--order", "list.txt", "--lists", "lists")
    (path,) = [path for path in (place / "out").iterdir() if path.stem == "fused" and path.suffix != ".h5"]
    fused = read_scores("out/fused.h5")
    from classify.datasets.video_list import read_video_list

    found = read_scores(path, video_list=read_video_list("list.txt"))
    rows = [fused.names.index(name.removesuffix(".avi")) for name in found.names]
    columns = [fused.classes.index(label) for label in (found.classes or CLASSES)]
    assert found.values == pytest.approx(fused.values[rows][:, columns], rel=1e-5, abs=1e-6)


def test_one_source_is_converted(command, place):
    _, out, _ = command("idt-fuse", "c.npz", "-o", "c.csv", "--convert", "--as", "probability")
    assert out == "c.csv: 48 videos, 6 classes, csv\n"
    found, before = read_scores("c.csv"), read_scores("c.npz")
    powers = np.exp(before.values)
    assert found.values == pytest.approx(powers / powers.sum(axis=1, keepdims=True), rel=1e-6)
    assert (found.kind, found.names, found.classes) == ("probabilities", before.names, before.classes)
    refused(command("idt-fuse", *TWO, "-o", "x.csv", "--convert", status=2), "--convert takes one file")
    refused(
        command("idt-fuse", "c.npz", "-o", "c.npz", "--convert", "--overwrite", status=2), "is an input of this run"
    )
    refused(command("idt-fuse", "c.npz", "-o", "list.txt", "--convert", status=2), "must end in")


def test_the_help_names_every_form():
    assert set(FORMS_OF_HELP) == set(FORMS) - {"tsm"}


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        ("idt=i.mat", "a fusion needs two sources or more, got one; to write one in another form, use --convert"),
        ("i.mat i.mat", "two sources are called i; give each a name"),
        ("idt=i.mat cnn=absent.npz", "absent.npz: No such file"),
        ("idt=i.mat cnn=labels.csv", "labels.csv"),
        ("idt=i.mat cnn=m.mat", "m.mat holds .* without names or labels"),
        ("idt=i.mat cnn=m.mat --list cnm=list.txt", "--list names 'cnm', which is no source; sources are idt, cnn"),
        ("idt=i.mat cnn=m.mat --list list.txt --list classes.txt", "--list is given twice for all sources"),
        ("idt=i.mat cnn=c.npz --classes cnn=labels.csv", "has 6 columns, labels.csv names 48 classes"),
        ("idt=i.mat cnn=c.npz --norm l1", "norm of idt must be one of auto, l2, z"),
        ("idt=i.mat cnn=c.npz --weights idt=-1,cnn=2", "weight of idt must be a number from 0"),
        ("idt=i.mat cnn=c.npz --weights idt=0,cnn=0", "weights sum to 0"),
        ("idt=i.mat cnn=c.npz --lists lists --labels labels.csv", "lists and labels exclude each other"),
        ("idt=i.mat cnn=c.npz --lists lists --split 2", "holds no official lists of split 2"),
        ("idt=i.mat cnn=c.npz --lists lists --split one", "lists has splits 1, 2, …, got 'one'"),
        ("idt=i.mat cnn=c.npz --list list.txt", "list.txt is to name rows, but every file names its videos"),
        ("idt=i.mat cnn=c.npz --dataset hmdb15", "unknown data set 'hmdb15'; known are .*; did you mean hmdb51"),
        ("idt=i.mat cnn=c.npz --split 3-1", "--split must be names such as 1,2,3 or 1-9, got 3-1"),
        ("idt=i.mat cnn=c.npz --split ../x", "--split must be names"),
        ("idt=i.mat cnn=c.npz --form csv", "does not have the form csv"),
        ("idt=i.mat cnn=c.npz --form pickle", "unknown form pickle"),
        ("idt=i.mat cnn=c.npz --write xlsx", "no scores are written in the form 'xlsx'"),
        ("idt=i.mat cnn=c.npz --missing ignore", "--missing: invalid choice"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(command, place, words, pattern):
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    refused(command("idt-fuse", *words.split(), "-o", "out", status=None), pattern)
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_nothing_of_others_is_replaced(command, place):
    (place / "out").mkdir()
    (place / "out" / "report.md").write_text("mine")
    refused(
        command("idt-fuse", *TWO, "-o", "out", "--overwrite", status=2), "report.md is not one of this program's files"
    )
    (place / "out" / "report.md").unlink()
    (place / "out" / "fused.csv").write_text("mine")
    refused(command("idt-fuse", *TWO, "-o", "out", "--write", "csv", status=2), "fused.csv")
    assert (place / "out" / "fused.csv").read_text() == "mine"
    command("idt-fuse", *TWO, "-o", "out", "--write", "csv", "--force", "out/fused.csv")
    assert len(read_scores("out/fused.csv").names) == len(VIDEOS)
