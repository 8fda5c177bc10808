"""Every reader of score files, fed with mutants of files as others write them, packed ones changed within as well.

Pieces of pickles are put into them that would make a folder if anything ran them.
"""

import contextlib
import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np

from classify.fusion.read import read_scores
from classify.fusion.scores import KINDS, Scores
from classify.fusion.write import write_scores
from idt.errors import DataError
from tests.fuzz.files import change
from tests.scores import files
from tests.scores.files import CLASSES, LABELS, NAMES, SCORES, TORCH, listing

MADE = "made"
"""Name of the folder that a piece would make."""

PIECES = [
    b"cposix\nmkdir\n(V{made}\ntR",
    b"c__builtin__\neval\n(V__import__('os').mkdir('{made}')\ntR",
    b"\x8c\x05posix\x8c\x05mkdir\x93(V{made}\ntR",
    *(b"cnumpy\nload\n", b"(iposix\nmkdir\n", b"ctorch._utils\n_rebuild_tensor_v2\n"),
    *(b"cnumpy.core.multiarray\n_reconstruct\n", b"\x82\x01", b"\x81", b"\x92", b"h\x01", b"\x94"),
    *(bytes([code]) for code in b"](){}tRb02NQue"),
    *(b"r\xff\xff\xff\xff", b"X\xff\xff\xff\xff", b"B\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 8),
    *(b"\x96" + b"\xff" * 7 + b"\x00", b"J\xff\xff\xff\xff", b"\x8a\x09" + b"\xff" * 8 + b"\x7f"),
    *(b"NaN", b"1e999", b"-Infinity", b"[" * 100, b",", b"\n", b"null", b'"score": 1e308', b"\xff\xfe", b"\0" * 8),
    *(struct.pack("<q", 2**62), struct.pack("<q", -1), struct.pack("<I", 2**31 - 1), struct.pack("<d", np.nan)),
]
"""Instructions of pickles, numbers where sizes are, and pieces of text."""


def prepare(folder):
    """The intact files: list of paths, each of which is read."""
    folder = Path(folder) / "intact"
    if not folder.exists():
        folder.mkdir()
        for name in ("mma120.pkl", "mma110.pkl", "slowfast.pkl", "zip.pt", "out.pkl"):
            (folder / name).write_bytes((TORCH / name).read_bytes())
        files.coviar(folder / "coviar.npz")
        files.tsn(folder / "tsn.npz", shape=(3, 2))
        files.ltc(folder / "ltc.mat")
        files.mat73(folder / "mat73.mat")
        files.actionvlad(folder / "actionvlad.h5")
        files.python2(folder / "python2.pkl")
        for protocol in (0, 2, 5):
            files.pickled(folder / f"protocol{protocol}.pkl", {"scores": SCORES, "names": NAMES}, protocol)
        files.savez(folder / "named.npz", scores=SCORES, names=NAMES, labels=LABELS)
        np.save(folder / "matrix.npy", SCORES)
        np.savetxt(folder / "matrix.txt", SCORES)
        (folder / "rows.json").write_text(json.dumps(SCORES.tolist()))
        ours = Scores(SCORES, NAMES, CLASSES, LABELS, "margins", 1)
        for suffix in (".h5", ".pkl", ".npz", ".json", ".mat", ".csv"):
            write_scores(folder / f"ours{suffix}", ours)
    return sorted(folder.iterdir())


def read(path):
    """Read a file with the list and without; what is accepted must be whole."""
    refused = 0
    for given in (listing(), None):
        try:
            found = read_scores(path, video_list=given)
        except DataError as problem:
            refused, last = refused + 1, problem
            continue
        count, classes = found.values.shape
        assert found.values.dtype == np.float64
        assert np.isfinite(found.values).all()
        assert count > 0
        assert classes > 1
        assert found.kind in KINDS
        assert found.names is None or len({*found.names}) == count
        assert found.classes is None or len({*found.classes}) == classes
        if found.labels is not None:
            assert found.labels.shape in ((count,), (count, classes))
            assert 0 <= found.labels.min() <= found.labels.max() < classes
    if refused == 2:
        raise last


def attempt(state, rng, folder):
    """Make a mutant, read it, say what became of it."""
    path = state[rng.integers(len(state))]
    place = Path(folder) / "mutant"
    place.mkdir(exist_ok=True)
    made = Path(folder) / MADE
    data, what = mutant_of(path, rng, os.fsencode(made))
    mutant = place / path.name
    mutant.write_bytes(data)
    label = f"{path.name} {what}"
    try:
        read(mutant)
    except DataError as problem:
        if not str(problem).isprintable():
            raise
        return "refused", f"{label}: {problem}"
    except BaseException as problem:
        problem.args = (f"{label}: {problem}",)
        raise
    finally:
        if made.exists():
            made.rmdir()
            raise AssertionError(f"{label}: something in it was run")
    return "accepted", label


def mutant_of(path, rng, made):
    """A changed file, and what was done to it."""
    data, within = path.read_bytes(), rng.random() < 0.7
    if within and data.startswith(b"PK"):
        return _in_archive(data, rng, made), "within"
    if within and path.name in ("ltc.mat", "ours.mat"):
        return _in_stream(data, rng, made), "within"
    return _changed(data, rng, made)


def _changed(data, rng, made):
    if rng.random() < 0.6:
        # Until nothing is left.
        with contextlib.suppress(ValueError):
            return change(data, rng)
    for _ in range(rng.integers(1, 4)):
        piece = PIECES[rng.integers(len(PIECES))].replace(b"{made}", made)
        at = int(rng.integers(len(data) + 1))
        data = data[:at] + piece + data[at + int(rng.choice([0, 0, len(piece)])) :]
    return data, "pieces"


def _in_archive(data, rng, made):
    """A zip archive with a member changed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(packed, "w") as new:
        chosen = old.namelist()[rng.integers(len(old.namelist()))]
        for name in old.namelist():
            content = old.read(name)
            new.writestr(zipfile.ZipInfo(name), _changed(content, rng, made)[0] if name == chosen else content)
    return packed.getvalue()


def _in_stream(data, rng, made):
    """A MAT file with a variable changed before it is deflated."""
    parts, at = [data[:128]], 128
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        content = zlib.decompress(data[at + 8 : at + 8 + size])
        if rng.random() < 0.5:
            content = _changed(content, rng, made)[0]
        content = zlib.compress(content)
        parts.append(struct.pack("<II", kind, len(content)) + content)
        at += 8 + size
    return b"".join(parts)
