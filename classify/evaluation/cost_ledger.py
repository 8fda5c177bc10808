"""Wall time and memory of the stages of an evaluation, recorded beside the files that they made.

A run that resumes another one, or uses its files, reports the time and memory of all stages, too. Memory is the
largest resident memory of this process and its children together, where the system tells it (Linux).

`resource.getrusage` is not used, because it returns the peak since the process began: the second of two recipes would
get the peak of the first. It counts only children that have ended, and the worker processes live on for the next stage.
"""

import contextlib
import hashlib
import json
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classify.text_files import write_text
from idt.errors import DataError
from idt.files import json_text, provenance
from idt.workers.profile import stage as profiled

PERIOD = 0.05
"""Seconds between two measurements of the memory."""


@dataclass(frozen=True)
class Stage:
    """A stage of an evaluation.

    Attributes
    ----------
    name : str
    folder : Path
        The folder of the files that the stage makes; their cost lies beside them in ``cost.json``.
    made_of : object
        Parameters and inputs of the stage, ready for JSON. A cost that was recorded for other parameters or inputs is
        discarded.
    """

    name: str
    folder: Path
    made_of: Any


@dataclass
class Cost:
    """Wall time and memory of a stage.

    Attributes
    ----------
    seconds : float
    memory : int
        Bytes, the most at one time; 0 where the system does not tell.
    """

    seconds: float = 0.0
    memory: int = 0


@contextlib.contextmanager
def measured(stage):
    """Measure the wall time and memory of a block of code.

    Parameters
    ----------
    stage : Stage
        The name under which ``--profile`` lists the time.

    Yields
    ------
    Cost
        Cost of the block, once the block has ended.
    """
    cost, began = Cost(), time.perf_counter()
    with profiled(stage.name), Peak() as peak:
        yield cost
    cost.seconds, cost.memory = time.perf_counter() - began, peak.bytes


def record(stage, cost, *, overwrite=False):
    """Add a cost to the recorded cost of a stage: times add up, and the larger memory is kept.

    Parameters
    ----------
    stage : Stage
    cost : Cost
    overwrite : bool or collection of path
        A collection names files that are replaced even if another program made them.

    Raises
    ------
    DataError
        If another program's file has the name of the record.
    """
    stages, before = _read(stage.folder), recorded(stage)
    stages[stage.name] = {
        "key": _key(stage.made_of),
        "seconds": round(before.seconds + cost.seconds, 3),
        "memory": max(before.memory, cost.memory),
    }
    path = cost_file(stage.folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(stages, indent=2, sort_keys=True) + "\n", overwrite=overwrite or True)


def cost_file(folder):
    """Name the record of the stages whose files lie in a ``folder``."""
    return Path(folder) / "cost.json"


def recorded(stage):
    """Return the `Cost` that is recorded for a ``stage``; a cost of zero if there is none."""
    entry = _read(stage.folder).get(stage.name)
    if not isinstance(entry, dict) or entry.get("key") != _key(stage.made_of):
        return Cost()
    seconds, memory = entry.get("seconds"), entry.get("memory")
    if isinstance(seconds, int | float) and isinstance(memory, int) and seconds >= 0 and memory >= 0:
        return Cost(seconds, memory)
    return Cost()


class Peak:
    """The largest resident memory within a block, sampled at intervals of `PERIOD`.

    Attributes
    ----------
    bytes : int
        Memory of this process and its children; 0 where the system does not tell.
    """

    def __init__(self):
        self.bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _sample(self):
        while True:
            self.bytes = max(self.bytes, resident(os.getpid()))
            if self._done.wait(PERIOD):
                return


def resident(process):
    """Return the resident memory of a process and its children, in bytes; 0 if it cannot be known.

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


def _read(folder):
    try:
        found = json_text.load(cost_file(folder))
    except (OSError, DataError):
        return {}  # a damaged record: only the recorded costs are lost
    return found if isinstance(found, dict) else {}


def _key(made_of):
    return hashlib.sha256(json.dumps(provenance.as_json_values(made_of), sort_keys=True).encode()).hexdigest()
