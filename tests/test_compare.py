"""Recipes, what they cost, and `idt-evaluate --compare`: one table of several evaluations over shared features."""

import csv
import json
import mmap
import os
import re
import shutil
import subprocess
import sys

import pytest

from benchmarks.clips import write_video
from classify.evaluation import cost_ledger
from classify.evaluation.cost_ledger import Cost, Stage, measured, record, recorded
from classify.evaluation.recipes import read_recipes
from classify.reports import comparison_table
from classify.reports.comparison_table import Row
from encoding.params import BovwParams, EncodingParams, StackedParams
from encoding.vectors_file import load_vectors
from idt.errors import DataError
from idt.params.extraction import ExtractionParams
from tests import scenes
from tests.waiting import until

on_linux = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the memory is read from /proc")

SMALL = "--length 5 --time-cells 1 --scales 1 --stride 10 --no-camera --keypoints none".split()
SMALL += "--k 2 --blocks trajectory,hof".split()

RECIPES = """
# Comments and blank lines are free.
[DEFAULT]
seeds = 1

[Fisher vectors]

[with zero order]
zero-order = yes

[words]
encoder = bovw
k = 3
blocks = trajectory

[words, chi2]
encoder = bovw
k = 3
blocks = trajectory
classifier = chi2

[sparse]
stride = 12
"""


@pytest.fixture
def command(command):
    """Run idt-evaluate with few and short tracks: exit status, stdout, stderr."""
    return lambda *words, **given: command("idt-evaluate", *words, *SMALL, **given)


@pytest.fixture
def clips(tmp_path):
    """A folder of two classes in two groups."""
    for seed, (way, velocity) in enumerate({"right": (3, 0), "down": (0, 3)}.items()):
        (tmp_path / "clips" / way).mkdir(parents=True)
        for group in (1, 2):
            film = scenes.translating(14, velocity=velocity, size=(64, 80), seed=2 * seed + group)
            write_video(tmp_path / "clips" / way / f"g{group}_{way}.avi", film)
    return tmp_path / "clips"


def recipes_file(tmp_path, text=RECIPES):
    path = tmp_path / "recipes.cfg"
    path.write_text(text, encoding="utf-8")
    return path


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


# Recipes.


def test_a_recipe_is_a_section_and_what_it_does_not_say_is_common_or_default(tmp_path):
    found = {recipe.name: recipe for recipe in read_recipes(recipes_file(tmp_path))}
    assert list(found) == ["Fisher vectors", "with zero order", "words", "words, chi2", "sparse"]
    # The seeds are those of k-means, which a mixture does not have.
    assert found["Fisher vectors"].encoding == EncodingParams()
    assert found["with zero order"].encoding == EncodingParams(zero_order=True)
    assert found["words"].encoding == BovwParams(k=3, seeds=1, blocks="trajectory")
    assert found["words, chi2"].classifier.classifier == "chi2"
    assert found["sparse"].extraction == ExtractionParams(stride=12)


def test_options_of_the_command_hold_where_a_recipe_says_nothing_else(tmp_path):
    path = recipes_file(
        tmp_path, "[a]\n[b]\nk = 8\nC = cv\npca = 1\n[c]\nencoder = sfv\nencoding.power = 1\n[d]\nbest = none"
    )
    options = {"encoding": {"k": 4, "best": 2}, "extraction": {"stride": 7}, "classifier": {"C": 3.0}}
    a, b, c, d = read_recipes(path, options=options)
    assert (a.encoding, a.extraction.stride, a.classifier.C) == (EncodingParams(k=4, best=2), 7, 3.0)
    assert (b.encoding, b.classifier.C) == (EncodingParams(k=8, best=2, pca=1.0), "cv")
    assert c.encoding == StackedParams(k=4, best=2, power=1.0)
    assert d.encoding.best is None
    (fast,) = read_recipes(recipes_file(tmp_path, "[a]\npreset = fast\nlength = 20"), options=options)
    assert fast.extraction == ExtractionParams.from_options(preset="fast", length=20, stride=7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no recipes"),
        ("k = 3", "is no file of recipes"),
        ("[a]\n[a]\n", "is no file of recipes: .* section 'a' already exists"),
        ("[a]\ncolour = red", r"\[a\]: unknown option colour"),
        ("[a]\nlenght = 12", r"\[a\]: unknown option lenght; did you mean length\?$"),
        ("[DEFAULT]\ncolour = red\n[a]", r"\[a\]: unknown option colour"),
        ("[a]\ncoding = vq", r"\[a\]: unknown option coding; known are encoder, extra, preset"),
        (
            "[a]\nencoder = cnn",
            "encoder must be one of fisher, bovw, vlad, stacked, bilinear, plain, fv, sfv, got 'cnn'",
        ),
        ("[a]\nk = many", "k: expected a whole number of at least 1, got 'many'"),
        ("[a]\njoint = maybe", "joint must be yes or no, got 'maybe'"),
        ("[a]\nk = 0", "k: expected a whole number of at least 1, got '0'"),
    ],
)
def test_recipes_that_cannot_be_made_are_refused_by_name(tmp_path, text, words):
    with pytest.raises(DataError, match=f"recipes.cfg.*{words}"):
        read_recipes(recipes_file(tmp_path, text))


# What things cost.


class Machine:
    """Stands in for the clock and the memory that `classify.evaluation.cost_ledger` looks at."""

    def __init__(self):
        self.now, self.memory = 100.0, 0

    def perf_counter(self):
        return self.now

    def resident(self, process):
        assert process == os.getpid()
        return self.memory

    def spend(self, stage, *, seconds, memory):
        """Go through a stage that takes so much; its cost."""
        self.memory = memory
        with measured(stage) as cost:
            self.now += seconds
        return cost


@pytest.fixture
def machine(monkeypatch):
    machine = Machine()
    monkeypatch.setattr(cost_ledger, "time", machine)
    monkeypatch.setattr(cost_ledger, "resident", machine.resident)
    return machine


def test_a_ledger_adds_up_what_one_thing_cost(machine, tmp_path):
    encoding, other = Stage("encoding", tmp_path / "new", "x"), Stage("extraction", tmp_path / "new", "x")
    assert recorded(encoding) == Cost(0.0, 0)
    record(encoding, machine.spend(encoding, seconds=2.5, memory=300))
    record(encoding, machine.spend(encoding, seconds=0.5, memory=200))
    # Times add up, of the memory the largest is kept.
    assert recorded(encoding) == Cost(3.0, 300)
    assert recorded(other) == Cost(0.0, 0)
    record(other, machine.spend(other, seconds=7, memory=100))
    assert recorded(other) == Cost(7.0, 100)
    assert recorded(encoding) == Cost(3.0, 300)


def test_a_stage_in_which_nothing_was_done_costs_nothing(machine, tmp_path):
    stage = Stage("encoding", tmp_path, "x")
    assert machine.spend(stage, seconds=4, memory=300) == Cost(4.0, 300)
    assert recorded(stage) == Cost(0.0, 0)
    assert not list(tmp_path.iterdir())


def test_the_cost_of_a_stage_that_is_made_of_something_else_is_forgotten(machine, tmp_path):
    x, y = (Stage("encoding", tmp_path, made_of) for made_of in "xy")
    record(x, Cost(2.0, 300))
    assert recorded(y) == Cost(0.0, 0)
    record(y, Cost(1.0, 200))
    assert recorded(y) == Cost(1.0, 200)
    assert recorded(x) == Cost(0.0, 0)
    for text in ("no json", "[]"):
        (tmp_path / "cost.json").write_text(text)
        assert recorded(y) == Cost(0.0, 0)


@on_linux
def test_the_memory_is_that_of_the_process_and_of_its_children():
    own = cost_ledger.resident(os.getpid())
    # An interpreter with numpy takes more than ten megabytes.
    assert own > 10 << 20
    code = "block = bytearray(b'x') * (1 << 26); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"\n"
        alone = cost_ledger.resident(child.pid)
        assert 1 << 26 < alone < 1 << 27
        assert cost_ledger.resident(os.getpid()) > alone + (10 << 20)
        child.stdin.close()
    assert cost_ledger.resident(child.pid) == 0


@on_linux
def test_the_peak_is_seen_while_it_lasts():
    with cost_ledger.Peak() as before:
        assert until(lambda: before.bytes)
    # From the system itself, page by page: malloc may have kept as much of earlier tests, or keep it afterwards.
    with cost_ledger.Peak() as peak, mmap.mmap(-1, 1 << 27) as block:
        for page in range(0, len(block), mmap.PAGESIZE):
            block[page] = 1
        assert until(lambda: peak.bytes >= before.bytes + (100 << 20))
    highest = peak.bytes
    assert cost_ledger.resident(os.getpid()) < highest - (1 << 26)
    assert peak.bytes == highest


# The table.


def reported(value, **more):
    report = {
        "dataset": "kth",
        "metric": "accuracy",
        "value": value,
        "clips": 4,
        "classes": ["run", "walk"],
        "protocol": "two halves",
        "interval": None,
        "per_descriptor": {"hog": 0.5},
        "columns": 12,
        "seconds": {"extraction": 7.0, "encoding": 1.5, "classification": 0.5},
        "memory": 3 << 20,
        "missing": [],
        "failed": ["x"],
        "part": [],
        "published": [],
        "versions": {"python": "3.11"},
    }
    return {**report, **more}


@pytest.mark.slow
def test_a_table_has_a_line_for_each_recipe(tmp_path):
    rows = [
        Row("one | two", reported(0.9)),
        Row("three", reported(1.0, per_descriptor={"hof": 0.25}, memory=None, interval={"low": 0.9, "high": 1.0})),
        Row("four", None, "too few tracks"),
    ]
    written = comparison_table.write(tmp_path, rows)
    assert [path.suffix for path in written.paths] == [".md", ".csv", ".png", ".html"]
    text = (tmp_path / "comparison.md").read_text()
    for line in (
        "| recipe | accuracy | hog | hof | vector size | seconds | extraction, s | memory, MB |",
        r"| one \| two | 90.0 | 50.0 |  | 12 | 2.0 | 7.0 | 3 |",
        "| three | 100.0 |  | 25.0 | 12 | 2.0 | 7.0 | – |",
        "| four | failed: too few tracks |  |  |  |  |  |  |",
    ):
        assert f"\n{line}\n" in text
    assert "4 clips of 2 classes, 1 failed; two halves." in text
    with open(tmp_path / "comparison.csv", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == "recipe,metric,value,low,high,hog,hof,columns,seconds,extraction_seconds,memory,error".split(",")
    assert lines[1] == "three,accuracy,1.000000,0.900000,1.000000,,0.250000,12,2.000,7.0,,".split(",")
    assert (lines[2][0], lines[2][-1]) == ("four", "too few tracks")
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")
    before = times(tmp_path)
    comparison_table.write(tmp_path, rows)
    assert times(tmp_path) == before


def test_a_table_of_failures_only_is_a_list(tmp_path):
    assert len(comparison_table.write(tmp_path, [Row("a", None, "odd")]).paths) == 3
    assert "- a: odd" in (tmp_path / "comparison.md").read_text()


# What a user does.


@pytest.mark.slow
def test_recipes_share_what_they_have_in_common_and_make_one_table(command, clips, tmp_path):
    out = tmp_path / "out"
    words = ("folder", clips, "-o", out, "--group", "g[0-9]", "--compare", recipes_file(tmp_path))
    status, printed, err = command(*words)
    assert (status, err) == (0, "")
    lines = printed.splitlines()
    assert re.fullmatch(r"Fisher vectors: accuracy 100.0 %, \d+ numbers a video, [0-9.]+ s", lines[0])
    assert lines[-2:] == [str(out / "comparison.md"), f"open {out / 'comparison.html'}"]
    assert len(lines) == 7
    # Two Fisher vectors of one codebook, words for both classifiers, and again of fewer points.
    assert len(list((out / "codebooks").iterdir())) == 3
    assert len(list((out / "vectors").iterdir())) == 4
    assert {path.name for path in (out / "rows").iterdir()} == {
        "Fisher-vectors", "with-zero-order", "words", "words,-chi2", "sparse",
    }  # fmt: skip
    assert {path.name for path in out.iterdir() if path.is_dir()} == {
        "codebooks", "vectors", "rows", "features", "features-stride=12",
    }  # fmt: skip
    with open(out / "comparison.csv", newline="") as file:
        table = {line["recipe"]: line for line in csv.DictReader(file)}
    assert {line["value"] for line in table.values()} == {"1.000000"}
    assert (table["words"]["columns"], table["words"]["hof"]) == ("3", "")
    zero, plain = (int(table[name]["columns"]) for name in ("with zero order", "Fisher vectors"))
    assert zero == plain + 2 * (2 - 1)
    # Who shares a codebook pays for it too.
    costs = [
        json.loads((out / "rows" / name / "report.json").read_text())["seconds"] for name in ("words", "words,-chi2")
    ]
    assert costs[0]["codebooks"] == costs[1]["codebooks"] > 0
    assert costs[0]["encoding"] == costs[1]["encoding"] > 0
    (vectors,) = (out / "vectors").glob("bovw-*")
    assert load_vectors(vectors / "folds" / "01-g1" / "vectors.h5").encodings.shape == (4, 3)

    # Again: nothing is done. Interrupted: what is lost is made again, and nothing else.
    before = times(out)
    assert command(*words)[1].splitlines()[-2] == f"{out / 'comparison.md'}: up to date"
    assert times(out) == before
    shutil.rmtree(out / "rows" / "words")
    assert command(*words)[0] == 0
    after = times(out)
    changed = {path for path in after if after[path] != before.get(path)}
    assert {path for path in changed if path.parent.name == "scores"} == {
        out / "rows" / "words" / "scores" / f"split{number}.h5" for number in (1, 2)
    }
    assert not any(path.name in ("codebook.h5", "vectors.h5") for path in changed)


@pytest.mark.slow
def test_one_encoder_is_evaluated_without_recipes(command, clips, tmp_path):
    words = ("folder", clips, "-o", tmp_path / "out", "--group", "g[0-9]")
    status, printed, _ = command(*words, "--encoder", "vlad", "--no-intra")
    assert (status, printed[:17]) == (0, "folder: accuracy ")
    settings = json.loads((tmp_path / "out" / "report.json").read_text())["settings"]
    assert (settings["encoder"], settings["encoding"]["intra"]) == ("vlad", False)
    status, _, err = command(*words, "--encoder", "vlad", status=2)
    assert (status, "made with intra=False, this run asks for intra=True" in err) == (2, True)
    status, _, err = command(*words, "--encoder", "vlad", "--coding", "vq", status=2)
    assert (status, "the encoder vlad has no option coding" in err) == (2, True)


@pytest.mark.slow
def test_a_recipe_that_cannot_be_evaluated_does_not_stop_the_others(command, clips, tmp_path):
    path = recipes_file(tmp_path, "[too many]\nk = 4000\nsample = 5000\n[fine]\n")
    status, printed, err = command(
        "folder", clips, "-o", tmp_path / "out", "--group", "g[0-9]", "--compare", path, status=3
    )
    assert status == 3
    assert printed.startswith("fine: accuracy 100.0 %")
    assert re.match(r"idt-evaluate: too many: k=4000 components need at least as many descriptors", err)
    assert "| too many | failed: k=4000" in (tmp_path / "out" / "comparison.md").read_text()


@pytest.mark.slow
def test_recipes_of_one_folder_and_rows_made_otherwise_are_refused(command, clips, tmp_path):
    words = ("folder", clips, "-o", tmp_path / "out", "--group", "g[0-9]", "--compare")
    status, _, err = command(*words, recipes_file(tmp_path, "[a b]\n[a-b]\n"), status=2)
    assert (status, "the recipes 'a b' and 'a-b' have one folder" in err) == (2, True)
    assert not (tmp_path / "out").exists()
    assert command(*words, recipes_file(tmp_path, "[a]\n"))[0] == 0
    status, _, err = command(*words, recipes_file(tmp_path, "[a]\npower = 1\n"), status=2)
    assert (status, "report.json was made with power=0.5, this run asks for power=1.0" in err) == (2, True)
