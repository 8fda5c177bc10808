"""The golden tests on another processor: aarch64, emulated by qemu in user mode, beside the numbers of this machine.

python -m tests.aarch64                       # all of it, hours; the second time it is set up already
python -m tests.aarch64 --clips disc -k disc  # a quarter of an hour of one core

A folder (--root) gets Debian's arm64 packages, unpacked without being installed, and the aarch64 wheels of the versions
that this environment has; so nothing is changed on this machine, and there is no chroot. It needs qemu-aarch64-static
(qemu-user-static), debootstrap, dpkg and root, without which it is skipped and says why, and at first the network.
Golden tests of lossy clips are skipped where the decoder there gives other pixels. Processes cannot be started from
within, for the kernel would take their program for one of this machine.
"""

import argparse
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import numpy as np

import idt
from benchmarks.matching import BLOCKS, match
from tests import golden
from tests.kills import ROOT

SUITE = "bookworm"
PACKAGES = ("python3", "libglib2.0-0")
PROGRAMS = {"qemu-aarch64-static": "qemu-user-static", "debootstrap": "debootstrap", "dpkg": "dpkg"}
"""Programs that it needs, and Debian's packages of them."""

LIBRARIES = (
    "numpy", "scipy", "scikit-learn", "numba", "llvmlite", "joblib", "h5py", "threadpoolctl", "tqdm", "pytest", "av",
)  # fmt: skip
OPENCV = ("opencv-contrib-python", "opencv-contrib-python-headless")
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")

EXTRACT = """
import sys, idt
from tests.aarch64 import source
idt.save(idt.extract(source(sys.argv[1])), sys.argv[2], float32=True, overwrite=True)
"""


def main():
    """Set the folder up, extract clips there and here, compare, and run the golden tests there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path(tempfile.gettempdir()) / f"idt-aarch64-{os.getuid()}")
    parser.add_argument("--clips", nargs="*", default=golden.SYNTHETIC, choices=golden.SYNTHETIC + golden.REAL)
    parser.add_argument("-k", dest="chosen", default="", help="golden tests to run, as pytest's -k")
    options = parser.parse_args()
    absent = [f"{name} ({package})" for name, package in PROGRAMS.items() if shutil.which(name) is None]
    if absent or os.getuid():
        _say(f"aarch64: skipped, for {', '.join(absent)} is missing" if absent else "aarch64: skipped, not root")
        return 0
    machine = Machine(_own_folder(options.root))
    machine.set_up()
    _say(machine.python("-c", "import platform, cv2, numba; print(platform.machine(), cv2.__version__)", text=True))
    for clip in options.clips:
        _say(_compared(clip, machine))
    return machine.python("-m", "pytest", "-p", "no:cacheprovider", "-v", "tests/test_golden.py", "-k", options.chosen)


class Machine:
    """An emulated machine whose files are in a folder.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder):
        self.folder, self._root, self._site = folder, folder / "root", folder / "site"

    def set_up(self):
        """Fetch the packages and the wheels, unless they are there."""
        if not (self.folder / "root.done").exists():
            _say(f"aarch64: setting up Debian {SUITE} for arm64 in {self.folder}")
            shutil.rmtree(self._root, ignore_errors=True)
            words = ["debootstrap", "--foreign", "--arch=arm64", "--variant=minbase", f"--include={','.join(PACKAGES)}"]
            self._logged(*words, SUITE, self._root, "http://deb.debian.org/debian")
            for package in sorted((self._root / "var/cache/apt/archives").glob("*.deb")):
                self._logged("dpkg", "-x", package, self._root)
            (self.folder / "root.done").touch()
        wanted = [f"{name}=={version}" for name in LIBRARIES if (version := _version(name))]
        # Without windows, whose libraries are not there.
        wanted.append(f"{OPENCV[1]}=={next(filter(None, map(_version, OPENCV)))}")
        done = self.folder / "site.done"
        if not done.exists() or done.read_text() != "\n".join(wanted):
            _say(f"aarch64: fetching {', '.join(wanted)}")
            shutil.rmtree(self._site, ignore_errors=True)
            version = (self._root / "usr/bin/python3").readlink().name.removeprefix("python")
            words = [sys.executable, "-m", "pip", "install", "--target", self._site, "--only-binary=:all:"]
            words += ["--implementation", "cp", "--python-version", version]
            self._logged(*words, *(word for name in PLATFORMS for word in ("--platform", name)), *wanted)
            done.write_text("\n".join(wanted))

    def python(self, *words, text=False):
        """Run its Python with this checkout: the exit status, or the text that it prints."""
        # What the libraries are told of this processor is wrong for that one.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
        environment |= {
            "PYTHONPATH": f"{self._site}{os.pathsep}{ROOT}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "NUMBA_CACHE_DIR": str(self.folder / "kernels"),
        }
        words = ["qemu-aarch64-static", "-L", self._root, self._root / "usr/bin/python3", *words]
        done = subprocess.run(
            list(map(str, words)), cwd=ROOT, env=environment, check=text, stdout=subprocess.PIPE if text else None,
            text=True,
        )  # fmt: skip
        return done.stdout.strip() if text else done.returncode

    def _logged(self, *words):
        """Run a program, and keep what it says for the case that it fails."""
        log = self.folder / "log.txt"
        with log.open("w") as file:
            done = subprocess.run(list(map(str, words)), stdout=file, stderr=subprocess.STDOUT, check=False)
        if done.returncode:
            raise SystemExit(f"aarch64: {words[0]} failed with status {done.returncode}: {log.read_text()[-2000:]}")


def difference(one, other):
    """Compare the tracks of two extractions: how many there are and are the same, and how far apart these are.

    Returns
    -------
    str
        A line for a person to read.
    """
    found = match({"points": one.points.astype(float), "frame": one.frame, "scale": one.scale}, other)
    hit = found >= 0
    said = f"{hit.sum()} of {len(one)} tracks, of {len(other)} there"
    if not hit.any():
        return said
    points = np.abs(one.points[hit] - other.points[found[hit]]).max()
    blocks = max(np.abs(getattr(one, name)[hit] - getattr(other, name)[found[hit]]).max() for name in BLOCKS)
    equal = all(
        np.array_equal(getattr(one, name)[hit], getattr(other, name)[found[hit]]) for name in ("points", *BLOCKS)
    )
    return f"{said}, points within {points:.1e} px, descriptors within {blocks:.1e}{', identical' * equal}"


def _compared(clip, machine):
    """Extract a clip there and here; a line on how the tracks differ."""
    there = machine.folder / f"{clip}.h5"
    if machine.python("-c", EXTRACT, clip, there):
        raise SystemExit(f"aarch64: the extraction of {clip} failed")
    return f"aarch64: {clip}: {difference(idt.extract(source(clip)), idt.load(there))}"


def source(clip):
    """Return what of a clip is extracted: of a lossy one its golden frames, which the decoder there gives otherwise."""
    return golden.video(clip) if clip in golden.SYNTHETIC else golden.gray(clip)


def _own_folder(folder):
    """Make the folder if it is not there; it must be ours, for its programs are run."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise SystemExit(f"aarch64: {folder} is somebody else's; give another with --root")
    return folder


def _version(name):
    """The version of a distribution, None if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _say(line):
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
