"""Every form of score file is recognised by its content and read by its own rule; what stays open is refused."""

import json

import numpy as np
import pytest

from classify.fusion.read import FORMS, read_scores
from classify.fusion.scores import KINDS
from idt.errors import DataError
from tests.scores import files
from tests.scores.files import CLASSES, LABELS, NAMES, SCORES, TORCH, listing, objects

PLAIN = [name.removesuffix(".avi") for name in NAMES]
F32 = 1e-6
"""Scores in float32 differ so much from those that were written."""


def softmax(values):
    powers = np.exp(values)
    return powers / powers.sum(axis=1, keepdims=True)


def written(form, path):
    """A file of a form, made without its program; scores, kind, names, classes and labels that it must give."""
    text = "".join(f"{name},{','.join(map(str, row))}\n" for name, row in zip(PLAIN, SCORES.tolist(), strict=True))
    sums = np.float32(softmax(SCORES) * 30)
    if form == "coviar":
        return files.coviar(path), (SCORES, "logits", NAMES, CLASSES, LABELS)
    if form == "tsn":
        return files.tsn(path, shape=(25, 10)), (SCORES, "logits", None, None, LABELS)
    if form == "mat":
        return files.ltc(path), (SCORES, "unknown", PLAIN, None, LABELS)
    if form == "mat 7.3":
        return files.mat73(path), (SCORES, "unknown", NAMES, None, LABELS)
    if form == "mmaction2":
        return files.pickled(path, [*np.float32(SCORES)]), (SCORES, "logits", None, None, None)
    if form == "mmaction2 json":
        path.write_text(json.dumps(softmax(SCORES).tolist()))
        return path, (softmax(SCORES), "probabilities", None, None, None)
    if form == "slowfast":
        return files.pickled(path, [sums, LABELS]), (softmax(SCORES), "probabilities", None, None, LABELS)
    if form == "two_stream":
        return files.python2(path, names=PLAIN), (SCORES, "unknown", PLAIN, None, None)
    if form == "torch_file":
        content = {"scores": SCORES, "names": NAMES, "classes": CLASSES, "labels": LABELS}
        return files.pickled(path, content), (SCORES, "unknown", NAMES, CLASSES, LABELS)
    if form == "arrays":
        files.savez(path, x=SCORES, video_names=NAMES, class_names=CLASSES, y=LABELS)
        return path, (SCORES, "unknown", NAMES, CLASSES, LABELS)
    if form == "csv":
        path.write_text(f"name,{','.join(CLASSES)}\n{text}")
        return path, (SCORES, "unknown", PLAIN, CLASSES, None)
    if form == "csv of a stranger":
        path.write_text(text)
        return path, (SCORES, "unknown", PLAIN, None, None)
    rows = [[{"label": c, "score": s} for c, s in zip(CLASSES, row, strict=True)] for row in SCORES.tolist()]
    whole = {"version": "VERSION 1.3", "results": dict(zip(PLAIN, rows, strict=True)), "external_data": {}}
    path.write_text(json.dumps(whole))
    return path, (SCORES, "unknown", PLAIN, CLASSES, None)


WRITTEN = [
    *("coviar", "tsn", "mat", "mat 7.3", "mmaction2", "mmaction2 json", "slowfast", "two_stream", "torch_file"),
    *("arrays", "csv", "csv of a stranger", "activitynet"),
]


@pytest.mark.parametrize("form", WRITTEN)
def test_a_form_is_recognised_and_read(form, tmp_path):
    path, (values, kind, names, classes, labels) = written(form, tmp_path / "x")
    name = form.split(" of ")[0].removesuffix(" json").removesuffix(" 7.3")
    found = read_scores(path)
    assert found.form == name
    assert (found.kind, found.names, found.classes, found.path) == (kind, names, classes, str(path))
    np.testing.assert_allclose(found.values, values, rtol=0, atol=4 * F32)
    assert found.values.dtype == np.float64
    assert (found.labels is None) == (labels is None)
    if labels is not None:
        np.testing.assert_array_equal(found.labels, labels)
        assert found.labels.dtype == np.int64
    np.testing.assert_array_equal(read_scores(path, form=name).values, found.values)


@pytest.mark.parametrize("form", WRITTEN)
def test_a_file_is_refused_as_any_other_form(form, tmp_path):
    path, _ = written(form, tmp_path / "x")
    own = read_scores(path).form
    # These two differ by what the columns are called only.
    alike = {"coviar": ["arrays"], "tsn": ["arrays"]}.get(own, [])
    for other in FORMS.keys() - {own, *alike}:
        with pytest.raises(DataError, match=f"does not have the form {other}|is no score file of ours"):
            read_scores(path, form=other)


def test_every_form_says_what_it_is():
    for name, module in FORMS.items():
        assert module.DESCRIPTION, name
    assert {read_scores(TORCH / name).kind for name in ("mma120.pkl", "out.pkl", "slowfast.pkl")} <= {*KINDS}


def test_an_unknown_form_names_the_nearest(tmp_path):
    with pytest.raises(DataError, match="unknown form mmaction; did you mean mmaction2"):
        read_scores(tmp_path / "x", form="mmaction")


# The fixtures of torch.


@pytest.mark.parametrize("name", ["mma120.pkl", "mma110.pkl"])
def test_dumps_of_mmaction2_are_read_without_torch(name):
    found = read_scores(TORCH / name)
    with np.load(TORCH / "ref.npz"):
        pass
    assert (found.form, found.values.shape, found.labels.tolist()) == ("mmaction2", (2, 4), [0, 1])
    np.testing.assert_allclose(found.values[0], [1.5409961, -0.2934289, -2.1787894, 0.56843126], rtol=F32)


def test_predictions_that_are_no_sums_of_probabilities_stay_as_they_are():
    """The fixture of PySlowFast has random numbers, as a maximum over views might be."""
    found = read_scores(TORCH / "slowfast.pkl")
    assert (found.form, found.kind, found.notes, found.labels.tolist()) == ("slowfast", "unknown", (), [0, 1, 2, 3])
    assert found.values[0, 1] == np.float32(0.6513424)


def test_a_torch_file_of_one_matrix_has_scores(tmp_path):
    found = read_scores(TORCH / "zip.pt", video_list=listing(["x", "y"], None, None))
    assert (found.form, found.names, found.values.shape) == ("torch_file", ["x", "y"], (2, 4))


# Rules of the forms.


def test_clips_crops_and_heads_are_averaged_and_that_is_said(tmp_path):
    clips = [np.stack([row - 1, row + 1]) for row in SCORES]
    found = read_scores(files.pickled(tmp_path / "a", clips))
    np.testing.assert_allclose(found.values, SCORES, atol=F32)
    assert found.notes == ("scores are means over 2 clips or crops",)
    heads = [{"pred_score": {"rgb": row - 1, "pose": row + 1}, "gt_label": np.array([0])} for row in SCORES]
    found = read_scores(files.pickled(tmp_path / "b", heads))
    np.testing.assert_allclose(found.values, SCORES, atol=F32)
    assert found.notes == ("scores are means over the heads rgb, pose",)
    assert read_scores(files.tsn(tmp_path / "c.npz", shape=(25, 10))).notes == (
        "scores are means over 25 × 10 frames and crops",
    )
    summed = files.pickled(tmp_path / "d", [np.float32(softmax(SCORES) * 30), LABELS])
    assert read_scores(summed).notes == ("scores are means over 30 views",)


def test_several_labels_of_a_video_are_flags(tmp_path):
    flags = np.eye(3, dtype=np.int64)[LABELS]
    flags[0] = 1
    entries = [{"pred_score": row, "gt_label": flag} for row, flag in zip(SCORES, flags, strict=True)]
    found = read_scores(files.pickled(tmp_path / "x", entries))
    assert found.labels.dtype == bool
    np.testing.assert_array_equal(found.labels, flags)


def test_flags_beside_a_matrix_are_labels_of_pyslowfast_and_no_second_video(tmp_path):
    flags = np.float32(np.eye(3)[LABELS])
    found = read_scores(files.pickled(tmp_path / "x", [SCORES, flags]))
    assert found.form == "slowfast"
    np.testing.assert_array_equal(found.labels, flags.astype(bool))
    crops = read_scores(files.pickled(tmp_path / "y", [SCORES, SCORES + 1]))
    assert (crops.form, crops.values.shape) == ("mmaction2", (2, 3))


def test_a_dump_names_its_videos_where_it_can(tmp_path):
    entries = [{"pred_score": row, "video_id": name} for row, name in zip(SCORES, NAMES, strict=True)]
    assert read_scores(files.pickled(tmp_path / "x", entries)).names == NAMES


def test_rows_of_tsn_pytorch_are_those_of_the_sorted_list_where_the_labels_say_so(tmp_path):
    order = np.argsort(NAMES)
    names = [NAMES[row] for row in order]
    path = files.tsn(tmp_path / "x.npz", SCORES[order], LABELS[order], (25, 1))
    found = read_scores(path, video_list=listing())
    assert found.names == names
    assert "rows are the videos of list.txt, in the sorted order" in found.notes
    np.testing.assert_array_equal(found.labels, LABELS[order])
    as_listed = read_scores(files.tsn(tmp_path / "y.npz", shape=(25, 1)), video_list=listing())
    assert as_listed.names == NAMES
    with pytest.raises(DataError, match=r"may be in the order of list\.txt or in its sorted order"):
        read_scores(path, video_list=listing(labels=None, classes=None))
    # TSN's own crops: no sorting.
    assert read_scores(files.tsn(tmp_path / "z.npz", shape=(25, 10)), video_list=listing()).names == NAMES


def test_classes_that_a_result_does_not_list_count_as_0_if_no_score_is_negative(tmp_path):
    results = {"a": [{"label": "x", "score": 0.5}], "b": [{"label": "x", "score": 0.1}, {"label": "y", "score": 0.9}]}
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"version": "", "results": results, "external_data": {}}))
    found = read_scores(path)
    assert (found.values.tolist(), found.classes) == ([[0.5, 0], [0.1, 0.9]], ["x", "y"])
    assert found.notes == ("1 scores that are not listed count as 0",)
    results["a"][0]["score"] = -0.5
    path.write_text(json.dumps({"results": results}))
    with pytest.raises(DataError, match="lists too few classes"):
        read_scores(path)


def test_classes_are_named_by_folders_only_where_these_agree_with_the_labels(tmp_path):
    assert read_scores(files.coviar(tmp_path / "a.npz")).classes == CLASSES
    moved = ["run/ann.avi", *NAMES[1:]]
    assert read_scores(files.coviar(tmp_path / "b.npz", names=moved)).classes is None
    flat = [name.replace("/", "_") for name in NAMES]
    assert read_scores(files.coviar(tmp_path / "c.npz", names=flat)).classes is None


@pytest.mark.parametrize(
    ("text", "names", "classes", "labels"),
    [
        ("name,x,y\na,1,2\nb,3,4\n", ["a", "b"], ["x", "y"], None),
        ("video,label,x,y\na,x,1,2\nb,y,3,4\n", ["a", "b"], ["x", "y"], [0, 1]),
        ("name,label,x,y\na,1,1,2\nb,2,3,4\n", ["a", "b"], ["x", "y"], [0, 1]),
        ("a,1.0,2\nb,3,4\n", ["a", "b"], None, None),
        ("which,0,1\na,1,2\nb,3,4\n", ["a", "b"], ["0", "1"], None),
        ("which,1,2\n7,1,2\n8,3,4\n", ["7", "8"], ["1", "2"], None),
        ("x,y\n1,2\n3,4\n", None, ["x", "y"], None),
    ],
)
def test_columns_of_text_are_told_apart(text, names, classes, labels, tmp_path):
    (tmp_path / "x.csv").write_text(text)
    found = read_scores(tmp_path / "x.csv")
    assert (found.names, found.classes, found.values.tolist()) == (names, classes, [[1, 2], [3, 4]])
    assert (None if found.labels is None else found.labels.tolist()) == labels


def test_numbers_that_numpy_wrote_as_text_belong_to_a_list(tmp_path):
    np.savetxt(tmp_path / "x.txt", SCORES)
    found = read_scores(tmp_path / "x.txt", video_list=listing())
    np.testing.assert_array_equal(found.values, SCORES)


# Traps: order, labels and sides.


def matrix(path, values, **more):
    """An npz of a matrix of any side, perhaps with labels or names."""
    return files.savez(path, scores=values, **more)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("by", ["list", "labels", "names", "classes"])
def test_a_transposed_matrix_is_turned_where_that_is_certain(by, turned, tmp_path):
    more = {"labels": {"labels": LABELS}, "names": {"names": NAMES}, "classes": {"classes": CLASSES}}.get(by, {})
    path = matrix(tmp_path / "x.npz", SCORES.T if turned else SCORES, **more)
    found = read_scores(path, video_list=listing() if by == "list" else None)
    np.testing.assert_array_equal(found.values, SCORES)
    assert ("the matrix is transposed: its columns are the videos" in found.notes) == turned


def test_a_matrix_whose_sides_stay_open_is_refused(tmp_path):
    with pytest.raises(DataError, match="5 × 3 without names or labels, so that either side may be the videos"):
        read_scores(matrix(tmp_path / "x.npz", SCORES))
    square = matrix(tmp_path / "y.npz", SCORES[:3], labels=LABELS[:3])
    with pytest.raises(DataError, match="3 × 3, so that either side may be the videos"):
        read_scores(square)
    with pytest.raises(DataError, match="5 × 3, which does not fit 4 names"):
        read_scores(matrix(tmp_path / "z.npz", SCORES, names=NAMES[:4]), form="arrays")


@pytest.mark.parametrize("form", ["arrays", "tsn", "mat"])
def test_labels_from_1_are_recognised(form, tmp_path):
    if form == "arrays":
        path = matrix(tmp_path / "x.npz", SCORES, labels=LABELS + 1)
    else:
        path = files.tsn(tmp_path / "x.npz", labels=LABELS + 1) if form == "tsn" else files.ltc(tmp_path / "x.mat")
    found = read_scores(path)
    np.testing.assert_array_equal(found.labels, LABELS)
    assert "labels begin at 1" in found.notes


def test_labels_that_may_begin_at_0_or_1_are_the_list_s_or_the_form_s_or_refused(tmp_path):
    kept = LABELS != 0
    scores, names = SCORES[kept], [name for name, keep in zip(NAMES, kept, strict=True) if keep]
    path = matrix(tmp_path / "x.npz", scores, labels=LABELS[kept])
    with pytest.raises(DataError, match="labels from 1 to 2 of 3 classes may begin at 0 or at 1"):
        read_scores(path)
    for first in (0, 1):
        found = read_scores(path, video_list=listing(names, LABELS[kept] - first))
        np.testing.assert_array_equal(found.labels, LABELS[kept] - first)
    np.testing.assert_array_equal(read_scores(files.tsn(tmp_path / "y.npz", scores, LABELS[kept])).labels, LABELS[kept])
    matlab = read_scores(files.ltc(tmp_path / "z.mat", scores, LABELS[kept] - 1, names))
    np.testing.assert_array_equal(matlab.labels, LABELS[kept] - 1)


def test_a_list_names_what_has_no_names_and_nothing_else(tmp_path):
    found = read_scores(files.tsn(tmp_path / "x.npz"), video_list=listing())
    assert (found.names, found.classes) == (NAMES, CLASSES)
    assert "rows are the videos of list.txt, in its order" in found.notes
    named = read_scores(files.coviar(tmp_path / "y.npz"), video_list=listing(["other"], [0]))
    assert named.names == NAMES


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (listing(NAMES[:4], LABELS[:4]), "5 × 3, which does not fit 5 labels, 4 videos of list.txt"),
        (listing(labels=LABELS[::-1]), "has other labels than list.txt for 4 of 5 videos"),
        (listing(labels=[2, 1, 2, 0, 2]), "has other labels than list.txt for 1 of 5 videos"),
        (listing(classes=["jump", "run"]), "which does not fit 5 labels, 5 videos of list.txt, 2 classes of list.txt"),
        (listing(labels=[2, 1, 2, 3, 1], classes=None), "holds scores of 3 classes, but list.txt has 4"),
        (listing([*NAMES[:4], NAMES[0]]), "holds videos twice: walk/ann.avi"),
    ],
    ids=range(6),
)
def test_a_list_that_disagrees_with_the_file_is_refused(given, message, tmp_path):
    with pytest.raises(DataError, match=message):
        read_scores(files.tsn(tmp_path / "x.npz"), video_list=given)


def test_scores_that_fit_the_labels_of_a_list_no_better_than_chance_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(12), 12)
    names, classes = [f"v{i}" for i in range(144)], [f"c{i:02}" for i in range(12)]
    scores = rng.normal(size=(144, 12)) + 3 * np.eye(12)[labels]
    np.save(tmp_path / "x.npy", scores)
    given = listing(names, labels, classes)
    assert read_scores(tmp_path / "x.npy", video_list=given).labels.tolist() == labels.tolist()
    for spoilt in (scores[rng.permutation(144)], scores[:, rng.permutation(12)]):
        np.save(tmp_path / "x.npy", spoilt)
        with pytest.raises(DataError, match="no more than chance would"):
            read_scores(tmp_path / "x.npy", video_list=given)


# What is refused in every form.


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e301])
def test_scores_that_are_not_finite_are_refused(value, tmp_path):
    bad = SCORES.copy()
    bad[1, 2] = value
    with np.errstate(over="ignore"):
        paths = [
            matrix(tmp_path / "a.npz", bad, names=NAMES),
            files.ltc(tmp_path / "b.mat", bad),
            files.pickled(tmp_path / "c.pkl", [*bad]),
            files.mat73(tmp_path / "d.mat", bad),
        ]
        (tmp_path / "e.csv").write_text(
            "".join(f"{n},{','.join(map(str, r))}\n" for n, r in zip(NAMES, bad, strict=True))
        )
    for path in (*paths, tmp_path / "e.csv"):
        with pytest.raises(DataError, match=r"scores must be (finite|within)"):
            read_scores(path)


def test_a_video_whose_scores_are_all_equal_is_refused(tmp_path):
    bad = SCORES.copy()
    bad[[1, 3]] = 0.5
    with pytest.raises(DataError, match="2 videos have the same score for all classes, in rows 2, 4"):
        read_scores(matrix(tmp_path / "x.npz", bad, names=NAMES))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: files.pickled(path, [SCORES[0], SCORES[1, :2]]), "one score for each class, got 2 and 3"),
        (lambda path: files.pickled(path, [{"pred_score": SCORES[0]}, {"other": 1}]), "must have pred_score"),
        (lambda path: files.pickled(path, [{"pred_score": "high"}]), "scores must be real numbers, got str"),
        (lambda path: files.pickled(path, [{"pred_score": SCORES[0], "num_classes": 7}]), "its num_classes says 7"),
        (
            lambda path: files.pickled(path, [{"pred_score": SCORES[0], "gt_label": np.array([0, 1])}]),
            "one label, or a",
        ),
        (lambda path: files.pickled(path, {"a": SCORES[0], "b": SCORES[1] * 1j}), "an array of 'c16'"),
        (lambda path: files.pickled(path, []), "no known form"),
        (lambda path: files.pickled(path, {}), "no known form"),
        (lambda path: files.pickled(path, "text"), "no known form"),
        (lambda path: files.pickled(path, {"a": SCORES, "b": SCORES}), "several matrices of scores, a, b; keep one"),
        (lambda path: files.coviar(path, names=[NAMES[0]] * 5), "holds videos twice: walk/ann.avi"),
        (lambda path: files.coviar(path, names=NAMES[:3]), "5 videos, but 3 names"),
        (
            lambda path: files.tsn(path, labels=LABELS + 2),
            "labels must be whole numbers from 0 to 2",
        ),
        (lambda path: files.tsn(path, labels=LABELS * 2 - 1), "labels must be whole numbers"),
        (lambda path: files.tsn(path, scores=SCORES[:, :1], labels=LABELS * 0), "two or more classes, got 1"),
        (lambda path: path.write_text("a;3\nb;4\n") and path, "labels without scores, as TSM's --csv_file writes"),
        (lambda path: path.write_text("a;1;2;3;4;5\n") and path, "labels without scores, as TSM"),
        (lambda path: path.write_text("name,x,y\na,1\n") and path, "line 2: expected 3 fields, got 2"),
        (lambda path: path.write_text("name,x,y\na,1,high\n") and path, "line 2: expected a score, got 'high'"),
        (lambda path: path.write_text("name,x,x\na,1,2\n") and path, "holds classes twice: x"),
        (lambda path: path.write_text("name,x,y\na,1,2\na,3,4\n") and path, "holds videos twice: a"),
        (lambda path: path.write_text("name,label,x,y\na,z,1,2\n") and path, "expected a score, got 'z'"),
        (lambda path: path.write_text("name,x,y\n") and path, "holds no videos"),
        (lambda path: path.write_text("") or path, "is empty, expected scores"),
        (lambda path: path.write_bytes(b"\0\1\2") and path, "is of no known kind"),
        (lambda path: path.write_text('{"results": {"a": [{"label": "x"}]}}') and path, "results with label and score"),
        (lambda path: path.write_text('{"results": {"a": []}}') and path, "a must have a list of results"),
        (
            lambda path: (
                path.write_text('{"results": {"a": [{"label": "x", "score": 1, "segment": [0, 1]}]}}') and path
            ),
            "holds detections with segments",
        ),
        (
            lambda path: path.write_text('{"results": {}}') and path,
            r"scores of shape \(videos, classes\), got \(0, 0\)",
        ),
    ],
    ids=range(29),
)
def test_what_is_no_matrix_of_scores_is_refused_in_one_line(make, message, tmp_path):
    path = make(tmp_path / "x")
    path = path if hasattr(path, "suffix") else tmp_path / "x"
    with pytest.raises(DataError, match=message) as caught:
        read_scores(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_one_row_that_is_repeated_without_end_takes_no_memory(tmp_path):
    """A list that refers 100,000 times to one row of 10,000 numbers would be 8 GB."""
    row = np.arange(10_000.0)
    with pytest.raises(DataError, match="repeats its rows"):
        read_scores(files.pickled(tmp_path / "x", [row] * 100_000))


def test_labels_beside_the_scores_must_be_those_in_labels(tmp_path):
    path = files.tsn(tmp_path / "x.npz")
    with np.load(path, allow_pickle=True) as held:
        scores = held["scores"]
    files.savez(path, scores=scores, labels=LABELS[::-1])
    with pytest.raises(DataError, match="labels are not those beside the scores"):
        read_scores(path)
    files.savez(path, scores=objects([[SCORES[0], np.array([1])], [SCORES[1], np.array([2])]]), labels=[1, 2])
    assert read_scores(path).labels.tolist() == [1, 2]
