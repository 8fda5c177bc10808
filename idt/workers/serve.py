"""Main function of a worker process (`idt.workers.processes`), which ends with its parent.

A thread listens. If the parent ends, closes the connection, or this process receives SIGTERM or SIGHUP, the thread
removes the part files of the task and ends the process, even in the middle of the task.
"""

import atexit
import contextlib
import os
import queue
import select
import signal
import socket
import sys
import threading

from idt.files import atomic, scratch
from idt.workers import memory, patience
from idt.workers.channel import Channel, pack, sendable, unpack

IDLE = 300.0
"""Seconds without a task after which a process ends by itself; it is started again when it is needed."""

LOOK = 1.0
"""Seconds between two checks of the parent's process id, where the system cannot report the end of a process."""


def serve(descriptor, parent):
    """Work on tasks until the parent closes the connection.

    Parameters
    ----------
    descriptor : int
        File descriptor of the socket to the parent.
    parent : int
        Id of the process that started this one.
    """
    told_to_end = _heed_signals()
    memory.keep_freed_memory()
    channel = Channel(socket.socket(fileno=descriptor))
    patience.report_to(lambda seconds: _send_quietly(channel, ("patience", seconds)))
    tasks = _Tasks()
    threading.Thread(target=_listen, args=(channel, tasks, told_to_end, parent), daemon=True).start()
    # An OSError means that the parent is gone.
    with contextlib.suppress(OSError):
        channel.send(pack(("ready", None)))
        while (pieces := tasks.next()) is not None:
            # If the process ends before this point, the parent knows that no task is to blame.
            channel.send(pack(("taken", None)))
            answer = _answer(channel, pieces)
            tasks.done += 1
            del pieces
            channel.send(answer)
            del answer
    # Libraries clean up at exit; matplotlib, for example, removes a temporary folder.
    atexit._run_exitfuncs()
    _flush()
    os._exit(0)


def _send_quietly(channel, message):
    """Send a message; ignore a closed connection."""
    with contextlib.suppress(OSError):
        channel.send(pack(message))


class _Tasks:
    """Queue of tasks from the listening thread to the main thread."""

    def __init__(self):
        self._waiting: queue.SimpleQueue = queue.SimpleQueue()
        self._given = 0
        self.done = 0

    def give(self, pieces):
        """Queue a task for the main thread."""
        self._given += 1
        self._waiting.put(pieces)

    def next(self):
        """Return the next task, or None if the process is to end or has been idle for `IDLE` seconds."""
        try:
            return self._waiting.get(timeout=IDLE)
        except queue.Empty:
            return None

    def end(self):
        """Make the main thread end the process; return False, and do nothing, if it is in the middle of a task."""
        if self.done < self._given:
            return False
        self._waiting.put(None)
        return True


def _answer(channel, pieces):
    """Do a task; return the packed message with its result or exception."""
    try:
        function, arguments, with_progress = unpack(pieces)
        options = {"progress": lambda *counts: channel.send(pack(("told", counts)))} if with_progress else {}
        return pack(("done", function(*arguments, **options)))
    except Exception as problem:
        return pack(("raised", sendable(problem)))


def _heed_signals():
    """Ignore interrupts, which the parent handles; return a socket that gets a byte for SIGTERM and SIGHUP."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    here, there = socket.socketpair()
    there.setblocking(False)
    # Use the wake-up descriptor, which Python writes to at once. A handler in Python would wait until the main thread
    # comes back from a decoder.
    signal.set_wakeup_fd(there.detach(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup a process ignores SIGHUP, and must go on doing so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    return here


def _listen(channel, tasks, told_to_end, parent):
    """Receive tasks, and end the process at the request of the parent or after its death."""
    poll = select.poll()
    parent_fd = -1
    with contextlib.suppress(AttributeError, OSError):
        # The socket alone does not tell: a process that the parent forked may hold a copy of its other end.
        parent_fd = os.pidfd_open(parent)
        poll.register(parent_fd, select.POLLIN)
    poll.register(channel.fileno(), select.POLLIN)
    poll.register(told_to_end.fileno(), select.POLLIN)
    while os.getppid() == parent:
        found = dict(poll.poll(1000 * LOOK if parent_fd < 0 else None))
        if told_to_end.fileno() in found:
            number = told_to_end.recv(1)[0]
            if number in (signal.SIGTERM, signal.SIGHUP):
                atomic.remove_own_parts()
                scratch.remove_own_folders()
                os._exit(128 + number)
        elif parent_fd in found:
            break
        elif channel.fileno() in found:
            try:
                tasks.give(channel.receive_pieces())
            except (EOFError, OSError):
                break
    if not tasks.end():
        atomic.remove_own_parts()
        scratch.remove_own_folders()
        os._exit(0)


def _flush():
    """Flush the standard streams, ignoring closed ones."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
