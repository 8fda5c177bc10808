"""Send objects between two processes over a socket; arrays are sent from their memory without a copy.

A message is a head with the sizes of its pieces, followed by the pieces: a pickle (protocol 5), and the buffers of the
arrays, which the pickle does not contain.
"""

import pickle
import socket
import struct
import threading

_COUNT = struct.Struct("<Q")


def pack(content):
    """Return the pieces of a message; the arrays in ``content`` must not change until it is sent."""
    pieces: list = []
    body = pickle.dumps(content, protocol=5, buffer_callback=lambda buffer: pieces.append(buffer.raw()))
    pieces.insert(0, memoryview(body))
    sizes = struct.pack(f"<{len(pieces)}Q", *(piece.nbytes for piece in pieces))
    return [_COUNT.pack(len(pieces)) + sizes, *pieces]


class Channel:
    """One end of a connection between two processes.

    Parameters
    ----------
    end : socket.socket
    """

    def __init__(self, end):
        self._end = end
        self._one_at_a_time = threading.Lock()

    def fileno(self):
        """Return the file descriptor to wait for."""
        return self._end.fileno()

    def send(self, pieces):
        """Send the result of `pack`; raise OSError if the other end is closed."""
        with self._one_at_a_time:
            for piece in pieces:
                self._end.sendall(piece)

    def receive(self):
        """Return the next message, unpacked; raise EOFError if the other end is closed."""
        return unpack(self.receive_pieces())

    def receive_pieces(self):
        """Return the pieces of the next message, for `unpack`; raise EOFError if the other end is closed."""
        (count,) = _COUNT.unpack(self._receive_exactly(_COUNT.size))
        sizes = struct.unpack(f"<{count}Q", self._receive_exactly(8 * count))
        return [self._receive_exactly(size) for size in sizes]

    def close(self):
        """Close this end; a second call does nothing."""
        self._end.close()

    def _receive_exactly(self, size):
        """Return the next ``size`` bytes."""
        data = bytearray(size)
        view = memoryview(data)
        while view:
            received = self._end.recv_into(view)
            if not received:
                raise EOFError("the other end is closed")
            view = view[received:]
        return data


def pair():
    """Return two sockets that are connected to each other."""
    return socket.socketpair()


def unpack(pieces):
    """Return the object in the ``pieces`` of a message; its arrays are views of them."""
    body, *buffers = pieces
    return pickle.loads(body, buffers=buffers)


def sendable(problem):
    """Return the exception ``problem``, or a RuntimeError with its text if it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(problem))
    except Exception:
        return RuntimeError(f"{type(problem).__name__}: {problem}")
    return problem
