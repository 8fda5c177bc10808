"""House rules as tests: light imports, complete docstrings, kernels that stay raw, no prints in the library."""

import ast
import importlib
import inspect
import pkgutil
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


@pytest.mark.parametrize("name", list(modules()))
def test_docstrings_name_every_parameter(name):
    module = importlib.import_module(name)
    for label, thing in vars(module).items():
        if label.startswith("_") or getattr(thing, "__module__", None) != name or not inspect.isfunction(thing):
            continue
        documented = numpydoc.docscrape.FunctionDoc(thing)
        if not documented["Parameters"]:
            # A sentence may do for a small function, but it is there.
            assert inspect.getdoc(thing), f"{name}.{label} has no docstring"
            continue
        wanted = [parameter for parameter in inspect.signature(thing).parameters if parameter != "_"]
        listed = [
            part.strip().lstrip("*") for parameter in documented["Parameters"] for part in parameter.name.split(",")
        ]
        assert sorted(listed) == sorted(wanted), f"{name}.{label}"


@pytest.mark.parametrize("path", sorted((ROOT / "idt" / "kernels").glob("*.py")), ids=lambda path: path.name)
def test_kernels_are_cached_release_the_lock_and_say_what_they_do(path):
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") in ("njit", "kernel"):
                flags = {keyword.arg: keyword.value for keyword in decorator.keywords}
                if decorator.func.id == "njit":
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
