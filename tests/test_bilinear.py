"""Bilinear vectors, tensor sketches and plain pooling: worked examples, rivals, the stated error, refusals."""

import dataclasses

import numpy as np
import pytest

from classify.evaluation.recipes import recipe_of
from encoding.codebook import Codebook
from encoding.coders.bilinear import BilinearCoder, TensorSketch
from encoding.coders.plain import PlainCoder
from encoding.fitting import fit_codebook
from encoding.params import BilinearParams, PlainParams
from encoding.vectors_file import load_vectors
from idt.errors import DataError
from tests.commands import refused
from tests.reference import bilinear as rival
from tests.samples import random_features

# Vectors are float32.
RTOL = 1e-5

SMALL = BilinearParams(k=64)
SKETCHED = dataclasses.replace(SMALL, sketch=True)


def rows_of(n, width, seed=0):
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def test_a_worked_example():
    coder, rows = BilinearCoder(2), np.float32([[1, 2], [3, -2]])
    # The mean of x xᵀ is [[5, -2], [-2, 4]]; roots √5, −√2 · √2 and 2 have the length √(5 + 4 + 4).
    found = coder.vector(coder.sum_codes(rows, SMALL), SMALL)
    np.testing.assert_allclose(found, np.array([np.sqrt(5), -2, 2]) / np.sqrt(13), rtol=RTOL)


@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (300, 12)], ids=str)
def test_the_matrix_and_its_sketch_equal_their_rivals(shape):
    rows = rows_of(*shape)
    coder = BilinearCoder(shape[1])
    np.testing.assert_allclose(coder.vector(coder.sum_codes(rows, SMALL), SMALL), rival.bilinear(rows), atol=RTOL)
    sketch = TensorSketch.drawn(shape[1], 31, seed=3)
    expected = rival.sketch(rows, sketch.buckets, sketch.signs, 31)
    np.testing.assert_allclose(sketch.summed(rows.astype(float)) / len(rows), expected, atol=1e-9)


def test_two_vectors_without_power_have_the_product_of_the_matrices():
    params = dataclasses.replace(SMALL, power=1.0, norm="none")
    one, other = rows_of(20, 6, 1), rows_of(30, 6, 2)
    coder = BilinearCoder(6)
    vectors = [coder.vector(coder.sum_codes(rows, params), params) for rows in (one, other)]
    expected = np.sum((one.T @ one / 20) * (other.T @ other / 30))
    np.testing.assert_allclose(vectors[0] @ vectors[1], expected, rtol=1e-4)


@pytest.mark.parametrize("rank", [1, 3, 40])
def test_products_of_sketches_have_the_stated_error(rank):
    k, one, other = 256, rows_of(rank, 16, 1).astype(float), rows_of(rank, 16, 2).astype(float)
    a, b = one.T @ one, other.T @ other
    errors = []
    for seed in range(400):
        sketch = TensorSketch.drawn(16, k, seed)
        errors.append(sketch.summed(one) @ sketch.summed(other) - np.sum(a * b))
    bound = 8 / k * np.sum(a * a) * np.sum(b * b)
    assert np.mean(np.square(errors)) <= bound
    # Without bias: the mean of 400 errors lies within four of its standard deviations.
    assert abs(np.mean(errors)) <= 4 * np.sqrt(bound / len(errors))


@pytest.mark.parametrize(
    ("pool", "expected"), [("mean", [2, -1]), ("max", [4, 2]), ("topk", [3, 1])], ids=["mean", "max", "topk"]
)
def test_columns_are_pooled_by_themselves(pool, expected):
    params = PlainParams(k=2, pool=pool, norm="none")
    coder, rows = PlainCoder(2), np.float32([[4, -5], [0, 0], [2, 2]])
    np.testing.assert_allclose(coder.vector(coder.sum_codes(rows, params), params), expected, rtol=RTOL)


@pytest.mark.parametrize("pool", ["mean", "max", "topk"])
@pytest.mark.parametrize("n", [1, 3, 50])
def test_pooling_equals_the_rival_in_whatever_parts_it_comes(pool, n):
    params, rows = PlainParams(k=4, pool=pool, norm="none"), rows_of(n, 7)
    coder = PlainCoder(7)
    sums = coder.empty_sums(params)
    for part in np.array_split(rows, 3):
        sums += coder.sum_codes(part, params)
    np.testing.assert_allclose(coder.vector(sums, params), rival.pooled(rows, pool, 4), atol=RTOL)


@pytest.mark.parametrize("params", [SMALL, SKETCHED, PlainParams(k=3)], ids=["matrix", "sketch", "plain"])
def test_few_descriptors_are_enough(params):
    features = [random_features(n, seed=n) for n in (3, 2)]
    assert fit_codebook(features, params=dataclasses.replace(params, blocks="hog")).sampling["sampled"] == 5


def test_a_sketch_that_is_damaged_is_refused(tmp_path):
    made = fit_codebook([random_features(9), random_features(8)], params=dataclasses.replace(SKETCHED, blocks="hog"))
    for name, value in (("buckets", 0.5), ("buckets", 64), ("signs", 0)):
        coder = made.blocks[0].coder
        arrays = {key: np.where(np.arange(96) == 5, np.float32(value), values) if key == name else values
                  for key, values in coder.arrays().items()}  # fmt: skip
        odd = BilinearCoder(96)
        odd.arrays = lambda arrays=arrays: arrays
        Codebook((made.blocks[0]._replace(coder=odd),), made.params, made.features, made.sampling, "bilinear").save(
            tmp_path / f"{name}{value}.h5"
        )
        with pytest.raises(DataError, match="can be used: buckets must be whole numbers below k=64"):
            Codebook.load(tmp_path / f"{name}{value}.h5")


def test_recipes_of_an_evaluation_take_both():
    assert recipe_of("", "plain", {"encoding": {"pool": "topk", "k": 3}}).encoding == PlainParams(k=3, pool="topk")
    assert recipe_of("", "bilinear", {"encoding": {"sketch": True}}).encoding == BilinearParams(sketch=True)


@pytest.fixture
def place(working_folder):
    """A folder of two feature files."""
    from idt.features import feature_file

    for seed, name in enumerate("ab"):
        feature_file.save(random_features(30, seed=seed), working_folder / f"{name}.h5")
    return working_folder


def test_the_commands_write_vectors_of_the_stated_sizes(command, place):
    _, out, _ = command("bilinear-encode", "a.h5", "b.h5", "-o", "v.h5", "--blocks", "hog", "--pca", "0.1", "--quiet")
    assert "no mixtures or words for hog, fitted on 60 of 60 tracks of 2 videos\n" in out
    assert load_vectors("v.h5").encodings.shape == (2, 9 * 10 // 2)
    command("bilinear-encode", "a.h5", "b.h5", "-o", "s.h5", "--blocks", "hog", "--sketch", "--k", "50", "--quiet")
    assert load_vectors("s.h5").encodings.shape == (2, 50)
    command(
        "plain-encode",
        "a.h5",
        "b.h5",
        "-o",
        "p.h5",
        "--blocks",
        "hog",
        "--pool",
        "max",
        "--pyramid",
        "1x1x2",
        "--quiet",
    )
    assert load_vectors("p.h5").encodings.shape == (2, 2 * 96)
    assert refused(
        command("vlad-encode", "a.h5", "-o", "w.h5", "--codebook", "v.codebook.h5", status=2),
        "v.codebook.h5 is a codebook of bilinear vectors; use bilinear-encode",
    )


def test_the_largest_values_have_no_slices(command, place):
    command("plain-encode", "a.h5", "b.h5", "-o", "p.h5", "--blocks", "hog", "--pool", "max", "--quiet")
    words = ("a.h5", "--codebook", "p.codebook.h5", "--slices", "5", "-o", "sl", "--pool", "max")
    assert refused(command("plain-encode", *words, status=2), "keeps the largest values, which cannot be added")


def test_matrices_that_would_fill_the_memory_are_refused(command, place):
    words = ("a.h5", "b.h5", "-o", "v.h5", "--blocks", "hog,hof", "--sketch", "--k", "65536", "--pyramid", "64x64x1")
    assert refused(command("bilinear-encode", *words, status=2), "k=65536 and pyramid=64x64x1 make a vector")
