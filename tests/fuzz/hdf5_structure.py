"""HDF5 files forged by somebody who knows the format: fields changed, and every checksum made right again.

Layout of the blocks: HDF5 File Format Specification 3.0, II to IV, VII and VIII. Checksum: Bob Jenkins, lookup3.
"""

import struct

import numpy as np

MASK = 0xFFFFFFFF


def lookup3(data, start=0):
    """Bob Jenkins's lookup3 (hashlittle) of bytes, as HDF5 has it: its metadata carry it at their end."""
    a = b = c = (0xDEADBEEF + len(data) + start) & MASK
    size = max(0, (len(data) - 1) // 12)
    words = struct.unpack(f"<{3 * size}I", data[: 12 * size])
    for i in range(0, 3 * size, 3):
        a, b, c = (a + words[i]) & MASK, (b + words[i + 1]) & MASK, (c + words[i + 2]) & MASK
        a = ((a - c) & MASK) ^ _turn(c, 4)
        c = (c + b) & MASK
        b = ((b - a) & MASK) ^ _turn(a, 6)
        a = (a + c) & MASK
        c = ((c - b) & MASK) ^ _turn(b, 8)
        b = (b + a) & MASK
        a = ((a - c) & MASK) ^ _turn(c, 16)
        c = (c + b) & MASK
        b = ((b - a) & MASK) ^ _turn(a, 19)
        a = (a + c) & MASK
        c = ((c - b) & MASK) ^ _turn(b, 4)
        b = (b + a) & MASK
    rest = data[12 * size :]
    if not rest:
        return c
    x, y, z = struct.unpack("<3I", rest.ljust(12, b"\0"))
    a, b, c = (a + x) & MASK, (b + y) & MASK, (c + z) & MASK
    c = ((c ^ b) - _turn(b, 14)) & MASK
    a = ((a ^ c) - _turn(c, 11)) & MASK
    b = ((b ^ a) - _turn(a, 25)) & MASK
    c = ((c ^ b) - _turn(b, 16)) & MASK
    a = ((a ^ c) - _turn(c, 4)) & MASK
    b = ((b ^ a) - _turn(a, 14)) & MASK
    return ((c ^ b) - _turn(b, 24)) & MASK


def _turn(x, k):
    return ((x << k) | (x >> (32 - k))) & MASK


# What a file consists of.

SIGNATURES = (
    b"OHDR",
    b"OCHK",
    b"EAHD",
    b"EAIB",
    b"EASB",
    b"EADB",
    b"FAHD",
    b"FADB",
    b"BTHD",
    b"BTLF",
    b"FRHP",
    b"FHDB",
)
"""Blocks that end in a checksum."""

LONGEST = 6000
"""Bytes of the longest block that is looked for."""

MESSAGES = (b"OHDR", b"OCHK")


def blocks_of(data):
    """Every block with a checksum: list of (first byte, place of the checksum)."""
    found, lengths = [(0, 44)], {}
    for at in range(48, len(data) - 8):
        if data[at : at + 4] not in SIGNATURES:
            continue
        known = lengths.setdefault(data[at : at + 4], [])
        for length in [*known, *range(10, min(LONGEST, len(data) - at - 4))]:
            if lookup3(data[at : at + length]) == int.from_bytes(data[at + length : at + length + 4], "little"):
                found.append((at, at + length))
                known.insert(0, length)
                break
    return found


def summed(data, blocks):
    """The bytes with the checksum of every block made right."""
    for first, end in blocks:
        data[end : end + 4] = lookup3(bytes(data[first:end])).to_bytes(4, "little")
    return bytes(data)


def messages_of(data, first, end):
    """Messages of a block of an object header: list of (place of the head, type, place of the body, size)."""
    at, head = first + 4, 4
    if data[first : first + 4] == b"OHDR":
        flags = data[first + 5]
        at = first + 6 + 16 * bool(flags & 32) + 4 * bool(flags & 16) + (1 << (flags & 3))
        head = 6 if flags & 4 else 4
    found = []
    while at + head <= end:
        size = int.from_bytes(data[at + 1 : at + 3], "little")
        if at + head + size > end:
            break
        found.append((at, data[at], at + head, size))
        at += head + size
    return found


# What is done to it.

NUMBERS = (
    0,
    1,
    2,
    3,
    7,
    8,
    15,
    31,
    32,
    33,
    127,
    128,
    255,
    256,
    65535,
    2**31 - 1,
    2**32 - 1,
    2**40,
    2**63 - 1,
    2**64 - 1,
)


def forge(data, blocks, rng):
    """Change a file in one of the ways of `WAYS`, once or a few times; the bytes and the names of the ways."""
    data, ways = bytearray(data), []
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        way = WAYS[rng.integers(len(WAYS))]
        way(data, blocks, rng)
        ways.append(way.__name__[1:])
    return summed(data, blocks), "+".join(ways)


def _block(data, blocks, rng, of=()):
    """A block, of some kinds."""
    chosen = [block for block in blocks if not of or bytes(data[block[0] : block[0] + 4]) in of]
    return chosen[rng.integers(len(chosen))]


def _message(data, blocks, rng, of=()):
    """A message of a header; None if there is none of these types."""
    first, end = _block(data, blocks, rng, MESSAGES)
    found = [message for message in messages_of(data, first, end) if message[3] and (not of or message[1] in of)]
    return found[rng.integers(len(found))] if found else None


def _field(data, blocks, rng):
    """A number anywhere in a block."""
    first, end = _block(data, blocks, rng)
    width = int(rng.choice([1, 1, 2, 4, 8]))
    at = int(rng.integers(first, max(first + 1, end - width)))
    _put(data, at, width, rng)


def _body(data, blocks, rng):
    """A number in a message."""
    if (message := _message(data, blocks, rng)) is not None:
        width = min(int(rng.choice([1, 1, 2, 4, 8])), message[3])
        _put(data, message[2] + int(rng.integers(message[3] - width + 1)), width, rng)


def _put(data, at, width, rng):
    old = int.from_bytes(data[at : at + width], "little")
    near = [old + 1, old - 1, old * 2, old ^ (1 << int(rng.integers(8 * width))), int(rng.integers(256)), len(data)]
    value = int(rng.choice(np.array([*NUMBERS, *near], object)))
    data[at : at + width] = (value % 2 ** (8 * width)).to_bytes(width, "little")


def _address(data, blocks, rng):
    """The address of another block where an address is."""
    starts = {first for first, _ in blocks}
    first, end = _block(data, blocks, rng)
    places = [at for at in range(first, end - 8) if int.from_bytes(data[at : at + 8], "little") in starts - {0}]
    if places:
        at, other = places[rng.integers(len(places))], sorted(starts)[rng.integers(len(starts))]
        data[at : at + 8] = (other + int(rng.choice([0, 0, 0, 0, 4, -4 % 2**32]))).to_bytes(8, "little")


def _kind(data, blocks, rng):
    """Another type of message, or other flags."""
    if (message := _message(data, blocks, rng)) is not None:
        if rng.random() < 0.7:
            data[message[0]] = int(rng.integers(26))
        else:
            data[message[0] + 3] ^= 1 << int(rng.integers(8))


def _foreign(data, blocks, rng):
    """A message of the form of a type that our files do not hold, or hold otherwise."""
    if (message := _message(data, blocks, rng)) is None:
        return
    at, _, body, size = message
    kinds = list(FOREIGN)
    kind = kinds[rng.integers(len(kinds))]
    forms = FOREIGN[kind]
    form = forms[rng.integers(len(forms))](rng, blocks)
    if len(form) <= size:
        data[at] = kind
        data[body : body + len(form)] = form


def _swap(data, blocks, rng):
    """The messages of two objects exchanged."""
    one, other = _message(data, blocks, rng), _message(data, blocks, rng)
    if one is not None and other is not None:
        size = min(one[3], other[3])
        here, there = data[one[2] : one[2] + size], data[other[2] : other[2] + size]
        data[one[2] : one[2] + size], data[other[2] : other[2] + size] = there, here
        data[one[0]], data[other[0]] = data[other[0]], data[one[0]]


def _datatype(data, blocks, rng):
    """Another class of datatype, of a dataset or an attribute, nested in itself as far as there is room."""
    message = _message(data, blocks, rng, (3, 12))
    if message is None:
        return
    _, kind, body, size = message
    if kind == 12:
        body += 9 + int.from_bytes(data[body + 2 : body + 4], "little")
        size = 12
    form = _type(rng, size)[:size]
    data[body : body + len(form)] = form


def _type(rng, room):
    """A datatype: of variable length, an array, an enumeration, a compound, or a reference."""
    size = int(rng.choice([0, 1, 4, 8, 16, 255, 2**31 - 1, 2**32 - 1])).to_bytes(4, "little")
    kind = int(rng.choice([2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]))
    bits = int(rng.integers(2**24)).to_bytes(3, "little") if rng.random() < 0.5 else bytes([1, 0, 0])
    head = bytes([int(rng.choice([0x10, 0x20, 0x30, 0x40, 0x50])) | kind]) + bits + size
    return head + (_type(rng, room - 8) if room > 16 else bytes(4))


def _space(data, blocks, rng):
    """Another shape of a dataset, or other sizes of its chunks."""
    message = _message(data, blocks, rng, (1, 8))
    if message is not None:
        for _ in range(int(rng.integers(1, 4))):
            width = min(int(rng.choice([1, 8])), message[3])
            _put(data, message[2] + int(rng.integers(message[3] - width + 1)), width, rng)


WAYS = (
    _field,
    _field,
    _body,
    _body,
    _body,
    _address,
    _address,
    _kind,
    _foreign,
    _foreign,
    _swap,
    _datatype,
    _datatype,
    _space,
)


def _some(rng, blocks):
    """An address: of a block, of nothing, or far away."""
    first, _ = blocks[rng.integers(len(blocks))]
    return int(rng.choice(np.array([first, first, first + 4, 0, 2**64 - 1, 2**40], object))).to_bytes(8, "little")


FOREIGN = {
    1: [lambda rng, blocks: bytes([2, int(rng.integers(256)), 1, int(rng.integers(4))]) + b"\xff" * 16],
    2: [lambda rng, blocks: b"\0\0" + _some(rng, blocks) + _some(rng, blocks)],
    3: [lambda rng, blocks: _type(rng, 20)[:20]],
    4: [lambda rng, blocks: (2**31).to_bytes(4, "little")],
    5: [lambda rng, blocks: b"\3\x2b" + int(rng.choice([0, 8, 2**31 - 1, 2**32 - 1])).to_bytes(4, "little")],
    6: [
        lambda rng, blocks: b"\1\0\1a" + _some(rng, blocks),
        lambda rng, blocks: b"\1\x08\1\1a\1\0/",
        lambda rng, blocks: b"\1\x08\x40\1a\x06\0\0f\0/a\0",
    ],
    7: [lambda rng, blocks: b"\1\0\0\0\1\0\1\0" + _some(rng, blocks)],
    8: [
        lambda rng, blocks: b"\4\3" + _some(rng, blocks) + b"\1\0\0\0",
        lambda rng, blocks: b"\3\2\2" + _some(rng, blocks) + b"\4\0\0\0\4\0\0\0",
        lambda rng, blocks: b"\3\1" + _some(rng, blocks) + (2**40).to_bytes(8, "little"),
        lambda rng, blocks: b"\4\0\xff\xff",
        lambda rng, blocks: (
            b"\4\2\0\2\1\x08\4" + bytes([int(rng.integers(7))]) + b"\x20\4\4\x10\x0a" + _some(rng, blocks)
        ),
        lambda rng, blocks: b"\1\2\2" + bytes(5) + _some(rng, blocks),
    ],
    11: [
        lambda rng, blocks: b"\2" + bytes([int(rng.integers(256))]) + rng.integers(0, 9, 16, np.uint8).tobytes(),
        lambda rng, blocks: b"\2\1\1\0\0\0\xff\xff",
        lambda rng, blocks: b"\2\1\6\0\0\0\x14\0" + bytes(12),
    ],
    12: [
        lambda rng, blocks: b"\3\1\2\0\x0a\0\4\0\0a\0\3\2" + _some(rng, blocks) + b"\2\0\0\0",
        lambda rng, blocks: b"\3\0\x02\0\x0c\0\4\0\0a\0" + _type(rng, 12)[:12] + b"\2\0\0\0" + _some(rng, blocks),
    ],
    15: [lambda rng, blocks: b"\0" + _some(rng, blocks) + b"\1"],
    16: [lambda rng, blocks: _some(rng, blocks) + int(rng.choice([0, 8, 64, 2**20, 2**40])).to_bytes(8, "little")],
    17: [lambda rng, blocks: _some(rng, blocks) + _some(rng, blocks)],
    21: [lambda rng, blocks: b"\0\0" + _some(rng, blocks) + _some(rng, blocks)],
    22: [lambda rng, blocks: b"\0\xff\xff\xff\xff"],
    23: [lambda rng, blocks: b"\1\1" + bytes(6) + _some(rng, blocks)],
}
"""Type of a message → forms of its body."""
