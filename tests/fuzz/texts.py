"""Every reader of text that strangers write, fed with mutants: bytes changed, and texts put together to be awkward.

Forms: the release's rows as text, packed and binary; labels, lists of names and of videos, splits; boxes; matrices of
NumPy; recipes; reports and ledgers in JSON; the official lists of data sets; annotation files of networks.
"""

import bz2
import contextlib
import gzip
import json
import lzma
from pathlib import Path

import numpy as np

from classify.datasets import hmdb, kth, olympic, ucf101
from classify.datasets.class_files import read_class_file
from classify.datasets.splits import read_split
from classify.datasets.video_list import read_video_list
from classify.evaluation import cost_ledger
from classify.evaluation.cost_ledger import Cost, Stage
from classify.evaluation.recipes import read_recipes
from classify.evaluation.resume import earlier_report
from classify.labels import read_labels
from classify.models.outside_vectors import read_outside_block
from encoding.descriptors import labels as label_files
from idt.batch.jobs import plan, read_list
from idt.errors import DataError
from idt.features import feature_file
from idt.features.convert import write_binary, write_text
from idt.files import csv_text, json_text
from idt.frames.people import read_boxes
from tests.fuzz.files import change
from tests.samples import random_features

STAGE = Stage("encoding", Path(), {"k": 2})

PACKERS = {"gz": gzip, "bz2": bz2, "xz": lzma}
"""What packs files with these suffixes."""

PADDING = bytes(100)
"""What a tape adds to a file."""

SETTINGS = {"dataset": "folder", "encoding": {"k": 2, "pca": 0.5}, "classifier": {"C": 100.0}}

DIGITS = b"9" * 5000

PIECES = [
    b"",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n" * 2000,
    b"\0",
    b"\t",
    b" " * 3000,
    b",",
    b",,,",
    b'"',
    b'""',
    b"'",
    b"'=1",
    b"=1+1",
    b"-1",
    b"@",
    b"\x1b[2J",
    b"\x9b",
    b"\x85",
    "\u2028".encode(),
    "\u202e".encode(),
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"[" * 3000,
    b"{" * 3000,
    b"[a]\n",
    b"[DEFAULT]\n",
    b"k = ",
    b"%(k)s",
    b"null",
    b"NaN",
    b"1e999",
    b"-0",
    b"1_000",
    DIGITS,
    b"-" + DIGITS,
    b"0." + DIGITS,
    b"0x10",
    "٣".encode(),
    b"a" * 70_000,
    b"a/../b",
    b"/dev/zero",
    b"../x",
    b"~",
    b"*",
    b"**/*",
    b"[!a]",
    b"%d",
    b"#",
    b"name,label\n",
    b"train",
    b"1 1 2 3 4 0.5\n",
    b'{"a": 1, "a": 2}',
    b'"\\ud800"',
    b"\\",
    b"(" * 3000,
    b"'descr'",
    b"'<f4'",
    b"'|O'",
    b"(3,)",
    b"(-1,)",
    b"(99999999999999,)",
    b"True",
    b"\x1f\x8b",
    b"BZh9",
    b"\xfd7zXZ\0",
    b"\xff\xfe",
    b"PK\x03\x04",
]
"""What readers stumble over."""


def prepare(folder):
    """The intact texts: list of (path, reader)."""
    folder = Path(folder) / "intact"
    if not folder.exists():
        folder.mkdir()
        _write(folder)
    return [(folder / name, reader) for name, reader in READERS.items()]


def _write(folder):
    features = random_features(12)
    write_text(features, folder / "rows.txt")
    write_binary(features, folder / "rows.bin")
    members = b"".join(gzip.compress(line) for line in (folder / "rows.txt").read_bytes().splitlines(keepends=True))
    (folder / "members.gz").write_bytes(members + PADDING)
    rows = (folder / "rows.txt").read_bytes()
    for suffix, library in PACKERS.items():
        (folder / f"rows.txt.{suffix}").write_bytes(library.compress(rows))
    (folder / "wide.features").write_bytes(rows.decode().encode("utf-16"))
    names = ["walk/ann", "run/bob", 'a "b"', "c,d", "=1+1", "e\nf"]
    (folder / "labels.csv").write_text(csv_text.dumps([["name", "label"], *([name, "walk"] for name in names)]))
    (folder / "several.csv").write_text(csv_text.dumps([name, "walk", "run"] for name in names))
    (folder / "train.csv").write_text(csv_text.dumps([name, "train"] for name in names[:4]))
    (folder / "names.txt").write_text("walk/ann.avi\nrun/bob\n\n")
    (folder / "videos.txt").write_text("# films\na.avi\nb.avi\nimages/%03d.png\n")
    (folder / "boxes.txt").write_text("".join(f"{t} {t} 3 20.5 30 0.9 1 1 2 2 0.1\n" for t in range(9)))
    np.save(folder / "block.npy", np.eye(3, dtype=np.float32))
    (folder / "three.txt").write_text("a\nb\nc\n")
    (folder / "recipes.cfg").write_text(
        "[DEFAULT]\nk = 64\n\n[bag of words]\nencoder = bovw\nclassifier = chi2\nc = cv\n"
    )
    (folder / "report.json").write_text(json_text.dumps({"settings": SETTINGS, "value": 0.5, "notes": ["é"]}))
    entry = {"key": cost_ledger._key(STAGE.made_of), "seconds": 1.5, "memory": 9}
    (folder / "cost.json").write_text(json.dumps({"encoding": entry}))
    (folder / "classInd.txt").write_text("1 Walk\n2 Run\n")
    (folder / "trainlist01.txt").write_text("Walk/v_Walk_g01_c01.avi 1\nRun/v_Run_g01_c01.avi 2\n")
    (folder / "00sequences.txt").write_text("words\nperson01_boxing_d1\tframes\t1-95, 96-185\nperson01_x\t*missing*\n")
    (folder / "walk_test_split1.txt").write_text("a.avi 1\nb[1].avi 2\nc.avi 0\n")
    (folder / "walk.txt").write_text("a.seq\nwalk/b.avi\n")
    for name, text in LISTS.items():
        (folder / name).write_text(text)


LISTS = {
    "list.txt": "Walk/a b.avi 0\nRun/c.avi 1\nRun/d;e,f.avi 1\n",
    "frames.txt": "some/a 120 0\nsome/b 80 0 1\nsome/c 30 1\n",
    "comma.csv": "x/a.mp4,1\nx/b.mp4,2\nx/c.mp4,2\n",
    "words.csv": "1234;Walk\n56;Run\n",
    "coviar.txt": "Walk/a.avi Walk 0\nRun/b.avi Run 1\n",
    "kinetics.csv": "label,youtube_id,time_start,time_end,split\nWalk,-3B3,5,15,val\nRun,x_y,0,10.5,val\n",
    "classes.txt": "0 walk\n1 run\n2 hop\n",
    "classes.json": '{"walk": 0, "run": "1"}',
}
"""Annotation files of networks, and files of their classes."""


def _list(path):
    found = read_video_list(path)
    for labels in (found.labels, found.classes, found.frames, found.times):
        assert labels is None or labels is found.classes or len(labels) == len(found.names)
    assert found.labels is None or min(found.labels) >= 0
    assert found.labels is None or found.classes is None or max(found.labels) < len(found.classes)


def _rows(path):
    for part in feature_file.iter_rows(path, rows=5):
        assert np.isfinite(part.hog).all()


def _matrix(path):
    assert np.isfinite(read_outside_block(path, path.parent.parent / "intact" / "three.txt").vectors).all()


def _videos(path):
    read_list(path)
    plan([f"@{path}"], "out/")


def _boxes(path):
    for boxes in read_boxes(path).clipped(1 << 20, 1 << 20).frames.values():
        assert np.isfinite(boxes).all()


def _ledger(path):
    found = cost_ledger.recorded(Stage(STAGE.name, path.parent, STAGE.made_of))
    assert isinstance(found, Cost)
    assert 0 <= found.seconds < float("inf")


READERS = {
    "rows.txt": _rows,
    "rows.txt.gz": _rows,
    "rows.txt.bz2": _rows,
    "rows.txt.xz": _rows,
    "wide.features": _rows,
    "rows.bin": _rows,
    "members.gz": _rows,
    "labels.csv": lambda path: (read_labels(path), label_files.read_labels(path)),
    "several.csv": read_labels,
    "train.csv": read_split,
    "names.txt": lambda path: label_files.read_train(path, ["walk/ann", "run/bob"]),
    "videos.txt": _videos,
    "boxes.txt": _boxes,
    "block.npy": _matrix,
    "recipes.cfg": read_recipes,
    "report.json": lambda path: earlier_report(path, SETTINGS),
    "cost.json": _ledger,
    "classInd.txt": ucf101.read_classes,
    "trainlist01.txt": lambda path: ucf101.read_list(path, {"Walk": "1", "Run": "2"}, numbered=True),
    "00sequences.txt": kth.read_sequences,
    "walk_test_split1.txt": lambda path: hmdb.read_lists(path.parent, 1, ("0", "1", "2")),
    "walk.txt": lambda path: olympic.read_lists(path.parent),
    **{name: read_class_file if name.startswith("classes") else _list for name in LISTS},
}


def attempt(state, rng, folder):
    """Make a mutant, read it, say what became of it."""
    path, reader = state[rng.integers(len(state))]
    place = Path(folder) / "mutant"
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        old.unlink()
    data, what = path.read_bytes(), "pieces"
    if rng.random() < 0.4:
        # Until nothing is left.
        with contextlib.suppress(ValueError):
            data, what = change(data, rng)
    elif rng.random() < 0.5 and (library := PACKERS.get(path.name.rpartition(".")[2])):
        # Within, so that the mutant is packed soundly.
        data = library.compress(_awkward(library.decompress(data.removesuffix(PADDING)), rng))
    else:
        data = _awkward(data, rng)
    mutant = place / path.name
    mutant.write_bytes(data)
    label = f"{path.name} {what}"
    try:
        reader(mutant)
    except (DataError, FileNotFoundError) as problem:
        if not str(problem).isprintable():
            raise
        return "refused", f"{label}: {problem}"
    except BaseException as problem:
        problem.args = (f"{label}: {problem}",)
        raise
    return "accepted", label


def _awkward(data, rng):
    """Some awkward pieces put into a text, in place of a piece of it or beside it."""
    for _ in range(rng.integers(1, 5)):
        piece = PIECES[rng.integers(len(PIECES))]
        at = int(rng.integers(len(data) + 1))
        if rng.random() < 0.5:
            # Where a field ends.
            ends = [i for i, byte in enumerate(data[:20_000]) if byte in b",\n\t \"'=:{}[]"]
            at = ends[rng.integers(len(ends))] + int(rng.integers(2)) if ends else at
        data = data[:at] + piece + data[at + int(rng.choice([0, 0, 1, 5, len(piece)])) :]
    return data
