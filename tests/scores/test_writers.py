"""Scores written for others' tools come back as they were, and those tools' own accesses find what they look for."""

import dataclasses
import json
import pickle

import numpy as np
import pytest
from scipy.io import loadmat

from classify.fusion.read import read_scores
from classify.fusion.scores import Scores
from classify.fusion.write import SUFFIXES, WRITERS, write_scores
from idt.errors import DataError
from tests.scores.files import CLASSES, LABELS, NAMES, SCORES, listing

OURS = Scores(SCORES, NAMES, CLASSES, LABELS, "margins", 2)
F32 = 1e-6

KEPT = {
    "idt": ("names", "classes", "labels", "kind", "split"),
    "mat": ("names", "classes", "labels"),
    "csv": ("names", "classes", "labels"),
    "activitynet": ("names", "classes"),
    "mmaction2": ("names", "labels"),
    "tsn": ("labels",),
}
"""What a form keeps beside the scores."""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_is_read_back(suffix, tmp_path):
    write_scores(tmp_path / f"x{suffix}", OURS)
    found = read_scores(tmp_path / f"x{suffix}")
    assert found.form == SUFFIXES[suffix]
    np.testing.assert_allclose(found.values, SCORES, rtol=F32, atol=F32)
    for field in ("names", "classes", "labels", "split"):
        wanted = getattr(OURS, field) if field in KEPT[found.form] else None
        assert np.array_equal(getattr(found, field), wanted) if wanted is not None else getattr(found, field) is None
    if "kind" in KEPT[found.form]:
        assert found.kind == "margins"


def test_every_form_that_is_written_is_tested():
    assert WRITERS.keys() == KEPT.keys() == {*SUFFIXES.values()}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_same_scores_make_the_same_file(suffix, tmp_path):
    for name in ("x", "y"):
        write_scores(tmp_path / f"{name}{suffix}", OURS)
    assert (tmp_path / f"x{suffix}").read_bytes() == (tmp_path / f"y{suffix}").read_bytes()
    before = (tmp_path / f"x{suffix}").stat().st_mtime_ns
    write_scores(tmp_path / f"x{suffix}", OURS, overwrite=True)
    assert (tmp_path / f"x{suffix}").stat().st_mtime_ns == before


@pytest.mark.parametrize("form", ["idt", "mat", "mmaction2"])
def test_several_labels_of_a_video_come_back(form, tmp_path):
    flags = np.eye(3, dtype=bool)[LABELS]
    flags[1] = True
    several = dataclasses.replace(OURS, labels=flags)
    write_scores(tmp_path / "x", several, form=form)
    if form == "mat":
        np.testing.assert_array_equal(loadmat(tmp_path / "x", appendmat=False)["labels"], flags)
        return
    np.testing.assert_array_equal(read_scores(tmp_path / "x").labels, flags)


# What others' tools do with the files.


class Tensor:
    """A tensor as far as report_accuracy.py looks at one, from what torch's pickles call."""

    def __init__(self, storage, offset, size, stride, *_):
        self.values = np.lib.stride_tricks.as_strided(
            storage[offset:], size, [step * storage.itemsize for step in stride]
        )

    def numpy(self):
        return self.values

    def item(self):
        return self.values.item()


class Torch(pickle.Unpickler):
    """Python's own reader of pickles with the four functions of torch that a dump calls."""

    def find_class(self, module, name):
        kinds = {"FloatStorage": "<f4", "LongStorage": "<i8"}
        if module == "torch" and name in kinds:
            return kinds[name]
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return Tensor
        if (module, name) == ("torch.storage", "_load_from_bytes"):
            return self.storage
        return super().find_class(module, name)

    @staticmethod
    def storage(data):
        import io

        file = io.BytesIO(data)
        assert pickle.load(file) == 0x1950A86A20F9469CFC6C
        assert pickle.load(file) == 1001
        assert pickle.load(file)["little_endian"]
        reader = Torch(file)
        reader.persistent_load = lambda identity: identity
        what, kind, key, _, count, _ = reader.load()
        assert (what, pickle.load(file)) == ("storage", [key])
        assert int.from_bytes(file.read(8), "little") == count
        return np.frombuffer(file.read(), kind)


def test_report_accuracy_of_mmaction2_reads_our_dump(tmp_path):
    """Its accesses, of 1.2.0: ``pred_score`` as arrays, ``gt_label`` as numbers, weighted sums of several files."""
    write_scores(tmp_path / "x.pkl", OURS)
    with open(tmp_path / "x.pkl", "rb") as file:
        samples = Torch(file).load()
    scores = [sample["pred_score"].numpy() for sample in samples]
    labels = [sample["gt_label"].item() for sample in samples]
    assert [sample["pred_label"].item() for sample in samples] == SCORES.argmax(axis=1).tolist()
    assert labels == LABELS.tolist()
    weighted = [1.0 * one + 0.5 * one for one in scores]
    np.testing.assert_allclose(weighted, 1.5 * SCORES, rtol=F32)
    assert scores[0].dtype == np.float32
    assert {sample["num_classes"] for sample in samples} == {3}


def test_numpy_reads_our_npz_as_tsn_does(tmp_path):
    """tools/eval_scores.py takes ``scores[:, 0]`` and ``labels``, and averages frames and crops."""
    write_scores(tmp_path / "x.npz", OURS)
    with np.load(tmp_path / "x.npz", allow_pickle=True) as held:
        scores, labels = held["scores"], held["labels"]
    assert scores.shape == (5, 2)
    averaged = np.array([row.mean(axis=0).mean(axis=0) for row in scores[:, 0]])
    np.testing.assert_allclose(averaged, SCORES, rtol=F32)
    assert scores[0, 0].shape == (1, 1, 3)
    assert labels.tolist() == list(scores[:, 1]) == LABELS.tolist()


def test_matlab_counts_from_1(tmp_path):
    write_scores(tmp_path / "x.mat", OURS)
    held = loadmat(tmp_path / "x.mat")
    np.testing.assert_array_equal(held["scores"], SCORES)
    np.testing.assert_array_equal(held["labels"].ravel(), LABELS + 1)
    assert [cell.item() for cell in held["names"].ravel()] == NAMES


def test_the_checker_of_activitynet_finds_its_three_keys(tmp_path):
    write_scores(tmp_path / "x.json", OURS)
    held = json.loads((tmp_path / "x.json").read_text())
    assert [*held] == ["version", "results", "external_data"]
    assert held["results"][NAMES[0]][0]["label"] == CLASSES[SCORES[0].argmax()]


# What is written, and in which order.


def test_scores_are_written_as_margins_their_directions_or_probabilities(tmp_path):
    def read(name, **more):
        write_scores(tmp_path / name, **more)
        return read_scores(tmp_path / name).values

    np.testing.assert_array_equal(read("a.mat", scores=OURS, values_as="margins"), SCORES)
    lengths = np.sqrt((read("b.mat", scores=OURS, values_as="l2") ** 2).sum(axis=1))
    np.testing.assert_allclose(lengths, 1)
    logits = dataclasses.replace(OURS, kind="logits")
    found = read("c.mat", scores=logits, values_as="probability")
    np.testing.assert_allclose(found, np.exp(SCORES) / np.exp(SCORES).sum(axis=1, keepdims=True))
    given = dataclasses.replace(OURS, values=found, kind="probabilities")
    np.testing.assert_array_equal(read("d.mat", scores=given, values_as="probability"), found)
    with pytest.raises(DataError, match="holds margins, of which probabilities cannot be made; train with svm-train"):
        read("e.mat", scores=OURS, values_as="probability")
    with pytest.raises(DataError, match="of which margins cannot be made"):
        read("e.mat", scores=given, values_as="margins")
    with pytest.raises(DataError, match="one of margins, l2, probability, got 'softmax'"):
        read("e.mat", scores=OURS, values_as="softmax")
    assert not (tmp_path / "e.mat").exists()


ORDER = [3, 0, 4, 2]
COLUMNS = [2, 0, 1]


def test_videos_and_classes_take_the_order_of_the_annotation_file(tmp_path):
    """Its names and classes are spelled otherwise and have another order, and one video is left out."""
    names = [f"/data/{NAMES[row].upper()}" for row in ORDER]
    classes = [CLASSES[column].title() for column in COLUMNS]
    labels = [COLUMNS.index(LABELS[row]) for row in ORDER]
    wanted = SCORES[ORDER][:, COLUMNS]
    for given in (listing(names, labels, classes), listing(names, None, classes)):
        write_scores(tmp_path / "x.pkl", OURS, video_list=given, overwrite=[tmp_path / "x.pkl"])
        found = read_scores(tmp_path / "x.pkl")
        assert (found.names, found.labels.tolist()) == (names, labels)
        np.testing.assert_allclose(found.values, wanted, rtol=F32)


def test_classes_without_names_are_told_by_the_labels_or_refused(tmp_path):
    names = [NAMES[row] for row in ORDER]
    labels = [COLUMNS.index(LABELS[row]) for row in ORDER]
    write_scores(tmp_path / "x.npz", OURS, video_list=listing(names, labels, None))
    np.testing.assert_allclose(read_scores(tmp_path / "x.npz").values, SCORES[ORDER][:, COLUMNS], rtol=F32)
    unlabelled = dataclasses.replace(OURS, labels=None)
    with pytest.raises(DataError, match="numbers its classes without naming them"):
        write_scores(tmp_path / "y.npz", unlabelled, video_list=listing(names, labels, None))
    with pytest.raises(DataError, match="has no video of some classes"):
        write_scores(tmp_path / "y.npz", OURS, video_list=listing(names[1:], labels[1:], None))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (listing([*NAMES[:4], "walk/nobody.avi"]), "lack 1 videos of list.txt: walk/nobody.avi"),
        (listing([*NAMES, "run/ann.avi"], [*LABELS, 1]), "lack 1 videos of list.txt: run/ann.avi"),
        (listing([*NAMES, NAMES[0]], [*LABELS, 2]), "list.txt holds videos twice: walk/ann.avi"),
        (listing(labels=[2, 1, 2, 1, 1]), "label jump/dan.avi differently"),
        (listing(classes=["jump", "run", "stroll"]), "have other classes: stroll, walk"),
    ],
    ids=range(5),
)
def test_a_list_of_other_videos_classes_or_labels_is_refused(given, message, tmp_path):
    with pytest.raises(DataError, match=message):
        write_scores(tmp_path / "x.npz", OURS, video_list=given)
    assert not (tmp_path / "x.npz").exists()


@pytest.mark.parametrize(
    ("suffix", "lacks", "message"),
    [
        (".pkl", "labels", "a dump of MMAction2 needs labels"),
        (".npz", "labels", "npz of TSN needs one label of each video"),
        (".csv", "names", "CSV needs names of videos and classes"),
        (".json", "classes", "JSON needs names of videos and classes"),
        (".h5", "names", "needs names of videos and classes"),
    ],
)
def test_a_form_that_needs_more_than_there_is_is_refused(suffix, lacks, message, tmp_path):
    with pytest.raises(DataError, match=message):
        write_scores(tmp_path / f"x{suffix}", dataclasses.replace(OURS, **{lacks: None}))
    assert not list(tmp_path.iterdir())


def test_another_file_is_not_replaced_and_another_suffix_says_no_form(tmp_path):
    for suffix in (".h5", ".csv", ".npz"):
        path = tmp_path / f"x{suffix}"
        path.write_text("mine")
        for overwrite in (False, True):
            with pytest.raises(DataError, match="is not"):
                write_scores(path, OURS, overwrite=overwrite)
        assert path.read_text() == "mine"
        write_scores(path, OURS, overwrite=[path])
        assert read_scores(path).labels.tolist() == LABELS.tolist()
    with pytest.raises(DataError, match=r"x\.txt must end in \.h5"):
        write_scores(tmp_path / "x.txt", OURS)
    with pytest.raises(DataError, match="form 'mmaction'; did you mean mmaction2"):
        write_scores(tmp_path / "x.txt", OURS, form="mmaction")
