"""House rules as tests: light imports, complete docstrings, kernels that stay raw, no prints in the library."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import numpydoc.docscrape
import pytest

from idt.jit.kernel import Cache
from idt.kernels import sampling

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("idt", "encoding", "classify")


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


def test_the_kernels_of_extraction_and_of_encoding_are_seen():
    assert {path.relative_to(ROOT).parts[0] for path in KERNELS} == {"idt", "encoding"}


@pytest.mark.parametrize("path", KERNELS, ids=lambda path: str(path.relative_to(ROOT)))
def test_kernels_are_cached_release_the_lock_and_say_what_they_do(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            called = isinstance(decorator, ast.Call)
            made_by = ast.unparse(decorator.func if called else decorator).rpartition(".")[2]
            if made_by in ("njit", "jit", "kernel"):
                assert called, f"{node.name} has no options"
                assert made_by != "jit"
                flags = {keyword.arg: keyword.value for keyword in decorator.keywords}
                if made_by == "njit":
                    # Inner kernels are cached with those that call them.
                    assert node.name.startswith("_")
                    assert flags[None].id == "INNER"
                assert ast.get_docstring(node)
                assert "parallel" not in flags, "sums would depend on the number of threads"


def test_a_kernel_is_cached_and_releases_the_lock():
    options = sampling.free_centres.targetoptions
    assert (options["nogil"], options["error_model"]) == (True, "numpy")
    assert isinstance(sampling.free_centres._cache, Cache)


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


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_benchmarks_do_not_stand_on_the_tests(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert "tests" not in [name.split(".")[0] for name in names]
