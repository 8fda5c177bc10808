"""The forms that others wrote, read and written number by number, from docs/method/extraction.md, section 9."""

import struct


def text_rows(text):
    """Rows of 436 numbers, as Python's own floats rounded to float32."""
    return [[as_float32(float(field)) for field in line.split("\t") if field] for line in text.splitlines()]


def binary_rows(data):
    """Rows of 466 numbers."""
    return [list(struct.unpack("<466f", data[first : first + 1864])) for first in range(0, len(data), 1864)]


def numbers(features, i, *, points):
    """The numbers of one track in the order of a row; ``points`` of its positions before the descriptors."""
    row = [features.frame[i], *features.mean[i], *features.std[i], features.length[i], features.scale[i]]
    row += [*features.position[i]]
    for x, y in features.points[i][:points] if points else []:
        row += [x, y]
    for block in (features.trajectory, features.hog, features.hof, features.mbhx, features.mbhy):
        row += [*block[i]]
    return [float(number) for number in row]


def as_float32(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]
