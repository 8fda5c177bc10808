"""Regroup chunks of features of any length into batches of equal length, the form in which a feature file is read."""

from idt.features.features import Features


def rechunk(chunks, size):
    """Join and cut chunks of any length to batches of ``size`` rows.

    Parameters
    ----------
    chunks : iterable of Features
        At least one.
    size : int

    Yields
    ------
    Features
        At least one, which may be empty; all but the last have ``size`` rows.
    """
    parts, count, nothing_yielded = [], 0, True
    for chunk in chunks:
        parts.append(chunk)
        count += len(chunk)
        if count < size:
            continue
        whole = Features.concatenate(parts)
        end = count - count % size
        for first in range(0, end, size):
            yield whole[first : first + size]
        parts, count, nothing_yielded = [whole[end:]], count - end, False
    if count or nothing_yielded:
        yield Features.concatenate(parts)
