"""Files that strangers made are opened in two rooms: `idt/files`, and `idt/frames` for videos and images.

The syntax trees of the three packages are searched for calls that open, read or parse a file. Whoever needs one more
either goes through those rooms or stands in `EXCEPTIONS` with a reason.
"""

import ast

import pytest

from tests.test_house import syntax_trees

ROOMS = ("idt.files",)
VIDEO_ROOMS = ("idt.frames",)

PARSERS = {
    "json": {"load", "loads", "JSONDecoder"},
    "csv": {"reader", "DictReader"},
    "pickle": {"load", "loads", "Unpickler"},
    "marshal": {"load", "loads"},
    "tomllib": {"load", "loads"},
    "gzip": {"open", "GzipFile", "decompress"},
    "bz2": {"open", "BZ2File", "decompress"},
    "lzma": {"open", "LZMAFile", "decompress"},
    "zlib": {"decompress", "decompressobj"},
    "zipfile": {"ZipFile"},
    "tarfile": {"open", "TarFile"},
    "h5py": {"File", "h5f", "is_hdf5"},
    "numpy": {"load", "loadtxt", "genfromtxt", "fromfile", "memmap", "fromregex"},
    "os": {"open", "fdopen"},
    "io": {"open", "open_code", "FileIO"},
    "mmap": {"mmap"},
    "joblib": {"load"},
    "configparser": {"ConfigParser", "RawConfigParser"},
    "pandas": {"read_csv", "read_hdf", "read_json", "read_pickle"},
    "xarray": {"open_dataset"},
    "av": {"open", "container", "logging"},
    "fileinput": {"input", "FileInput"},
    "linecache": {"getline", "getlines"},
}
"""Module → what of it opens or parses a file."""

MODULES = {"cv2", "h5py", "numpy", "json", "pickle"}
"""Modules that one of ours may hand on, as `idt.imports.opencv` does."""

METHODS = {"open", "read_text", "read_bytes", "read_file"}
"""Methods, such as of a path, that do."""

VIDEO = {"VideoCapture", "imread", "imreadmulti", "imdecode", "imdecodemulti", "FileStorage", "CascadeClassifier"}
"""Of cv2."""

EXCEPTIONS = {
    ("classify.evaluation.cost_ledger", "read_text"): "/proc, which the system writes",
    ("classify.evaluation.recipes", "configparser.ConfigParser"): "parses a text that idt.files has read",
    ("idt.batch.summary", "os.open"): "appends to the file of failures",
    ("idt.batch.summary", "os.fdopen"): "appends to the file of failures",
    ("idt.features.release.text", "numpy.loadtxt"): "parses lines that idt.files has read",
    ("idt.flows.sinks", "open"): "writes flow files",
    ("idt.flows.sinks", "zipfile.ZipFile"): "writes flow files",
    ("idt.show.picture_files", "cv2.VideoCapture"): "counts the frames of what it has just written",
    ("idt.show.picture_files", "open"): "copies what it has just written",
    ("idt.workers.signals", "os.open"): "the null device",
    ("idt.workers.channel", "pickle.loads"): "what our own processes say to one another",
    ("idt.jit.cache", "pickle.loads"): "kernels that we compiled ourselves, in a folder that must be trusted",
    ("idt.jit.cache", "open"): "kernels that we compiled ourselves, in a folder that must be trusted",
}
"""Calls that may stand elsewhere, each with its reason."""


def suspicious(tree):
    """Calls and names of a module that open or parse files."""
    aliases, found = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases.update({alias.asname or alias.name: alias.name for alias in node.names})
        elif isinstance(node, ast.ImportFrom) and node.module:
            aliases.update(
                {
                    # Whoever hands a module on changes nothing about it.
                    alias.asname or alias.name: alias.name if alias.name in MODULES else f"{node.module}.{alias.name}"
                    for alias in node.names
                }
            )
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in aliases:
            found.add(aliases[node.id])
        elif isinstance(node, ast.Attribute):
            words = ast.unparse(node).split(".")
            found.add(".".join([aliases.get(words[0], words[0]), *words[1:]]))
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id == "open":
                found.add("open")
            elif isinstance(called, ast.Attribute) and called.attr in METHODS and not _is_module(called.value, aliases):
                found.add(called.attr)
    parsers = {f"{module}.{name}" for module, names in PARSERS.items() for name in names}
    videos = {f"cv2.{name}" for name in VIDEO}
    return {name for name in found if name in parsers | videos | METHODS}


def _is_module(node, aliases):
    return isinstance(node, ast.Name) and node.id in aliases


def found_everywhere():
    """(module, call) of all that the rooms do not hold."""
    found = set()
    for module, tree in syntax_trees():
        if module.startswith(ROOMS):
            continue
        calls = suspicious(tree)
        if module.startswith(VIDEO_ROOMS):
            calls = {call for call in calls if not call.startswith(("cv2.", "av.")) and call != "open"}
        found |= {(module, call) for call in calls}
    return found


def test_only_the_rooms_open_and_parse_files_of_strangers():
    assert found_everywhere() - EXCEPTIONS.keys() == set()


def test_an_exception_that_is_none_is_removed():
    assert EXCEPTIONS.keys() - found_everywhere() == set()


def test_the_rooms_themselves_are_seen():
    """The search finds what the rooms are there for; else it would find nothing anywhere."""
    inside = {call for module, tree in syntax_trees() if module.startswith(ROOMS) for call in suspicious(tree)}
    assert {"json.JSONDecoder", "os.open", "zlib.decompressobj"} <= inside


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("import json\njson.load(file)", "json.load"),
        ("from json import loads as read\nread(text)", "json.loads"),
        ("import numpy as np\nnp.load(path)", "numpy.load"),
        ("import numpy as np\nmap(np.loadtxt, paths)", "numpy.loadtxt"),
        ("import h5py\nh5py.File(path)", "h5py.File"),
        ("import h5py\nh5py.h5f.open(path)", "h5py.h5f"),
        ("import cv2\ncv2.imread(path)", "cv2.imread"),
        ("import av\nav.open(path)", "av.open"),
        ("from idt.imports.opencv import cv2\ncv2.VideoCapture(path)", "cv2.VideoCapture"),
        ("from cv2 import VideoCapture\nVideoCapture(0)", "cv2.VideoCapture"),
        ("open(path)", "open"),
        ("Path(path).read_text()", "read_text"),
        ("path.open()", "open"),
        ("def f():\n import gzip\n return gzip.open(path)", "gzip.open"),
        ("import os\nos.open(path, os.O_RDONLY)", "os.open"),
    ],
)
def test_a_call_outside_is_found(code, call):
    assert call in suspicious(ast.parse(code))
