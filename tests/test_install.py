"""What `make` installs: OpenCV's wheel with windows, or the one without where a library of the desktop is missing."""

import runpy
import subprocess
from types import SimpleNamespace

import pytest

from tests.commands import ROOT


@pytest.fixture
def pinned(tmp_path):
    """Constraints as those of .ci/pinned.txt."""
    path = tmp_path / "pinned.txt"
    path.write_text("# Why.\nopencv-contrib-python==4.13.0.92\nnumpy==2.4.6\n")
    return str(path)


@pytest.fixture
def install():
    """Names of .ci/install.py, which is no module of ours."""
    return SimpleNamespace(**runpy.run_path(str(ROOT / ".ci/install.py")))


@pytest.fixture
def machine(install, monkeypatch):
    """Stand-in for pip and for OpenCV, whose import fails with this error; ``machine(error)`` lists pip's calls."""

    def start(error="", has=()):
        calls, installed = [], set(has)

        def run(words, **_):
            if words[-1] == "import cv2":
                failed = error if install.HEADLESS not in installed else ""
                return SimpleNamespace(returncode=int(bool(failed)), stderr=f"Traceback:\n{failed}\n")
            words = words[words.index("--disable-pip-version-check") + 1 :]
            calls.append([word for word in words if not word.startswith("-")])
            constraints = words[words.index("-c") + 1] if "-c" in words else None
            if constraints is not None:
                with open(constraints, encoding="utf-8") as file:
                    calls[-1][1] = [line for line in file.read().splitlines() if not line.startswith("#")]
            if any(word.startswith(install.HEADLESS) for word in words):
                installed.add(install.HEADLESS)
            return SimpleNamespace(returncode=0)

        monkeypatch.setattr(subprocess, "run", run)
        monkeypatch.setitem(install.main.__globals__, "is_installed", installed.__contains__)
        monkeypatch.setattr(install.metadata, "version", lambda name: "4.13.0.92")
        return calls

    return start


LIBRARY = "ImportError: libGL.so.1: cannot open shared object file: No such file or directory"


def test_with_the_libraries_of_the_desktop_the_checkout_is_installed_as_it_is(install, machine, pinned):
    calls = machine()
    install.main(pinned, "plots", "bench")
    assert calls == [["install", ["opencv-contrib-python==4.13.0.92", "numpy==2.4.6"], ".[plots,bench]"]]


def test_without_them_opencv_of_the_same_version_without_windows_takes_its_place(install, machine, pinned, capsys):
    calls = machine(LIBRARY)
    install.main(pinned, "plots")
    plain, gone, others, ours = calls
    assert plain[0] == "install"
    assert gone == ["uninstall", "opencv-contrib-python"]
    assert others[1] == ["opencv-contrib-python-headless==4.13.0.92", "numpy==2.4.6"]
    assert others[2] == "opencv-contrib-python-headless>=4.10"
    assert {"numpy>=2", "matplotlib>=3.8"} <= set(others[2:])
    assert not any(word.startswith("opencv-contrib-python>") for word in others[2:])
    assert ours == ["install", "."]
    said = capsys.readouterr().out
    assert "needs libGL.so.1, which is not on this machine: installing opencv-contrib-python-headless" in said
    assert "pip check" in said


def test_an_environment_without_windows_stays_so(install, machine, pinned):
    calls = machine(LIBRARY, has=["opencv-contrib-python-headless"])
    install.main(pinned, "dev")
    assert [call[0] for call in calls] == ["install", "install"]
    assert "pytest>=8" in calls[0]
    assert not any(word.startswith("opencv-contrib-python>") for call in calls for word in call[2:])


def test_another_fault_of_opencv_is_no_reason_to_replace_it(install, machine, pinned):
    calls = machine("ImportError: numpy.core.multiarray failed to import")
    with pytest.raises(SystemExit, match="OpenCV cannot be imported: ImportError: numpy"):
        install.main(pinned)
    assert len(calls) == 1


def test_every_requirement_and_extra_of_setup_cfg_is_read(install):
    assert {"numpy>=2", "opencv-contrib-python>=4.10"} <= set(install.requirements())
    assert install.requirements("plots")[-1] == "matplotlib>=3.8"
    assert install.headless("a==1\nopencv-contrib-python>=4\nopencv-contrib-python-headless>=4") == (
        "a==1\nopencv-contrib-python-headless>=4\nopencv-contrib-python-headless>=4"
    )
