"""The memory of a run of the tests is measured, and too much of it fails the run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import peak
from tests.waiting import until

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent

on_linux = pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="children are read from /proc")

TINY = """
import subprocess, sys, time

def test_of_little_memory():
    pass

def test_of_much_memory():
    block = bytearray(b"x") * (300 << 20)
    time.sleep(1)

def test_of_much_memory_in_a_child():
    code = "import time; block = bytearray(b'x') * (300 << 20); time.sleep(2)"
    subprocess.run([sys.executable, "-c", code], check=True)

def test_that_fails():
    assert False
"""


def run(folder, name, most):
    """Run one of the tiny tests with a limit in MB: exit status and what it prints."""
    path = folder / "test_tiny.py"
    path.write_text(TINY)
    words = ["-q", "-p", "tests.conftest", "-o", f"most_memory={most}", f"{path}::{name}"]
    done = subprocess.run([sys.executable, "-m", "pytest", *words], capture_output=True, text=True, cwd=ROOT)
    assert done.stderr == ""
    return done.returncode, done.stdout


def told(out):
    """The numbers of the summary: MB in all, in the tests' process, in the largest child."""
    form = r"^peak memory: (\d+) MB in all, (\d+) MB in the tests' process, (\d+) MB in the largest child$"
    return [int(number) for number in re.search(form, out, re.MULTILINE).groups()]


def test_a_run_of_little_memory_passes_and_says_how_much_it_took(tmp_path):
    status, out = run(tmp_path, "test_of_little_memory", 250)
    total, own, child = told(out)
    assert (status, "ERROR" in out) == (0, False)
    assert 10 < own <= total < 250
    assert child == 0


def test_a_run_of_much_memory_fails_and_names_the_test(tmp_path):
    status, out = run(tmp_path, "test_of_much_memory", 250)
    assert status == 1
    assert "1 passed" in out
    assert re.search(
        r"^ERROR: a run may take 250 MB .* during \S*test_tiny.py::test_of_much_memory$", out, re.MULTILINE
    )
    total, own, child = told(out)
    assert 300 < own <= total < 600
    assert child == 0
    assert run(tmp_path, "test_of_much_memory", 600)[0] == 0


@on_linux
def test_what_children_take_counts(tmp_path):
    status, out = run(tmp_path, "test_of_much_memory_in_a_child", 300)
    total, own, child = told(out)
    assert status == 1
    assert own < 250
    assert 300 < child < 350
    assert total > child


def test_a_run_that_failed_anyway_fails(tmp_path):
    status, out = run(tmp_path, "test_that_fails", 2048)
    assert (status, "1 failed" in out, "peak memory" in out) == (1, True, True)


@on_linux
def test_a_child_counts_from_the_second_look_on():
    found = peak.Peak()
    code = "block = bytearray(b'x') * (1 << 26); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"\n"
        assert child.pid in peak.resident(os.getpid())
        found.look()
        assert found.largest_child == 0
        found.doing = "the second look"
        assert until(lambda: [found.look(), found.largest_child][1] > 1 << 26)
        assert found.during == "the second look"
        child.stdin.close()
    assert peak.resident(child.pid) == {}
