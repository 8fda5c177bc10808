"""Cells of a pyramid, and sums by time slice and cell."""

import numpy as np
import pytest

import idt
from encoding import FisherEncoder
from encoding.coders.pyramid import Pyramid
from encoding.descriptors.sources import source_of
from encoding.encode import encode_video, slices_of_video, window_vector
from encoding.fitting import fit_codebook
from encoding.params import BovwParams, EncodingParams, VladParams
from idt.errors import DataError
from tests.reference import cells as reference
from tests.samples import random_features

ATOL_SUM = 1e-5  # a sum of slices is the whole, to the rounding of float32


def videos():
    return [random_features(n, seed=i) for i, n in enumerate((80, 60))]


def fitted(params):
    return fit_codebook(videos(), ["a", "b"], params)


def test_three_bands_and_two_halves_worked_by_hand():
    pyramid = Pyramid.parse("1x1x1,1x3x1,1x1x2")
    assert pyramid.names() == [
        "whole", "1x3x1[0,0,0]", "1x3x1[0,1,0]", "1x3x1[0,2,0]", "1x1x2[0,0,0]", "1x1x2[0,0,1]",
    ]  # fmt: skip
    position = np.float32([[0.9, 0.1, 0.2], [0.1, 0.999, 0.999], [0.5, 0.1, 0.3]])
    parts = {part.cells: part.rows.tolist() for part in pyramid.group_by_cells(position)}
    assert parts == {(0, 1, 4): [0, 2], (0, 3, 5): [1]}


@pytest.mark.parametrize("grid", [(1, 3, 1), (2, 2, 2), (3, 1, 4)])
def test_cells_equal_the_rival(grid):
    position = (np.random.default_rng(0).random((200, 3)) * 0.999).astype(np.float32)
    text = "x".join(map(str, grid))
    found: dict = {}
    for part in Pyramid.parse(text).group_by_cells(position):
        found[part.cells[0]] = part.rows.tolist()
    cells = [(x, y, t) for x in range(grid[0]) for y in range(grid[1]) for t in range(grid[2])]
    assert found == {i: rows for i, cell in enumerate(cells) if (rows := reference.rows_of_cell(position, grid, cell))}


@pytest.mark.parametrize(
    "params",
    [
        EncodingParams(k=3, blocks="hog,mbhx", zero_order=True),
        VladParams(k=4, blocks="hog,mbhx"),
        BovwParams(k=9, seeds=1, blocks="hog,mbhx"),
        BovwParams(k=9, seeds=1, blocks="hog,mbhx", coding="somp", pooling="max"),
    ],
    ids=["fisher", "vlad", "bovw", "somp"],
)
def test_a_sum_of_slices_is_the_whole(params, tmp_path):
    codebook, video = fitted(params), videos()[0]
    whole = encode_video(source_of(video, "a"), codebook, params).vector
    idt.save(video, tmp_path / "a.h5", float32=True)
    for item in (video, tmp_path / "a.h5"):
        for grid in ((1, 1), (2, 3)):
            sliced = slices_of_video(source_of(item, "a"), codebook, params, length=10, grid=grid)
            np.testing.assert_allclose(window_vector(sliced, codebook, params), whole, atol=ATOL_SUM)


def test_a_window_is_the_vector_of_its_tracks():
    params = EncodingParams(k=3, blocks="hog")
    codebook, video = fitted(params), videos()[0]
    sliced = slices_of_video(source_of(video, "a"), codebook, params, length=10, grid=(2, 1))
    window = window_vector(sliced, codebook, params, slices=range(1, 4), columns=range(1, 2))
    middle = video.frame - 7.5
    chosen = (middle >= 10) & (middle < 40) & (video.position[:, 0] >= 0.5)
    assert 5 < chosen.sum() < len(video)
    alone = encode_video(source_of(video[chosen], "a"), codebook, params).vector
    np.testing.assert_allclose(window, alone, atol=ATOL_SUM)
    assert not window_vector(sliced, codebook, params, slices=range(90, 91)).any()


def test_the_middle_of_a_track_of_another_skip_lies_further_back():
    params = EncodingParams(k=3, blocks="hog")
    codebook, video = fitted(params), videos()[0]
    video.skip = np.full(len(video), 2, np.uint8)
    (part,) = slices_of_video(source_of(video, "a"), codebook, params, length=10)
    assert {place[0] for place in part.sums} == set(np.floor((video.frame - 15) / 10).astype(int))


def test_a_block_has_the_vectors_of_its_cells_side_by_side():
    encoder = FisherEncoder(2, blocks="hog,mbhx", pyramid="1x1x1,2x1x1").fit(videos())
    assert [(part["block"], part["cell"]) for part in encoder.layout_] == [
        (block, cell) for block in ("hog", "mbhx") for cell in ("whole", "2x1x1[0,0,0]", "2x1x1[1,0,0]")
    ]


@pytest.mark.parametrize("text", ["", "1x1", "1x1x0", "1x1x1,1x1x1", "axbxc", "1x1x1;1x3x1", 3])
def test_texts_that_are_no_pyramid_are_refused(text):
    with pytest.raises(DataError, match="pyramid must be different grids"):
        EncodingParams(pyramid=text)


def test_positions_that_nobody_knows_are_refused():
    encoder = FisherEncoder(2, blocks="hog", pyramid="1x1x2").fit(videos())
    with pytest.raises(DataError, match="the positions that a pyramid needs must be finite"):
        encoder.transform([random_features(9, timed=False)])
    bands = FisherEncoder(2, blocks="hog", pyramid="1x3x1").fit(videos())
    assert bands.transform([random_features(9, timed=False)]).any()
    plain = FisherEncoder(2, pyramid="1x3x1").fit([np.eye(6), np.eye(6)])
    with pytest.raises(DataError, match="plain arrays have neither positions nor frame steps"):
        plain.transform([np.eye(6)])
    with pytest.raises(DataError, match="plain arrays have no frames to slice"):
        slices_of_video(source_of(np.eye(6), "a"), plain.codebook_, plain.params())
