"""Fixtures that several files of tests share, and the memory that a run of the tests may take (`tests.peak`)."""

import contextlib
import ctypes
import gc
import os
import sys

import pytest

# An assertion that fails in one of these then shows its values, as in a file of tests.
pytest.register_assert_rewrite(
    "benchmarks.matching", "tests.commands", "tests.comparing", "tests.contract", "tests.samples"
)

from idt.params.decoder import is_installed  # noqa: E402
from tests import scenes  # noqa: E402
from tests.commands import run_command, scripts  # noqa: E402
from tests.peak import MB, Peak  # noqa: E402


def pytest_addoption(parser):
    parser.addini("most_memory", "MB that the tests and their children may take together at any time", default="2048")


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        return  # a process of pytest-xdist, which the one that started it watches
    config.pluginmanager.register(Memory(int(config.getini("most_memory")) * MB), "memory")


@pytest.fixture
def command(monkeypatch, capsys):
    """Run a console script in this process, ``command(name, *words, status=0)``: exit status, stdout, stderr."""
    return lambda name, *words, **given: run_command(monkeypatch, capsys, scripts()[name], name, *words, **given)


@pytest.fixture
def working_folder(monkeypatch, tmp_path):
    """The test's own folder, which relative paths mean while the test runs."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def target(tmp_path):
    """Path of a file that is not there yet."""
    return tmp_path / "f.h5"


@pytest.fixture(params=["opencv", "pyav"])
def each_decoder(request, monkeypatch):
    """Read video files by one decoder after the other, whichever a test asks for."""
    if request.param == "pyav" and not is_installed():
        pytest.skip("PyAV is not installed")
    monkeypatch.setattr("idt.frames.decoders.chosen_decoder", lambda decoder: request.param)
    return request.param


@pytest.fixture(scope="session")
def clip():
    """Frames of a textured patch that moves over a moving background, (24, H, W) uint8; not to be written to."""
    frames = scenes.moving_patch(24, velocity=(2, 1), background=(-1, 0))
    frames.setflags(write=False)
    return frames


@pytest.fixture(autouse=True, scope="module")
def nothing_kept():
    """End the processes that are kept for later and give freed memory back, when a module of tests is done."""
    yield
    if "idt.workers.processes" in sys.modules:
        sys.modules["idt.workers.processes"].end_idle()
    gc.collect()
    # Not glibc: there the memory goes back by itself.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


@pytest.fixture(autouse=True, scope="module")
def same_folder():
    """Find a module of tests that leaves the process in another folder."""
    before = os.getcwd()
    yield
    assert os.getcwd() == before


class Memory:
    """Watches the memory of the run, says what it was, and fails a run of more than ``limit`` bytes."""

    def __init__(self, limit):
        self.limit = limit
        self.peak = Peak()

    def pytest_sessionstart(self):
        self.peak.start()

    def pytest_runtest_logstart(self, nodeid):
        self.peak.doing = nodeid

    def pytest_runtest_logfinish(self):
        self.peak.doing = "the way between two tests"

    def pytest_sessionfinish(self, session, exitstatus):
        self.peak.stop()
        if exitstatus == pytest.ExitCode.OK and self.peak.total > self.limit:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        peak = self.peak
        terminalreporter.write_line(
            f"peak memory: {peak.total // MB} MB in all, {peak.own // MB} MB in the tests' process,"
            f" {peak.largest_child // MB} MB in the largest child"
        )
        if peak.total > self.limit:
            terminalreporter.write_line(
                f"ERROR: a run may take {self.limit // MB} MB (most_memory); it took most during {peak.during}",
                red=True,
            )
