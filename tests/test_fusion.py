"""Fusion of aligned scores: numbers by hand, against plain dictionaries, and the report."""

import json

import numpy as np
import pytest

import classify
from classify.fusion.alignment.protocol import FusionProtocol
from classify.fusion.combining.normalize import norm_for, normalized, views_of
from classify.fusion.combining.weights import checked_weights, default_weights, parse_weights, weight_grid
from classify.fusion.fuse import fuse
from classify.fusion.scores import Scores
from classify.fusion.sources import Source, Stream, parse_source
from classify.params import NORMS
from classify.svm.linear import LinearSVM
from idt.errors import DataError
from tests import score_sets
from tests.reference import fusion as reference
from tests.score_sets import CLASSES, LABELS, VIDEOS

ROUNDING = 1e-12
TRUE = {video: CLASSES[label] for video, label in zip(VIDEOS, LABELS, strict=True)}
IDT, CNN = score_sets.classifier(0, strength=1.2), score_sets.classifier(1, strength=1.5)


def scores(made, **changes):
    return Scores(
        **{"values": made.values, "names": list(VIDEOS), "classes": list(CLASSES), "labels": LABELS, **changes}
    )


BOTH = {"idt": scores(IDT), "cnn": scores(CNN)}


def test_two_videos_by_hand():
    """Lengths are 5 and 13; 0.25 · (3, 4) / 5 + 0.75 · (12, 5) / 13 = (0.842, 0.488)."""
    one = Scores(np.array([[3.0, 4.0], [4.0, 3.0]]), ["v", "w"], ["run", "walk"], np.array([0, 0]))
    two = Scores(np.array([[12.0, 5.0], [-5.0, 12.0]]), ["v", "w"], ["run", "walk"])
    found = classify.fuse({"idt": one, "cnn": two})
    assert found.splits[0].scores[0] == pytest.approx([0.25 * 0.6 + 0.75 * 12 / 13, 0.25 * 0.8 + 0.75 * 5 / 13])
    assert found.accuracy == 0.5
    assert found.report["weights"] == {"idt": 0.25, "cnn": 0.75}
    assert found.report["norms"] == {"idt": "l2", "cnn": "l2"}
    assert [found.report["sources"][name]["accuracy"] for name in ("idt", "cnn")] == [0.5, 0.5]


@pytest.mark.parametrize("norm", ["l2", "z", "softmax", "none"])
@pytest.mark.parametrize("weights", [(0.25, 0.75), (0.5, 0.5), (1, 0)])
def test_the_fusion_is_that_of_plain_dictionaries(norm, weights):
    found = fuse(BOTH, norm=norm, weights=dict(zip(BOTH, weights, strict=True)))
    wanted = reference.fused([IDT.table(), CNN.table()], weights, [norm, norm])
    assert found.splits[0].scores == pytest.approx(np.array([list(row.values()) for row in wanted.values()]), rel=1e-12)
    assert found.accuracy == pytest.approx(reference.accuracy(wanted, TRUE), abs=ROUNDING)


def probabilities(made, views=1):
    powers = np.exp(made.values)
    return views * powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("views", [1, 30])
def test_probabilities_and_sums_of_them_become_logarithms_and_it_is_said(views):
    made = probabilities(CNN, views)
    assert views_of(made) == views
    found = fuse({"idt": scores(IDT), "cnn": scores(CNN, values=made)})
    table = {video: dict(zip(CLASSES, row, strict=True)) for video, row in zip(VIDEOS, made.tolist(), strict=True)}
    wanted = reference.fused([IDT.table(), table], (0.25, 0.75), ["l2", "logz"])
    assert found.splits[0].scores == pytest.approx(np.array([list(row.values()) for row in wanted.values()]))
    assert found.report["norms"] == {"idt": "l2", "cnn": "logz"}
    assert any("log(max(p, 1e-6))" in note for note in found.report["sources"]["cnn"]["notes"])


def test_float16_probabilities_are_known_and_margins_that_sum_to_1_by_chance_are_not():
    assert norm_for("auto", probabilities(CNN).astype(np.float16).astype(float)) == "logz"
    assert norm_for("auto", probabilities(CNN), "margins") == "l2"
    assert norm_for("auto", CNN.values) == "l2"
    assert norm_for("z", probabilities(CNN)) == "z"
    assert norm_for("auto", 1.5 * probabilities(CNN)) == "l2"


def test_a_probability_of_0_counts_as_a_millionth():
    made = normalized(np.array([[1.0, 0.0, 0.0]]), "logz")
    assert made[0] == pytest.approx(normalized(np.log([[1.0, 1e-6, 1e-6]]), "z")[0])


@pytest.mark.parametrize("scale", [1e-200, 1e200])
@pytest.mark.parametrize("norm", ["l2", "z"])
def test_the_scale_of_scores_changes_nothing(norm, scale):
    assert normalized(scale * CNN.values, norm) == pytest.approx(normalized(CNN.values, norm), rel=1e-9)


def test_streams_are_added_with_their_weights_before_they_are_normalised():
    third = score_sets.classifier(2)
    streams = Source("cnn", (Stream(scores(CNN), 2.0), Stream(scores(third), 0.5)))
    found = fuse({"idt": scores(IDT), "cnn": streams})
    summed = score_sets.Classifier(2 * CNN.values + 0.5 * third.values)
    wanted = reference.fused([IDT.table(), summed.table()], (0.25, 0.75), ["l2", "l2"])
    assert found.accuracy == pytest.approx(reference.accuracy(wanted, TRUE), abs=ROUNDING)


def test_streams_of_probabilities_are_averaged_whatever_their_views():
    streams = [(scores(CNN, values=probabilities(CNN, 30)), 1.0), (scores(CNN, values=probabilities(CNN)), 3.0)]
    found = fuse({"idt": scores(IDT), "cnn": streams})
    assert found.splits[0].gathered.raw["cnn"] == pytest.approx(probabilities(CNN))
    with pytest.raises(DataError, match=r"cnn: .* holds probabilities and another stream does not"):
        fuse({"idt": scores(IDT), "cnn": [scores(CNN), scores(CNN, values=probabilities(CNN))]})


def test_the_report_counts_what_the_trajectories_correct_and_spoil():
    report = fuse(BOTH).report
    fused, cnn = fuse(BOTH).splits[0].scores.argmax(axis=1), CNN.values.argmax(axis=1)
    corrected = [video for video, row in zip(VIDEOS, range(48), strict=True) if fused[row] == LABELS[row] != cnn[row]]
    spoiled = [video for video, row in zip(VIDEOS, range(48), strict=True) if fused[row] != LABELS[row] == cnn[row]]
    assert corrected
    assert spoiled
    assert [entry["name"] for entry in report["corrected"]] == corrected
    assert [entry["name"] for entry in report["spoiled"]] == spoiled
    assert report["accuracy"] - report["before"]["accuracy"] == pytest.approx((len(corrected) - len(spoiled)) / 48)
    assert report["before"]["sources"] == ["cnn"]
    for label, name in enumerate(CLASSES):
        mine = label == LABELS
        assert report["gain"][name] == pytest.approx((fused[mine] == label).mean() - (cnn[mine] == label).mean())
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_the_curve_ends_where_each_side_is_alone_and_meets_the_fusion():
    report = fuse(BOTH).report
    at = {point["weight"]: point["accuracy"] for point in report["curve"]}
    assert (at[0.0], at[1.0]) == (report["sources"]["cnn"]["accuracy"], report["sources"]["idt"]["accuracy"])
    assert at[0.25] == report["accuracy"]
    assert report["curve_of"] == ["idt"]


def test_numbers_of_splits_are_averaged_or_their_videos_counted_together(tmp_path):
    halves = {"1": np.arange(12), "2": np.arange(12, 48)}
    for split, rows in halves.items():
        for name, made in (("i", IDT), ("c", CNN)):
            lines = [["name", *CLASSES], *([VIDEOS[row], *made.values[row]] for row in rows)]
            (tmp_path / f"{name}{split}.csv").write_text("\n".join(",".join(map(str, line)) for line in lines) + "\n")
    sources = {"idt": str(tmp_path / "i{split}.csv"), "cnn": str(tmp_path / "c{split}.csv")}
    right = (fuse(BOTH).splits[0].scores.argmax(axis=1) == LABELS).astype(float)
    mean = fuse(sources, protocol=FusionProtocol(labels=TRUE, splits=("1", "2")))
    assert mean.accuracy == pytest.approx(np.mean([right[rows].mean() for rows in halves.values()]))
    assert mean.report["interval"]["splits"] == 2
    pool = fuse(sources, protocol=FusionProtocol(labels=TRUE, splits=("1", "2"), pool=True))
    assert pool.accuracy == pytest.approx(right.mean())
    assert pool.accuracy != mean.accuracy
    assert [len(one.values) for one in mean.scores()] == [12, 36]
    assert [one.names for one in pool.scores()] == [list(VIDEOS)]


def test_videos_of_other_splits_in_one_file_are_no_loss(tmp_path):
    for split, rows in (("1", np.arange(0, 48, 2)), ("2", np.arange(1, 47, 2))):
        lines = [["name", "label", *CLASSES]]
        lines += [[VIDEOS[row], CLASSES[LABELS[row]], *IDT.values[row]] for row in rows]
        (tmp_path / f"i{split}.csv").write_text("\n".join(",".join(map(str, line)) for line in lines) + "\n")
    sources = {"idt": str(tmp_path / "i{split}.csv"), "cnn": BOTH["cnn"]}
    protocol = FusionProtocol(splits=("1", "2"), pool=True)
    with pytest.raises(DataError, match=r"24 videos of cnn have no label in the labels.*--missing drop"):
        fuse(sources, protocol=protocol)
    found = fuse(sources, protocol=protocol, missing="drop").report
    assert found["videos"] == 47
    assert found["missing"] == [VIDEOS[47]]
    assert found["notes"][-1].startswith("1 videos were left out, because a source or the labels lack them")


def test_videos_of_several_labels_are_ranked():
    rng = np.random.default_rng(3)
    has_class = rng.random((48, 6)) < 0.3
    has_class[:, 0] |= ~has_class.any(axis=1)
    report = fuse({"idt": scores(IDT, labels=has_class), "cnn": scores(CNN, labels=has_class)}).report
    assert report["metric"] == "mean_average_precision"
    assert "accuracy" not in report
    assert (report["corrected"], report["spoiled"]) == ([], [])
    assert 0 < report["sources"]["idt"]["mean_average_precision"] < 1


def test_a_fusion_says_what_it_found_and_writes_it(tmp_path):
    found = fuse(BOTH)
    alone = [100 * found.report["sources"][name]["accuracy"] for name in BOTH]
    assert repr(found) == f"Fusion(idt {alone[0]:.2f}, cnn {alone[1]:.2f}; fused {100 * found.accuracy:.2f} % accuracy)"
    written = found.write(tmp_path / "out")
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == found.report
    assert tmp_path / "out" / "fused.h5" in written.paths
    assert found.write(tmp_path / "out").paths == []


# Weights.


def test_the_default_weighs_trajectories_a_quarter_against_all_networks():
    assert default_weights(["idt", "rgb", "flow"], ["idt"]) == {"idt": 0.25, "rgb": 0.375, "flow": 0.375}
    assert default_weights(["a", "b"], []) == {"a": 0.5, "b": 0.5}
    assert fuse({"hmdb_idt_1": scores(IDT), "x": scores(CNN)}).report["weights"] == {"hmdb_idt_1": 0.25, "x": 0.75}
    assert fuse({"exact": scores(IDT), "fast": scores(CNN)}).report["weights"] == {"exact": 0.5, "fast": 0.5}
    ours = fuse({"exact": scores(IDT, form="idt"), "net": scores(CNN, form="tsn")}).report
    assert ours["weights"] == {"exact": 0.25, "net": 0.75}


def test_weights_are_read_and_brought_to_the_sum_1():
    assert checked_weights(parse_weights("idt=1, cnn=3"), ["idt", "cnn"]) == {"idt": 0.25, "cnn": 0.75}
    assert fuse(BOTH, weights={"idt": 1, "cnn": 3}).accuracy == fuse(BOTH).accuracy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("idt=-0.1,cnn=1", "weight of idt must be a number from 0 to 1e.06, got -0.1"),
        ("idt=0,cnn=0", "weights sum to 0"),
        ("idt=0.5", "weights lack cnn"),
        ("idtt=0.5,cnn=0.5", "'idtt', which is no source; sources are idt, cnn; did you mean idt"),
        ("idt=0.5,cnn=half", "NAME=NUMBER,NAME=NUMBER, got 'cnn=half'"),
        ("0.5,0.5", "NAME=NUMBER,NAME=NUMBER"),
        ("idt=1,idt=2,cnn=1", "weights name idt twice"),
        ("idt=nan,cnn=1", "weight of idt must be a number"),
        ("idt=inf,cnn=1", "weight of idt must be a number"),
    ],
)
def test_weights_that_cannot_be_meant_are_refused(text, message):
    with pytest.raises(DataError, match=message):
        checked_weights(parse_weights(text), ["idt", "cnn"])


def validation(seed=10):
    names = [f"{name}_held_out" for name in VIDEOS]
    pair = (score_sets.classifier(seed, strength=0.5), score_sets.classifier(seed + 1, strength=2.5))
    return {name: scores(made, names=names) for name, made in zip(BOTH, pair, strict=True)}, pair


def test_a_search_takes_the_weights_that_are_best_on_validation_videos():
    held_out, (idt, cnn) = validation()
    found = fuse(BOTH, weights="search", validation=held_out)
    best = found.report["weights"]["idt"]
    tables = [idt.table(), cnn.table()]
    grid = {
        weight: reference.accuracy(reference.fused(tables, (weight, 1 - weight), ["l2", "l2"]), TRUE)
        for weight in np.arange(101) / 100
    }
    assert grid[round(best, 2)] == max(grid.values())
    nearest = min(
        (weight for weight, share in grid.items() if share == max(grid.values())), key=lambda w: abs(w - 0.25)
    )
    assert best == pytest.approx(nearest)
    assert found.report["weights_from"] == "validation"
    assert found.accuracy == fuse(BOTH, weights=found.report["weights"]).accuracy


def test_a_search_on_the_test_videos_is_called_so():
    found = fuse(BOTH, weights="test")
    assert found.accuracy >= fuse(BOTH).accuracy
    assert found.report["weights_from"] == "test"
    assert "do not quote" in found.report["notes"][0]


def test_weights_of_a_grid_are_all_multiples_that_sum_to_1():
    grid = weight_grid(3, 4)
    assert len({tuple(row) for row in grid.tolist()}) == len(grid) == 15
    assert (grid >= 0).all()
    assert grid.sum(axis=1) == pytest.approx(1)
    with pytest.raises(DataError, match="a search over 30 sources"):
        weight_grid(30, 8)


def test_a_machine_is_trained_on_the_stacked_scores_of_validation_videos():
    held_out, (idt, cnn) = validation()
    found = fuse(BOTH, weights="svm", validation=held_out, C=2.0)

    def stacked(one, two):
        return np.hstack(
            [values / np.linalg.norm(values, axis=1, keepdims=True) for values in (one.values, two.values)]
        )

    machine = LinearSVM(C=2.0).fit(stacked(idt, cnn), LABELS)
    assert found.splits[0].scores == pytest.approx(machine.scores(stacked(IDT, CNN)))
    assert (found.report["weights"], found.report["curve"]) == ({}, [])


def test_validation_videos_must_not_be_test_videos():
    held_out, _ = validation()
    with pytest.raises(DataError, match="48 validation videos are test videos: brush_hair"):
        fuse(BOTH, weights="search", validation=BOTH)
    with pytest.raises(DataError, match="validation scores must be those of idt, cnn, got idt, rgb"):
        fuse(BOTH, weights="search", validation={"idt": held_out["idt"], "rgb": held_out["cnn"]})
    with pytest.raises(DataError, match="go together"):
        fuse(BOTH, weights="search")
    with pytest.raises(DataError, match="go together"):
        fuse(BOTH, validation=held_out)


def test_validation_labels_may_lack_a_class_and_may_not_have_another():
    held_out, _ = validation()
    rows = LABELS < 5
    part = {
        name: Scores(one.values[rows], list(np.array(one.names)[rows]), one.classes, LABELS[rows])
        for name, one in held_out.items()
    }
    found = fuse(BOTH, weights="svm", validation=part)
    assert found.splits[0].scores.shape == (48, 6)
    assert (found.splits[0].scores.argmax(axis=1) != 5).all()


# Sources.


def test_a_source_is_read_as_it_is_written(tmp_path):
    assert parse_source("cnn=a.npz*2+b.npz+c.npz*0.5") == Source(
        "cnn", (Stream("a.npz", 2.0), Stream("b.npz"), Stream("c.npz", 0.5))
    )
    assert parse_source("dir/iframe_split{split}.npz").name == "iframe"
    odd = tmp_path / "a+b*2=c.npz"
    odd.touch()
    assert parse_source(f"x={odd}*3").streams == (Stream(str(odd), 3.0),)
    assert parse_source(str(odd)).streams == (Stream(str(odd)),)
    at = parse_source("cnn=a{split}.npz+b.npz").for_split("2")
    assert [stream.scores for stream in at.streams] == ["a2.npz", "b.npz"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cnn=a.npz*-1", "weight of a.npz must be a number from 0"),
        ("cnn=", "a source without a file"),
        ("cnn=a.npz++b.npz", "a source without a file"),
        ("cnn=a.npz*0", "needs a file with a weight above 0"),
        ("cnn=a.npz*1e", "weight of a.npz must be a number, got '1e'"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused(text, message):
    with pytest.raises(DataError, match=message):
        parse_source(text)


@pytest.mark.parametrize(
    ("sources", "options", "message"),
    [
        ({"idt": scores(IDT)}, {}, "at least two sources, got 1"),
        ([Source("a", (Stream(scores(IDT)),)), Source("a", (Stream(scores(CNN)),))], {}, "two sources are called a"),
        (BOTH, {"norm": "l1"}, "norm of idt must be one of auto, l2"),
        (BOTH, {"norm": {"rgb": "l2"}}, "norm names 'rgb', which is no source"),
        (BOTH, {"weights": "best"}, "one of search, svm, test, got 'best'"),
        (BOTH, {"missing": "ignore"}, "missing must be one of refuse, drop"),
        (BOTH, {"norm": {"cnn": "logz"}}, "cnn has negative scores, which are no probabilities"),
        ({"idt": scores(IDT), "cnn": scores(CNN, values=np.zeros((48, 6)))}, {}, "the scores of 48 videos"),
        ({"idt": scores(IDT), "cnn": scores(CNN, values=np.ones((48, 6)))}, {}, "all equal|all are equal"),
    ],
)
def test_what_cannot_be_fused_is_refused(sources, options, message):
    with pytest.raises(DataError, match=message):
        fuse(sources, **options)


def test_every_norm_has_a_name():
    for norm in NORMS[1:]:
        values = probabilities(CNN) if norm == "logz" else CNN.values
        assert normalized(values, norm).shape == values.shape
    with pytest.raises(DataError, match="norm of scores must be one of"):
        normalized(CNN.values, "auto")
