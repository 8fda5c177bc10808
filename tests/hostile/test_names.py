"""Names that act: on the terminal, in a spreadsheet, in Markdown and HTML, in a formula of a picture."""

import csv
import io
import json
import re

import numpy as np
import pytest

from benchmarks.clips import write_video
from classify.datasets.dataset import Clip, Dataset, Skipped
from classify.datasets.splits import Split, read_split
from classify.labels import read_labels
from classify.models import model_file
from classify.reports import comparison_table, report
from classify.reports.comparison_table import Row
from classify.reports.markdown import as_markdown, escape
from classify.reports.plots import confusion_png
from classify.reports.summary import Fold
from classify.svm.linear import LinearSVM
from classify.text_files import write_scores
from encoding.vectors_file import VectorsWriter
from idt.errors import DataError, printable
from idt.files import csv_text, json_text
from tests import scenes

ACTING = {
    "ESC": "a\x1b[2Jb",
    "line break": "a\nb: walk 9.000",
    "carriage return": "a\rb",
    "bell": "a\x07",
    "backspace": "ab\b\b",
    "NUL": "a\0b",
    "delete": "a\x7f",
    "C1": "a\x9b31mb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "right to left": "a\u202egnp.b",
    "isolate": "a\u2067b",
    "hidden tag": "a\U000e0041b",
    "zero width": "a\u200bb",
    "half a letter": "a\ud800b",
    "bytes": "a\udcffb",
}
HARMLESS = ["walk", "walk/v_walk_g01_c01", "Übung 1", "歩く", "a  b", "C:\\clips\\a", "😀", "naïve (2)"]

FORMULAS = ["=1+1", "+1+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "'=1+1", "''@x", "=", "-"]
NUMBERS = ["-1.5", "+2", "-1e-05", "3", ".5"]
PLAIN = [
    "'quoted'",
    "a=b",
    "it's",
    "a-b",
    "a,b",
    'say "x"',
    "two\nlines",
    "cr\rlf\r\n",
    " blanks ",
    "\u00a0x",
    "é,\u2028",
]


@pytest.mark.parametrize("name", list(ACTING))
def test_what_acts_is_escaped(name):
    shown = printable(ACTING[name])
    assert shown.isprintable()
    assert shown.startswith("a")
    assert "\\" in shown
    assert str(DataError(f"{ACTING[name]} is wrong")).isprintable()


@pytest.mark.parametrize("name", HARMLESS)
def test_what_does_not_act_stays(name):
    assert printable(name) == name


# CSV.


@pytest.mark.parametrize("name", [*FORMULAS, *NUMBERS, *PLAIN, *HARMLESS])
def test_a_name_comes_back_from_csv_as_itself(tmp_path, name):
    path = tmp_path / "names.csv"
    path.write_bytes(csv_text.dumps([[name, "walk"], ["b", name]]).encode())
    assert [fields for _, fields in csv_text.read_rows(path, "a,b")] == [[name, "walk"], ["b", name]]


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_text_in_a_spreadsheet(name):
    [[field, number]] = csv.reader(io.StringIO(csv_text.dumps([[name, -1.5]]), newline=""))
    assert field == f"'{name}"
    assert number == "-1.5"


@pytest.mark.parametrize("name", [*NUMBERS, *PLAIN, *HARMLESS])
def test_what_is_no_formula_is_written_as_it_is(name):
    [[field]] = csv.reader(io.StringIO(csv_text.dumps([[name]]), newline=""))
    assert field == name


def test_any_text_comes_back_from_csv(tmp_path):
    rng = np.random.default_rng(0)
    letters = list("=+-@\t\r\n'\",; ab\u2028\x1b1.")
    names = ["".join(rng.choice(letters, rng.integers(1, 9))) for _ in range(3000)]
    path = tmp_path / "names.csv"
    path.write_bytes(csv_text.dumps([[name, "x"] for name in names]).encode())
    assert [fields[0] for _, fields in csv_text.read_rows(path, "a,b")] == names


def test_scores_are_one_row_a_video_and_labels_match_them(tmp_path):
    names = ["a\nb", "=1+1", "-x", 'say "x"', "c,d"]
    write_scores(tmp_path / "s.csv", names, -np.arange(10.0).reshape(5, 2), ["@walk", "run"])
    with open(tmp_path / "s.csv", newline="") as file:
        found = list(csv.reader(file))
    assert len(found) == 6
    assert all(not field.startswith(("=", "@")) for row in found for field in row)
    assert found[2][1:] == ["-2", "-3"]
    assert [fields[0] for _, fields in csv_text.read_rows(tmp_path / "s.csv", "scores")] == ["name", *names]
    (tmp_path / "l.csv").write_bytes(csv_text.dumps([[name, "@walk"] for name in names]).encode())
    assert read_labels(tmp_path / "l.csv") == dict.fromkeys(names, "@walk")
    (tmp_path / "split.csv").write_bytes(csv_text.dumps([[name, "train"] for name in names]).encode())
    assert read_split(tmp_path / "split.csv")[0] == names


# The terminal.


def _model(folder, classes=("run", "walk"), names=("a", "b")):
    layout = [{"block": "hog", "cell": "whole", "first": 0, "size": 2}]
    with VectorsWriter(folder / "v.h5", layout=layout, codebook="0" * 64, params=None, source=None) as writer:
        for row, name in zip(np.eye(2, dtype=np.float32), names, strict=True):
            writer.append(name, row)
    machine = LinearSVM().fit(np.eye(2, dtype=np.float32), list(classes))
    model_file.save_model(folder / "m.h5", machine, layout=layout, codebook="0" * 64, source=None)


def test_svm_predict_prints_a_line_a_video(tmp_path, command):
    _model(tmp_path, ["run\x1b[31m", "walk\nb: run 9.000"], ["a\nb: walk 9.000, run 1.000", "\x1b[2J\x9b"])
    _, out, err = command("svm-predict", tmp_path / "m.h5", tmp_path / "v.h5")
    assert len(out.splitlines()) == 2
    assert all(line.isprintable() for line in out.splitlines())
    assert out.startswith("a\\nb: walk 9.000, run 1.000: ")
    assert err == ""


@pytest.mark.parametrize("name", ["a\x1b[2J", "a\nforged.h5: up to date", "a\u202eb", "a\x9b31m"])
def test_names_of_files_reach_the_terminal_escaped(tmp_path, command, name):
    write_video(tmp_path / "x.avi", scenes.flat(3))
    video = (tmp_path / "x.avi").rename(tmp_path / f"{name}.avi")
    folder = tmp_path / f"{name}.out"
    _, out, _ = command("idt-extract", video, "-o", f"{folder}/{name}.h5")
    again = command("idt-extract", video, "-o", f"{folder}/{name}.h5")[1]
    verified = command("idt-extract", "--verify", folder)[1]
    failed = command("idt-extract", tmp_path / f"{name}.txt", "-o", tmp_path / "y.h5", status=2)[2]
    unknown = command("idt-extract", f"--{name}", status=2)[2]
    for text in (out, again, verified, failed, unknown):
        assert len(text.splitlines()) == 1
        assert text.rstrip("\n").isprintable()


def test_a_note_and_a_failure_are_a_line_each(tmp_path, command):
    for name in ("a\nb", "c\x1bd"):
        (tmp_path / f"{name}.avi").write_bytes(b"no video")
    _, _, err = command("idt-extract", tmp_path, "-o", tmp_path / "out", "--jobs", 1, status=3)
    assert len(err.splitlines()) == 3
    assert all(line.isprintable() for line in err.splitlines())
    with open(tmp_path / "out" / "failures.csv", newline="") as file:
        assert [row[0] for row in csv.reader(file)][1:] == ["a\nb", "c\x1bd"]


# Reports.

HTML = "<script>alert(1)</script>"
MARKUP = [
    HTML, "a|b", "**a**", "_a_", "`a`", "[a](http://b.c)", "![a](b)", "# a", "1. a", "- a", "~a~", "&lt;", "$x$",
    "a\n## Forged", "http://b.c", "www.b.c", "\\", "<!-- ", "a\x1b[1m", "| --- |", "```",
]  # fmt: skip


def _report(label="run", **given):
    clips = [Clip(f"{c}/{i}", f"/s/{c}/{i}.avi", c) for c in (label, "walk") for i in range(2)]
    names = [clip.name for clip in clips]
    splits = [Split(f"fold {label}", tuple(names[::2]), tuple(names[1::2]))]
    dataset = Dataset(
        "folder", "/s", clips, splits, f"by {label}", "accuracy", [Skipped(f"/s/{label}", label)], [label],
        [Skipped(f"/s/{label}", label)],
    )  # fmt: skip
    classes = sorted([label, "walk"])
    scores = np.array([[1.0, 0.0], [1.0, 0.0]])
    return report.assemble(dataset, [Fold(splits[0], classes, scores)], notes=[label], empty=[label], **given)


@pytest.mark.parametrize("label", MARKUP)
def test_a_name_is_no_markup_in_a_report(label):
    plain, odd = (as_markdown(_report(name), picture=True, published_lines=[]) for name in ("run", label))
    assert len(plain.splitlines()) == len(odd.splitlines())
    assert [line.count("|") - line.count("\\|") for line in plain.splitlines()] == [
        line.count("|") - line.count("\\|") for line in odd.splitlines()
    ]
    assert all(line.isprintable() for line in odd.splitlines())
    body = odd[: odd.index("```json")]
    # Without what is escaped, nothing of the name is left that means something.
    bare = re.sub(r"\\.", "", body)
    for mark in ("<", "`", "](http", "$", "://"):
        assert mark not in bare.replace("![Confusion matrix](confusion.png)", "")
    assert [line for line in odd.splitlines() if line.startswith("## ")] == [
        line for line in plain.splitlines() if line.startswith("## ")
    ]


@pytest.mark.parametrize("name", MARKUP)
def test_a_name_is_no_markup_in_a_comparison(name):
    plain, odd = (
        comparison_table.as_markdown([Row("x", _report()), Row(other, None, other)]).splitlines()
        for other in ("b", name)
    )
    assert len(plain) == len(odd)
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in plain] == [
        len(re.findall(r"(?<!\\)\|", re.sub(r"\\\\", "", line))) for line in odd
    ]
    assert "<script" not in "\n".join(odd).replace("\\<script", "")


@pytest.mark.parametrize(("text", "shown"), [("walk_up", "walk_up"), ("-1.5", "-1.5"), ("R&D", "R&D"), ("a~", "a\\~")])
def test_only_what_means_something_is_escaped(text, shown):
    assert escape(text) == shown


@pytest.mark.parametrize("label", ["=1+1", "a\nb", "a\udcff", "a\x1b[1m", "@x"])
def test_the_files_of_a_report_are_sound(tmp_path, label):
    written = report.write(tmp_path, _report(label)).paths
    for path in written:
        if path.suffix != ".png":
            assert "\x1b" not in path.read_text(encoding="utf-8") or path.suffix == ".csv"
    found = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert printable(found["missing"][0]) == printable(label)
    json_text.load(tmp_path / "report.json")
    with open(tmp_path / "confusion.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 3
    assert all(not field.startswith(("=", "@")) for row in rows for field in row)


@pytest.mark.parametrize(
    "label", ["$x$", r"$\frac{1}{0}$", r"\$a$b$", "$", "$$", "a\x1b[1m", "歩く", "x" * 3000, r"$\bad$"]
)
def test_a_class_is_no_formula_in_a_picture(label):
    pytest.importorskip("matplotlib")
    assert confusion_png(np.eye(2, dtype=int), [label, "walk"])[:4] == b"\x89PNG"
