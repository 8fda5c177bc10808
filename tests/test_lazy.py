"""Public names of the packages: loaded late, listed by dir, known to type checkers."""

import ast
import importlib
import inspect
import subprocess
import sys
import types
from pathlib import Path

import pytest

import idt
from idt.imports.lazy import lazy_exports

PACKAGES = [name for name in ("idt", "encoding", "classify") if hasattr(importlib.import_module(name), "__all__")]


@pytest.fixture
def package(monkeypatch):
    """A package that exports two names of the standard library."""
    module = types.ModuleType("idt_lazy_sample")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    found = lazy_exports(module.__name__, {"fractions": "Fraction", "statistics": "mean"})
    module.__getattr__, module.__dir__, module.__all__ = found
    return module


def test_a_name_is_loaded_when_it_is_asked_for_and_kept(package):
    assert "mean" not in vars(package)
    assert package.mean([1, 3]) == 2
    assert "mean" in vars(package)


def test_dir_lists_the_public_names_and_dunders_only(package):
    package.internal = 1
    assert [name for name in dir(package) if not name.startswith("__")] == ["Fraction", "mean"]
    assert {"__doc__", "__all__"} <= set(dir(package))


def test_an_unknown_name_is_an_attribute_error_that_names_the_package(package):
    with pytest.raises(AttributeError, match=r"^module 'idt_lazy_sample' has no attribute 'meen'$") as raised:
        _ = package.meen
    assert (raised.value.name, raised.value.obj) == ("meen", package)


def test_python_names_the_nearest_public_name():
    done = subprocess.run([sys.executable, "-c", "import idt; idt.extrct"], capture_output=True, text=True)
    assert "Did you mean: 'extract'?" in done.stderr


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_exists_and_dir_shows_no_other(name):
    module = importlib.import_module(name)
    for public in module.__all__:
        assert getattr(module, public) is not None
    assert [public for public in dir(module) if not public.startswith("__")] == sorted(module.__all__)


@pytest.mark.parametrize("name", PACKAGES)
def test_no_public_name_is_that_of_a_module(name):
    """Importing the module would replace it."""
    module = importlib.import_module(name)
    for public in module.__all__:
        assert importlib.util.find_spec(f"{name}.{public}") is None, f"{name}.{public} is a module"


@pytest.mark.parametrize("name", PACKAGES)
def test_type_checkers_are_told_the_same_names(name):
    module = importlib.import_module(name)
    told = {}
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for line in node.body:
                told.update({alias.asname: line.module for alias in line.names if alias.asname == alias.name})
    assert sorted(told) == sorted(module.__all__)
    for public, home in told.items():
        assert getattr(importlib.import_module(home), public) is getattr(module, public)


def test_star_import_takes_the_public_names():
    names: dict = {}
    exec("from idt import *", names)
    assert set(idt.__all__) <= set(names)


PAGES = (
    "base.html",
    "comparison.html",
    "evaluation.html",
    "fusion.html",
    "page.css",
    "page.js",
    "parts.html",
    "untrimmed.html",
)


def test_a_wheel_holds_the_table_of_published_results_and_what_tells_type_checkers_of_our_types():
    pytest.importorskip("setuptools")
    code = """
from setuptools import Distribution
distribution = Distribution()
distribution.parse_config_files()
build = distribution.get_command_obj("build_py")
build.ensure_finalized()
print(*sorted(f"{package}/{file}" for package, _, _, files in build.data_files for file in files))
"""
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == [
        *(f"classify.reports.page/templates/{name}" for name in PAGES),
        "classify.reports/published.csv",
        "classify/py.typed",
        "encoding/py.typed",
        "idt/py.typed",
    ]


@pytest.mark.slow
def test_type_checkers_know_what_the_public_functions_take_and_give():
    mypy = pytest.importorskip("mypy.api")
    code = "import idt; reveal_type(idt.extract('a.avi').params); idt.extract('a.avi', lenght=3); idt.extrct"
    # Without the stubs of numpy and others it takes seconds.
    alone = ["--no-site-packages", "--ignore-missing-imports", "--cache-dir=/dev/null", "--config-file="]
    out, _, _ = mypy.run([*alone, "-c", code])
    assert 'note: Revealed type is "idt.params.extraction.ExtractionParams | None"' in out
    assert 'Unexpected keyword argument "lenght" for "extract"' in out
    assert 'has no attribute "extrct"' in out
