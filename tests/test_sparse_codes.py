import numpy as np
import pytest
from sklearn.linear_model import orthogonal_mp

from encoding.coders.sparse_codes import Dictionary, groups_of, whole_slices
from encoding.descriptors.track_columns import TrackColumns
from idt.errors import DataError
from tests.reference import bovw as reference

ATOL_CODES = 2e-4  # least squares on a few float32 atoms; codes are of size 1


def words_of(k=40, d=12):
    return np.random.default_rng(0).normal(size=(k, d)).astype(np.float32)


def rows_of(n=25, d=12):
    return np.random.default_rng(1).normal(size=(n, d)).astype(np.float32)


def tracks_of(frame, **columns):
    n = len(frame)
    return TrackColumns(
        np.array(frame, np.int32),
        np.array(columns.get("scale", np.ones(n)), np.float32),
        None,
        np.array(columns.get("skip", np.ones(n)), np.uint8),
        15,
    )


def test_orthogonal_atoms_are_picked_by_what_the_group_has_of_them_worked_by_hand():
    rows = np.float32([[3, 0, -2], [-1, 1, 4]])
    codes = Dictionary(2 * np.eye(3)).codes(rows, [np.array([0, 1])], atoms=2)
    np.testing.assert_allclose(codes.toarray(), [[3, 0, -2], [-1, 0, 4]], rtol=1e-6)


@pytest.mark.parametrize("atoms", [1, 3, 10])
def test_a_group_of_one_is_scikit_learns_orthogonal_matching_pursuit(atoms):
    dictionary, rows = Dictionary(words_of()), rows_of()
    codes = dictionary.codes(rows, groups_of(None, len(rows)), atoms=atoms).toarray()
    expected = orthogonal_mp(dictionary.atoms.T.astype(float), rows.T.astype(float), n_nonzero_coefs=atoms).T
    np.testing.assert_array_equal(codes != 0, expected != 0)
    np.testing.assert_allclose(codes, expected, atol=ATOL_CODES)


def test_groups_equal_the_rival():
    dictionary, rows = Dictionary(words_of()), rows_of()
    groups = [np.arange(0, 25, 3), np.arange(1, 25, 3), np.arange(2, 25, 3)]
    codes = dictionary.codes(rows, groups, atoms=5).toarray()
    for group in groups:
        np.testing.assert_allclose(
            codes[group], reference.somp_codes(rows[group], words_of(), atoms=5), atol=ATOL_CODES
        )
        assert np.count_nonzero(codes[group].any(axis=0)) == 5


def test_a_group_shares_its_support():
    rows = rows_of(2)
    codes = Dictionary(words_of()).codes(rows, [np.array([0, 1])], atoms=4)
    assert codes.indices[:4].tolist() == codes.indices[4:].tolist()


def test_what_is_explained_needs_no_more_atoms():
    dictionary = Dictionary(np.float32([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [0, 0, 0]]))
    codes = dictionary.codes(np.float32([[0, 5, 0], [0, 0, 0]]), groups_of(None, 2), atoms=3)
    np.testing.assert_array_equal(codes.toarray(), [[0, 5, 0, 0, 0], [0] * 5])
    # Two words alike, and more atoms asked for than there are dimensions.
    doubled = Dictionary(np.float32([[1, 0], [1, 0], [0, 1]])).codes(np.float32([[3, 2]]), [np.array([0])], atoms=3)
    np.testing.assert_allclose(doubled.toarray() @ [[1, 0], [1, 0], [0, 1]], [[3, 2]], rtol=1e-6)


def test_groups_are_of_one_step_scale_and_slice():
    tracks = tracks_of([15, 29, 30, 30, 31], scale=[1, 1, 1, 2, 1], skip=[1, 1, 1, 1, 2])
    assert sorted(map(tuple, map(list, groups_of(tracks, 5)))) == [(0, 1), (2,), (3,), (4,)]


@pytest.mark.parametrize("step", [1, 4, 7, 50])
def test_slices_stay_whole_however_the_rows_are_cut(step):
    frame = np.sort(np.random.default_rng(2).integers(15, 200, 50))
    rows = rows_of(50)
    parts = [(rows[i : i + step], tracks_of(frame[i : i + step])) for i in range(0, 50, step)]
    found = list(whole_slices([*parts, (rows[:0], tracks_of([]))], "a"))
    np.testing.assert_array_equal(np.concatenate([part for part, _ in found]), rows)
    np.testing.assert_array_equal(np.concatenate([tracks.frame for _, tracks in found]), frame)
    slices = [set(tracks.frame // 15) for _, tracks in found]
    assert sum(map(len, slices)) == len(set().union(*slices))


def test_tracks_out_of_order_are_refused():
    with pytest.raises(DataError, match="tracks of a must be in the order of their ending frames"):
        list(whole_slices([(rows_of(2), tracks_of([40, 15]))], "a"))
