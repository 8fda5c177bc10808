"""Vectors files, and outside blocks beside them."""

import json
from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from classify.models.outside_vectors import OutsideBlock, append_blocks, read_outside_block
from encoding import vectors_file
from encoding.pipeline import was_encoded_with
from encoding.vector_layout import block_columns, check_layout
from encoding.vectors_file import VectorsWriter, iter_rows, load_vectors, open_vectors
from idt.errors import DataError
from tests.hdf5_files import opened, set_text
from tests.up_to_date import state_of

LAYOUT = [
    {"block": "hog", "cell": "whole", "first": 0, "size": 3},
    {"block": "hof", "cell": "whole", "first": 3, "size": 2},
    {"block": "hog", "cell": "left", "first": 5, "size": 3},
]
DIGEST = "c0ffee"


def write(path, names, encodings, *, empty=(), layout=LAYOUT, **options):
    options = {"params": {"k": 4}, "source": {"digest": "abc"}, **options}
    with VectorsWriter(path, layout=layout, codebook=DIGEST, **options) as writer:
        for name, vector in zip(names, encodings, strict=True):
            writer.append(name, vector, empty=name in empty)


def numbers(n, d=8, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def test_vectors_come_back_as_they_were_written(tmp_path):
    encodings = numbers(3)
    encodings[1] = 0
    names = ["walk/ann", "walk/empty", "laufen/zoë"]
    write(tmp_path / "v.h5", names, encodings, empty=["walk/empty"])
    found = load_vectors(tmp_path / "v.h5")
    assert found.names == names
    assert found.encodings.dtype == np.float32
    np.testing.assert_array_equal(found.encodings, encodings)
    assert (found.layout, found.codebook, found.empty) == (LAYOUT, DIGEST, ["walk/empty"])
    assert (found.params, found.source) == ({"k": 4}, {"digest": "abc"})


def test_blocks_gather_their_cells():
    assert block_columns(LAYOUT) == {"hog": [slice(0, 3), slice(5, 8)], "hof": [slice(3, 5)]}


def test_the_file_is_what_the_specification_says(tmp_path):
    write(tmp_path / "v.h5", ["a", "b"], numbers(2))
    with h5py.File(tmp_path / "v.h5") as file:
        assert (file.attrs["format"], file.attrs["version"]) == (b"idt-vectors", 2)
        assert file["names"].asstr()[:].tolist() == ["a", "b"]
        assert file["encodings"].dtype == "<f4"
        assert file["encodings"].chunks[1] == 8
        assert json.loads(file.attrs["layout"]) == LAYOUT
        assert file.attrs["codebook"] == DIGEST.encode()


def test_rows_come_in_blocks_whatever_the_chunks(tmp_path, monkeypatch):
    # Chunks of two rows, so that the last one is incomplete.
    monkeypatch.setattr(vectors_file, "CHUNK_BYTES", 64)
    encodings, names = numbers(7), [f"v{i}" for i in range(7)]
    write(tmp_path / "v.h5", names, encodings)
    blocks = list(iter_rows(tmp_path / "v.h5", rows=3))
    assert [len(some) for some, _ in blocks] == [3, 3, 1]
    assert [name for some, _ in blocks for name in some] == names
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in blocks]), encodings)
    with open_vectors(tmp_path / "v.h5") as vectors:
        np.testing.assert_array_equal(vectors.encodings[2:5, slice(3, 5)], encodings[2:5, 3:5])


def test_no_videos_make_a_complete_file(tmp_path):
    write(tmp_path / "v.h5", [], [])
    found = load_vectors(tmp_path / "v.h5")
    assert found.names == []
    assert found.encodings.shape == (0, 8)
    assert list(iter_rows(tmp_path / "v.h5")) == []


def test_the_same_vectors_make_the_same_bytes(tmp_path):
    for name in ("a.h5", "b.h5"):
        write(tmp_path / name, ["x", "y"], numbers(2))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_file_of_the_same_making_is_current(tmp_path):
    write(tmp_path / "v.h5", ["x"], numbers(1))
    wanted = {
        "format": vectors_file.VECTORS_FORMAT,
        "version": vectors_file.VECTORS_VERSION,
        "source": {"digest": "abc"},
    }
    assert state_of(tmp_path / "v.h5", params={"k": 4}, **wanted) == "current"
    assert "this run asks for k=8" in state_of(tmp_path / "v.h5", params={"k": 8}, **wanted)


def test_vectors_of_another_codebook_are_refused_unless_they_may_be_replaced(tmp_path):
    write(tmp_path / "v.h5", ["x"], numbers(1))
    book = SimpleNamespace(digest=load_vectors(tmp_path / "v.h5").codebook)
    assert was_encoded_with(tmp_path / "v.h5", book, wording="than lies beside it")
    other = SimpleNamespace(digest="another")
    with pytest.raises(DataError, match=r"v\.h5 was made with another codebook than lies beside it; use another path"):
        was_encoded_with(tmp_path / "v.h5", other, wording="than lies beside it")
    assert not was_encoded_with(tmp_path / "v.h5", other, wording="than lies beside it", overwrite=True)


def test_a_run_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(DataError, match="b must be finite"):
        write(tmp_path / "v.h5", ["a", "b"], np.array([[1] * 8, [np.nan] * 8], np.float32))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_vector_of_the_file_is_refused(tmp_path):
    with pytest.raises(DataError, match="a is encoded twice"):
        write(tmp_path / "v.h5", ["a", "a"], numbers(2))
    with pytest.raises(DataError, match=r"the vector of a must be real numbers of shape \(8\), got float32"):
        write(tmp_path / "v.h5", ["a"], numbers(1, d=7))
    with pytest.raises(DataError, match="must be zero, because the video has no tracks"):
        write(tmp_path / "v.h5", ["a"], numbers(1), empty=["a"])
    with pytest.raises(DataError, match="not empty, got ''"):
        write(tmp_path / "v.h5", [""], numbers(1))
    write(tmp_path / "v.h5", ["a"], numbers(1))
    with pytest.raises(DataError, match="exists; use another path or --overwrite"):
        write(tmp_path / "v.h5", ["a"], numbers(1))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"first": 4}, "must begin at column 3"),
        ({"size": 0}, "not be empty"),
        ({"size": 2.5}, "block, cell, first and size"),
        ({"block": "hog"}, "names a block and cell twice"),
        ({"cell": None}, "block and cell must be text"),
    ],
)
def test_a_layout_that_does_not_partition_the_columns_is_refused(change, words):
    layout = [LAYOUT[0], {**LAYOUT[1], **change}]
    with pytest.raises(DataError, match=words):
        check_layout(layout)


def test_a_layout_of_other_columns_is_refused():
    with pytest.raises(DataError, match="describes 8 columns, the vectors have 9"):
        check_layout(LAYOUT, 9)
    with pytest.raises(DataError, match="must be a list of parts"):
        check_layout([])


def test_a_file_that_contradicts_itself_is_refused(tmp_path):
    path = tmp_path / "v.h5"
    write(path, ["a", "b"], numbers(2))
    with opened(path) as file:
        file["names"][1] = "a"
    with pytest.raises(DataError, match="names a video twice"):
        load_vectors(path)
    with opened(path) as file:
        file["names"][1] = "b"
        set_text(file, "layout", json.dumps(LAYOUT[:2]))
    with pytest.raises(DataError, match="layout describes 5 columns, the vectors have 8"):
        load_vectors(path)
    with opened(path) as file:
        set_text(file, "layout", "{")
    with pytest.raises(DataError, match="'layout' must be a JSON list"):
        load_vectors(path)
    with pytest.raises(DataError, match="rows must be at least 1"):
        next(iter_rows(path, rows=0))


def outside(tmp_path, names, vectors):
    np.save(tmp_path / "c3d.npy", vectors)
    (tmp_path / "names.txt").write_text("\n".join(names) + "\n")
    return read_outside_block(tmp_path / "c3d.npy", tmp_path / "names.txt")


def test_an_outside_block_joins_by_name_and_has_length_one(tmp_path):
    write(tmp_path / "v.h5", ["a", "b", "c"], numbers(3))
    vectors = load_vectors(tmp_path / "v.h5")
    extra = outside(tmp_path, ["c", "unused", "a", "b"], np.array([[0, 0], [9, 9], [3, 4], [0, -2]], np.float64))
    rows, layout = append_blocks(vectors, [extra])
    np.testing.assert_array_equal(rows.read()[:, :8], vectors.encodings)
    np.testing.assert_allclose(rows.read()[:, 8:], [[0.6, 0.8], [0, -1], [0, 0]], rtol=1e-7)
    assert layout == [*LAYOUT, {"block": "c3d", "cell": "whole", "first": 8, "size": 2}]
    check_layout(layout, rows.shape[1])


def test_outside_blocks_that_do_not_fit_are_refused(tmp_path):
    write(tmp_path / "v.h5", ["a", "b", "c"], numbers(3))
    vectors = load_vectors(tmp_path / "v.h5")
    with pytest.raises(DataError, match="'c3d' has no row for b, c"):
        append_blocks(vectors, [outside(tmp_path, ["a"], np.ones((1, 2)))])
    with pytest.raises(DataError, match="have a block 'hog' already"):
        append_blocks(vectors, [OutsideBlock("hog", ["a", "b", "c"], np.ones((3, 2), np.float32))])
    with pytest.raises(DataError, match=r"has 2 rows, .* names 1 videos"):
        outside(tmp_path, ["a"], np.ones((2, 2)))
    with pytest.raises(DataError, match="names a more than once"):
        outside(tmp_path, ["a", "a"], np.ones((2, 2)))
    with pytest.raises(DataError, match="must be finite"):
        outside(tmp_path, ["a"], np.array([[np.nan]]))


def test_pickled_outside_vectors_are_never_loaded(tmp_path):
    (tmp_path / "names.txt").write_text("a\n")
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(DataError, match="features must be real numbers, got object"):
        read_outside_block(tmp_path / "objects.npy", tmp_path / "names.txt")
