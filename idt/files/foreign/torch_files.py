"""Read tensors of torch, in its files and in pickles, without torch: their storages become arrays.

A plain pickle, as MMAction2 and PySlowFast write, holds for each tensor the bytes of a legacy torch file, which is its
storage. A legacy file is five pickles one after another (magic number, protocol, system, the object, the keys of its
storages) and then each storage: its number of elements in 8 bytes, then the elements. A zip file, since torch 1.6,
keeps the object in ``data.pkl`` and each storage in ``data/KEY``. A tensor is a view of a storage; its offset and
strides are checked against the storage before an array is made.

Source: measured on files of torch 1.13; `torch.serialization` names the parts.
"""

import numpy as np

from idt.errors import DataError
from idt.files.foreign import arrays
from idt.files.foreign.archives import Archive, is_archive
from idt.files.foreign.pickle_types import Budget, Global
from idt.files.foreign.pickles import Machine

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
"""Magic number and version of legacy files."""

LEGACY = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""First bytes of a legacy file: the pickle of the magic number."""

STORAGES = {
    "FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "BFloat16Storage": "<u2", "LongStorage": "<i8",
    "IntStorage": "<i4", "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip
"""Kinds of storages → dtype."""


def load(data, name):
    """Read a pickle or a torch file.

    Parameters
    ----------
    data : bytes
    name : str
        Name of the file for messages.

    Returns
    -------
    object
        Plain values, as of `idt.files.foreign.pickles`; tensors are arrays, read-only, and bfloat16 is float32.

    Raises
    ------
    DataError
        If it names anything but arrays and tensors, a tensor reaches beyond its storage, it asks for more memory than
        its bytes account for, or it is damaged.
    """
    budget = Budget(len(data), name)
    if is_archive(data):
        return _from_zip(Archive(data, name), name, budget)
    if data.startswith(LEGACY):
        return _from_legacy(data, name, budget)
    return Machine(data, name, CALLS, budget).run()


def is_torch_archive(archive):
    """Tell whether an ``archive`` (`Archive`) is a torch file."""
    return len(_pickles(archive)) == 1


def _pickles(archive):
    return [name for name in archive.names if name == "data.pkl" or name.endswith("/data.pkl")]


def _from_zip(archive, name, budget):
    """Return the object in a zip file."""
    found = _pickles(archive)
    if len(found) != 1:
        raise DataError(f"{name} is a zip archive but no torch file: it holds {len(found)} files data.pkl")
    root = found[0].removesuffix("data.pkl")
    if f"{root}byteorder" in archive.names and archive.read(f"{root}byteorder") != b"little":
        raise DataError(f"{name} was written on a big-endian machine, which is not read; save it anew")
    storages: dict[str, np.ndarray] = {}

    def storage(identity):
        dtype, key, count, view = _parse_identity(identity)
        if key not in storages:
            data = archive.read(f"{root}data/{key}")
            storages[key] = _storage(data, dtype, count)
        return _viewed(storages[key], view)

    return Machine(archive.read(found[0]), name, TENSORS, budget, persistent=storage).run()


def _from_legacy(data, name, budget):
    """Return the object in a legacy file."""
    at, values = 0, []
    for _ in range(3):
        machine = Machine(data, name, {}, budget, at=at)
        values.append(machine.run())
        at = machine.at
    magic, protocol, system = values
    if magic != MAGIC or protocol != PROTOCOL or not isinstance(system, dict):
        raise machine.damaged("it is no torch file of a known protocol")
    if system.get("little_endian") is not True:
        raise DataError(f"{name} was written on a big-endian machine, which is not read; save it anew")
    wanted: dict[str, tuple] = {}

    def note(identity):
        dtype, key, count, _ = _parse_identity(identity)
        wanted[key] = dtype, count

    # The storages follow the object, so it is read twice. The first pass finds its end and the storages that it needs.
    dry = Machine(data, name, TENSORS, budget, at=at, persistent=note, dry=True)
    dry.run()
    machine = Machine(data, name, {}, budget, at=dry.at)
    keys = machine.run()
    storages = {}
    for key in keys if isinstance(keys, list) else ():
        if not isinstance(key, str) or key not in wanted or key in storages:
            raise machine.damaged("it lists a storage that is not there")
        dtype, count = wanted[key]
        if machine.number(8) != count:
            raise machine.damaged("a storage has another length than its tensors say")
        storages[key] = _storage(machine.take(count * np.dtype(dtype).itemsize), dtype, count)

    def storage(identity):
        _, key, _, view = _parse_identity(identity)
        return _viewed(storages[key], view)

    return Machine(data, name, TENSORS, budget, at=at, persistent=storage).run()


def _parse_identity(identity):
    """Return dtype, key, number of elements and view of a storage's identity."""
    what, kind, key, _, count, *view = identity
    dtype = STORAGES.get(kind.name.rpartition(".")[2]) if isinstance(kind, Global) else None
    if what != "storage" or dtype is None or not isinstance(key, str) or type(count) is not int or count < 0:
        raise ValueError("a tensor has no storage")
    return dtype, key, count, view[0] if view else None


def _storage(data, dtype, count):
    """Return the elements of a storage."""
    if len(data) != count * np.dtype(dtype).itemsize:
        raise ValueError(f"a storage of {count} elements has {len(data)} bytes")
    found = np.frombuffer(data, dtype)
    # A bfloat16 is the upper half of a float32.
    return (found.astype("<u4") << 16).view("<f4") if dtype == "<u2" else found


def _viewed(storage, view):
    """Return the part of a storage that a ``view`` selects; files of torch before 1.8 store such views."""
    if view is None:
        return storage
    _, offset, size = view
    if not all(type(each) is int for each in (offset, size)) or not 0 <= offset <= offset + size <= len(storage):
        raise ValueError("a view reaches beyond its storage")
    return storage[offset : offset + size]


def _tensor(machine, storage, offset, shape, strides, *_):
    """Return the tensor that is a view of a storage."""
    if not isinstance(storage, np.ndarray) or storage.ndim != 1:
        raise ValueError("a tensor has no storage")
    count = arrays.checked_shape(shape, storage.itemsize)
    if not isinstance(strides, tuple) or len(strides) != len(shape) or type(offset) is not int:
        raise ValueError("a tensor has no strides")
    if not all(type(each) is int and each >= 0 for each in (offset, *strides)):
        raise DataError(f"{machine.name} holds a tensor with a negative offset or stride")
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if count and (last >= len(storage) or count > len(storage)):
        raise DataError(
            f"{machine.name} holds a tensor of shape {shape} that reaches beyond its storage of {len(storage):,}"
            " elements"
        )
    machine.budget.take(count * storage.itemsize)
    if not count:
        return np.empty(shape, storage.dtype)
    steps = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, steps, writeable=False)


def _embedded(machine, data):
    """Return the storage that a pickled tensor holds as a legacy file."""
    if not isinstance(data, bytes):
        raise ValueError("a tensor has no storage")
    machine.budget.take(len(data))
    return _from_legacy(data, machine.name, machine.budget)


TENSORS = {
    **arrays.CALLS,
    # Only named in the identities of storages.
    **{(module, kind): None for module in ("torch", "torch.storage") for kind in STORAGES},
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
}
"""Names that a torch file may use, as `idt.files.foreign.arrays.CALLS`."""

CALLS = {**TENSORS, ("torch.storage", "_load_from_bytes"): _embedded}
"""Names that a plain pickle may use: all names of a torch file, and the loader of storages from bytes."""
