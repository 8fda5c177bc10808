"""What every encoder must do: a suite of tests that a class inherits by naming its encoder.

A video here is `Features` of random tracks; those of class 1 differ from those of class 0 in all their descriptors.
"""

import copy
import functools
import inspect
import pickle

import numpy as np
import numpydoc.docscrape
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from sklearn.utils import estimator_checks

import idt
from encoding.codebook import Codebook
from encoding.coders.pooling import CellCoder, sum_by_slice_and_cell
from encoding.descriptors.track_columns import TrackColumns
from encoding.encode_files import encode_files
from encoding.params import BlockParams
from encoding.vector_layout import check_layout
from encoding.vectors_file import load_vectors
from idt.errors import DataError
from tests.samples import random_features

# float32 products summed in another order; the square root widens small numbers.
ATOL_ORDER = 2e-4

# The same, as in docs/method/encoding.md, section 13: a sum of slices is the whole.
ATOL_SUM = 1e-5

CLASSES = [0, 1] * 6

# The others hand over a table whose rows are samples; a sample of ours is a table itself.
CHECKS = (
    "check_no_attributes_set_in_init check_parameters_default_constructible check_get_params_invariance"
    " check_set_params check_estimator_repr check_estimator_cloneable check_do_not_raise_errors_in_init_or_set_params"
    " check_mixin_order check_valid_tag_types check_transformers_unfitted"
).split()


def videos(lengths=(60, 40, 0, 50)):
    """Random tracks that differ from video to video."""
    return [random_features(n, seed=i) for i, n in enumerate(lengths)]


def labelled():
    """Videos of two classes, and their labels.

    The classes overlap: a component for each would leave nothing but noise in the Fisher vectors.
    """
    found = []
    for i, label in enumerate(CLASSES):
        video = random_features(30, seed=i)
        video.trajectory[:] += 0.025 * label
        video.hog[:] *= 1 - 0.2 * label
        found.append(video)
    return found, CLASSES


@functools.cache
def fitted_of(contract):
    """The encoder of a contract, fitted once for all its tests."""
    return contract.encoder(**contract.options).fit(videos(), [0, 1, 0, 1])


class EncoderContract:
    """Subclasses set ``encoder``, a class, small ``options`` for it, and a ``grid`` of two values to search.

    ``atol_order`` is what another order of the tracks may change, ``tells_apart`` whether `labelled` can be learnt: its
    classes differ in the means of the descriptors, not in their largest values.
    """

    encoder: type
    options: dict
    grid: dict
    atol_order = ATOL_ORDER
    tells_apart = True

    @pytest.fixture
    def fitted(self):
        return fitted_of(type(self))

    @pytest.fixture
    def files(self, tmp_path):
        paths = [tmp_path / f"{i}.h5" for i in range(4)]
        for path, video in zip(paths, videos(), strict=True):
            idt.save(video, path, float32=True)
        return paths

    def test_vectors_have_the_shape_that_the_layout_says(self, fitted):
        vectors = fitted.transform(videos())
        assert vectors.shape == (4, fitted.layout_[-1]["first"] + fitted.layout_[-1]["size"])
        assert check_layout(fitted.layout_, vectors.shape[1]) == fitted.layout_
        assert vectors.any(axis=1).tolist() == [True, True, False, True]

    def test_vectors_are_float32_whatever_the_descriptors_are(self, fitted):
        vectors = fitted.transform(videos())
        assert vectors.dtype == np.float32
        for block in fitted.codebook_.blocks:
            assert all(values.dtype == np.float32 for name, values in block.arrays().items() if "along" not in name)

    def test_a_video_without_tracks_has_the_zero_vector(self, fitted):
        (vector,) = fitted.transform([random_features(0)])
        assert not vector.any()

    def test_permuted_tracks_leave_the_vector(self, fitted):
        video = videos()[0]
        order = np.random.default_rng(0).permutation(len(video))
        one, other = fitted.transform([video, video[order]])
        np.testing.assert_allclose(other, one, atol=self.atol_order)

    def test_doubled_tracks_leave_the_vector(self, fitted):
        video = videos()[0]
        one, other = fitted.transform([video, video[np.repeat(np.arange(len(video)), 2)]])
        np.testing.assert_allclose(other, one, atol=self.atol_order)

    def test_no_other_video_has_a_say(self, fitted):
        given = videos()
        alone = np.concatenate([fitted.transform([video]) for video in given])
        np.testing.assert_array_equal(fitted.transform(given), alone)

    @pytest.mark.slow
    def test_neither_threads_nor_processes_change_a_byte(self, fitted):
        given, workers = videos(), {"n_jobs": 2, "threads": 2}
        again = self.encoder(**{**self.options, **workers}).fit(given, [0, 1, 0, 1])
        assert again.codebook_.digest == fitted.codebook_.digest
        np.testing.assert_array_equal(again.transform(given), fitted.transform(given))

    def test_files_have_the_vectors_of_their_features(self, fitted, files):
        np.testing.assert_array_equal(fitted.transform(files), fitted.transform(videos()))

    def test_a_saved_codebook_encodes_alike(self, fitted, tmp_path):
        fitted.codebook_.save(tmp_path / "codebook.h5")
        loaded = Codebook.load(tmp_path / "codebook.h5")
        assert loaded.digest == fitted.codebook_.digest
        learnt = {self.encoder()._own_name(name) for name in loaded.params}
        shaping = {name: value for name, value in self.options.items() if name not in learnt}
        again = self.encoder.from_codebook(loaded, **shaping)
        np.testing.assert_array_equal(again.transform(videos()), fitted.transform(videos()))
        assert (again.get_params(), again.layout_) == (fitted.get_params(), fitted.layout_)
        loaded.save(tmp_path / "again.h5")
        assert (tmp_path / "again.h5").read_bytes() == (tmp_path / "codebook.h5").read_bytes()
        pickled = pickle.loads(pickle.dumps(fitted))
        np.testing.assert_array_equal(pickled.transform(videos()), fitted.transform(videos()))

    def test_a_vectors_file_says_what_it_holds(self, fitted, files, tmp_path):
        params = fitted.params()
        encode_files(files, None, fitted.codebook_, tmp_path / "v.h5", params=params)
        found = load_vectors(tmp_path / "v.h5")
        np.testing.assert_array_equal(found.encodings, fitted.transform(videos()))
        assert (found.layout, found.codebook, found.empty) == (fitted.layout_, fitted.codebook_.digest, ["2"])
        assert found.params == vars(params)

    def test_the_bands_of_a_video_add_up_to_the_whole(self, fitted):
        video, params = videos()[0], fitted.params()
        for block in fitted.codebook_.blocks:
            coder = block.coder
            if not isinstance(coder, CellCoder):
                continue
            rows = block.project(np.concatenate([getattr(video, name) for name in block.sizes], axis=1))
            tracks = TrackColumns(video.frame, video.scale, video.position, np.ones(len(video), np.uint8), 15)
            parts = sum_by_slice_and_cell(coder, params, [(rows, tracks)], length=7, grid=(2, 3))
            assert len(parts.sums) > 20
            whole = coder.vector(coder.sum_codes(coder.code(rows, params, tracks), params), params)
            summed = coder.vector(parts.total(coder, params), params)
            np.testing.assert_allclose(summed, whole, atol=ATOL_SUM)

    def test_every_cell_of_a_pyramid_has_the_vector_of_its_tracks(self, fitted):
        pyramid = clone(fitted).set_params(pyramid="1x1x1,1x3x1,1x1x2")
        pyramid._set_learnt(fitted.codebook_, pyramid.params())
        video = videos()[0]
        parts = {
            "whole": slice(None),
            "1x3x1[0,0,0]": video.position[:, 1] < np.float32(1 / 3),
            "1x3x1[0,2,0]": video.position[:, 1] >= np.float32(2 / 3),
            "1x1x2[0,0,1]": video.position[:, 2] >= 0.5,
        }
        (whole,) = pyramid.transform([video])
        for cell, chosen in parts.items():
            (alone,) = fitted.transform([video[chosen]])
            for part in pyramid.layout_:
                if part["cell"] == cell:
                    (own,) = (p for p in fitted.layout_ if p["block"] == part["block"] and p["cell"] == "whole")
                    np.testing.assert_allclose(
                        whole[part["first"] :][: part["size"]], alone[own["first"] :][: own["size"]], atol=ATOL_ORDER
                    )

    @pytest.mark.slow
    def test_clones_pipelines_and_grid_search_work(self):
        encoder = self.encoder(**self.options)
        assert clone(encoder).get_params() == encoder.get_params()
        X, y = labelled()
        pipeline = make_pipeline(encoder, LinearSVC(C=10))
        # Twelve small videos: what counts is that labels get through, not how well they are told apart.
        assert cross_val_score(pipeline, X, y, cv=3).mean() >= 0.7 * self.tells_apart
        prefix = self.encoder.__name__.lower()
        grid = {f"{prefix}__{name}": values for name, values in self.grid.items()}
        search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
        assert search.best_params_.keys() == grid.keys()
        assert search.score(X, y) >= 0.9 * self.tells_apart

    @pytest.mark.parametrize("check", CHECKS)
    def test_scikit_learns_own_checks_pass(self, check):
        if not hasattr(estimator_checks, check):
            pytest.skip(f"this version of scikit-learn has no {check}")
        getattr(estimator_checks, check)(self.encoder.__name__, self.encoder())

    def test_the_defaults_are_those_of_the_parameters(self):
        params = self.encoder._params_type
        assert issubclass(params, BlockParams)
        encoder = self.encoder()
        expected = {encoder._own_name(name): default for name, default in vars(params()).items()}
        assert encoder.get_params() == {**expected, "n_jobs": 1, "threads": 1}

    def test_every_parameter_is_written_out_and_documented(self):
        documented = numpydoc.docscrape.ClassDoc(self.encoder)["Parameters"]
        parameters = inspect.signature(self.encoder).parameters
        assert [part.name for part in documented] == list(parameters)
        assert all(part.desc for part in documented)
        assert all(part.kind is not inspect.Parameter.VAR_KEYWORD for part in parameters.values())

    def test_columns_are_named_by_block_cell_and_number(self, fitted):
        names = fitted.get_feature_names_out()
        assert len(set(names)) == len(names) == fitted.transform(videos()[:1]).shape[1]
        for part in fitted.layout_:
            chosen = names[part["first"] :][: part["size"]]
            assert chosen[0] == f"{part['block']}_{part['cell']}_0"
            assert chosen[-1] == f"{part['block']}_{part['cell']}_{part['size'] - 1}"

    @pytest.mark.slow
    def test_tables_come_out_when_they_are_asked_for(self, fitted):
        pytest.importorskip("pandas")
        encoder, expected = copy.deepcopy(fitted).set_output(transform="pandas"), fitted.transform(videos())
        found = encoder.transform(videos())
        assert list(found.columns) == fitted.get_feature_names_out().tolist()
        np.testing.assert_array_equal(found.to_numpy(), expected)
        np.testing.assert_array_equal(encoder.set_output(transform="default").transform(videos()), expected)
        # What scikit-learn is configured to give out does not reach into the encoder.
        with sklearn.config_context(transform_output="pandas"):
            found = self.encoder(**self.options).fit_transform(videos(), [0, 1, 0, 1])
        np.testing.assert_array_equal(found.to_numpy(), expected)

    def test_a_series_of_videos_is_a_list_of_videos(self, fitted):
        pandas = pytest.importorskip("pandas")
        series = pandas.Series(videos(), index=list("abcd"))
        np.testing.assert_array_equal(fitted.transform(series), fitted.transform(videos()))

    def test_nothing_that_is_learned_can_be_used_before_the_fit(self):
        encoder = self.encoder()
        methods = [
            name
            for name, _ in inspect.getmembers(self.encoder, inspect.isfunction)
            if not name.startswith(("_", "fit", "get_p", "get_m", "set_")) and name != "params"
        ]
        assert methods == ["get_feature_names_out", "transform"]
        with pytest.raises(NotFittedError, match="not fitted yet"):
            encoder.transform(videos())
        with pytest.raises(NotFittedError, match="not fitted yet"):
            encoder.get_feature_names_out()

    @pytest.mark.slow
    def test_all_processors_are_asked_for_as_in_scikit_learn(self, fitted):
        encoder = copy.deepcopy(fitted)
        for n_jobs in (None, -1):
            found = encoder.set_params(n_jobs=n_jobs).transform(videos()[:2])
            np.testing.assert_array_equal(found, fitted.transform(videos()[:2]))

    def test_wrong_parameters_are_refused_in_the_words_of_the_encoder(self):
        name, word = self.encoder.__name__, self.encoder()._own_name("k")
        for options, message in (
            ({word: 0}, rf"k must be a whole number of at least 1, got 0.* \({name} says {word} for k\)$"),
            ({"random_state": None}, "random_state must be an integer from 0 to .*, got None; equal calls give equal"),
            ({"n_jobs": 0}, "n_jobs must be at least 1, or negative to count from all processors, got 0"),
            ({"n_jobs": 1.5}, "n_jobs must be an integer or None, got 1.5"),
            ({"threads": 0}, "threads must be a whole number of at least 1, got 0"),
            ({"n_jobs": 5000}, "n_jobs must be a whole number of at most 1024, got 5000"),
        ):
            with pytest.raises(DataError, match=message):
                self.encoder(**{**self.options, **options}).fit(videos())
        with pytest.raises(DataError, match="every video has one class, got 2 classes for 4 videos"):
            self.encoder(**self.options).fit(videos(), [0, 1])

    def test_one_video_and_numbers_that_are_not_finite_are_refused(self, fitted):
        with pytest.raises(DataError, match="one video"):
            self.encoder(**self.options).fit(videos()[:1])
        bad = videos()[1]
        getattr(bad, fitted.blocks.split(",")[0])[3, 1] = np.nan
        with pytest.raises(DataError, match="of video 1 must be finite, got 1 NaN"):
            fitted.transform([videos()[0], bad])

    def test_a_codebook_that_contradicts_the_options_is_refused(self, fitted):
        k, word = fitted.params().k, fitted._own_name("k")
        name = self.encoder.__name__
        with pytest.raises(
            DataError, match=rf"fitted with k={k}, this run asks for {k + 1} \({name} says {word} for k\)$"
        ):
            self.encoder.from_codebook(fitted.codebook_, **{word: k + 1})
        with pytest.raises(DataError, match="unknown option gamma; known are"):
            self.encoder.from_codebook(fitted.codebook_, gamma=1)
