"""Only `idt.jit` uses what numba does not document, and does without where numba calls it otherwise."""

import ast
import os
import subprocess
import sys

import pytest

from tests.kills import ROOT
from tests.renamed import EXPRESSIONS
from tests.test_house import syntax_trees

CLIP = "wave"

DOCUMENTED = {
    # docs: reference/jit-compilation, reference/types
    "numba": {"njit", "types", "__version__", "boolean", "uint8", "int32", "int64", "float32", "float64"},
    # docs: extending/high-level, low-level, overloading-guide, interval-example
    "numba.extending": {"intrinsic", "lower_builtin", "models", "register_jitable", "register_model", "type_callable"},
    "numba.core": {"cgutils"},
    # docs: user-guide/ir
    "llvmlite": {"ir", "__version__"},
}
"""Module → names that the documentation of numba or llvmlite tells users to import from it."""

ATTRIBUTES = {
    "cgutils": {"create_struct_proxy"},
    "models": {"StructModel"},
    "context": {"get_value_type"},
    "signature": {"args", "return_type"},
    "typing": set(),
    "dispatcher": {"compile", "py_func", "__name__", "__module__"},
}
"""Name under which code of ours knows something of numba's → its attributes that the documentation mentions."""


def undocumented(tree):
    """What a module imports from numba and llvmlite, or asks of theirs, that they do not document."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
            found |= {name for name in names if name.partition(".")[0] in ("numba", "llvmlite")} - DOCUMENTED.keys()
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("numba", "llvmlite"):
            found |= {alias.name for alias in node.names} - DOCUMENTED.get(node.module, set())
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            known = ATTRIBUTES.get(node.value.id, DOCUMENTED.get(node.value.id))
            if known is not None and node.attr not in known and _knows_numba(tree):
                found.add(node.attr)
    return found


def _knows_numba(tree):
    """Whether a module imports numba, so that its variables may be numba's."""
    words = [ast.unparse(node).split() for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return any(line[1].startswith(("numba", "llvmlite", "idt.jit")) for line in words)


def test_nothing_but_what_numba_documents_stands_outside_its_room():
    found = {name: undocumented(tree) for name, tree in syntax_trees() if not name.startswith("idt.jit")}
    assert {name: names for name, names in found.items() if names} == {}


def test_what_it_does_not_document_in_its_room_is_named_and_missed_in_a_test():
    trees = [tree for name, tree in syntax_trees() if name.startswith("idt.jit")]
    found = set().union(*(undocumented(tree) for tree in trees))
    assert found - EXPRESSIONS.keys() == set()
    # All are asked for before they are used.
    texts = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert EXPRESSIONS.keys() - texts == set()


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("from numba import njit, types", set()),
        ("from numba.core.caching import FunctionCache", {"FunctionCache"}),
        ("import numba.core.caching", {"numba.core.caching"}),
        ("from numba.extending import infer, intrinsic", {"infer"}),
        ("import numba\nnumba.core.config", {"core"}),
        ("from numba.core import cgutils, sigutils\ncgutils.unpack_tuple", {"sigutils", "unpack_tuple"}),
        ("from numba import njit\ndispatcher = njit(f)\ndispatcher.compile(s)\ndispatcher._cache", {"_cache"}),
        ("from llvmlite import binding", {"binding"}),
        ("context.anything", set()),
    ],
)
def test_an_undocumented_name_is_seen(code, names):
    assert undocumented(ast.parse(code)) == names


# A name that is gone.

ALONE = "PrimitiveModel"
"""The name without which vectors are another type; without any of the others numba keeps its own files."""


@pytest.fixture(scope="module")
def extract(tmp_path_factory):
    """Extract in a process without a name, and return what it says."""
    folders = {True: tmp_path_factory.mktemp("vectors"), False: tmp_path_factory.mktemp("files")}

    def begin(name):
        return subprocess.Popen(
            [sys.executable, "-m", "tests.renamed", name, CLIP], cwd=ROOT, text=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(folders[name == ALONE])},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    # The two that have everything to compile do so at once.
    begun = {name: begin(name) for name in (ALONE, next(iter(EXPRESSIONS)))}

    def end(name):
        process = begun.pop(name, None) or begin(name)
        out, errors = process.communicate()
        assert process.returncode == 0, errors
        return out

    yield end
    for process in begun.values():
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_without_a_name_of_numbas_the_tracks_are_those_of_the_release(name, extract):
    assert extract(name) == ("vectors" if name == ALONE else "files")
