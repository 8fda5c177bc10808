"""Processes that may die: each slot is a process of its own, whose death costs the task it had and no more.

A decoder that crashes takes its process along, and so does a system short of memory. joblib and the pools of Python
then give up all that is under way, for they cannot tell who had which task; here every process has one at a time. A
process ends as soon as the one that started it does, however that ended, and takes the file it was writing with it.
"""

import contextlib
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from idt.files import atomic
from idt.workers import memory

STARTS = 3
"""Processes that may die in a row before they have begun, which is no task's fault, until we give up."""

GRACE = 5.0
"""Seconds for a process to end by itself."""

POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What tells the libraries of linear algebra how many threads to keep."""

_CHILD = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from idt.workers.processes import serve
serve(int(sys.argv[2]))
"""

_own = threading.local()


class Lost(NamedTuple):
    """Stands for the result of a task whose process died: why it did, in one line."""

    reason: str


def run(function, tasks, *, jobs=1, threads=1, progress=None):
    """Call ``function(*task)`` for every task, in so many processes.

    Parameters
    ----------
    function : callable
        Importable by its module's name.
    tasks : iterable of tuple
        Begun in this order; consumed as the work goes on.
    jobs : int
        Processes.
    threads : int
        Threads that each should keep to.
    progress : callable, optional
        Then ``function`` is given a ``progress``, too, and what it is called with arrives here behind the task's
        index.

    Yields
    ------
    index : int
        Of the task, in the order in which they end.
    result : object
        What the function returned, or `Lost`.

    Raises
    ------
    Exception
        What the function raised.
    OSError
        If no process can be started.
    """
    left = enumerate(tasks)
    idle = [Worker(threads) for _ in range(jobs)]
    busy: dict[Any, tuple[int, Worker]] = {}
    try:
        while True:
            while idle and (task := next(left, None)) is not None:
                worker = idle.pop()
                worker.begin(function, task[1], tells=progress is not None)
                busy[worker.connection] = task[0], worker
            if not busy:
                return
            for connection in wait(list(busy)):
                # It is closed below, too, if it tells of an error, which is raised here.
                index, worker = busy[connection]
                ended, content = worker.receive()
                del busy[connection]
                if ended:
                    idle.append(worker)
                    yield index, content
                    continue
                # A process that died before it began is another one by now.
                busy[worker.connection] = index, worker
                if content is not None and progress is not None:
                    progress(index, *content)
    finally:
        for worker in [*idle, *(worker for _, worker in busy.values())]:
            worker.close()


def call(function, *arguments):
    """Call ``function`` with ``arguments`` in a process that this thread keeps for it; return its result, or `Lost`."""
    if not hasattr(_own, "worker"):
        _own.worker = Worker()
    worker = _own.worker
    worker.begin(function, arguments)
    ended = False
    while not ended:
        ended, content = worker.receive()
    return content


class Worker:
    """A process that works on one task at a time; started with its first, and again after its death.

    Parameters
    ----------
    threads : int
        Threads that it should keep to.

    Attributes
    ----------
    connection : multiprocessing.connection.Connection
        To wait for.
    """

    def __init__(self, threads=1):
        self._threads = threads
        self.connection: Any = None
        self._process: Any = None
        self._message = b""
        self._ready = False
        self._starts = 0

    def begin(self, function, arguments, *, tells=False):
        """Hand it a task; ``tells`` says whether the function takes a ``progress``."""
        self._message = pickle.dumps((function, arguments, tells))
        if self._process is None:
            self._start()
        else:
            self._send()

    def receive(self):
        """Take its next message.

        Returns
        -------
        ended : bool
        content : object
            At the end the result or `Lost`; before, what progress was called with, or None.

        Raises
        ------
        Exception
            What the function raised.
        OSError
            If it cannot be started.
        """
        try:
            kind, content = self.connection.recv()
        except (EOFError, OSError):
            return self._died()
        if kind == "ready":
            self._ready, self._starts = True, 0
            return False, None
        if kind == "raised":
            raise content
        return kind == "done", content

    def close(self):
        """End it, whatever it is doing."""
        if self._process is None:
            return
        # It notices, removes what it has half written, and ends; see `_listen`.
        self.connection.close()
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def __del__(self):
        # That of `call` goes with its thread.
        self.close()

    def _start(self):
        self.connection, there = Pipe()
        words = [sys.executable, "-c", _CHILD, json.dumps(sys.path), str(there.fileno())]
        settings = {name: str(self._threads) for name in POOLS}
        with there:
            self._process = subprocess.Popen(
                words, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL, env={**settings, **os.environ}
            )
        self._ready = False
        self._send()

    def _send(self):
        # If it is dead already, receiving from it will tell.
        with contextlib.suppress(OSError):
            self.connection.send_bytes(self._message)

    def _died(self):
        status = self._process.wait()
        self.connection.close()
        self._process = None
        if self._ready:
            return True, Lost(cause(status))
        self._starts += 1
        if self._starts == STARTS:
            raise OSError(f"no process can be started for the work: {cause(status)}")
        self._start()
        return False, None


def cause(status):
    """Tell in one line why a process died, by its exit ``status`` as `subprocess` gives it."""
    if status >= 0:
        return f"its process ended by itself, with exit status {status}"
    name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    if -status == signal.SIGKILL:
        return "its process was killed (SIGKILL), as the system does when memory runs out"
    if -status == signal.SIGTERM:
        return "its process was told to end (SIGTERM)"
    return f"its process crashed ({name}), most likely in a decoder"


def serve(descriptor):
    """Work on tasks in the process of a `Worker` until the other end of the connection ``descriptor`` is closed."""
    # An interrupt is for the process that started this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    memory.keep_freed()
    connection = Connection(descriptor)
    messages: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, messages), daemon=True).start()
    connection.send(("ready", None))
    while True:
        message = messages.get()
        try:
            function, arguments, tells = pickle.loads(message)
            options = {"progress": lambda *told: connection.send(("told", told))} if tells else {}
            answer = "done", function(*arguments, **options)
        except Exception as problem:
            answer = "raised", problem
        connection.send(answer)


def _listen(connection, messages):
    """Receive tasks, and end with the process that sends them, in the middle of a task if need be."""
    while True:
        try:
            messages.put(connection.recv_bytes())
        except (EOFError, OSError):
            atomic.abandon()
            os._exit(0)
