"""`idt.features.column_storage`: the forms of a feature file that take less of the disk, and what they lose."""

import dataclasses
import itertools
import json

import h5py
import numpy as np
import pytest

from encoding.codebook import Codebook
from encoding.fitting import fit_codebook
from encoding.params import EncodingParams
from idt import DataError, ExtractionParams, Features, load
from idt.features import feature_file
from idt.features.column_codecs import Differences, as_float16
from idt.features.column_storage import PROJECTED_COLUMNS
from idt.features.convert import convert
from idt.features.projection import Projection
from idt.features.storage import Storage
from tests import golden
from tests.hdf5_files import opened
from tests.samples import assert_same_contents, assert_same_features, golden_features, random_features
from tests.up_to_date import state_of

# Bytes of a track on the disk.
COMPACT_BUDGET = 550
PROJECTED_BUDGET = 450
# Half a step of 1/64 pixel, which float32 holds exactly below 2^17 pixels; float32 holds x itself to 2^-16 below 300.
POINT = 1 / 128 + 2**-16
# Half a last bit of float16: relative, and absolute below its smallest normal number.
HALF, HALF_SMALL = 2**-11, 2**-25
# One float16 rounding of a coordinate, and the float32 product that it is held against.
COORDINATE = {"rtol": 2**-11 + 1e-5, "atol": 1e-5}

PARAMS = EncodingParams(k=2, sample=100)


@pytest.fixture(scope="module")
def codebook(tmp_path_factory):
    """Path of a codebook fitted on random features."""
    path = tmp_path_factory.mktemp("codebook") / "codebook.h5"
    fit_codebook([random_features(60, seed=i) for i in (1, 2)], params=PARAMS).save(path)
    return path


def form(codebook, name):
    return {"plain": {}, "compact": {"compact": True}, "projected": {"project": codebook}}[name]


# Worked by hand.


def test_a_compact_track_is_its_first_point_and_its_steps():
    points = np.float32([[[10.0, 20.0], [10.51, 19.0], [11.02, 19.0]]])
    stored = Differences("points", (3, 2)).encode(points)
    # 10.51 · 64 = 672.64 and 11.02 · 64 = 705.28: rounded where they are, not step by step.
    np.testing.assert_array_equal(stored["start"], [[640, 1280]])
    np.testing.assert_array_equal(stored["steps"], [[[33, -64], [32, 0]]])
    assert (stored["start"].dtype, stored["steps"].dtype) == (np.int32, np.int16)
    decoded = Differences("points", (3, 2)).decode(stored)
    np.testing.assert_array_equal(decoded, np.float32([[[10, 20], [10.515625, 19], [11.015625, 19]]]))


def test_a_compact_file_has_the_datasets_that_the_store_documents(target):
    feature_file.save(random_features(20), target, compact=True)
    with h5py.File(target) as file:
        assert file.attrs["version"] == 4
        assert json.loads(file.attrs["params"])["compact"] is True
        assert set(file["tracks/points"]) == {"start", "steps"}
        assert (file["tracks/points/start"].shape, file["tracks/points/start"].dtype) == ((20, 2), np.int32)
        assert (file["tracks/points/steps"].shape, file["tracks/points/steps"].dtype) == ((20, 15, 2), np.int16)
        assert (
            file["tracks/points/start"].attrs["scale_factor"]
            == file["tracks/points/steps"].attrs["scale_factor"]
            == 1 / 64
        )
        assert file["descriptors/trajectory"].dtype == np.float16
        assert file["descriptors/hog"].dtype == np.uint16


def test_a_projected_file_has_the_datasets_that_the_store_documents(target, codebook):
    features = random_features(20)
    features.skip = np.repeat(np.uint8([1, 2]), 10)
    feature_file.save(features, target, project=codebook)
    with h5py.File(target) as file:
        assert file.attrs["version"] == 4
        assert json.loads(file.attrs["params"])["projected"] == Codebook.load(codebook).projection_digest
        assert set(file) == {"tracks", "projected"}
        assert set(file["tracks"]) == set(PROJECTED_COLUMNS)
        widths = {"trajectory": 15, "hog": 48, "hof": 54, "mbhx": 48, "mbhy": 48}
        assert json.loads(file.attrs["projected"]) == widths
        assert {name: item.shape[1] for name, item in file["projected"].items()} == widths
        assert {item.dtype for item in file["projected"].values()} == {np.dtype(np.float16)}


# What is lost, and what is not.


def test_a_compact_file_loses_less_than_it_says(target):
    features = random_features(1500)
    feature_file.save(features, target, compact=True)
    found = load(target)
    np.testing.assert_allclose(found.points, features.points, rtol=0, atol=POINT)
    np.testing.assert_allclose(found.trajectory, features.trajectory, rtol=HALF, atol=HALF_SMALL)
    feature_file.save(features, target, overwrite=True)
    plain = load(target)
    plain.points, plain.trajectory = found.points, found.trajectory
    assert_same_features(found, plain)
    assert (found.params, found.source, found.frames) == (plain.params, plain.source, plain.frames)


@pytest.mark.slow
@pytest.mark.parametrize("whiten", [False, True])
@pytest.mark.parametrize("joint", [False, True])
def test_projected_descriptors_are_those_of_the_codebooks_own_transform(target, tmp_path, joint, whiten):
    params = dataclasses.replace(PARAMS, joint=joint, whiten=whiten, blocks="hog,mbhx")
    fitted = fit_codebook([random_features(60, seed=i) for i in (1, 2)], params=params)
    fitted.save(tmp_path / "c.h5")
    features = random_features(1500)
    feature_file.save(features, target)
    plain = load(target)
    feature_file.save(features, target, project=tmp_path / "c.h5", overwrite=True)
    found = load(target)
    assert [*found.projected.blocks] == (["joint"] if joint else ["hog", "mbhx"])
    for block in fitted.blocks:
        rows = np.concatenate([getattr(plain, name) for name in block.sizes], axis=1)
        np.testing.assert_allclose(found.projected.blocks[block.name], block.pca.transform(rows), **COORDINATE)
    for name in PROJECTED_COLUMNS:
        np.testing.assert_array_equal(getattr(found, name), getattr(plain, name))


@pytest.mark.slow
@pytest.mark.parametrize("clip", [*golden.SYNTHETIC, *golden.REAL])
def test_a_track_costs_no_more_than_the_budget(clip, target, tmp_path):
    features = golden_features(clip)
    feature_file.save(features, target, compact=True)
    assert target.stat().st_size <= COMPACT_BUDGET * len(features)
    half = len(features) // 2
    fit_codebook([features[:half], features[half:]], params=PARAMS).save(tmp_path / "c.h5")
    feature_file.save(features, target, project=tmp_path / "c.h5", overwrite=True)
    assert target.stat().st_size <= PROJECTED_BUDGET * len(features)


# Laws.


@pytest.mark.slow
@pytest.mark.parametrize("name", ["compact", "projected"])
@pytest.mark.parametrize("cuts", [[1], [1023, 1025], [0, 0, 700]])
def test_appending_in_parts_and_at_once_gives_identical_files(tmp_path, codebook, name, cuts):
    features = random_features(1500, timed=False)
    storage = feature_file.Storage(compact=name == "compact", project=codebook if name == "projected" else None)
    options = {"params": features.params, "source": None, "storage": storage}
    for file, edges in (("parts.h5", [0, *cuts, 1500]), ("once.h5", [0, 1500])):
        with feature_file.Writer(tmp_path / file, **options) as writer:
            camera = features.camera
            for first, last in itertools.pairwise(edges):
                writer.append(dataclasses.replace(features[first:last], camera=camera))
                camera = None
            writer.finish(60)
    assert_same_contents(tmp_path / "parts.h5", tmp_path / "once.h5")
    assert np.isfinite(load(tmp_path / "once.h5").position).all()


@pytest.mark.slow
@pytest.mark.parametrize("before", ["plain", "float32"])
@pytest.mark.parametrize("after", ["compact", "projected"])
def test_converting_gives_the_file_that_saving_so_would_have_given(tmp_path, codebook, before, after):
    features = random_features(1500)
    exact = {"float32": before == "float32"}
    feature_file.save(features, tmp_path / "before.h5", **exact)
    feature_file.save(features, tmp_path / "after.h5", **exact, **form(codebook, after))
    count, notes = convert(tmp_path / "before.h5", tmp_path / "converted.h5", storage=Storage(**form(codebook, after)))
    assert (count, len(notes)) == (1500, 1)
    assert_same_contents(tmp_path / "converted.h5", tmp_path / "after.h5")
    again = convert(tmp_path / "before.h5", tmp_path / "converted.h5", storage=Storage(**form(codebook, after)))
    assert again == (1500, [f"{tmp_path / 'converted.h5'} is up to date"])


def test_projecting_a_compact_file_is_saving_both(tmp_path, codebook):
    features = random_features(300)
    feature_file.save(features, tmp_path / "compact.h5", compact=True)
    convert(tmp_path / "compact.h5", tmp_path / "converted.h5", storage=Storage(project=codebook))
    feature_file.save(features, tmp_path / "both.h5", compact=True, project=codebook)
    assert_same_contents(tmp_path / "converted.h5", tmp_path / "both.h5")


def test_a_loaded_compact_file_saved_again_is_the_same(tmp_path):
    feature_file.save(random_features(1500), tmp_path / "one.h5", compact=True)
    feature_file.save(load(tmp_path / "one.h5"), tmp_path / "two.h5", compact=True)
    assert_same_contents(tmp_path / "one.h5", tmp_path / "two.h5")


@pytest.mark.parametrize("name", ["compact", "projected"])
def test_blocks_joined_are_the_whole(target, codebook, name):
    feature_file.save(random_features(1500), target, **form(codebook, name))
    whole = load(target)
    joined = Features.concatenate(feature_file.iter_rows(target, rows=100))
    whole.camera = None
    assert_same_features(joined, whole)
    if name == "projected":
        assert joined.projected.codebook == whole.projected.codebook
        for block, values in whole.projected.blocks.items():
            np.testing.assert_array_equal(joined.projected.blocks[block], values)
            np.testing.assert_array_equal(whole[[3, 1]].projected.blocks[block], values[[3, 1]])


@pytest.mark.parametrize("name", ["compact", "projected"])
def test_a_video_without_tracks_gives_a_complete_file(target, codebook, name):
    feature_file.save(Features.empty(params=ExtractionParams()), target, **form(codebook, name))
    assert len(load(target)) == 0
    (block,) = feature_file.iter_rows(target)
    assert len(block) == 0


def test_other_layouts_and_the_frame_step_are_stored(target):
    params = ExtractionParams(length=5, cells=3, time_cells=1, local_norm="none")
    features = dataclasses.replace(random_features(30, params=params), skip=np.arange(30) % 3 + 1)
    feature_file.save(features, target, compact=True)
    found = load(target)
    np.testing.assert_array_equal(found.skip, features.skip)
    np.testing.assert_array_equal(found.hog, features.hog)
    np.testing.assert_allclose(found.points, features.points, rtol=0, atol=POINT)


def test_columns_are_read_by_name(target, codebook):
    feature_file.save(random_features(20), target, compact=True)
    (block,) = feature_file.iter_rows(target, columns=("points",))
    assert list(block.columns()) == ["points"]
    feature_file.save(random_features(20), target, project=codebook, overwrite=True)
    (block,) = feature_file.iter_rows(target, columns=("projected",))
    assert (list(block.columns()), len(block)) == ([], 20)


def test_another_form_is_not_up_to_date(target, codebook):
    features = random_features(5)
    feature_file.save(features, target)

    def state(**options):
        stored = feature_file.stored_params(features.params, feature_file.Storage(**options))
        return state_of(
            target, format=feature_file.FORMAT, version=feature_file.VERSIONS, params=stored, source=features.source
        )  # fmt: skip

    assert state() == "current"
    assert "was written without compact, this run asks for compact=True" in state(compact=True)
    assert "this run asks for projected=" in state(project=codebook)
    feature_file.save(features, target, project=codebook, overwrite=True)
    assert state(project=codebook) == "current"
    assert "was written with projected=" in state()


# Refusals.


def test_what_a_projected_file_does_not_hold_is_refused_with_the_reason(target, codebook):
    feature_file.save(random_features(20), target, project=codebook)
    for name in ("points", "hog", "length"):
        with pytest.raises(DataError, match=f"no {name}: they are projected by a codebook"):
            load(target).need(name)
    with pytest.raises(DataError, match=r"f\.h5 has no hog: its descriptors are projected by a codebook"):
        next(feature_file.iter_rows(target, columns=("hog",)))
    with pytest.raises(DataError, match="projected by a codebook"):
        convert(target, target.with_name("f.txt"))
    feature_file.save(random_features(20), target, overwrite=True)
    with pytest.raises(DataError, match="no projected: they are not projected by a codebook"):
        next(feature_file.iter_rows(target, columns=("projected",)))


def test_the_way_back_is_refused(tmp_path, codebook):
    for name in ("compact", "projected"):
        feature_file.save(random_features(20), tmp_path / f"{name}.h5", **form(codebook, name))
    for name, options in (("compact", {}), ("compact", {"compact": True}), ("projected", {"project": codebook})):
        with pytest.raises(DataError, match="is HDF5 already"):
            convert(tmp_path / f"{name}.h5", tmp_path / "out.h5", storage=Storage(**options))
    with pytest.raises(DataError, match="only a conversion from"):
        convert(tmp_path / "compact.h5", tmp_path / "out.txt", storage=Storage(compact=True))
    with pytest.raises(DataError, match=r"converting cannot undo fixed point, got float32 for .*out\.h5"):
        convert(tmp_path / "compact.h5", tmp_path / "out.h5", storage=Storage(float32=True))


def test_rows_that_others_wrote_stay_as_they_are(target, codebook):
    for options in ({"compact": True}, {"project": codebook}):
        with pytest.raises(DataError, match="rows that others wrote are kept as they are"):
            feature_file.save(random_features(3, foreign="binary"), target, **options)


def test_numbers_beyond_a_form_are_refused_and_leave_nothing(target, codebook):
    features = random_features(3)
    features.points[1, 7] += 1000
    with pytest.raises(DataError, match=r"must move less than 512 pixels a step.*without --compact"):
        feature_file.save(features, target, compact=True)
    features = random_features(3)
    features.trajectory[0, 0] = 1e6
    with pytest.raises(DataError, match=r"trajectory must lie within ±65504.*float16, got 1e"):
        feature_file.save(features, target, compact=True)
    assert not target.exists()
    assert len(as_float16(np.empty((0, 2)), "nothing")) == 0


def test_a_codebook_of_other_features_does_not_project(target, codebook, tmp_path):
    params = ExtractionParams(length=20)
    with pytest.raises(DataError, match="fitted on features with length=15, this run asks for length=20"):
        feature_file.save(random_features(3, params=params), target, project=codebook)
    # The segment of a video is not how its features are extracted.
    feature_file.save(random_features(3, params=ExtractionParams(start=5)), target, project=codebook)
    arrays = [np.random.default_rng(i).random((50, 4), np.float32) for i in (0, 1)]
    whole = dataclasses.replace(PARAMS, pca=None)
    fit_codebook([random_features(60, seed=i) for i in (1, 2)], params=whole).save(tmp_path / "whole.h5")
    with pytest.raises(DataError, match=r"whole\.h5 was fitted without a PCA, so it has no axes"):
        feature_file.save(random_features(3), target, project=tmp_path / "whole.h5", overwrite=True)
    fit_codebook(arrays, params=PARAMS).save(tmp_path / "arrays.h5")
    with pytest.raises(DataError, match="fitted on rows without recorded parameters"):
        feature_file.save(random_features(3), target, project=tmp_path / "arrays.h5", overwrite=True)


def forged(path, change):
    with opened(path) as file:
        change(file)


def replace(file, name, values):
    del file[name]
    file[name] = values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.pop("blocks/hog"), "no dataset 'blocks/hog/projection'"),
        (lambda file: file.attrs.modify("blocks", "[]"), "is no codebook of iDT features"),
        (lambda file: file.attrs.modify("blocks", '[{"name": "hog", "sizes": {"hog": "x"}}]'), "no codebook of iDT"),
        (lambda file: file.attrs.modify("blocks", '[{"name": "hog", "sizes": {"hog": 95}}]'), "must have the columns"),
        (lambda file: file["blocks/hog/mean"].write_direct(np.full(96, np.nan, "f4")), "hog must be finite"),
    ],
)
def test_a_damaged_codebook_does_not_project(tmp_path, codebook, change, message):
    (tmp_path / "c.h5").write_bytes(codebook.read_bytes())
    forged(tmp_path / "c.h5", change)
    with pytest.raises(DataError, match=message):
        Projection.load(tmp_path / "c.h5")


def test_a_codebook_whose_axes_changed_is_another(tmp_path, codebook):
    (tmp_path / "c.h5").write_bytes(codebook.read_bytes())
    forged(tmp_path / "c.h5", lambda file: file["blocks/hog/mean"].write_direct(np.zeros(96, "f4")))
    assert Projection.load(tmp_path / "c.h5").identity != Projection.load(codebook).identity


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("compact", lambda file: file.pop("tracks/points/steps"), "no dataset 'tracks/points/steps'"),
        (
            "compact",
            lambda file: file["tracks/points/start"].attrs.modify("scale_factor", 1.0),
            "must be 0.015625, got 1.0",
        ),
        (
            "compact",
            lambda file: replace(file, "tracks/points/steps", np.zeros((20, 14, 2), "i2")),
            r"shape \(20, 15, 2\)",
        ),
        ("projected", lambda file: file.attrs.pop("projected"), "no attribute 'projected'"),
        ("projected", lambda file: file.attrs.modify("projected", "{}"), "must be the width of each block"),
        ("projected", lambda file: file.attrs.modify("projected", '{"../x": 3}'), "must be the width of each block"),
        ("projected", lambda file: file.attrs.modify("projected", '{"hog": true}'), "must be the width of each block"),
        ("projected", lambda file: file.attrs.modify("projected", '{"hog": 9}'), r"float16 of shape \(20, 9\)"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(target, codebook, name, change, message):
    feature_file.save(random_features(20), target, **form(codebook, name))
    forged(target, change)
    with pytest.raises(DataError, match=message):
        load(target)
