"""The folder that tests of outputs stand in, and files of bytes."""

import shutil

import pytest

from tests.hostile import things


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return things.make(tmp_path_factory.mktemp("things"))


@pytest.fixture
def place(template, tmp_path, monkeypatch):
    """A folder with one of everything, which the test stands in."""
    shutil.copytree(template, tmp_path / "place")
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


@pytest.fixture
def file(tmp_path):
    """Write bytes to a file: its path."""

    def write(data, name="f.txt"):
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write
