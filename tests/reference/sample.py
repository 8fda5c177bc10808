"""The sample as defined: hash every row by itself in Python integers, sort all, take the first."""

import hashlib

MASK = 2**64 - 1


def row_key(name, row, seed):
    """BLAKE2b of seed and name, exclusive or the row, through the finaliser of splitmix64."""
    state = int.from_bytes(hashlib.blake2b(f"{seed}\0{name}".encode(), digest_size=8).digest(), "little") ^ row
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & MASK
    return state ^ (state >> 31)


def sample(lengths, size, seed):
    """(name, row) of the sampled rows, in order; ``lengths`` maps names to numbers of rows."""
    rows = [(row_key(name, row, seed), name, row) for name, n in lengths.items() for row in range(n)]
    return [(name, row) for _, name, row in sorted(rows)[:size]]
