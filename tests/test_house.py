"""House rules as tests: light imports, complete docstrings, kernels that stay raw, no prints in the library."""

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpydoc.docscrape
import pytest

from idt.jit.cache import KernelFiles
from idt.kernels import sampling

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("idt", "encoding", "classify")

MOST_PARAMETERS = 8
THEIR_OPTIONS_ARE_THE_METHODS_OWN = {
    *("idt.api.extract", "idt.api.stream", "idt.api.draw"),
    "encoding.encoders.fisher.FisherEncoder.__init__",
    "encoding.encoders.bovw.BovwEncoder.__init__",
    "encoding.encoders.vlad.VladEncoder.__init__",
    "encoding.encoders.stacked.StackedEncoder.__init__",
    "encoding.encoders.bilinear.BilinearEncoder.__init__",
    "encoding.encoders.plain.PlainEncoder.__init__",
}
"""Public functions with an option for every choice that the method leaves, so that `help` names each of them."""

DISK = {
    *("open", "open_checked", "open_guarded", "open_features", "open_vectors", "open_video", "File", "VideoCapture"),
    *("exists", "lexists", "is_file", "is_dir", "isfile", "isdir", "stat", "fstat", "getsize", "getmtime"),
    *("iterdir", "glob", "rglob", "scandir", "listdir", "read_text", "read_bytes", "write_text", "write_bytes"),
    *("mkdir", "makedirs", "unlink", "rename", "load", "loaded", "digest", "is_current", "read_state"),
}
"""Functions that look at the disk, by their last name and without a leading underscore."""

OPEN_FILES = {
    "idt.files.part_file.PartFile": "the descriptor of a file that is written",
    "idt.files.hdf5.guard.GuardedFile": "the descriptor of a file that is read",
    "idt.frames.opencv_decoder.OpencvReader": "a video that OpenCV has opened",
}
"""Classes that are an open file, and may therefore open it in their constructor."""


def modules():
    """Names of all modules of the three packages, kernels left out."""
    for package in PACKAGES:
        for found in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if ".kernels" not in found.name:
                yield found.name


def undocumented(function):
    """What is wrong with the docstring of a function; empty if nothing is.

    A function has a section Parameters with all of them, or its first words name each in double backticks.
    """
    documented = numpydoc.docscrape.FunctionDoc(function)
    wanted = [parameter for parameter in inspect.signature(function).parameters if parameter != "_"]
    if not inspect.getdoc(function):
        return "no docstring"
    if documented["Parameters"]:
        listed = [part.strip().lstrip("*") for found in documented["Parameters"] for part in found.name.split(",")]
        return "" if sorted(listed) == sorted(wanted) else f"lists {listed} of {wanted}"
    words = " ".join([*documented["Summary"], *documented["Extended Summary"]])
    missing = [name for name in wanted if not re.search(rf"``\**{name}``", words)]
    return f"neither a section Parameters nor ``{'``, ``'.join(missing)}``" if missing else ""


@pytest.mark.parametrize("name", list(modules()))
def test_docstrings_name_every_parameter(name):
    module = importlib.import_module(name)
    wrong = {
        label: undocumented(thing)
        for label, thing in vars(module).items()
        if not label.startswith("_") and getattr(thing, "__module__", None) == name and inspect.isfunction(thing)
    }
    assert {label: fault for label, fault in wrong.items() if fault} == {}


def test_a_docstring_that_leaves_a_parameter_out_is_found():
    def bare(size):
        pass

    def silent(size, *, unit):
        """Return a ``size``."""

    def short(size):
        """List one of two.

        Parameters
        ----------
        size : int
        unit : str
        """

    def whole(size, *units):
        """Return a ``size`` in ``units``."""

    assert undocumented(bare) == "no docstring"
    assert undocumented(silent) == "neither a section Parameters nor ``unit``"
    assert undocumented(short) == "lists ['size', 'unit'] of ['size']"
    assert undocumented(whole) == ""


KERNELS = sorted(path for package in PACKAGES for path in (ROOT / package).glob("**/kernels/*.py"))


def test_the_kernels_of_all_packages_are_seen():
    assert {path.relative_to(ROOT).parts[0] for path in KERNELS} == {"idt", "encoding", "classify"}


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: str(path.relative_to(ROOT)))
def test_kernels_are_cached_release_the_lock_and_say_what_they_do(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            called = isinstance(decorator, ast.Call)
            made_by = ast.unparse(decorator.func if called else decorator).rpartition(".")[2]
            assert made_by not in ("njit", "jit", "register_jitable")
            if made_by in ("inner", "kernel"):
                assert called
                # Parts are kept with the kernels that call them.
                assert node.name.startswith("_") or made_by == "kernel"
                assert ast.get_docstring(node)
                flags = {keyword.arg for keyword in decorator.keywords}
                assert "parallel" not in flags, "sums would depend on the number of threads"


def test_a_kernel_is_cached_and_releases_the_lock():
    options = sampling.free_centres.targetoptions
    assert (options["nogil"], options["error_model"]) == (True, "numpy")
    assert isinstance(sampling.free_centres._cache._cache_file, KernelFiles)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("idt", {"cv2", "numba", "numpy", "h5py"}),
        ("idt.cli", {"cv2", "numba", "numpy", "h5py"}),
        ("classify", {"cv2", "numba", "numpy", "h5py", "sklearn"}),
    ],
)
def test_importing_a_command_loads_nothing_heavy(module, heavy):
    code = f"import sys, {module}; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@functools.cache
def syntax_trees():
    """Name and syntax tree of every module of the three packages, kernels included."""
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return [(name, ast.parse(path.read_text(encoding="utf-8"))) for name, path in zip(names, paths, strict=True)]


def functions_of(node, name):
    """Qualified name and definition of every function below a node: methods and nested functions, too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not isinstance(child, ast.ClassDef):
                yield f"{name}.{child.name}", child
            yield from functions_of(child, f"{name}.{child.name}")
        else:
            yield from functions_of(child, name)


def n_parameters(function):
    """Parameters but for self and cls; ``*args`` and ``**kwargs`` are one each."""
    given = function.args
    named = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return len([name for name in named if name not in ("self", "cls")]) + bool(given.vararg) + bool(given.kwarg)


def test_no_function_takes_more_than_eight_parameters():
    counts = {
        name: n_parameters(function)
        for module, tree in syntax_trees()
        for name, function in functions_of(tree, module)
    }  # fmt: skip
    many = {name: count for name, count in counts.items() if count > MOST_PARAMETERS}
    assert {name: many[name] for name in many.keys() - THEIR_OPTIONS_ARE_THE_METHODS_OWN} == {}
    assert many.keys() >= THEIR_OPTIONS_ARE_THE_METHODS_OWN, "an exception that is none is to be removed"


def test_a_function_is_counted_with_all_its_parameters():
    code = "class A:\n def f(self, a, /, b, *c, d, **e):\n  def g(x): ...\n  if b:\n   async def h(): ..."
    found = {name: n_parameters(function) for name, function in functions_of(ast.parse(code), "m")}
    assert found == {"m.A.f": 5, "m.A.f.g": 1, "m.A.f.h": 0}


def disk_calls(cls):
    """Calls of `DISK` in the constructor of a class and the methods of its own that the constructor calls."""
    methods = {node.name: node for node in cls.body if isinstance(node, ast.FunctionDef)}
    left, seen, found = [name for name in ("__new__", "__init__", "__post_init__") if name in methods], set(), set()
    while left:
        seen.add(method := left.pop())
        for call in (node for node in ast.walk(methods[method]) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            own = isinstance(call.func, ast.Attribute) and getattr(call.func.value, "id", "") == "self"
            if own and name in methods:
                left += [name] * (name not in seen)
            elif name.lstrip("_") in DISK:
                found.add(name)
    return found


def test_no_constructor_looks_at_the_disk():
    found = {
        f"{module}.{node.name}": disk_calls(node)
        for module, tree in syntax_trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    looking = {name: calls for name, calls in found.items() if calls}
    assert {name: looking[name] for name in looking.keys() - OPEN_FILES.keys()} == {}
    assert OPEN_FILES.keys() <= looking.keys(), "an exception that is none is to be removed"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("self.text = path.read_text()", {"read_text"}),
        ("self.now = _is_current(path)", {"_is_current"}),
        ("self._begin()", {"open"}),
        ("self.path = Path(path)", set()),
    ],
)
def test_a_constructor_that_looks_at_the_disk_is_found(body, wanted):
    code = f"class A:\n def __init__(self, path):\n  {body}\n def _begin(self):\n  open('x')"
    assert disk_calls(ast.parse(code).body[0]) == wanted


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_benchmarks_do_not_stand_on_the_tests(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert "tests" not in [name.split(".")[0] for name in names]


def test_a_folder_shows_at_a_glance_what_it_holds():
    for package in PACKAGES:
        for folder in [ROOT / package, *(ROOT / package).rglob("*")]:
            if folder.is_dir() and folder.name != "__pycache__":
                # py.typed is for type checkers, nobody reads it.
                entries = [path.name for path in folder.iterdir() if path.name not in ("__pycache__", "py.typed")]
                assert len(entries) <= 20, f"{folder.relative_to(ROOT)} has {len(entries)} entries"


def test_files_are_short():
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    long = {name: length for name, length in lengths.items() if length > 300}
    assert max(lengths.values()) <= 400, long
    assert len(long) <= 6, long
