"""Install this checkout in place, with the extras named, in the environment whose Python runs this: what `make` does.

OpenCV's wheel opens windows, which we never do, and needs libraries of the desktop for that, such as libGL.so.1, which
containers and servers lack. There the wheel without windows takes its place, opencv-contrib-python-headless of the same
version: its pixels are the same. It has another name, so that `pip check` misses the first. An environment that has it
keeps it, because the files of the two overwrite each other.

python .ci/install.py CONSTRAINTS [EXTRA ...]
"""

import configparser
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLAIN = "opencv-contrib-python"
HEADLESS = f"{PLAIN}-headless"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def main(constraints, *extras):
    """Install the checkout with some extras, and with the OpenCV that can be imported here."""
    if not is_installed(HEADLESS):
        pip("install", "-c", constraints, "-e", f".[{','.join(extras)}]")
        missing = missing_library()
        if missing is None:
            return
        say(f"{PLAIN} needs {missing}, which is not on this machine: installing {HEADLESS} in its place")
        pip("uninstall", "--yes", PLAIN)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "constraints.txt"
        file.write_text(headless(Path(constraints).read_text(encoding="utf-8")), encoding="utf-8")
        pip("install", "-c", file, *map(headless, requirements(*extras)))
    pip("install", "--no-deps", "-e", ".")
    say(f"OpenCV is {HEADLESS} {metadata.version(HEADLESS)}; `pip check` misses {PLAIN}, which it stands for")


def requirements(*extras):
    """List what setup.cfg asks for, with some extras, as pip reads it."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    listed = [config["options"]["install_requires"], *(config["options.extras_require"][extra] for extra in extras)]
    return [line for text in listed for line in text.splitlines() if line]


def headless(text):
    """Replace the OpenCV of requirements by the one without windows."""
    return "\n".join(
        HEADLESS + line.removeprefix(PLAIN) if line.startswith(PLAIN) and not line.startswith(HEADLESS) else line
        for line in text.splitlines()
    )


def missing_library():
    """Name the shared library for want of which OpenCV cannot be imported; None if it can be."""
    done = subprocess.run([sys.executable, "-c", "import cv2"], capture_output=True, text=True, check=False)
    last = done.stderr.strip().rpartition("\n")[2]
    if done.returncode == 0:
        return None
    if "cannot open shared object file" not in last:
        raise SystemExit(f"OpenCV cannot be imported: {last}")
    return last.removeprefix("ImportError: ").partition(":")[0]


def is_installed(name):
    """Whether the environment has a distribution."""
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def pip(*words):
    """Run pip, quietly; end with its status if it fails."""
    status = subprocess.run([*PIP, words[0], "--quiet", *map(str, words[1:])], cwd=ROOT, check=False).returncode
    if status:
        raise SystemExit(status)


def say(line):
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
