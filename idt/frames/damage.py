"""Find the lost frames of a stream: packets go to a decoder, and frames come back in another order.

A frame has the time stamp of its packet. After the decoder has refused a packet, each time stamp for which no frame
comes belongs to a lost frame: the frame of the refused packet, or a frame that the decoder drops because it refers to
that frame. Before the first refusal no frame counts as lost, because some codecs have packets without a picture.
"""

import heapq


class Damage:
    """Record of the lost and damaged frames of a stream.

    Attributes
    ----------
    has_refused : bool
        Whether the decoder has refused a packet.
    lost, damaged : list of int
        Numbers of frames, rising.
    last : int
        Number of the last frame that came; -1 before the first.
    """

    def __init__(self):
        self.has_refused = False
        self.lost: list[int] = []
        self.damaged: list[int] = []
        self.last = -1
        # Time stamps of packets whose frames have not come yet, a heap.
        self._awaited: list[int] = []
        # Refused packets without a time stamp that are not counted as lost yet.
        self._n_unstamped = 0
        self._last_stamp: int | None = None

    def send(self, stamp):
        """Record that a packet with the time ``stamp``, None if it has none, goes to the decoder."""
        if stamp is not None:
            heapq.heappush(self._awaited, stamp)

    def refuse(self, stamp):
        """Record that the decoder refused the packet with this ``stamp``; None if it had none or was unreadable."""
        self.has_refused = True
        self._n_unstamped += stamp is None

    def receive(self, stamp, is_damaged=False):
        """Assign a number to a decoded frame.

        Parameters
        ----------
        stamp : int or None
        is_damaged : bool
            Whether the decoder marked the picture as corrupt.

        Returns
        -------
        int or None
            None for a frame that comes after a frame with a later time stamp; decoders may return such frames after
            damage.
        """
        # Earlier time stamps than this frame's, for which no frame has come.
        passed = 0
        while stamp is not None and self._awaited and self._awaited[0] <= stamp:
            passed += heapq.heappop(self._awaited) < stamp
        if not self.has_refused:
            passed = 0
        elif None not in (stamp, self._last_stamp) and stamp <= self._last_stamp:
            return None
        number = self._record_lost(passed)
        self.last, self._last_stamp = number, stamp
        if is_damaged:
            self.damaged.append(number)
        return number

    def end(self):
        """Count as lost the frames whose packets were sent or refused and that never came."""
        if self.has_refused:
            self._record_lost(len(self._awaited))
            self._awaited.clear()

    def _record_lost(self, count):
        """Record as lost ``count`` frames and the refused packets without a stamp; return the next frame's number."""
        count += self._n_unstamped
        self._n_unstamped = 0
        number = max([self.last, *self.lost[-1:]]) + 1
        self.lost += range(number, number + count)
        return number + count


def format_ranges(numbers, most=5):
    """Format rising ``numbers`` as text such as ``3, 5–8``, with at most ``most`` ranges."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    shown = [f"{first}" if first == last else f"{first}–{last}" for first, last in ranges[:most]]
    rest = sum(last - first + 1 for first, last in ranges[most:])
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
