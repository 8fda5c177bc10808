"""Published results: where each was read, what is left out, and where a run stands among them."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classify.datasets.dataset import Clip, Dataset, Skipped
from classify.datasets.registry import READERS
from classify.datasets.splits import Split
from classify.reports.extent import SIZES, covered_part
from classify.reports.published import KINDS, SOURCES, published
from classify.reports.published_tables import Own, published_tables
from classify.reports.report import assemble, write
from classify.reports.summary import Fold


def everything():
    return [(name, entry) for name in READERS for entry in published(name)]


def entries(name):
    return [entry._asdict() for entry in published(name)]


def rows(lines):
    return [line.strip("| ").split(" | ") for line in lines if line.startswith("| ") and not line.startswith("| ---")]


def ucf101(classes=101, splits=3, missing=0):
    """Three splits over the same two clips of each class, as far as they are asked for."""
    clips = [Clip(f"c{k}/{i}", Path("x.avi"), f"c{k}") for k in range(classes) for i in range(2)]
    sides = tuple(clip.name for clip in clips[::2]), tuple(clip.name for clip in clips[1::2])
    made = [Split(f"split {i + 1}", *sides, f"split {i + 1}") for i in range(splits)]
    return Dataset("ucf101", Path("root"), clips, made, "3 splits", "accuracy", [], [f"m{i}" for i in range(missing)])


def test_numbers_that_one_can_look_up():
    ucf = {(entry.system, entry.with_idt, entry.scope): entry for entry in published("ucf101")}
    assert ucf["two-stream fusion, VGG-16", False, ""].percent == 92.5
    assert ucf["two-stream fusion, VGG-16", True, ""].percent == 93.5
    assert ucf["CoViAR", True, ""].classes == "X"
    assert ucf["hidden two-stream (VGG-16)", True, "split 1"].percent == 91.65
    hmdb = {entry.system: entry for entry in published("hmdb51") if not entry.with_idt}
    assert (hmdb["iDT + FV, human boxes"].percent, hmdb["iDT + FV, human boxes"].classes) == (57.2, "L")
    assert "56.7 / 57.2 / 57.8" in hmdb["iDT + FV, human boxes"].note
    assert [entry.percent for entry in published("weizmann")] == [98.9]
    assert [len(published(name)) for name in ("kth", "ut-interaction", "folder", "list")] == [0, 0, 0, 0]


def test_every_number_says_where_it_was_read_and_occurs_once():
    found = everything()
    assert len(found) == 206
    for _, entry in found:
        assert entry.kind in KINDS
        assert entry.classes
        assert set(entry.classes) <= set(SOURCES)
        assert entry.source
        assert entry.read
        assert 0 < entry.percent < 100
        assert re.fullmatch(r"(split \d)?", entry.scope)
        assert "recall" not in " ".join(map(str, entry))
    keys = [(name, entry.system, entry.with_idt, entry.scope) for name, entry in found]
    assert len(set(keys)) == len(keys)


def test_what_no_place_states_is_left_out():
    there = {(name, entry.system, entry.with_idt) for name, entry in everything()}
    assert not any(system == "ST multiplier" and not with_idt for _, system, with_idt in there)
    assert not any(name == "olympic" and "iDT + FV" in system for name, system, _ in there)
    assert not any("no human boxes" in system for _, system, _ in there)
    assert not any(name in ("ucf50", "olympic") and system == "MIFS" for name, system, _ in there)


def test_a_run_on_the_whole_set_stands_between_those_above_and_below():
    lines = published_tables(entries("hmdb51"), Own(0.612, "accuracy", []))
    (classical, networks, parts) = "\n".join(lines).split("### ")[1:]
    for text in (classical, networks):
        numbers = [re.sub(r"[*–]", "", row[1]) or row[2] for row in rows(text.splitlines())[1:]]
        assert [float(number) for number in numbers] == sorted(map(float, numbers), reverse=True)
        assert "| **this run** | **61.2** | – |  |  | accuracy |" in text
    assert "this run" not in parts
    assert "| two-stream fusion, VGG-16 | 65.4 | 69.2 | Feichtenhofer et al., CVPR 2016 | O: own PDF |  |" in networks
    assert "| RNN-FV | – | 67.7 |" in networks


def test_a_run_on_part_of_the_set_says_so_on_its_own_row_and_is_not_ranked():
    lines = published_tables(entries("ucf101"), Own(0.99, "accuracy", ["9 of 101 classes", "1 of 3 splits"]))
    (classical, networks, parts) = "\n".join(lines).split("### ")[1:]
    assert "this run" not in classical + networks
    assert "split 1" not in classical + networks
    assert parts.startswith("On part of the protocol, not to be ranked\n")
    first, second, *_ = rows(parts.splitlines())[1:]
    assert first == ["**this run, on 9 of 101 classes, 1 of 3 splits**", "**99.0**", "–", "", "", "accuracy"]
    assert second[0].endswith(", split 1")


def test_the_part_that_a_run_covers_is_told_from_classes_splits_and_clips():
    assert covered_part(ucf101()) == []
    assert covered_part(ucf101(classes=9)) == ["9 of 101 classes"]
    assert covered_part(ucf101(), splits=1) == ["1 of 3 splits"]
    assert covered_part(ucf101(missing=3)) == ["202 of 205 clips"]
    assert covered_part(ucf101(missing=2)) == []
    assert covered_part(replace(ucf101(), failed=[Skipped("x", "odd")] * 9)) == ["202 of 211 clips"]
    assert covered_part(replace(ucf101(classes=9), name="folder")) == []
    assert set(SIZES) == set(READERS) - {"folder", "list"}


def reported(dataset, folder):
    """The text of the report of a run without mistakes."""
    classes = dataset.classes
    folds = [
        Fold(s, classes, np.eye(len(classes))[[classes.index(n.split("/")[0]) for n in s.test]]) for s in dataset.splits
    ]
    write(folder, assemble(dataset, folds))
    return (folder / "report.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_report_ranks_the_whole_and_names_the_part(tmp_path):
    whole = reported(ucf101(), tmp_path / "whole")
    assert "| **this run** | **100.0** |" in whole
    assert "not comparable" not in whole
    assert "Read in: O own paper, A authors' repository" in whole
    part = reported(ucf101(classes=9, splits=1), tmp_path / "part")
    assert "**On part of the set, 9 of 101 classes, 1 of 3 splits: not comparable with results on the whole.**" in part
    assert "| **this run, on 9 of 101 classes, 1 of 3 splits** | **100.0** |" in part
    assert "| **this run** |" not in part
