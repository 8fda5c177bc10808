"""Sums of slices and vectors of windows: a window is the vector of its tracks; files; laws; refusals."""

import dataclasses

import numpy as np
import pytest

import idt
from encoding.cli import fv_encode
from encoding.codebook import Codebook
from encoding.descriptors.sources import source_of
from encoding.encode import encode_video
from encoding.fitting import fit_codebook
from encoding.params import BovwParams, EncodingParams, StackedParams, VladParams
from encoding.slices import stored_means
from encoding.slices.cut import Cut
from encoding.slices.slice_files import find_slices
from encoding.slices.slice_sums import slice_sums
from encoding.slices.slices_file import load_slices, save_slices, slice_video
from encoding.slices.windows import windows
from idt.errors import DataError
from tests.samples import random_features

ATOL = 1e-5
"""Sums of slices are rounded to float32, and a unit vector has numbers below 1."""

KINDS = {
    "fisher": EncodingParams(k=3, blocks="hog,mbhx", zero_order=True),
    "vlad": VladParams(k=4, blocks="hog,mbhx"),
    "bovw": BovwParams(k=9, seeds=1, blocks="hog,mbhx"),
    "somp": BovwParams(k=9, seeds=1, blocks="hog,mbhx", coding="somp"),
}


def video(seed=0):
    found = random_features(80, seed=seed)
    order = np.argsort(found.frame, kind="stable")
    return found[order]


def sliced(params, *cut):
    """A codebook, a video and its slices."""
    codebook = fit_codebook([video(0), video(1)], ["a", "b"], params)
    features = video()
    info = (25.0, int(features.frame.max()) + 1)
    return (
        codebook,
        features,
        slice_video(source_of(features, "a"), codebook, params, rate_and_frames=info, cut=Cut(*cut)),
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("assign", ["end", "middle"])
def test_the_vector_of_a_window_is_that_of_its_tracks(kind, assign):
    params = KINDS[kind]
    # Groups of sparse codes are slices of the length of a track, so that windows are made of these.
    length = 15 if kind == "somp" else 5
    codebook, features, slices = sliced(params, length, assign)
    frame = features.frame if assign == "end" else features.frame - 7.5
    seen = 0
    for window in windows(slices, codebook, params, length=30, stride=15):
        chosen = (frame >= window.start) & (frame < window.start + 30)
        assert window.tracks == chosen.sum()
        if window.tracks and kind != "somp":
            alone = encode_video(source_of(features[chosen], "a"), codebook, params).vector
            np.testing.assert_allclose(window.vector, alone, atol=ATOL)
            seen += 1
        assert window.vector.any() == (window.tracks > 0)
    assert seen >= 2 or kind == "somp"


def test_the_whole_video_is_one_window():
    for params in KINDS.values():
        codebook, features, slices = sliced(params)
        [window] = windows(slices, codebook, params, length=5 * slices.count)
        whole = encode_video(source_of(features, "a"), codebook, params).vector
        np.testing.assert_allclose(window.vector, whole, atol=ATOL)
        assert window.tracks == len(features)


def test_a_window_is_cut_into_parts_of_time():
    params = KINDS["fisher"]
    codebook, features, slices = sliced(params)
    for window in windows(slices, codebook, params, length=30, stride=5, parts=2):
        width = len(window.vector) // 6
        for b, block in enumerate(codebook.blocks):
            cells = window.vector[3 * b * width : 3 * (b + 1) * width].reshape(3, width)
            for cell, (first, last) in zip(cells, [(0, 30), (0, 15), (15, 30)], strict=True):
                chosen = (features.frame >= window.start + first) & (features.frame < window.start + last)
                if chosen.any():
                    alone = encode_video(source_of(features[chosen], "a"), codebook, params).vector
                    expected = alone.reshape(2, width)[b]
                    np.testing.assert_allclose(cell, expected, atol=ATOL, err_msg=block.name)
                else:
                    assert not cell.any()


def test_slices_come_back_from_their_file(tmp_path):
    params = KINDS["fisher"]
    codebook, _, slices = sliced(params)
    save_slices(tmp_path / "a.h5", slices, params=params)
    found = load_slices(tmp_path / "a.h5", codebook=codebook)
    for name in ("index", "tracks", "means"):
        np.testing.assert_array_equal(getattr(found, name), getattr(slices, name))
    assert (found.length, found.assign, found.fps, found.frames, found.lag) == (5, "end", 25.0, slices.frames, 7.5)


def test_half_the_digits_move_a_window_little(tmp_path):
    params = KINDS["fisher"]
    codebook, _, slices = sliced(params)
    half = sliced(params, 5, "end", True)[2]
    save_slices(tmp_path / "a.h5", half, params=params)
    half = load_slices(tmp_path / "a.h5")
    assert half.means.dtype == np.float16
    pairs = zip(*(windows(each, codebook, params, length=30) for each in (slices, half)), strict=True)
    worst = max(np.abs(one.vector - other.vector).max() for one, other in pairs)
    assert 0 < worst < 5e-3


def test_slices_do_not_depend_on_the_blocks_in_which_rows_come(monkeypatch):
    params = KINDS["fisher"]
    codebook, features, slices = sliced(params, 5, "middle")
    from encoding.descriptors import sources

    monkeypatch.setattr(sources, "BATCH_ROWS", 7)
    found = list(slice_sums(source_of(features, "a"), codebook, params, cut=Cut(5, "middle")))
    assert [each.number for each in found] == slices.index.tolist()
    assert [each.tracks for each in found] == slices.tracks.tolist()
    np.testing.assert_allclose([each.sums / each.tracks for each in found], slices.means, atol=1e-4)


def test_a_video_without_tracks_has_zero_vectors():
    params = KINDS["fisher"]
    codebook = sliced(params)[0]
    slices = slice_video(source_of(video()[:0], "a"), codebook, params, rate_and_frames=(25.0, 40))
    found = list(windows(slices, codebook, params, length=20, stride=10))
    assert [(window.start, window.end, window.tracks) for window in found] == [(0, 20, 0), (10, 30, 0), (20, 40, 0)]
    assert not any(window.vector.any() for window in found)


def test_a_video_shorter_than_a_window_has_one():
    params = KINDS["fisher"]
    codebook, _, slices = sliced(params)
    [window] = windows(slices, codebook, params, length=500)
    assert (window.start, window.end) == (0, slices.frames)


def test_what_cannot_be_sliced_is_refused(tmp_path):
    params = KINDS["fisher"]
    codebook, features, slices = sliced(params)
    with pytest.raises(DataError, match="assign must be one of end, middle"):
        list(slice_sums(source_of(features, "a"), codebook, params, cut=Cut(5, "start")))
    far = dataclasses.replace(features, skip=np.full(len(features), 17, np.uint8))
    with pytest.raises(DataError, match="frame steps of at most 16, got 17; assign them by their end"):
        list(slice_sums(source_of(far, "a"), codebook, params, cut=Cut(5, "middle")))
    assert list(slice_sums(source_of(far, "a"), codebook, params, cut=Cut(5)))
    with pytest.raises(DataError, match="must be a multiple of the 5 frames of a slice, got 12"):
        list(windows(slices, codebook, params, length=12))
    with pytest.raises(DataError, match="cannot be cut into 4 equal parts"):
        list(windows(slices, codebook, params, length=30, parts=4))
    with pytest.raises(DataError, match="no frames to slice"):
        list(slice_sums(source_of(np.zeros((3, 4)), "a"), codebook, params))
    largest = BovwParams(k=9, seeds=1, blocks="hog,mbhx", pooling="max")
    with pytest.raises(DataError, match="use pooling=sum"):
        sliced(largest)
    other = fit_codebook([video(1), video(2)], ["a", "b"], params)
    save_slices(tmp_path / "a.h5", slices, params=params)
    with pytest.raises(DataError, match="made with another codebook"):
        load_slices(tmp_path / "a.h5", codebook=other)
    with pytest.raises(DataError, match="made with another codebook"):
        list(windows(slices, other, params, length=30))
    with pytest.raises(DataError, match="stacked Fisher vectors are no sums"):
        list(slice_sums(source_of(features, "a"), codebook, StackedParams()))
    codebook.blocks[0].coder.gmm.variances_[:] = 1e-9
    with pytest.raises(DataError, match="is beyond float16; keep slices as float32"):
        slice_video(source_of(features, "a"), codebook, params, rate_and_frames=(25.0, 99), cut=Cut(float16=True))


# The command.


def test_the_command_writes_a_file_of_slices_for_each_video_and_leaves_what_is_up_to_date(tmp_path, capsys):
    for name in "ab":
        found = video(ord(name))
        found.frames, found.fps, found.width, found.height = int(found.frame.max()) + 3, 25.0, 160, 120
        (tmp_path / "f").mkdir(exist_ok=True)
        idt.save(found, tmp_path / "f" / f"{name}.h5")
    features, book, out = (str(tmp_path / name) for name in ("f", "book.h5", "out"))
    assert fv_encode([features, "-o", book, "--fit-only", "--k", "2", "--quiet"]) == 0
    words = [features, "--codebook", book, "--slices", "10", "-o", out, "--quiet"]
    assert fv_encode(words) == 0
    capsys.readouterr()
    assert fv_encode(words) == 0
    assert "slices of 2 videos, 10 frames each, 2 of them up to date" in capsys.readouterr().out
    codebook = Codebook.load(book)
    for path in find_slices([out]):
        slices = load_slices(path, codebook=codebook)
        [window] = windows(slices, codebook, codebook.params_with(), length=10 * slices.count)
        whole = encode_video(source_of(f"{features}/{path.name}", path.stem), codebook, codebook.params_with()).vector
        np.testing.assert_allclose(window.vector, whole, atol=ATOL)
    with pytest.raises(SystemExit, match="2"):
        fv_encode([features, "--slices", "10", "-o", out])
    assert "--slices goes with feature files and --codebook" in capsys.readouterr().err
    assert fv_encode([*words[:4], "10", "--assign", "middle", *words[5:]]) == 2
    assert "assign=middle" in capsys.readouterr().err


def test_a_long_file_is_read_a_block_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(stored_means, "BLOCK", 1)
    params = KINDS["fisher"]
    codebook, _, slices = sliced(params)
    save_slices(tmp_path / "s.h5", slices, params=params)
    back = load_slices(tmp_path / "s.h5")
    for one, other in zip(windows(back, codebook, params, length=20), windows(slices, codebook, params, length=20),
                          strict=True):  # fmt: skip
        np.testing.assert_array_equal(one.vector, other.vector)
    assert len(back.means._blocks) <= stored_means.KEPT


def test_a_file_that_is_changed_while_it_is_read_is_refused(tmp_path):
    params = KINDS["fisher"]
    slices = sliced(params)[2]
    save_slices(tmp_path / "s.h5", slices, params=params)
    back = load_slices(tmp_path / "s.h5")
    save_slices(tmp_path / "other.h5", dataclasses.replace(slices, name="other"), params=params)
    (tmp_path / "other.h5").replace(tmp_path / "s.h5")
    with pytest.raises(DataError, match="was changed since it was opened"):
        back.means[0]


def test_means_that_are_not_finite_are_refused_when_they_are_read(tmp_path):
    params = KINDS["fisher"]
    slices = sliced(params)[2]
    wrong = np.array(slices.means)
    wrong[1, 2] = np.nan
    save_slices(tmp_path / "s.h5", dataclasses.replace(slices, means=wrong), params=params)
    with pytest.raises(DataError, match="means must be finite"):
        np.asarray(load_slices(tmp_path / "s.h5").means)
