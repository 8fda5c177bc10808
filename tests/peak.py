"""Memory of a test run: the largest resident memory of the tests' process and its children together.

A thread looks at /proc five times a second. What the tests' process took between two looks the system tells, too; of
the children it does not: their `ru_maxrss` begins with that of the process that they were forked from. A process counts
from the second look on, for until it runs a program of its own a child shares the memory of its parent. Libraries,
which all processes map, count once, as much as the process has of them that has most.
"""

import os
import re
import resource
import sys
import threading
from pathlib import Path
from typing import NamedTuple

PERIOD = 0.2
"""Seconds between two looks."""

MB = 1 << 20


class Size(NamedTuple):
    """Bytes of a process in memory: those of its own, and those that other processes may share."""

    own: int
    shared: int


class Peak:
    """The largest memory since `start`.

    Attributes
    ----------
    total, own, largest_child : int
        Bytes of all processes together, of the tests' process, known after `stop`, and of the child that had most. The
        last is 0 where there is no /proc.
    during : str
        What `doing` said at the look that found most.
    doing : str
        Set by the caller: what goes on.
    """

    def __init__(self):
        self.total = self.own = self.largest_child = 0
        self.during = self.doing = "the start"
        self._known: set[int] = set()
        self._done = threading.Event()
        self._watch = threading.Thread(target=self._run, name="peak of memory", daemon=True)

    def start(self):
        self._watch.start()

    def stop(self):
        self._done.set()
        self._watch.join()
        self.own = own_peak()
        self.total = max(self.total, self.own)

    def look(self):
        """Look once."""
        sizes = resident(os.getpid())
        counted = [size for process, size in sizes.items() if process in self._known]
        children = [size for process, size in sizes.items() if process in self._known - {os.getpid()}]
        self._known = set(sizes)
        total = sum(size.own for size in counted) + max((size.shared for size in counted), default=0)
        self.largest_child = max([self.largest_child, *map(sum, children)])
        if total > self.total:
            self.total, self.during = total, self.doing

    def _run(self):
        while not self._done.wait(PERIOD):
            self.look()


def resident(process):
    """`Size` of a process and of all that descend from it, by process; those gone are left out."""
    place = Path("/proc") / str(process)
    try:
        pages, shared = map(int, (place / "statm").read_text().split()[1:3])
        page = os.sysconf("SC_PAGE_SIZE")
        found = {process: Size((pages - shared) * page, shared * page)}
        children = [int(child) for path in place.glob("task/*/children") for child in path.read_text().split()]
    except (OSError, ValueError, IndexError):
        return {}
    for child in children:
        found.update(resident(child))
    return found


def own_peak():
    """Largest resident memory that this process had since it runs this program, in bytes."""
    try:
        return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
    except OSError:
        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return largest if sys.platform == "darwin" else largest << 10
