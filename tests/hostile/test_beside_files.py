"""Files beside the output: ours are known by their content, somebody else's are refused before any work."""

import contextlib
import importlib
import json
import os
import shutil

import pytest

from classify.reports import comparison_table
from classify.reports import report as reports
from idt import DataError
from idt.batch import summary
from idt.files import atomic, ownership
from tests.commands import refused
from tests.hostile import things
from tests.hostile.things import SMALL

EXTRACT = ("idt-extract", "a.avi", "b.avi", "-o", "o/", *SMALL)
ENCODE = ("fv-encode", "--k", 2, "--sample", 100, "f", "-o", "o/v.h5")
EVALUATE = ("idt-evaluate", "folder", "s", "-o", "o", "--folds", 2, "--k", 2, *SMALL)
COMPARE = ("idt-evaluate", "folder", "s", "-o", "o", "--folds", 2, *SMALL, "--compare", "r.cfg")

BESIDE = [
    *((EXTRACT, name) for name in ("summary.json", "failures.csv", "a.h5")),
    (ENCODE, "v.codebook.h5"),
    *(
        (EVALUATE, name)
        for name in (
            *(
                "report.json",
                "report.md",
                "report.html",
                "confusion.csv",
                "confusion.png",
                "cost.json",
                "features/cost.json",
            ),
            *("features/x/1.h5", "folds/01-fold-1/codebook.h5", "scores/split2.h5"),
        )
    ),
    *(
        (COMPARE, name)
        for name in (
            *(
                "comparison.md",
                "comparison.csv",
                "comparison.png",
                "comparison.html",
                "rows/one/report.md",
                "rows/one/cost.json",
            ),
            *("features/y/3.h5", "features/cost.json"),
        )
    ),
]
"""Each command that writes beside its output, and which files."""


@pytest.fixture
def no_work(monkeypatch):
    """A test that fails when a command begins with its work."""
    for name in (
        "idt.batch.extract_one.attempt_job",
        "idt.batch.extract_many.extract_many",
        "classify.evaluation.prepare_features.extract",
        "encoding.pipeline._fit_inputs",
    ):
        module, _, function = name.rpartition(".")
        monkeypatch.setattr(importlib.import_module(module), function, lambda *_, **__: pytest.fail("it began to work"))


def make(path, kind):
    """Put somebody's thing under a name."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if kind == "text":
        with open(path, "w") as file:
            file.write("mine\n")
    elif kind == "folder":
        os.mkdir(path)
    elif kind == "link":
        os.symlink(os.path.abspath("labels.csv"), path)
    elif kind == "dangling":
        os.symlink("nowhere", path)
    else:
        os.mkfifo(path)


@pytest.mark.parametrize("kind", ["text", "folder", "link", "dangling", "fifo"])
@pytest.mark.parametrize(("words", "name"), BESIDE, ids=lambda given: given if isinstance(given, str) else given[0])
def test_somebody_s_file_beside_the_output_is_refused_before_any_work(command, place, no_work, words, name, kind):
    make(f"o/{name}", kind)
    before = things.state_of(place)
    for permit in ((), ("--overwrite",)):
        wanted = "is not a regular file" if kind in ("folder", "fifo") else "is not one of this program's files"
        assert refused(command(*words, *permit, status=2), wanted)
    assert things.state_of(place) == before


def test_force_names_a_file_beside_the_output(command, place):
    for name in ("summary.json", "failures.csv"):
        make(f"o/{name}", "text")
    assert refused(command(*EXTRACT, "--force", "o/summary.json", status=2), "failures.csv is not one of")
    assert command(*EXTRACT, "--force", "o/summary.json", "--force", "o/failures.csv")[0] == 0
    assert json.loads((place / "o/summary.json").read_text())["done"] == 2
    assert not (place / "o/failures.csv").exists()


def test_files_of_an_earlier_run_are_replaced_without_asking(command, place):
    (place / "c.avi").write_bytes(b"no video")
    assert command("idt-extract", "a.avi", "c.avi", "-o", "o/", *SMALL, status=3)[0] == 3
    assert (place / "o/failures.csv").read_text().count("\n") == 2
    os.unlink("c.avi")
    assert command(*EXTRACT)[0] == 0
    assert not (place / "o/failures.csv").exists()
    assert json.loads((place / "o/summary.json").read_text())["up_to_date"] == 1


@pytest.mark.slow
def test_an_evaluation_and_a_comparison_of_ours_are_repeated_and_replaced(command, place):
    for words in (EVALUATE, COMPARE):
        assert command(*words)[0] == 0
        before = things.state_of(place / "o")
        assert "up to date" in command(*words)[1]
        assert things.state_of(place / "o") == before
        assert command(*words, "--c", 3, "--overwrite")[0] == 0
        assert things.state_of(place / "o") != before
        shutil.rmtree("o")


@pytest.mark.slow
def test_what_an_earlier_release_wrote_is_known(command, place):
    assert command(*EVALUATE)[0] == 0
    for name in ("report.json", "report.md", "confusion.csv", "cost.json", "features/cost.json"):
        assert ownership.is_ours(place / "o" / name), name
    report = json.loads((place / "o/report.json").read_text())
    assert next(iter(report)) == "tool"
    del report["tool"]
    (place / "o/report.json").write_text(json.dumps(report, indent=2) + "\n")
    assert ownership.is_ours(place / "o/report.json")
    assert "up to date" in command(*EVALUATE)[1]
    assert command(*EVALUATE, "--c", 3, "--overwrite")[0] == 0


def test_a_file_that_comes_while_a_run_is_at_work_is_not_removed(place):
    (place / "o").mkdir()
    count = summary.begin(place / "o", [1])
    make("o/summary.json", "text")
    with pytest.raises(DataError, match=r"summary\.json is not one of"):
        count.write_summary()
    make("o/failures.csv", "dangling")
    outcome = type("Outcome", (), {"error": "why", "frames": 0, "tracks": 0, "notes": (), "up_to_date": False})
    outcome.job = type("Job", (), {"name": "a", "source": "a.avi"})
    with pytest.raises(OSError, match="failures"):
        count.end(0, outcome)
    assert not (place / "o/nowhere").exists()


def test_reports_and_tables_remove_nobody_s_file(place):
    report = {"confusion": [], "classes": [], "metric": "accuracy"}
    for name in reports.FILES:
        make(f"o/{name}", "text")
        with pytest.raises(DataError, match="is not one of"):
            reports.write("o", report, overwrite=True)
        assert (place / "o" / name).read_text() == "mine\n"
        os.unlink(f"o/{name}")
    for name in comparison_table.FILES[:2]:
        make(f"o/{name}", "text")
        with pytest.raises(DataError, match="is not one of"):
            comparison_table.write("o", [comparison_table.Row("one", None, "why")])
        assert (place / "o" / name).read_text() == "mine\n"
        for path in (place / "o").iterdir():
            path.unlink()


def test_removing_takes_ours_and_what_is_named(place):
    make("o/mine", "text")
    with pytest.raises(DataError, match="is not one of"):
        atomic.remove("o/mine")
    atomic.remove("o/mine", ["o/mine"])
    atomic.remove("o/mine")
    assert os.listdir("o") == []


def test_somebody_s_record_of_costs_is_refused_from_python_too(place):
    from classify.evaluation.cost_ledger import Cost, Stage, record

    make("o/cost.json", "text")
    with pytest.raises(DataError, match=r"cost\.json is not one of"):
        record(Stage("encoding", place / "o", []), Cost(1.0, 2))
    with contextlib.suppress(FileNotFoundError):
        os.unlink("o/cost.json")
    record(Stage("encoding", place / "o", []), Cost(1.0, 2))
    record(Stage("encoding", place / "o", []), Cost(1.0, 2))
    assert ownership.is_ours("o/cost.json")
