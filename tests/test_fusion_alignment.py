"""Rows and columns of score files are matched by name: the traps of real files, one by one, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from classify.fusion.alignment.align import align
from classify.fusion.alignment.names import class_key, folded, match, stem
from classify.fusion.alignment.protocol import FusionProtocol
from classify.fusion.alignment.truth import named_truth
from classify.fusion.fuse import fuse
from classify.fusion.scores import Scores
from classify.fusion.sources import Source, Stream
from idt.errors import DataError
from tests import score_sets
from tests.reference import fusion as reference
from tests.score_sets import CLASSES, LABELS, TRAINING, VIDEOS

IDT, CNN = score_sets.classifier(0, strength=1.2), score_sets.classifier(1, strength=1.5)
TRUE = {video: CLASSES[label] for video, label in zip(VIDEOS, LABELS, strict=True)}
ROUNDING = 1e-12
"""Accuracies are whole numbers of videos over one number."""

SHUFFLED = np.random.default_rng(5).permutation(len(VIDEOS))


def wanted(tables=(IDT, CNN), weights=(0.25, 0.75)):
    """The accuracy of the fusion, from plain dictionaries."""
    return reference.accuracy(reference.fused([one.table() for one in tables], weights, ["l2"] * len(tables)), TRUE)


def alone(one):
    return reference.accuracy(one.table(), TRUE)


@pytest.fixture
def lists(tmp_path):
    return str(score_sets.write_lists(tmp_path / "lists"))


def checked(found):
    """The fusion of IDT and CNN gives what dictionaries give, together and alone."""
    assert found.accuracy == pytest.approx(wanted(), abs=ROUNDING)
    numbers = found.report["sources"]
    assert numbers["idt"]["accuracy"] == pytest.approx(alone(IDT), abs=ROUNDING)
    assert numbers["cnn"]["accuracy"] == pytest.approx(alone(CNN), abs=ROUNDING)
    return numbers


def test_names_lose_folder_suffix_case_and_special_characters():
    assert stem("clap/Mr._Bean.AVI") == "Mr._Bean"
    assert stem("Mr._Bean_1") == "Mr._Bean_1"
    assert folded("clap/#1_[NEW]!.avi") == "_1__new__"
    assert folded("HandstandPushups/v_HandStandPushups_g01_c01.avi") == folded("HandstandPushups_g01_c01")
    assert class_key("HandStandPushups") == class_key("Handstand pushups")


def test_exact_names_come_before_folded_ones():
    found = match(["a/x-1", "b/y"], ["a/X_1", "a/x-1", "Y.avi"])
    assert found.places.tolist() == [1, 2]
    assert (found.rules["exact"], found.rules["folded"]) == (1, 1)
    assert not found.ambiguous


def test_a_name_that_two_could_mean_is_ambiguous():
    assert match(["x-1"], ["X_1", "x_1"]).ambiguous == ["X_1 and x_1 for x-1"]
    assert match(["a/x-1", "b/x_1"], ["x.1"]).ambiguous == ["x.1 for a/x-1 and b/x_1"]


def test_a_training_video_is_not_folded_onto_a_test_video():
    assert match(["clap/boom-snap_0"], ["Boom_Snap_0"]).places.tolist() == [0]
    assert match(["clap/boom-snap_0"], ["Boom_Snap_0"], other_videos=["clap/Boom_Snap_0"]).places.tolist() == [-1]


# The traps of docs/method/fusion.md, section 2, each in files of the forms that have it.


def test_trap_1_classes_in_the_order_of_file_names_and_2_in_a_third_order(tmp_path, lists):
    """LTC's columns put climb_stairs before climb, CoViAR's are again others; neither file names its classes."""
    sources = {
        "idt": score_sets.write_ltc(tmp_path / "i.mat", IDT, classes=(0, 2, 1, 4, 3, 5)),
        "cnn": score_sets.write_coviar(tmp_path / "c.npz", CNN),
    }
    numbers = checked(fuse(sources, protocol=FusionProtocol(lists=lists)))
    assert numbers["idt"]["columns"] == ["found by the labels of the videos"]


def test_trap_1_matched_by_column_the_numbers_would_be_others():
    """The test above can fail: without names the accuracy falls."""
    swapped = IDT.values[:, [0, 2, 1, 4, 3, 5]]
    scaled = [values / np.linalg.norm(values, axis=1, keepdims=True) for values in (swapped, CNN.values)]
    assert (np.argmax(0.25 * scaled[0] + 0.75 * scaled[1], axis=1) == LABELS).mean() < wanted() - 0.02


@pytest.mark.parametrize("with_lists", [True, False])
def test_trap_3_names_with_replaced_characters_and_streams_with_different_names(tmp_path, lists, with_lists):
    first = score_sets.write_coviar(tmp_path / "a.npz", CNN)
    second = score_sets.write_coviar(tmp_path / "b.npz", CNN, order=SHUFFLED, name=str)
    sources = {"idt": score_sets.write_ltc(tmp_path / "i.mat", IDT), "cnn": f"{first}*2+{second}"}
    numbers = checked(fuse(sources, protocol=FusionProtocol(lists=lists if with_lists else None)))
    assert sum(numbers["cnn"]["matched"].values()) == 2 * len(VIDEOS)
    assert numbers["cnn"]["matched"]["folded"] > 0


def test_trap_4_names_that_are_folded_to_one(tmp_path, lists):
    """A test video and a training video have one folded name: only the exact spelling tells them apart."""
    truth = FusionProtocol(lists=lists).truth("1", [], [], "test")
    assert folded(truth.names[0]) == folded(TRAINING[0])
    given = [video.upper() if row else TRAINING[0] for row, video in enumerate(VIDEOS)]
    with pytest.raises(DataError, match="cnn lacks 1 of 48 videos, brush_hair/boom-snap"):
        fuse(
            {"idt": Scores(IDT.values, list(VIDEOS), list(CLASSES)), "cnn": Scores(CNN.values, given, list(CLASSES))},
            protocol=FusionProtocol(lists=lists),
        )
    both = ["brush-hair/boom.snap.clap_brush_hair_u_0", "brush-hair/boom snap clap_brush_hair_u_0", *VIDEOS[1:]]
    with pytest.raises(DataError, match=r"names that cannot be told apart: brush-hair/boom\.snap"):
        fuse(
            {
                "idt": Scores(IDT.values, list(VIDEOS), list(CLASSES)),
                "cnn": Scores(CNN.values[[0, *range(len(VIDEOS))]], both, list(CLASSES)),
            },
            protocol=FusionProtocol(lists=lists),
        )


def test_trap_5_handstand_pushups_are_spelled_in_two_ways():
    names = ["HandstandPushups/v_HandStandPushups_g01_c01", "YoYo/v_YoYo_g01_c01"]
    truth = named_truth(dict(zip(names, ["HandstandPushups", "YoYo"], strict=True)))
    other = Scores(np.eye(2)[::-1], ["YoYo_g01_c01", "HandstandPushups_g01_c01"], ["HandStandPushups", "YoYo"])
    assert align(other, truth, "x").values.tolist() == [[1, 0], [0, 1]]


def test_trap_6_videos_that_are_numbers_of_lines(tmp_path):
    """ActionVLAD's lists name videos ``class/line``, with the line of AllVideos.txt, from 1."""
    every = sorted((*VIDEOS, *TRAINING))
    (tmp_path / "AllVideos.txt").write_text("".join(f"{name}\n" for name in every))
    lines = [
        f"{CLASSES[label]}/{every.index(video) + 1} 90 {label}" for video, label in zip(VIDEOS, LABELS, strict=True)
    ]
    (tmp_path / "test.txt").write_text("\n".join(np.array(lines)[SHUFFLED]) + "\n")
    np.save(tmp_path / "rgb.npy", CNN.values[SHUFFLED])
    numbered = Source(
        "cnn",
        (Stream(str(tmp_path / "rgb.npy")),),
        order=str(tmp_path / "test.txt"),
        numbering_list=str(tmp_path / "AllVideos.txt"),
    )
    checked(fuse({"idt": score_sets.write_ltc(tmp_path / "i.mat", IDT), "cnn": numbered}))


@pytest.mark.parametrize("transposed", [True, False])
def test_trap_7_a_matrix_without_names_that_may_be_transposed(tmp_path, lists, transposed):
    order = score_sets.write_list(tmp_path / "test.txt", labels=LABELS)
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    matrix = score_sets.write_matrix(tmp_path / "m.mat", CNN, transposed=transposed)
    source = Source("cnn", (Stream(str(matrix)),), order=str(order), classes=str(tmp_path / "classes.txt"))
    found = fuse(
        {"idt": score_sets.write_ltc(tmp_path / "i.mat", IDT), "cnn": source}, protocol=FusionProtocol(lists=lists)
    )
    numbers = checked(found)
    assert numbers["cnn"]["matched"] == {"by position in a list": len(VIDEOS)}
    assert ("the matrix is transposed: its columns are the videos" in numbers["cnn"]["notes"]) == transposed


@pytest.mark.parametrize("first", [0, 1])
def test_trap_8_labels_that_begin_at_1(tmp_path, lists, first):
    idt = score_sets.write_ltc(tmp_path / "i.mat", IDT, first=first)
    cnn = score_sets.write_coviar(tmp_path / "c.npz", CNN)
    numbers = checked(fuse({"idt": idt, "cnn": cnn}, protocol=FusionProtocol(lists=lists)))
    assert ("labels begin at 1" in numbers["idt"]["notes"]) == (first == 1)


def test_trap_9_files_without_names_need_a_list_of_their_length_and_labels(tmp_path, lists):
    cnn = score_sets.write_matrix(tmp_path / "m.mat", CNN)
    idt = score_sets.write_ltc(tmp_path / "i.mat", IDT)
    protocol = FusionProtocol(lists=lists)

    def given(order):
        return {"idt": idt, "cnn": Source("cnn", (Stream(str(cnn)),), order=order and str(order))}

    with pytest.raises(DataError, match="without names or labels"):
        fuse(given(None), protocol=protocol)
    short = score_sets.write_list(tmp_path / "short.txt", names=VIDEOS[1:], labels=LABELS[1:])
    with pytest.raises(DataError, match=r"expected 47 videos|47"):
        fuse(given(short), protocol=protocol)
    labels = LABELS.copy()
    labels[3] = 5
    with pytest.raises(DataError, match=r"the labels of 1 of 48 videos contradict"):
        fuse(given(score_sets.write_list(tmp_path / "odd.txt", labels=labels)), protocol=protocol)


def write_tsn(path, made, *, frames, crops, rng):
    """TSN's npz: scores of frames and crops before the softmax, whose mean is that of the classifier; no names."""
    rows = np.empty((len(VIDEOS), 2), object)
    for place, (row, label) in enumerate(zip(made.values, LABELS, strict=True)):
        spread = rng.normal(size=(frames, crops, len(CLASSES)))
        rows[place] = (row + spread - spread.mean(axis=(0, 1))).astype(np.float32), int(label)
    np.savez(path, scores=rows, labels=LABELS)
    return path


def test_the_two_stream_recipe_of_tsn(tmp_path):
    """rgb 1 : flow 1.5 of the means over 25 frames and 10 crops, before the softmax, as TSN adds them."""
    rng = np.random.default_rng(7)
    flow = score_sets.classifier(4)
    for stream, made in (("rgb", CNN), ("flow", flow)):
        write_tsn(tmp_path / f"{stream}.npz", made, frames=25, crops=10, rng=rng)
    pairs = [np.load(tmp_path / f"{stream}.npz", allow_pickle=True)["scores"][:, 0] for stream in ("rgb", "flow")]
    total = np.array([one.mean(axis=(0, 1)) + 1.5 * two.mean(axis=(0, 1)) for one, two in zip(*pairs, strict=True)])
    order = str(score_sets.write_list(tmp_path / "test.txt", labels=LABELS))
    streams = (Stream(str(tmp_path / "rgb.npz")), Stream(str(tmp_path / "flow.npz"), 1.5))
    idt = Source("idt", (Stream(str(score_sets.write_ltc(tmp_path / "i.mat", IDT))),))
    found = fuse([idt, Source("cnn", streams, order=order)])
    assert found.report["sources"]["cnn"]["accuracy"] == (total.argmax(axis=1) == LABELS).mean()
    assert found.splits[0].gathered.raw["cnn"] == pytest.approx(total, abs=1e-5)
    assert found.accuracy == pytest.approx(wanted((IDT, score_sets.Classifier(total))), abs=ROUNDING)


# Laws: whatever does not change the scores of a video for a class does not change a number.


@pytest.mark.parametrize("seed", range(3))
def test_orders_of_rows_and_classes_and_spellings_change_nothing(tmp_path, lists, seed):
    rng = np.random.default_rng(seed)
    idt = score_sets.write_ltc(
        tmp_path / "i.mat", IDT, order=rng.permutation(len(VIDEOS)), classes=rng.permutation(len(CLASSES))
    )
    cnn = score_sets.write_coviar(
        tmp_path / "c.npz", CNN, order=rng.permutation(len(VIDEOS)), classes=rng.permutation(len(CLASSES))
    )
    checked(fuse({"idt": idt, "cnn": cnn}, protocol=FusionProtocol(lists=lists)))
    checked(fuse({"idt": idt, "cnn": cnn}))
    checked(fuse({"idt": idt, "cnn": cnn}, protocol=FusionProtocol(labels=TRUE)))


def large(n_classes=10, each=30, *, strength=3.0, seed=0):
    """A set that is large enough to notice an order by its scores."""
    labels = np.repeat(np.arange(n_classes), each)
    values = np.random.default_rng(seed).normal(size=(len(labels), n_classes))
    values[np.arange(len(labels)), labels] += strength
    return values, labels


def order_of(tmp_path, labels):
    lines = [f"v{row} {label}" for row, label in enumerate(labels)]
    (tmp_path / "list.txt").write_text("\n".join(lines) + "\n")
    return str(tmp_path / "list.txt")


def fused_by_position(tmp_path, values, labels):
    np.save(tmp_path / "a.npy", values)
    order = order_of(tmp_path, labels)
    return fuse({name: Source(name, (Stream(str(tmp_path / "a.npy")),), order=order) for name in ("one", "two")})


def test_scores_in_the_order_of_a_list_are_taken(tmp_path):
    values, labels = large()
    found = fused_by_position(tmp_path, values, labels)
    assert found.accuracy == (values.argmax(axis=1) == labels).mean() > 0.8


def test_two_classes_that_change_places_without_names_are_noticed(tmp_path):
    values, labels = large()
    values[:, [3, 7]] = values[:, [7, 3]]
    with pytest.raises(
        DataError, match=r"the columns of 3, 7 seem to be in another order, in which \d\d of their videos"
    ):
        fused_by_position(tmp_path, values, labels)


def test_rows_in_another_order_without_names_are_noticed(tmp_path):
    values, labels = large()
    with pytest.raises(DataError, match=r"no more than (by )?chance"):
        fused_by_position(tmp_path, np.random.default_rng(0).permutation(values), labels)


def test_a_weak_classifier_is_not_taken_for_a_wrong_order(tmp_path):
    values, labels = large(strength=0.8)
    found = fused_by_position(tmp_path, values, labels)
    assert 0.2 < found.accuracy < 0.5


# Refusals.


def scores(**changes):
    return replace(Scores(IDT.values, list(VIDEOS), list(CLASSES), LABELS, path="a.h5"), **changes)


def other(**changes):
    return scores(values=CNN.values, labels=None, path="b.h5", **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": [*CLASSES[:5], "swrod"]}, r"1 unknown classes, swrod; 1 missing classes, sword"),
        ({"classes": [*CLASSES[:4], "kick ball", "Kick_Ball"]}, "classes that cannot be told apart|unknown"),
        ({"classes": None}, "names no classes and has no labels"),
        ({"classes": None, "values": CNN.values[:, :5]}, "5 columns and no names of classes, expected 6"),
        ({"classes": list(CLASSES[:5]), "values": CNN.values[:, :5]}, "has 5 classes, expected 6: 1 missing"),
        ({"names": None}, "names no videos"),
        (
            {"names": [f"x{row}" for row in range(len(VIDEOS))]},
            r"none of the 48 videos.*names such as brush_hair/b",
        ),
        ({"names": [*VIDEOS[:-1], "elsewhere"]}, "lacks 1 of 48 videos, sword/.*; 1 videos of two have no label"),
        ({"names": [*VIDEOS[:-2], VIDEOS[0], VIDEOS[0]]}, "cannot be told apart"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(changes, message):
    given = {"labels": None, **changes}
    with pytest.raises(DataError, match=message):
        fuse({"one": scores(), "two": replace(scores(values=CNN.values, path="b.h5"), **given)})


def test_labels_that_disagree_between_files_are_refused_with_the_videos():
    labels = LABELS.copy()
    labels[[1, 9]] = [3, 0]
    with pytest.raises(
        DataError, match=r"labels of 2 of 48 videos contradict the labels in a\.h5: brush_hair/A_#.*kick"
    ):
        fuse({"one": scores(), "two": scores(values=CNN.values, labels=labels, path="b.h5")})
    with pytest.raises(DataError, match="labels of 2 of 48 videos contradict"):
        fuse({"one": scores(), "two": scores(values=CNN.values, labels=labels, classes=None, path="b.h5")})


def test_columns_that_no_video_tells_are_refused_and_a_single_one_follows():
    rows = LABELS < 5
    part = {"names": list(np.array(VIDEOS)[rows]), "labels": LABELS[rows]}
    one = scores(values=IDT.values[rows], **part)
    order = np.array([2, 0, 1, 5, 4, 3])
    permuted = scores(
        values=CNN.values[rows][:, order], classes=None, names=part["names"], labels=np.argsort(order)[LABELS[rows]]
    )
    found = fuse({"one": one, "two": permuted})
    assert found.report["sources"]["two"]["accuracy"] == (CNN.values[rows].argmax(axis=1) == LABELS[rows]).mean()
    rows = LABELS < 4
    part = {"names": list(np.array(VIDEOS)[rows])}
    one = scores(values=IDT.values[rows], labels=LABELS[rows], **part)
    two = scores(values=CNN.values[rows][:, order], classes=None, labels=np.argsort(order)[LABELS[rows]], **part)
    with pytest.raises(
        DataError, match="columns of 2 classes cannot be told, because no video has them: kick_ball, sword"
    ):
        fuse({"one": one, "two": two})


def test_a_list_that_numbers_its_classes_takes_their_names_from_a_file_with_labels(tmp_path):
    order = score_sets.write_list(
        tmp_path / "list.txt", suffix=".avi", labels=LABELS, names=[f"v{i}" for i in range(48)]
    )
    named = scores(names=[f"v{row}" for row in range(48)])
    found = fuse(
        {"one": named, "two": replace(named, values=CNN.values, classes=None, labels=None)},
        protocol=FusionProtocol(lists=str(order)),
    )
    assert found.report["classes"] == list(CLASSES)
    assert found.report["sources"]["two"]["accuracy"] == pytest.approx(alone(CNN), abs=ROUNDING)


def test_missing_videos_are_dropped_if_asked_for():
    rows = np.arange(3, len(VIDEOS))
    part = scores(values=CNN.values[rows], names=[VIDEOS[row] for row in rows], labels=LABELS[rows], path="b.h5")
    with pytest.raises(DataError, match=r"two lacks 3 of 48 videos.*--missing drop"):
        fuse({"one": scores(), "two": part})
    found = fuse({"one": scores(), "two": part}, missing="drop")
    assert found.report["videos"] == 45
    assert found.report["missing"] == list(VIDEOS[:3])
    assert "3 videos were left out" in found.report["notes"][-1]
    assert found.report["sources"]["one"]["accuracy"] == (IDT.values[rows].argmax(axis=1) == LABELS[rows]).mean()


def test_files_without_any_labels_are_refused():
    with pytest.raises(DataError, match="none of the files has labels"):
        fuse({"one": other(), "two": scores(labels=None)})
