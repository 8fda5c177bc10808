"""What stages cost, in seconds and in memory, remembered beside what they made.

A run that goes on where another stopped, or that uses what another made, then still says what all of it took. Memory is
the largest resident one of this process and its children together, where the system tells it (Linux).
"""

import contextlib
import hashlib
import json
import os
import threading
import time
from pathlib import Path

from classify.text_files import write_text
from idt.files import hdf5
from idt.workers.profile import stage as watched

PERIOD = 0.05
"""Seconds between two looks at the memory."""


class Ledger:
    """Cost of the stages that made the content of a folder, in its ``cost.json``.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder):
        self._path = Path(folder) / "cost.json"

    @contextlib.contextmanager
    def paying(self, stage, made_of):
        """Add the time of the block to that of the stage, and remember its memory.

        Parameters
        ----------
        stage : str
        made_of : object
            What the stage depends on, ready for JSON; the cost of a stage that depended on something else is forgotten.

        Yields
        ------
        Bill
            That may be torn up, if it turns out that nothing was to be done.
        """
        bill, began, key = Bill(), time.perf_counter(), _key(made_of)
        with watched(stage), Peak() as peak:
            yield bill
        if not bill.due:
            return
        stages = self._read()
        before = stages.get(stage, {})
        if before.get("key") != key:
            before = {}
        stages[stage] = {
            "key": key,
            "seconds": round(before.get("seconds", 0.0) + time.perf_counter() - began, 3),
            "memory": max(before.get("memory", 0), peak.bytes),
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_text(self._path, json.dumps(stages, indent=2, sort_keys=True) + "\n", overwrite=True)

    def of(self, stage, made_of):
        """Seconds and bytes of a stage, (0, 0) if nothing is known of it."""
        entry = self._read().get(stage, {})
        return (entry["seconds"], entry["memory"]) if entry.get("key") == _key(made_of) else (0.0, 0)

    def _read(self):
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # of an earlier version, or by hand: the cost is forgotten, nothing else
        return found if isinstance(found, dict) else {}


class Bill:
    """Whether a stage is to be paid for.

    Attributes
    ----------
    due : bool
    """

    due = True


class Peak:
    """The largest resident memory within a block, looked at again and again.

    Attributes
    ----------
    bytes : int
        Of this process and its children; 0 where the system does not tell.
    """

    def __init__(self):
        self.bytes = 0
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)

    def __enter__(self):
        self._watch.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._watch.join()

    def _look(self):
        while True:
            self.bytes = max(self.bytes, resident(os.getpid()))
            if self._done.wait(PERIOD):
                return


def resident(process):
    """Resident memory of a process and its children, in bytes; 0 if it is gone or the system does not tell.

    Parameters
    ----------
    process : int

    Returns
    -------
    int
    """
    place = Path("/proc") / str(process)
    try:
        found = int((place / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        children = {int(child) for path in place.glob("task/*/children") for child in path.read_text().split()}
    except (OSError, ValueError, IndexError):
        return 0
    return found + sum(resident(child) for child in children)


def _key(made_of):
    return hashlib.sha256(json.dumps(hdf5.plain(made_of), sort_keys=True).encode()).hexdigest()
