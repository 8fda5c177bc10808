"""A worker process, as its parent sees it: one task at a time, restarted after its death, ended with the parent.

The process imports nothing from the current folder, which may hold files of strangers: it is started isolated
(``python -I``) and gets the absolute entries of our own search path. It runs `idt.workers.serve`.
"""

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import weakref
from typing import Any, NamedTuple

from idt.imports.environment import SEARCHED, absolute_entries
from idt.workers import kernel_folder
from idt.workers.channel import Channel, pack, pair
from idt.workers.patience import MARGIN, give_up_message

STARTS = 3
"""Number of processes in a row that may die before they take their task. Then we give up: no task is at fault."""

GRACE = 5.0
"""Seconds for a process to end by itself."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables that set the number of threads of linear algebra libraries."""

_CHILD = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from idt.workers.serve import serve
serve(int(sys.argv[2]), int(sys.argv[3]))
"""

_started: weakref.WeakSet = weakref.WeakSet()


class Lost(NamedTuple):
    """Result of a task whose process died, with the reason in one line."""

    reason: str


class Worker:
    """A process that works on one task at a time; started with its first task, and restarted after its death.

    Parameters
    ----------
    threads : int
        Number of threads that the process should use.

    Attributes
    ----------
    connection : idt.workers.channel.Channel or None
        Connection to the process, for `multiprocessing.connection.wait`; None before the first task.
    """

    def __init__(self, threads=1):
        self._threads = threads
        self.connection: Any = None
        self._process: Any = None
        self._message: list = []
        self._ready = self._taken = False
        self._starts = 0
        self._patience: float | None = None
        self._deadline = 0.0

    @property
    def runs(self):
        """Tell whether the process was started and has not been closed or found dead."""
        return self._process is not None

    def begin(self, function, arguments, *, with_progress=False):
        """Send a task, starting the process if needed; ``with_progress`` calls the function with a ``progress``."""
        self._message, self._taken = pack((function, arguments, with_progress)), False
        if self._process is None:
            self._start()
        elif self._ready:
            self._send()

    def receive(self):
        """Return the next message of the process.

        Returns
        -------
        ended : bool
        content : object
            If the task has ended, its result or `Lost`; before, the arguments of a call of ``progress``, or None.

        Raises
        ------
        Exception
            The exception of the function.
        OSError
            If the process cannot be started.
        """
        try:
            kind, content = self.connection.receive()
        except (EOFError, OSError):
            return self._died()
        if kind == "ready":
            # A large task is sent only now, because sending would wait until the process reads.
            self._ready = True
            self._send()
        if kind == "taken":
            self._message, self._taken, self._starts = [], True, 0
        if kind == "patience":
            self._patience, self._deadline = content, time.monotonic() + (content or 0.0) + MARGIN
            return False, None
        if kind == "raised":
            raise content
        return kind == "done", content

    def time_left(self):
        """Return the seconds until the process must send something, perhaps negative; None without a deadline."""
        return None if self._patience is None else self._deadline - time.monotonic()

    def is_late(self):
        """Tell whether the process has missed its deadline."""
        return self._patience is not None and time.monotonic() >= self._deadline

    def give_up(self):
        """Kill the process, because it has missed its deadline; the result of its task is `Lost`."""
        self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            # A process that waits for a network drive cannot be killed until the drive answers.
            self._process.wait(GRACE)
        self.connection.close()
        self._process, seconds, self._patience = None, self._patience, None
        return Lost(give_up_message(seconds))

    def close(self):
        """End the process: ask it to, and kill it after `GRACE` seconds."""
        close([self])

    def __del__(self):
        # A thread's own worker (`idt.workers.processes.call`) ends with the thread.
        self.close()

    def ask_to_end(self):
        """Ask the process to end; it removes its part files first."""
        if self._process is not None:
            self.connection.close()

    def wait(self, seconds):
        """Wait for the end of the process for ``seconds``, then kill it."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _start(self):
        here, there = pair()
        words = [*interpreter(), "-c", _CHILD, json.dumps(search_path()), str(there.fileno()), str(os.getpid())]
        environment = {
            **{name: str(self._threads) for name in THREAD_VARIABLES},
            **os.environ,
            **kernel_folder.environment(),
        }
        # OpenCV's loader may have added the current folder to these variables (`idt.imports.opencv`).
        for name in SEARCHED:
            if name in environment:
                environment[name] = absolute_entries(environment[name])
        self.connection, self._ready = Channel(here), False
        # An interrupt is for the parent. It is blocked until the child ignores it; otherwise the child would print a
        # traceback.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            with there:
                self._process = subprocess.Popen(
                    words, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL, env=environment
                )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        _started.add(self)

    def _send(self):
        # If the process is dead, `receive` will find that out.
        with contextlib.suppress(OSError):
            self.connection.send(self._message)

    def _died(self):
        self._patience = None
        status = self._process.wait()
        self.connection.close()
        self._process = None
        if self._taken:
            return True, Lost(cause(status))
        self._starts += 1
        if self._starts == STARTS:
            raise OSError(f"no process can be started for the work: {cause(status)}")
        self._start()
        return False, None


def interpreter():
    """Return the command that starts Python without modules or settings from the current folder."""
    words = [sys.executable, "-I", "-X", f"utf8={sys.flags.utf8_mode}"]
    # An isolated interpreter ignores PYTHONDONTWRITEBYTECODE and PYTHONPYCACHEPREFIX, so these settings are passed on.
    if sys.dont_write_bytecode:
        words.append("-B")
    if sys.pycache_prefix is not None:
        words += ["-X", f"pycache_prefix={sys.pycache_prefix}"]
    return words


def search_path():
    """Return the search path of our modules, without entries that depend on the current folder."""
    return [entry for entry in sys.path if isinstance(entry, str) and os.path.isabs(entry)]


def cause(status):
    """Describe in one line why a process died, by its exit ``status`` as `subprocess` returns it."""
    if status in (128 + signal.SIGTERM, 128 + signal.SIGHUP):
        # The process has ended itself on that signal, see `idt.workers.serve`.
        status = 128 - status
    if status >= 0:
        return f"its process ended by itself, with exit status {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    if -status == signal.SIGKILL:
        return "its process was killed (SIGKILL), as the system does when memory runs out"
    if -status in (signal.SIGTERM, signal.SIGHUP):
        return f"its process was told to end ({name})"
    return f"its process crashed ({name}), most likely in a decoder"


def close(workers):
    """End several ``workers`` at once: ask them to, and kill those that still run after `GRACE` seconds."""
    for worker in workers:
        worker.ask_to_end()
    until = time.monotonic() + GRACE
    for worker in workers:
        worker.wait(max(0.0, until - time.monotonic()))


def end_all():
    """End all worker processes of this process, as `close`."""
    close(list(_started))


atexit.register(end_all)
os.register_at_fork(after_in_child=_started.clear)
