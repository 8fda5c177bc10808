"""Other runs: a process that holds a lock, and one of our commands under way."""

import contextlib
import os
import subprocess
import sys
import textwrap

from tests import kills

HOLDER = textwrap.dedent("""
    import sys
    from idt.files import locks
    kind, path = sys.argv[1:]
    with locks.shared(path) if kind == "shared" else locks.held(**{kind: [path]}):
        print("held", flush=True)
        sys.stdin.readline()
""")


@contextlib.contextmanager
def holder(kind, path):
    """Another process that holds the lock of ``folders`` or ``files``, or shares that of a folder (``shared``).

    It lets go when it reads a line.
    """
    words = [sys.executable, "-c", HOLDER, kind, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def started(command, *words):
    """One of our commands, under way in this folder."""
    line = kills.words_of(command, *words)
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(line, env={**os.environ, "PYTHONPATH": str(kills.ROOT)}, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def locks_left(folder):
    """Lock files and part files below a folder."""
    return [path for pattern in ("*.lock", "*.part") for path in folder.rglob(pattern)]
