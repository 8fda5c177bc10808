"""Write pickles of protocol 2 without `pickle`: arrays for any NumPy, tensors for torch, without importing torch.

The functions `text`, `integer`, `raw`, `sequence`, `mapping`, `array` and `tensor` return the instructions that leave
one value on the stack. Where such a function takes values, they are given as instructions, too. `pickled` and `npy`
make files of them. Python 2 reads the pickles. Source: ``pickletools``; a tensor as measured on files of torch 1.13
(`idt.files.foreign.torch_files`).
"""

import pickle
import struct

import numpy as np

from idt.files.foreign.torch_files import MAGIC, PROTOCOL

STORAGES = {np.dtype("<f4"): b"FloatStorage", np.dtype("<i8"): b"LongStorage"}
"""Kinds of storages of the tensors that are written."""


def pickled(value):
    """Return a complete pickle of a ``value``, which is given as instructions."""
    return b"\x80\x02" + value + b"."


def text(value):
    """Return the instructions for the str ``value``."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def integer(value):
    """Return the instructions for the int ``value``, of up to 32 bits."""
    return b"K" + bytes([value]) if 0 <= value < 256 else b"J" + struct.pack("<i", value)


def raw(data):
    """Return the instructions for the bytes ``data``, which protocol 2 writes as text."""
    return b"c_codecs\nencode\n" + text(data.decode("latin1")) + text("latin1") + b"\x86R"


def sequence(values, *, end=b"t"):
    """Return the instructions for a tuple of ``values``, or for a list if ``end`` is ``b"e"``, the opcode APPENDS."""
    return (b"]" if end == b"e" else b"") + b"(" + b"".join(values) + end


def mapping(entries):
    """Return the instructions for a dict of ``entries``: name → instructions of its value."""
    return b"}(" + b"".join(text(name) + value for name, value in entries.items()) + b"u"


def array(values):
    """Return the instructions for an array.

    Parameters
    ----------
    values : ndarray or list of list of bytes
        An array of numbers; or, for an array of objects, rows of the instructions of each value.
    """
    if isinstance(values, np.ndarray):
        values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        shape, kind, order, data = values.shape, values.dtype.str[1:], "<", raw(values.tobytes())
        flags = 0
    else:
        shape = (len(values), len(values[0]) if values else 0)
        # The flags that NumPy gives the dtype of objects.
        kind, order, flags = "O8", "|", 63
        data = sequence((each for row in values for each in row), end=b"e")
    dtype = b"cnumpy\ndtype\n" + sequence([text(kind), integer(0), integer(1)]) + b"R"
    dtype += sequence([integer(3), text(order), b"N", b"N", b"N", integer(-1), integer(-1), integer(flags)]) + b"b"
    # NumPy 1 has only these names, and NumPy 2 still accepts them.
    empty = b"cnumpy.core.multiarray\n_reconstruct\n"
    empty += sequence([b"cnumpy\nndarray\n", sequence([integer(0)]), raw(b"b")]) + b"R"
    return empty + sequence([integer(1), sequence(map(integer, shape)), dtype, b"\x89", data]) + b"b"


def tensor(values):
    """Return the instructions for the 1-D array ``values``, float32 or int64, as a tensor of torch."""
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    system = {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    storage = b"ctorch\n" + STORAGES[values.dtype] + b"\n"
    identity = sequence([text("storage"), storage, text("0"), text("cpu"), integer(values.size), b"N"])
    legacy = b"".join(pickle.dumps(part, 2) for part in (MAGIC, PROTOCOL, system))
    legacy += pickled(identity + b"Q") + pickle.dumps(["0"], 2) + struct.pack("<q", values.size) + values.tobytes()
    stored = b"ctorch.storage\n_load_from_bytes\n" + raw(legacy) + b"\x85R"
    hooks = b"ccollections\nOrderedDict\n)R"
    view = [stored, integer(0), sequence([integer(values.size)]), sequence([integer(1)]), b"\x89", hooks]
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + sequence(view) + b"R"


def npy(rows):
    """Return the bytes of an npy file that holds an array of objects.

    Parameters
    ----------
    rows : list of list of bytes

    Returns
    -------
    bytes
    """
    shape = (len(rows), len(rows[0]) if rows else 0)
    header = f"{{'descr': '|O', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + pickled(array(rows))
