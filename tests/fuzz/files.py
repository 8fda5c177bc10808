"""Every reader of our files, fed with mutants: bytes changed, cut or moved, and HDF5 forged with HDF5's own means."""

import contextlib
import functools
import json
import os
from pathlib import Path

import h5py
import numpy as np

from classify.fusion import score_file
from classify.fusion.score_file import Details
from classify.fusion.scores import Scores
from classify.models import model_file as models
from classify.svm.chi2 import Chi2SVM
from classify.svm.linear import LinearSVM
from encoding.codebook import Codebook
from encoding.descriptors import feature_files
from encoding.descriptors.inputs import Inputs
from encoding.descriptors.sources import source_of
from encoding.encode_files import encode_files
from encoding.fitting import fit_codebook
from encoding.params import EncodingParams
from encoding.vectors_file import iter_rows, load_vectors
from idt.errors import DataError
from idt.features import feature_file
from idt.features.convert import write_binary, write_text
from idt.features.projection import Projection
from idt.files import hdf5, provenance, result_file
from tests.fuzz import hdf5_structure
from tests.hdf5_files import fixed, opened
from tests.samples import random_features

EXPANSION = 20_000_000
"""Rows that a forged shape claims: gigabytes of float32."""


def prepare(folder):
    """The intact files: list of (path, readers)."""
    folder = Path(folder) / "intact"
    if folder.exists():
        return _inputs(folder)
    folder.mkdir()
    features = random_features(30, frames=20 + 15)
    book = fit_codebook([random_features(40, seed=i) for i in (1, 2)], params=EncodingParams(k=2, sample=80))
    book.save(folder / "codebook.h5", source={"digest": "0" * 64})
    feature_file.save(features, folder / "plain.h5")
    feature_file.save(features, folder / "float32.h5", float32=True)
    feature_file.save(features, folder / "compact.h5", compact=True)
    feature_file.save(features, folder / "projected.h5", project=folder / "codebook.h5")
    feature_file.save(random_features(30, foreign="binary"), folder / "foreign.h5")
    write_text(features, folder / "rows.txt")
    write_text(features, folder / "rows.txt.gz")
    write_binary(features, folder / "rows.bin")
    encode_files([folder / "plain.h5", folder / "float32.h5"], ["a", "b"], book, folder / "vectors.h5")
    machine = LinearSVM().fit(np.random.default_rng(0).normal(size=(9, 12)).astype(np.float32), [*"abc"] * 3)
    layout = [{"block": "hog", "cell": "whole", "first": 0, "size": 12}]
    models.save_model(folder / "model.h5", machine, layout=layout, codebook="0" * 64, source={"digest": "0" * 64})
    kernel = Chi2SVM().fit(np.random.default_rng(0).random((9, 12), np.float32), [*"abc"] * 3)
    models.save_model(folder / "chi2.h5", kernel, layout=layout, codebook="0" * 64, source={"digest": "0" * 64})
    scores = Scores(np.eye(2), ["a", "b"], ["x", "y"], np.arange(2), "margins", 1)
    details = Details({"hog": np.eye(2)}, [], np.eye(2), 12)
    score_file.save(folder / "scores.h5", scores, details, params={}, source={"digest": "0" * 64})
    _many_chunks(folder)
    # Reading a pipe that nobody writes to would hang: so whoever follows a link out of the file is found out.
    os.mkfifo(folder / "pipe")
    return _inputs(folder)


def _many_chunks(folder):
    """A codebook and vectors whose arrays have so many chunks that HDF5 lists them in blocks of their own."""
    largest = result_file.CHUNK
    try:
        result_file.CHUNK = 256
        Codebook.load(folder / "codebook.h5").save(folder / "codebook-chunks.h5")
    finally:
        result_file.CHUNK = largest
    vectors = load_vectors(folder / "vectors.h5")
    with result_file.create(folder / "vectors-rows.h5", format="idt-vectors", version=2, params={}, source={}) as file:
        result_file.write_text(file, "names", [f"{i}" for i in range(70)])
        for name in ("layout", "empty"):
            result_file.set_json(file, name, getattr(vectors, name))
        result_file.set_attribute(file, "codebook", vectors.codebook)
        size = vectors.encodings.shape[1]
        rows = result_file.growing_array(file, "encodings", shape=(size,), chunks=(1, size), dtype="f4")
        rows.resize(70, axis=0)
        rows[:] = vectors.encodings[0]


def _inputs(folder):
    readers = {
        "codebook.h5": read_codebook,
        "codebook-chunks.h5": read_codebook,
        "vectors.h5": read_vectors,
        "vectors-rows.h5": read_vectors,
        "model.h5": models.load_model,
        "chi2.h5": models.load_model,
        "scores.h5": read_scores,
        "projected.h5": read_projected,
    }
    return [(path, readers.get(path.name, read_features)) for path in sorted(folder.iterdir()) if path.is_file()]


def read_features(path):
    """All that reads a feature file, of any kind."""
    feature_files.find([str(path.parent)])
    sizes = Inputs.of([path]).sizes
    for _ in source_of(path, "a").batches(sizes):
        pass
    for _ in feature_file.iter_rows(path, rows=11):
        pass
    feature_file.load(path)


def read_projected(path):
    """All that reads a projected file."""
    Inputs.of([path])
    axes = {"trajectory": 15, "hog": 48, "hof": 54, "mbhx": 48, "mbhy": 48}
    for _ in source_of(path, "a").batches(axes, projected=True):
        pass
    feature_file.header(path)
    feature_file.load(path)


def read_codebook(path):
    """Both readers of a codebook; they need not agree on what they accept."""
    for read in (Projection.load, Codebook.load):
        read(path)


def read_vectors(path):
    """Both readers of vectors."""
    for _ in iter_rows(path, rows=1):
        pass
    load_vectors(path)


def read_scores(path):
    """The reader of scores."""
    score_file.load_details(path, names=["a", "b"], classes=["x", "y"], probability=True)


def attempt(state, rng, folder):
    """Make a mutant, read it, say what became of it."""
    path, reader = state[rng.integers(len(state))]
    mutant = Path(folder) / "mutant" / path.name
    mutant.parent.mkdir(exist_ok=True)
    data = path.read_bytes()
    way = rng.random() if path.suffix == ".h5" else 1.0
    if way < 0.35:
        data, what = hdf5_structure.forge(data, _blocks(path, data), rng)
        mutant.write_bytes(data)
    elif way < 0.65:
        mutant.write_bytes(data)
        what = _forge(mutant, rng, path.parent / "pipe")
        if rng.random() < 0.2:
            mutant.write_bytes(change(mutant.read_bytes(), rng)[0])
    else:
        data, what = change(data, rng)
        mutant.write_bytes(data)
    label = f"{path.name} {what}"
    try:
        wanted = {"format": "idt-features", "version": (3, 4), "params": {}, "source": {"digest": "0" * 64}}
        hdf5.is_ours(mutant)
        provenance.is_current(mutant, **wanted, overwrite=[mutant])
        reader(mutant)
    except DataError as problem:
        if "\n" in str(problem):
            raise
        return "refused", f"{label}: {problem}"
    except BaseException as problem:
        problem.add_note(label)
        problem.args = (f"{label}: {problem}",)
        raise
    return "accepted", label


@functools.cache
def _blocks(path, data):
    return hdf5_structure.blocks_of(data)


# Bytes.


def change(data, rng):
    """Some bytes changed."""
    data = bytearray(data)
    # Where there is something: half of an HDF5 file is unused.
    used = np.flatnonzero(np.frombuffer(data, np.uint8))
    kind = CHANGES[rng.integers(len(CHANGES))]
    for _ in range(1 if kind in (_cut, _extend) else rng.integers(1, 9)):
        at = int(rng.choice(used)) if len(used) and rng.random() < 0.8 else int(rng.integers(len(data) or 1))
        data = kind(data, at, rng)
    return bytes(data), kind.__name__[1:]


def _flip(data, at, rng):
    data[at : at + 1] = bytes([data[at] ^ (1 << int(rng.integers(8)))]) if at < len(data) else b""
    return data


def _byte(data, at, rng):
    data[at : at + 1] = bytes([rng.choice([0, 1, 0x7F, 0x80, 0xFF, int(rng.integers(256))])])
    return data


def _number(data, at, rng):
    """A number where a size, an address or a count may be."""
    width = int(rng.choice([2, 4, 8]))
    value = int(rng.choice([0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1, 2**40, 2**63 - 1, int(rng.integers(2**31))]))
    at -= at % width
    data[at : at + width] = (value % 2 ** (8 * width)).to_bytes(width, "little")
    return data


def _copy(data, at, rng):
    """A piece put elsewhere."""
    size, other = int(rng.integers(1, 200)), int(rng.integers(len(data) or 1))
    data[other : other + size] = data[at : at + size]
    return data


def _fill(data, at, rng):
    size = int(rng.integers(1, 200))
    data[at : at + size] = bytes([int(rng.choice([0, 255, 0x30]))]) * len(data[at : at + size])
    return data


def _insert(data, at, rng):
    data[at:at] = rng.integers(0, 256, int(rng.integers(1, 20)), np.uint8).tobytes()
    return data


def _cut(data, at, rng):
    return data[: int(rng.integers(len(data) or 1))]


def _extend(data, at, rng):
    return data + rng.integers(0, 256, int(rng.integers(1, 5000)), np.uint8).tobytes()


CHANGES = (_flip, _flip, _byte, _number, _number, _copy, _fill, _insert, _cut, _extend)


# HDF5.


def _forge(path, rng, pipe):
    """A stranger's file: well-formed, but not what it says."""
    with opened(path) as file:
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        name = names[rng.integers(len(names))]
        forge = FORGERIES[rng.integers(len(FORGERIES))]
        # HDF5 refuses to write some of it.
        with contextlib.suppress(ValueError, OSError):
            forge(file, name, rng, pipe)
    return f"{forge.__name__[1:]} {name}"


def _attributes(file, rng):
    """An attribute and who has it."""
    owners = [file]
    file.visititems(lambda name, item: owners.append(item) if len(item.attrs) else None)
    owner = owners[rng.integers(len(owners))]
    return owner, str(rng.choice(list(owner.attrs)))


def _attribute(file, name, rng, pipe):
    owner, key = _attributes(file, rng)
    values = [
        3, -1, 2**62, 1.5, np.nan, np.inf, "", "null", "[]", "{}", "x" * 100_000, b"\xff\xfe", np.arange(5),
        np.zeros((3, 0)), np.void(b"opaque"), np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]), h5py.Empty("f4"), True,
        file.ref, np.array(["a", "b"], object), "a\nb", "\udc80".encode("utf-8", "surrogatepass"), np.complex64(1j),
        np.float128(2), np.uint64(2**64 - 1), "1e400",
    ]  # fmt: skip
    value = values[rng.integers(len(values))]
    del owner.attrs[key]
    if rng.random() < 0.9:
        if isinstance(value, str) and rng.random() < 0.8:
            value = fixed(value)
        kind = h5py.string_dtype() if isinstance(value, np.ndarray) and value.dtype == object else None
        owner.attrs.create(key, value, dtype=kind)


def _json(file, name, rng, pipe):
    """A value somewhere in an attribute's JSON."""
    texts = [key for key, value in file.attrs.items() if isinstance(value, bytes) and value[:1] in b"[{"]
    if not texts:
        return
    key = str(rng.choice(texts))
    values = [
        None, True, -1, 0, 2**31, 10**30, 1.5, "x", "", [], {}, [[1]], {"a": 1}, float("nan"), float("inf"), "\0",
        "../x", "/", ".", "\ud800",
    ]  # fmt: skip
    value = values[rng.integers(len(values))]
    whole = json.loads(file.attrs[key])
    place = whole
    while isinstance(place, dict | list) and len(place):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        chosen = keys[rng.integers(len(keys))]
        if isinstance(place[chosen], dict | list) and len(place[chosen]) and rng.random() < 0.7:
            place = place[chosen]
            continue
        if rng.random() < 0.2:
            del place[chosen]
        elif isinstance(place, dict) and rng.random() < 0.2:
            place[str(value)] = value
        else:
            place[chosen] = value
        break
    text = json.dumps(whole)
    if rng.random() < 0.1:
        text = "[" * 100_000 if rng.random() < 0.5 else text[: int(rng.integers(len(text)))]
    file.attrs[key] = fixed(text)


def _type(file, name, rng, pipe):
    """Another dtype of the same shape."""
    shape, attributes = file[name].shape, dict(file[name].attrs)
    kinds = [
        "f8", "f2", "i8", "u1", ">f4", ">i4", ">u2", "S5", "V7", "?", "c8",
        h5py.string_dtype(), h5py.string_dtype("ascii", 9),
        h5py.vlen_dtype("i4"), h5py.ref_dtype, h5py.regionref_dtype, h5py.enum_dtype({"a": 1, "b": 2}, basetype="u2"),
        np.dtype([("a", "f4"), ("b", h5py.string_dtype())]), np.dtype(("f4", (3,))), "f16",
    ]  # fmt: skip
    del file[name]
    file.create_dataset(name, shape=shape, dtype=kinds[rng.integers(len(kinds))]).attrs.update(attributes)


def _shape(file, name, rng, pipe):
    """Another shape, of a dataset that was never written, or the same with values that are not finite."""
    dataset = file[name]
    dtype, shape, attributes = dataset.dtype, list(dataset.shape), dict(dataset.attrs)
    axis = int(rng.integers(len(shape)))
    shape[axis] = int(rng.choice([0, 1, shape[axis] + 1, EXPANSION, 2**40, 2**62]))
    chunked = rng.random() < 0.7
    compressed = {"chunks": True, "compression": "gzip"} if chunked and all(shape) else {}
    if not compressed and 0 < np.prod(shape, dtype=object) * dtype.itemsize < 2**31:
        shape[axis] = min(shape[axis], 10_000)
    elif not compressed:
        shape[axis] = 0
    del file[name]
    file.create_dataset(name, shape=shape, dtype=dtype, **compressed).attrs.update(attributes)


def _chunk(file, name, rng, pipe):
    """A chunk that unpacks to nonsense, or to far more than it should."""
    import zlib

    dataset = file[name]
    if dataset.chunks is None or not all(dataset.shape):
        return
    packed = zlib.compress(bytes(int(rng.choice([0, 10, 10_000, 200_000_000]))))
    dataset.id.write_direct_chunk((0,) * dataset.ndim, packed if rng.random() < 0.8 else packed[:-5])


def _values(file, name, rng, pipe):
    """Numbers that are not finite, or far away."""
    dataset = file[name]
    if dataset.size and dataset.dtype.kind in "fiu":
        values = dataset[...]
        least, most = (
            (-3e38, np.inf) if values.dtype.kind == "f" else (np.iinfo(values.dtype).min, np.iinfo(values.dtype).max)
        )
        pick = [np.nan, most, least] if values.dtype.kind == "f" else [most, least]
        with np.errstate(over="ignore"):
            values.reshape(-1)[rng.integers(values.size)] = pick[rng.integers(len(pick))]
        dataset[...] = values


def _link(file, name, rng, pipe):
    """A way out of the file, or around in it."""
    other = [
        h5py.SoftLink("/nowhere"), h5py.SoftLink(f"/{name}"), h5py.SoftLink("/"), h5py.ExternalLink(str(pipe), "/x"),
        h5py.ExternalLink("plain.h5", "/tracks/frame"), h5py.ExternalLink("x.h5", "/"),
    ]  # fmt: skip
    whole = rng.random() < 0.3 and "/" in name
    target = name.split("/")[0] if whole else name
    del file[target]
    file[target] = other[rng.integers(len(other))]


def _cycle(file, name, rng, pipe):
    """A group in itself."""
    del file[name]
    file[name] = file["/"]


def _outside(file, name, rng, pipe):
    """Data in another file, or gathered from one."""
    shape, dtype, attributes = file[name].shape, file[name].dtype, dict(file[name].attrs)
    if h5py.check_string_dtype(dtype) is not None or not all(shape):
        return
    del file[name]
    if rng.random() < 0.5:
        made = file.create_dataset(name, shape=shape, dtype=dtype, external=[(str(pipe), 0, h5py.h5f.UNLIMITED)])
    else:
        layout = h5py.VirtualLayout(shape=shape, dtype=dtype)
        layout[...] = h5py.VirtualSource(str(pipe), "x", shape=shape, dtype=dtype)
        made = file.create_virtual_dataset(name, layout)
    made.attrs.update(attributes)


def _filter(file, name, rng, pipe):
    """A filter that is not at hand, or one that is but not HDF5's own."""
    dataset = file[name]
    shape, dtype, attributes = dataset.shape, dataset.dtype, dict(dataset.attrs)
    if not all(shape):
        return
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_chunk(tuple(shape))
    code = int(rng.choice([h5py.h5z.FILTER_LZF, 32015, 307, 305, h5py.h5z.FILTER_SCALEOFFSET, h5py.h5z.FILTER_NBIT]))
    if code == h5py.h5z.FILTER_SCALEOFFSET:
        plan.set_scaleoffset(h5py.h5z.SO_INT, 0)
    else:
        plan.set_filter(code, h5py.h5z.FLAG_OPTIONAL, (1, 2, 3))
    space = h5py.h5s.create_simple(shape)
    del file[name]
    made = h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(dtype, logical=True), space, dcpl=plan)
    h5py.Dataset(made).attrs.update(attributes)


def _space(file, name, rng, pipe):
    """No dataspace, a scalar, or a named type in place of a dataset."""
    dtype = file[name].dtype
    del file[name]
    kind = rng.integers(4)
    if kind == 0:
        file[name] = h5py.Empty(dtype)
    elif kind == 1:
        file.create_dataset(name, shape=(), dtype=dtype)
    elif kind == 2:
        file[name] = np.dtype("f4")
    else:
        file.create_group(name)


def _absent(file, name, rng, pipe):
    """A dataset or group that is not there."""
    del file[name if rng.random() < 0.8 else name.split("/")[0]]


FORGERIES = (
    _attribute, _attribute, _json, _json, _type, _shape, _chunk, _values, _link, _cycle, _outside, _filter, _space,
    _absent,
)  # fmt: skip
