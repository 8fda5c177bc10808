"""Bad files for every option of every command that names one: one line, status 2 or 3, the file named, in no time.

`FILES` says of each option what it names. It must name all options that take text, as the parsers have them, so a new
option cannot be forgotten.
"""

import contextlib
import gzip
import io
import os
import pickle
import re
import shutil
import signal
import sys

import numpy as np
import pytest

from benchmarks.clips import write_video
from classify.fusion.scores import Scores
from classify.fusion.write import write_scores
from classify.models import model_file
from classify.svm.linear import LinearSVM
from encoding.cli import fv_encode
from encoding.encode_files import encode_files
from encoding.fitting import fit_codebook
from encoding.params import BilinearParams, BovwParams, EncodingParams, PlainParams, StackedParams, VladParams
from encoding.vectors_file import load_vectors
from idt.command import Parser
from idt.features import feature_file
from tests import scenes
from tests.commands import scripts
from tests.networks.graphs import image_network
from tests.samples import random_features

PATIENCE = 30
"""Seconds that a refusal may take on a machine that does other things besides; it takes a hundredth of one."""

COMMANDS = {
    "fisher": "fv-encode", "bovw": "bovw-encode", "vlad": "vlad-encode", "stacked": "sfv-encode",
    "bilinear": "bilinear-encode", "plain": "plain-encode",
}  # fmt: skip

NO_FILES = {
    *("--scheduler", "--skips", "--only-skips", "--blocks", "--pyramid", "--volumes", "--encoder", "--group"),
    *("--preset", "--tensor", "--mean", "--std", "--maps-preset", "--maps-norm"),
    *("--dataset", "--form", "--norm", "--weights", "--write", "--window", "--background"),
    *("--class", "--versus", "--sheet", "--subset"),
}
"""Options that take text and name no file."""

NO_FILES_OF = {"idt-net": {"--features", "--with-preset"}}
"""The same of one command, where the option of another names a file."""

OUTPUTS = {"-o", "--force"}
"""Options that name what is written: tests of outputs look at them."""

FILES = {
    "idt-extract": {
        "videos": "{bad} -o {out}",
        "--list": "--list {bad} -o {out}",
        "--verify": "--verify {bad}",
        "--boxes": "{a.avi} --boxes {bad} -o {out}",
        "--project": "{a.avi} --project {bad} -o {out}",
        "--maps": "{a.avi} --maps {bad}:conv1 -o {out}",
        "--flow-files": "{a.avi} --flow-files {bad} --no-camera -o {out}",
    },
    "idt-flow": {
        "videos": "{bad} -o {out}",
        "--list": "--list {bad} -o {out}",
        "--verify": "--verify {bad}",
        "--boxes": "{a.avi} --warped --boxes {bad} -o {out}",
    },
    "idt-convert": {
        "features": "{bad} -o {out}",
        "--project": "{f1.h5} --project {bad} -o {out}",
    },
    "idt-show": {
        "video": "{bad} -o {out}.png",
        "--boxes": "{a.avi} --boxes {bad} -o {out}.png",
        "--evidence": "{a.avi} --colour evidence --evidence {bad} -o {out}.png",
        "--segments": "{a.avi} --segments {bad} -o {out}.png",
    },
    **{
        name: {
            "features": "{bad} {f1.h5} -o {out} --k 2",
            "--codebook": "{f1.h5} --codebook {bad} -o {out}",
            "--train": "{f1.h5} {f2.h5} --train {bad} -o {out} --k 2",
            "--boxes": "{a.avi} --from-videos --codebook {" + name + ".h5} --boxes {bad} -o {out}",
        }
        for name in COMMANDS.values()
    },
    "svm-train": {
        "vectors": "{bad} --labels {labels.csv} -o {out}",
        "--labels": "{vectors.h5} --labels {bad} -o {out}",
        "--extra": "{vectors.h5} --labels {labels.csv} --extra {bad} --extra-names {names.txt} -o {out}",
        "--extra-names": "{vectors.h5} --labels {labels.csv} --extra {block.npy} --extra-names {bad} -o {out}",
    },
    "svm-predict": {
        "model": "{bad} {vectors.h5}",
        "inputs": "{model.h5} {bad}",
        "--codebook": "{model.h5} {a.avi} --codebook {bad}",
        "--extra": "{model.h5} {vectors.h5} --extra {bad} --extra-names {names.txt}",
        "--extra-names": "{model.h5} {vectors.h5} --extra {block.npy} --extra-names {bad}",
    },
    "idt-evaluate": {
        "dataset": "{bad} {set} -o {out}",
        "root": "folder {bad} -o {out}",
        "--features": "folder {set} --folds 2 --features {bad} -o {out}",
        "--compare": "folder {set} --compare {bad} -o {out}",
        "--split": "folder {set} --split {bad} -o {out}",
        "--lists": "hmdb51 {set} --lists {bad} -o {out}",
        "--sequences": "kth {kth} --subsequences --sequences {bad} -o {out}",
        "--train": "list --train {bad} --test {test.txt} --root {set} -o {out}",
        "--test": "list --train {train.txt} --test {bad} --root {set} -o {out}",
        "--root": "list --train {train.txt} --test {test.txt} --root {bad} -o {out}",
        "--classes": "list --train {train.txt} --test {test.txt} --root {set} --classes {bad} -o {out}",
        "--extra": "folder {set} --folds 2 --extra {bad} -o {out}",
        "--extra-names": "folder {set} --folds 2 --extra {block.npy} --extra-names {bad} -o {out}",
        "--network": "folder {set} --folds 2 --network {bad} -o {out}",
        "--network-list": "folder {set} --folds 2 --network {scores.h5} --network-list {bad} -o {out}",
        "--network-classes": "folder {set} --folds 2 --network {scores.h5} --network-classes {bad} -o {out}",
    },
}
TWO = "a={scores.h5} b={scores.h5} -o {out}"
FILES["idt-fuse"] = {
    "sources": "a={bad} b={scores.h5} -o {out}",
    **{f"--{option}": f"{TWO} --{option} {{bad}}" for option in ("list", "classes", "lists", "labels", "split")},
    "--numbered": TWO + " --list {names.txt} --numbered {bad}",
    **{f"--{option}": f"{TWO} --{option} a={{bad}} b={{other.h5}}" for option in ("search", "svm")},
    "--validation-list": TWO + " --search a={other.h5} b={other.h5} --validation-list {bad}",
    "--order": TWO + " --write csv --order {bad}",
}
KNOWN = "{f1.h5} --model {model.h5} --codebook {codebook.h5} -o {out}.csv"
TRAINED = "{f1.h5} --codebook {codebook.h5} --train {segments.csv} --train-slices {f1.h5} -o {out}.csv"
FILES["idt-segment"] = {
    "inputs": KNOWN.replace("{f1.h5}", "{bad}"),
    "--model": KNOWN.replace("{model.h5}", "{bad}"),
    "--codebook": KNOWN.replace("{codebook.h5}", "{bad}"),
    "--train": TRAINED.replace("{segments.csv}", "{bad}"),
    "--train-slices": TRAINED.replace("slices {f1.h5}", "slices {bad}"),
    "--transcripts": KNOWN + " --method dtw --transcripts {bad}",
    "--truth": KNOWN + " --truth {bad}",
    "--export": "{slices} --codebook {codebook.h5} --export {bad}",
    "--test-videos": "{slices} --codebook {codebook.h5} --export {out} --test-videos {bad}",
    "--timeline": KNOWN + " --timeline {bad}",
}
SCORED = "{net.onnx} {a.avi} -o {out} --scores --classes {names.txt} --crop 32 --short-side 32"
FILES["idt-net"] = {
    "model": SCORED.replace("{net.onnx}", "{bad}"),
    "videos": SCORED.replace("{a.avi}", "{bad}"),
    "--classes": SCORED.replace("{names.txt}", "{bad}"),
    "--with": "{net.onnx} {a.avi} -o {out} --features conv2 --crop 32 --short-side 32 --fuse sum --with {bad}:conv2",
}
EXPLAINED = "{f1.h5} --model {model.h5} --codebook {codebook.h5} -o {out}.png"
FILES["idt-explain"] = {
    "video": EXPLAINED.replace("{f1.h5}", "{bad}"),
    "--model": EXPLAINED.replace("{model.h5}", "{bad}"),
    "--codebook": EXPLAINED.replace("{codebook.h5}", "{bad}"),
    "--frames": EXPLAINED + " --frames {bad}",
}
FILES["sfv-encode"]["--labels"] = "{f1.h5} {f2.h5} --labels {bad} -o {out} --k 2"

FOLDERS = {"--verify", "root", "--features", "--lists", "--transcripts", "--root"}
"""Options that name a folder, for which every file is a bad one, and a folder a good one."""


class Found(BaseException):
    """The parser of a command, on its way out of it."""

    def __init__(self, parser):
        super().__init__()
        self.parser = parser


def options_of(name):
    """The options of a command that take text, by their first name."""
    with pytest.MonkeyPatch.context() as patch:

        def parse(parser, *_):
            raise Found(parser)

        patch.setattr(Parser, "parse_args", parse)
        try:
            scripts()[name]([])
        except Found as found:
            actions = found.parser._actions
    return {
        (action.option_strings or [action.dest])[0]
        for action in actions
        if action.nargs != 0 and not action.choices and not getattr(action.type, "takes_number", False)
    }


@pytest.mark.parametrize("name", list(scripts()))
def test_every_option_that_takes_text_is_known(name):
    assert options_of(name) - NO_FILES - NO_FILES_OF.get(name, set()) - OUTPUTS == FILES[name].keys()


def _npy(shape, descr="'<f4'"):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


CONTENTS = {
    "empty": b"",
    "zeros": bytes(5000),
    "utf16": "name,label\na,walk\n".encode("utf-16"),
    "utf16 without a mark": "name,label\na,walk\n".encode("utf-16-le"),
    "latin1": b"caf\xe9,walk\n",
    "half a letter": b"a,\xf0\x9f\x98",
    "surrogates": b"a,\xed\xa0\x80\n",
    "a field of 200,000 letters": b"a," + b"x" * 200_000,
    "a line of 2 MB": b"x" * 2_000_000,
    "a number of 5,000 digits": b"9" * 5000 + b"\n",
    "numbers of 5,000 digits": b"1 " + b"9" * 5000 + b" 1 2 3 4\n",
    "a number beyond float": b"0 1e999 1 2 3 4\n",
    "an open quote": b'"' + b"a,b\n" * 1000,
    "brackets": b"[" * 100_000,
    "braces": b'{"a":' * 50_000,
    "escapes": b"\x1b[2J\x1b]0;x\x07,\x9b31m\n",
    "zip": b"PK\x03\x04x",
    "pickle": pickle.dumps({"a": print}),
    "npy of any size": _npy(f"({2**70},)"),
    "npy of objects": _npy("(2,)", "'|O'"),
    "npy of code": _npy("__import__('os').abort()"),
    "npy in brackets": _npy("(" * 9000),
    "blank lines": b"\n" * 2_000_000,
    "gzip of blank lines": gzip.compress(b"\n" * 20_000_000),
    "gzip cut": gzip.compress(bytes(range(256)) * 40)[:-20],
    "a section": b"[a]\nk = " + b"9" * 5000 + b"\n",
    "sections": b"[a]\n[a]\n",
    "a reference to itself": b"[DEFAULT]\na = %(a)s\n[x]\nk = %(a)s\n",
}


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A folder of small good files, and of bad ones."""
    place = tmp_path_factory.mktemp("files")
    write_video(place / "a.avi", scenes.moving_patch(18, velocity=(1, 1)))
    names = ["f1", "f2", "f3", "f4"]
    for seed, name in enumerate(names):
        feature_file.save(random_features(30, seed=seed), place / f"{name}.h5")
    files = [place / f"{name}.h5" for name in names]
    book = fit_codebook(files, params=EncodingParams(k=2, sample=80))
    book.save(place / "codebook.h5", source={"digest": "0" * 64})
    stacked = StackedParams(k=2, first_k=2, sample=80, volume_sample=80, least=1, pca=None, reduced=4)
    learnt = (cls(k=2, sample=80) for cls in (EncodingParams, BovwParams, VladParams, BilinearParams, PlainParams))
    for params in (*learnt, stacked):
        fit_codebook(files, params=params).save(place / f"{COMMANDS[params.encoding]}.h5")
    encode_files(files, names, book, place / "vectors.h5")
    sliced = ["--codebook", place / "codebook.h5", "--slices", "1", "-o", place / "slices", "--quiet"]
    assert fv_encode([str(word) for word in (*files, *sliced)]) == 0
    (place / "labels.csv").write_text("f1,walk\nf2,run\nf3,walk\nf4,run\n")
    (place / "train.txt").write_text("walk/a.avi 0\nrun/c.avi 1\n")
    (place / "test.txt").write_text("walk/b.avi 0\nrun/d.avi 1\n")
    (place / "segments.csv").write_text("f1,0,1,walk\nf1,1,2,run\n")
    (place / "names.txt").write_text("f1\nf2\nf3\nf4\n")
    np.save(place / "block.npy", np.eye(4, dtype=np.float32))
    image_network(place / "net.onnx")
    stored = load_vectors(place / "vectors.h5")
    machine = LinearSVM().fit(stored.encodings, ["walk", "run"] * 2)
    model_file.save_model(
        place / "model.h5", machine, layout=stored.layout, codebook=stored.codebook, source={"digest": "0" * 64}
    )
    for name, videos in (("scores", names), ("other", ["g1", "g2", "g3", "g4"])):
        made = Scores(np.eye(2)[[0, 1, 0, 1]], videos, ["run", "walk"], np.array([0, 1, 0, 1]), "margins")
        write_scores(place / f"{name}.h5", made)
    for folder, videos in {"set": ["walk/a", "walk/b", "run/c", "run/d"], "kth": ["person01_boxing_d1"]}.items():
        for video in videos:
            (place / folder / f"{video}.avi").parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place / "a.avi", place / folder / f"{video}.avi")
    _make_bad(place)
    return place


def _make_bad(place):
    bad = place / "bad"
    bad.mkdir()
    for number, data in enumerate(CONTENTS.values()):
        (bad / f"bad{number}.dat").write_bytes(data)
    for name in ("f1", "vectors", "model", "codebook"):
        data = (place / f"{name}.h5").read_bytes()
        (bad / f"badcut-{name}.h5").write_bytes(data[: len(data) // 2])
        (bad / f"badhead-{name}.h5").write_bytes(data[:64])
    (bad / "badfolder").mkdir()
    os.mkfifo(bad / "badpipe")
    (bad / "badlink").symlink_to("nowhere")
    (bad / "badloop").symlink_to("badloop")
    (bad / "badnul").write_bytes(b"f1\0f2\n")


def bad_files(good, name, option):
    """What is wrong → the path."""
    bad = good / "bad"
    found = {what: bad / f"bad{number}.dat" for number, what in enumerate(CONTENTS)}
    found |= {path.name: path for path in sorted(bad.iterdir()) if path.name not in {p.name for p in found.values()}}
    found |= {"missing": bad / "badmissing", "a name of 300 letters": bad / ("bad" * 100)}
    found |= {f"a file where a folder is, {n}": good / "f1.h5" / f"bad{n}" for n in (1,)}
    found |= {device: device for device in ("/dev/null", "/dev/zero")}
    found["no name"] = ""
    if (name, option) == ("idt-convert", "features"):
        del found["empty"]  # text of no rows
    if (name, option) == ("idt-evaluate", "--classes"):
        # Text of two lines names two classes.
        del found["a section"], found["a reference to itself"]
    if (name, option) == ("idt-net", "--classes"):
        del found["a reference to itself"]  # four lines name four classes
    if option in FOLDERS or option == "--boxes":
        del found["badfolder"]
    if (name, option) == ("idt-evaluate", "--features"):
        del found["missing"], found["badlink"]  # what is not there is made
    if (name, option) == ("idt-segment", "--export"):
        del found["missing"], found["badfolder"]
    return found


@contextlib.contextmanager
def hurried():
    """Raise where something takes too long."""

    def late(*_):
        raise TimeoutError(f"no answer for {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def attempt(name, words):
    """Run a command in this process: its status, stdout and stderr, or what it raised."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [name])
        try:
            with hurried():
                status = scripts()[name](words)
        except SystemExit as left:
            status = left.code
        except BaseException as problem:
            return f"{type(problem).__name__}: {problem!s:.200}", "", ""
    return status, out.getvalue(), err.getvalue()


def fault(name, option, what, path, status, err):
    """What is wrong with an answer; None if nothing is."""
    lines = err.splitlines()
    if status not in (2, 3):
        return f"{status}"
    if len(lines) != (1 if status == 2 else len(lines)) or not lines:
        return f"{len(lines)} lines: {err!r:.300}"
    if any(not line.isprintable() for line in lines) or any(len(line) > 1200 for line in lines):
        return f"not printable: {err!r:.300}"
    if "Traceback" in err or re.search(r"\b(\w+Error|Exception)\b", err):
        return f"a bug shows: {err!r:.300}"
    # A list that can be read names what is not there, which the message names then.
    by_content = option in ("--list", "--test-videos", "videos", "--train", "--labels", "--extra-names", "dataset")
    shown = os.path.basename(os.fspath(path))[:40]
    if not by_content and what != "no name" and shown not in err:
        return f"not named: {err!r:.300}"
    return None


@pytest.mark.parametrize(("name", "option"), [(name, option) for name, known in FILES.items() for option in known])
def test_a_bad_file_is_refused_in_one_line(good, tmp_path, name, option):
    wrong = {}
    for number, (what, path) in enumerate(bad_files(good, name, option).items()):
        values = {"bad": os.fspath(path), "out": str(tmp_path / f"out{number}.h5")}
        words = [_filled(word, good, values) for word in FILES[name][option].split()]
        status, _, err = attempt(name, words)
        found = fault(name, option, what, path, status, err)
        if found:
            wrong[what] = found
    assert wrong == {}


def _filled(word, good, values):
    return re.sub(r"\{([^}]+)\}", lambda found: values.get(found[1], str(good / found[1])), word)


def test_the_good_files_are_good(good, tmp_path):
    for name, words in {
        "idt-convert": "{f1.h5} -o {out}.txt",
        "fv-encode": "{f1.h5} {f2.h5} --codebook {codebook.h5} -o {out}",
        "svm-train": "{vectors.h5} --labels {labels.csv} --extra {block.npy} --extra-names {names.txt} -o {out}",
        "svm-predict": "{model.h5} {vectors.h5}",
    }.items():
        values = {"out": str(tmp_path / f"{name}.h5")}
        assert attempt(name, [_filled(word, good, values) for word in words.split()])[0] == 0
