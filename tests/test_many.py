"""Many videos and what may go wrong on the way, as a user meets it."""

import csv
import functools
import json
import os
import re
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.clips import write_video
from idt.batch import summary, verify
from idt.batch.extract_many import extract_many, threads_for
from idt.batch.jobs import Job, plan, read_list
from idt.batch.outcome import Outcome
from idt.errors import DataError
from idt.params.extraction import ExtractionParams
from tests import scenes, soak
from tests.comparing import assert_same_folders
from tests.waiting import until

QUICK = ("--length", "4", "--no-camera")
"""Options under which a short clip has tracks, soon."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Six short films of different lengths, in two folders."""
    folder = tmp_path_factory.mktemp("clips")
    for i in range(6):
        path = folder / ("odd" if i % 2 else "even") / f"{i}.avi"
        path.parent.mkdir(exist_ok=True)
        write_video(path, scenes.moving_patch(n_frames=6 + 2 * i, size=(64, 80), seed=i))
    return folder


@pytest.fixture(scope="module")
def calm(clips, tmp_path_factory):
    """What an undisturbed run makes of them, one after the other."""
    folder = tmp_path_factory.mktemp("calm") / "out"
    assert soak.extract(clips, folder, *QUICK, "--jobs", 1).returncode == 0
    return folder


def failures(folder):
    """The lines of failures.csv: name → (source, reason)."""
    with open(folder / summary.FAILURES, encoding="utf-8", errors="surrogateescape", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["name", "source", "reason"]
    return {name: (source, reason) for name, source, reason in lines}


# What a user does.


@pytest.mark.slow
def test_two_processes_make_what_one_makes(clips, calm, tmp_path):
    assert soak.extract(clips, tmp_path / "out", *QUICK, "--jobs", 2).returncode == 0
    assert_same_folders(calm, tmp_path / "out")
    assert len(list(calm.rglob("*.h5"))) == 6


@pytest.mark.slow
def test_the_summary_counts_and_a_second_run_does_nothing(clips, calm, tmp_path):
    told = json.loads((calm / summary.SUMMARY).read_text())
    assert (told["videos"], told["done"], told["up_to_date"], told["failed"]) == (6, 6, 0, 0)
    assert told["frames"] == sum(6 + 2 * i for i in range(6))
    before = {path: path.stat().st_mtime_ns for path in calm.rglob("*.h5")}
    done = soak.extract(clips, calm, *QUICK, "--profile")
    told = json.loads((calm / summary.SUMMARY).read_text())
    assert (done.returncode, told["done"], told["up_to_date"]) == (0, 0, 6)
    assert {path: path.stat().st_mtime_ns for path in calm.rglob("*.h5")} == before
    assert re.search(r"idt-extract: peak memory: \d+ MB; largest child process: \d+ MB", done.stderr)


def test_videos_come_from_lists_patterns_and_folders(clips, tmp_path):
    (tmp_path / "list.txt").write_text(f"# the odd ones\n\n{clips}/odd\n  {clips}/even/*.avi\n", encoding="utf-8-sig")
    expected = plan([str(clips)], f"{tmp_path}/")
    assert set(plan([f"@{tmp_path / 'list.txt'}"], f"{tmp_path}/")) == set(expected)
    assert len(expected) == 6


@pytest.mark.slow
def test_the_longest_video_begins_first(clips, tmp_path):
    jobs = plan([str(clips)], f"{tmp_path}/")
    ended = [index for index, _ in extract_many(jobs, ExtractionParams(length=4, camera=False))]
    sizes = [os.path.getsize(jobs[index].source) for index in ended]
    assert sizes == sorted(sizes, reverse=True)


def test_threads_and_processes_share_the_cores(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 4)
    assert [threads_for(count, jobs) for count, jobs in ((1, 1), (9, 1), (9, 2), (9, 3), (9, 4), (2, 8))] == [
        1, 2, 2, 1, 1, 2,
    ]  # fmt: skip


def test_the_tally_tells_shares_rates_and_failures(tmp_path):
    (tmp_path / summary.FAILURES).write_text("name,source,reason\nof,yesterday,all\n")
    count = summary.begin(tmp_path, [99, 299])
    assert not (tmp_path / summary.FAILURES).exists()
    job = Job("a, b\n.avi", "a", tmp_path / "a.h5")
    steps = [
        count.advance(1, 10, 40),
        count.advance(1, 10, 40),
        count.end(0, Outcome(job, error="no, not\n so")),
    ]
    steps.append(count.end(1, Outcome(job, frames=40, tracks=3)))
    assert steps == [75.0, 75.0, 100.0, 150.0]
    assert sum(steps) == count.total
    assert str(count).startswith("2/2 videos, 1 failed, ")
    assert failures(tmp_path) == {"a": ("a, b\n.avi", "no, not\n so")}


# What goes wrong.


@pytest.mark.slow
def test_each_broken_video_is_one_line_with_its_reason_and_the_rest_is_made(tmp_path):
    good, reasons = soak.broken_folder(tmp_path / "in", good=4)
    options = (*QUICK, "--strict", "--jobs", 2)
    # One was extracted otherwise before, and the process of one is killed.
    assert soak.extract(tmp_path / "in/stride.avi", f"{tmp_path}/out/", *QUICK, "--stride", 9).returncode == 0
    with soak.killer_of(tmp_path / "out", "killed"):
        done = soak.extract(tmp_path / "in", tmp_path / "out", *options)
    assert done.returncode == 3
    found = failures(tmp_path / "out")
    assert found.keys() == reasons.keys()
    assert len(found) == 10
    for name, pattern in reasons.items():
        assert re.search(pattern, found[name][1]), (name, found[name])
    assert {path.stem for path in (tmp_path / "out").glob("*.h5")} == {*good, "stride"}
    assert not list((tmp_path / "out").glob(".*"))
    told = json.loads((tmp_path / "out" / summary.SUMMARY).read_text())
    assert (told["done"], told["failed"]) == (4, 10)


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_like_an_undisturbed_one(clips, calm, tmp_path):
    soak.kill_and_resume(clips, tmp_path / "out", *QUICK, kills=3, span=6.0, seed=1)
    assert_same_folders(calm, tmp_path / "out")


@pytest.mark.slow
def test_an_interrupt_leaves_nothing_half_written(tmp_path):
    (tmp_path / "in").mkdir()
    for name in "ab":
        write_video(tmp_path / "in" / f"{name}.avi", np.concatenate([scenes.moving_patch(n_frames=40)] * 10))
    words = soak.words_of("idt-extract", tmp_path / "in", "-o", tmp_path / "out", "--jobs", 2)
    # A shell that runs the tests in the background has them ignore interrupts, and would have their children do so.
    heed = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    options = {"cwd": soak.ROOT, "text": True, "start_new_session": True, "preexec_fn": heed}
    with subprocess.Popen(words, stderr=subprocess.PIPE, **options) as process:
        assert until(lambda: len(list((tmp_path / "out").glob(".*.part"))) == 2)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate()
    assert (process.returncode, err.count("\n")) == (130, 1)
    assert "interrupted" in err
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.slow
def test_a_full_disk_is_one_clear_line_and_the_run_can_be_resumed(clips, calm, tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (16_000, 16_000))

    out = tmp_path / "out"
    done = soak.extract(clips, out, *QUICK, preexec_fn=limit)
    assert done.returncode == 3
    assert all("largest file size allowed is reached while writing" in why for _, why in failures(out).values())
    assert len(failures(out)) + len(list(out.rglob("*.h5"))) == 6
    assert not list(out.rglob(".*"))
    assert soak.extract(clips, out, *QUICK).returncode == 0
    assert_same_folders(calm, out)
    vectors, model, labels = tmp_path / "v.h5", tmp_path / "m.h5", tmp_path / "labels.csv"
    labels.write_text("".join(f"{path.parent.name}/{path.stem},{path.parent.name}\n" for path in out.rglob("*.h5")))
    for words in (
        ("fv-encode", out, "-o", vectors, "--k", 2, "--sample", 200),
        ("svm-train", vectors, "--labels", labels, "-o", model),
    ):
        made = {"fv-encode": vectors, "svm-train": model}[words[0]]
        done = soak.run(*words, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, 4_000)))
        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(
            rf"{words[0]}: the largest file size .* while writing .*\n", done.stderr.splitlines(True)[-1]
        )
        assert not made.exists()
        done = soak.run(*words)
        assert done.returncode == 0, done.stderr
        assert made.exists()
    assert not [path for path in tmp_path.rglob(".*") if path.is_file()]


@pytest.mark.slow
def test_part_files_of_the_dead_are_removed_and_those_of_strangers_stay(clips, calm, tmp_path):
    out = tmp_path / "out" / "odd"
    out.mkdir(parents=True)
    old, new, strange = (out / f".{name}.part" for name in ("1.h5.elsewhere-5", "3.h5.elsewhere-5", "mine.h5.x-5"))
    for path in (old, new, strange):
        path.write_bytes(b"x")
    for path in (old, strange):
        os.utime(path, (0, 0))
    assert soak.extract(clips / "odd", out, *QUICK).returncode == 0
    assert not old.exists()
    assert new.exists()
    assert strange.exists()


def test_memory_does_not_grow_with_the_frames(tmp_path):
    found = soak.memory_over(300, first=100, every=300, folder=tmp_path)
    assert found.keys() == {100, 300}
    assert found[300] - found[100] < soak.GROWTH


# --verify.


@pytest.mark.slow
def test_verify_names_what_must_be_made_again(clips, calm, tmp_path):
    import shutil

    import h5py

    shutil.copytree(clips, tmp_path / "in")
    out = tmp_path / "out"
    assert soak.extract(tmp_path / "in", out, *QUICK).returncode == 0
    done = soak.run("idt-extract", "--verify", out)
    assert (done.returncode, done.stdout) == (0, f"{out}: 6 of 6 feature files are whole\n")
    (out / "odd/1.h5").write_bytes((out / "odd/1.h5").read_bytes()[:3000])
    with h5py.File(out / "odd/3.h5", "r+") as file:
        file["tracks/mean"][0, 0] = np.nan
    with h5py.File(out / "odd/5.h5", "r+") as file:
        file["camera/matches"].resize(3, axis=0)
    shutil.copy(tmp_path / "in/even/2.avi", tmp_path / "in/even/0.avi")
    (tmp_path / "in/even/2.avi").unlink()
    done = soak.run("idt-extract", "--verify", out)
    assert done.returncode == 3
    lines = done.stdout.splitlines()
    for name, pattern in (
        ("even/0", "made from .*in/even/0.avi with digest"), ("odd/1", "damaged"),
        ("odd/3", "mean must be finite, got 1"), ("odd/5", "camera/matches must be"),
    ):  # fmt: skip
        assert any(re.search(f"{out}/{name}.h5.*{pattern}", line) for line in lines), (name, lines)
    assert lines[-1] == f"{out}: 2 of 6 feature files are whole"
    assert "1 files were not compared with their videos" in done.stderr
    assert "remove the 4 others" in done.stderr


# Refusals.


def test_lists_that_name_nothing_are_refused(tmp_path):
    for content, message in (
        (None, "no such list"), (b"\n# x\n", "names no video"), (b"\xff\xfe\0", "not UTF-8"), (b"a\0b", "line 1.*NUL")
    ):  # fmt: skip
        path = tmp_path / "list.txt"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_list(path)


def test_a_folder_without_feature_files_cannot_be_verified(tmp_path):
    (tmp_path / "codebook.h5").write_bytes(b"")
    assert [path.name for path in verify.find_feature_files(tmp_path)] == ["codebook.h5"]
    (tmp_path / "codebook.h5").unlink()
    with pytest.raises(DataError, match="holds no feature files"):
        verify.find_feature_files(tmp_path)
    with pytest.raises(DataError, match="is no folder"):
        verify.find_feature_files(tmp_path / "x")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["a.avi"], "are required: -o"),
        (["-o", "x"], "are required: VIDEO"),
        (["--verify", "x", "-o", "y"], "neither VIDEO nor -o"),
        (["a.avi", "-o", "x", "--backend", "dask"], "--scheduler"),
        (["a.avi", "-o", "x", "--scheduler", "tcp://x:1"], "go together"),
    ],
)
def test_options_that_do_not_go_together_are_refused(words, message):
    done = subprocess.run(
        [sys.executable, "-c", "from idt.cli import extract; raise SystemExit(extract())", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert message in done.stderr
