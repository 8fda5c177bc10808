"""Every number of `expected.json` beside ours, as a Markdown table: python -m tests.untrimmed.expected_table OUT.md.

Ends with status 1 if a number differs from what is expected by more than half a unit of its last digit.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.spatial.distance import cdist

from classify.metrics import average_precision
from classify.untrimmed import dtw
from classify.untrimmed.detection_metrics import detection_precision, mean_precision
from classify.untrimmed.formats import activitynet, frame_labels, thumos
from classify.untrimmed.frame_metrics import frame_scores
from classify.untrimmed.protocols import evaluate_frames, evaluate_segments
from classify.untrimmed.suppression import suppress
from classify.untrimmed.viterbi import decode_frames
from idt.command import say
from tests.untrimmed import others
from tests.untrimmed.test_dtw import DISTANCE, examples
from tests.untrimmed.test_dtw import rows as as_rows

TENTHS = tuple(round(0.1 * i, 1) for i in range(1, 8))
NMS = "scnn, official evaluation, NMS at tiou - 0.1"
OFFICIAL = "scnn_nms0.2.txt, official evaluation"
TIE_FREE = "scnn_tiefree.json, ActivityNet evaluation"
STRICT = "mAP_0/0_as_0, stable order"


def agreement(name, found, expected, by):
    """Yield the rows of a `FrameScores`."""
    ours = {
        "videos": found.videos,
        "frames": found.frames,
        "mof_pooled": 100 * found.accuracy_pooled,
        "acc_mean_of_videos": 100 * found.accuracy_mean,
        "edit_mean_of_videos": 100 * found.edit,
    }
    for overlap, counts in found.counts.items():
        ours |= {
            f"f1_pooled@{overlap:g}": 100 * found.f1_pooled[overlap],
            f"f1_mean_of_videos@{overlap:g}": 100 * found.f1_mean[overlap],
            f"tp_fp_fn@{overlap:g}": list(counts),
        }
    for key, wanted in expected.items():
        if key in ours:
            yield f"{name}: {key}", wanted, ours[key], by


def lea():
    """Files of Lea et al."""
    for data_set, models in others.TCN.items():
        for model in models:
            truths, predictions, _ = others.tcn(data_set, model)
            found = frame_scores(truths, predictions, background=(5 if data_set == "MERL" else 0,))
            name = f"{data_set}/{model}"
            yield from agreement(name, found, others.expected("tcn", name), "`frame_scores`")


def decoding():
    """Viterbi decoding of the scores of a model of Lea et al."""
    truths, _, scores = others.tcn("GTEA", "SVM")
    for penalty, expected in others.expected("viterbi_GTEA_SVM").items():
        decoded = [decode_frames(of_video, float(penalty)) for of_video in scores]
        labels = [classes for classes, _ in decoded]
        name, by = f"Viterbi, GTEA/SVM, λ = {penalty}", "`decode_frames`"
        yield f"{name}: objective", expected["objective"], sum(objective for _, objective in decoded), by
        changes = sum(int(np.count_nonzero(np.diff(classes))) for classes in labels)
        yield f"{name}: changes", expected["changes"], changes, by
        yield from agreement(name, frame_scores(truths, labels, background=(0,)), expected, f"{by}, `frame_scores`")


def mstcn():
    """Files of MS-TCN."""
    for data_set in ("gtea", "50salads"):
        folder = others.place() / "mstcn" / data_set
        by = f"`idt-segment results --evaluate {data_set}`"
        for split, found in evaluate_frames(data_set, folder, folder / "results").items():
            name = f"{data_set}/{split.replace(' ', '_')}"
            yield from agreement(name, found, others.expected("mstcn", name), by)
    folder, name = others.place() / "mstcn" / "50salads", "50salads/split_1, action_start and action_end removed"
    _, truths, found = frame_labels.read_split(
        folder, folder / "splits" / "test.split1.bundle", folder / "results" / "split_1"
    )
    scores = frame_scores(truths, found, background=("action_start", "action_end"))
    yield from agreement(name, scores, others.expected("mstcn", name), "`read_split`, `frame_scores`")


def thumos14():
    """Detections of S-CNN, by both rules."""
    truth, detections = others.thumos(), others.scnn()
    sure = truth.rows(truth.labels != "Ambiguous")
    published = loadmat(others.place() / "thumos14" / "scnn" / "res_scnn_thumos14.mat")["AP_all"].ravel()
    for number, (overlap, expected) in enumerate(others.expected("thumos14", NMS).items()):
        name, by = (
            f"S-CNN, official rule, tIoU {overlap}",
            '`suppress(ties="last")`, `detection_precision(rule="thumos14")`',
        )
        kept = suppress(detections, expected["nms_threshold"], ties="last")
        found = detection_precision(truth, others.submitted(kept), [float(overlap)], rule="thumos14")
        yield f"{name}: kept", expected["kept"], len(kept), "`suppress`"
        yield f"{name}: mAP", expected["mAP"], float(np.mean([value[0] for value in found.values()])), by
        for label, wanted in expected["AP"].items():
            yield f"{name}: AP {label}", wanted, float(found[label][0]), by
        most = np.abs(published[number].ravel() - [value[0] for value in found.values()]).max()
        yield f"{name}: largest difference from the authors' own file of 20 APs, below 1e-15", 0.0, float(most), by
    place = others.place() / "thumos14"
    expected = others.expected("thumos14", OFFICIAL)
    found = evaluate_segments("thumos14", place / "annotation_test", place / "scnn_nms0.2.txt")
    by = "`idt-segment scnn_nms0.2.txt --evaluate thumos14`"
    yield "scnn_nms0.2.txt, official: mAP at .1 … .7", expected["mAP"], list(found.values()), by
    rows = thumos.read_submission(place / "scnn_nms0.2.txt", place / "annotation_test" / thumos.CLASSES)
    rows = rows.rows(np.argsort(rows.videos, kind="stable"))
    means = mean_precision(sure, rows, TENTHS, rule="thumos14").tolist()
    wanted = expected["mAP_without_ambiguous_rule"]
    yield "the same without the ambiguous rule", wanted, means, '`mean_precision(rule="thumos14")`'
    expected = others.expected("thumos14", TIE_FREE)
    rows = activitynet.read_detections(place / "scnn_tiefree.json")
    yield "scnn_tiefree.json: predictions", expected["predictions"], len(rows), "`activitynet.read_detections`"
    circulating = activitynet.read_truth(place / "thumos_gt.json", subset="test")
    for name, key, of in (
        ("thumos_gt.json", "mAP_thumos_gt_json", circulating),
        ("all 3,358 truths", "mAP_all_3358", sure),
    ):
        means = mean_precision(of, rows, TENTHS).tolist()
        yield f"scnn_tiefree.json, ActivityNet's rule, {name}: mAP at .1 … .7", expected[key], means, "`mean_precision`"
    mean = float(np.mean(mean_precision(circulating, rows, TENTHS)))
    yield "scnn_tiefree.json: mean", expected["mean_thumos_gt_json"], mean, "`mean_precision`"
    of_class = detection_precision(circulating, rows, [0.5])
    for label, wanted in expected["AP@0.5_thumos_gt_json"].items():
        yield f"scnn_tiefree.json: AP@0.5 {label}", wanted, float(of_class[label][0]), "`detection_precision`"


def of_videos():
    """Untrimmed classification by the scores of UntrimmedNet."""
    folder = others.place() / "thumos14"
    scores, videos = np.load(folder / "uNet_test.npy"), loadmat(folder / "test_set_meta.mat")["test_videos"][0]
    plain = np.array([str(video["background_video"].ravel()[0]) == "YES" for video in videos])
    for name, wanted in others.expected("thumos14", "uNet_test.npy, mAP over 101 classes").items():
        truth = np.zeros(scores.shape, bool)
        for row, video in enumerate(videos):
            indices = [] if plain[row] else list(video["primary_action_index"].ravel())
            if "secondary" in name:
                indices += list(video["secondary_actions_indices"].ravel())
            truth[row, [int(index) - 1 for index in indices if 1 <= int(index) <= scores.shape[1]]] = True
        kept = ~plain if "without background" in name else np.ones(len(plain), bool)
        found = average_precision(truth[kept], scores[kept], np.arange(scores.shape[1]))
        yield f"uNet_test.npy: {name}", wanted, float(100 * np.nanmean(found)), "`classify.metrics.average_precision`"


def activity_net():
    """Files of ActivityNet and MMAction2."""
    place = others.place() / "activitynet"
    expected, folder = others.expected("activitynet", "eval_localization"), place / "eval_localization"
    found = list(evaluate_segments("activitynet", folder / "gt.json", folder / "result.json").values())
    by = "`idt-segment result.json --evaluate activitynet`"
    yield "eval_localization: mAP at .5 … .95", expected["mAP"], found, by
    yield "eval_localization: average", expected["average"], float(np.mean(found)), by
    expected = others.expected("activitynet", "sample_detection_cut")
    truth = activitynet.read_truth(place / "database_cut.json", subset="validation", instants=True)
    rows = activitynet.read_detections(place / "sample_detection_cut.json", instants=True)
    yield "sample_detection_cut: classes", expected["classes"], len(set(truth.labels.tolist())), "`read_truth`"
    yield "sample_detection_cut: truths", expected["truths"], len(truth), "`read_truth`"
    means = mean_precision(truth, rows, [0.5 + 0.05 * i for i in range(10)])
    yield f"sample_detection_cut: {STRICT}", expected[STRICT], float(means.mean()), "`mean_precision`"


def of_squirrel():
    """The list of an iDT detector."""
    place = others.place() / "squirrel"
    names = ["background", *(line.split()[1] for line in (place / "class-mapping.txt").read_text().splitlines())]
    labels = [names[int(label)] for label in frame_labels.read_labels(place / "video_test_0000238")]
    found = frame_labels.read_result(place / "reference-output.txt")
    found = np.concatenate([found, np.repeat(found[-1:], len(labels) - len(found))])
    scores = frame_scores([labels], [found], background=("background",))
    yield from agreement("squirrel", scores, others.expected("squirrel"), "`read_result`, `frame_scores`")


def warping():
    """Dynamic time warping of features of Breakfast, and worked examples."""
    folder = others.place() / "breakfast"
    features = {path.name[:3]: np.load(path).T for path in sorted((folder / "features").glob("*.npy"))}
    labels = {path.name[:3]: frame_labels.read_labels(path) for path in (folder / "groundTruth").iterdir()}
    for expected in others.expected("breakfast_dtw"):
        first, second = features[expected["query"]], features[expected["series"]]
        name = f"DTW {expected['query']}–{expected['series']}"
        cost, squares = dtw.align(first, second).cost, dtw.align(first, second, distance="sqeuclidean").cost
        yield f"{name}: sum_of_euclidean", expected["sum_of_euclidean"], cost, "`dtw.align`"
        root = float(np.sqrt(squares))
        yield f"{name}: sqrt_of_sum_of_squares", expected["sqrt_of_sum_of_squares"], root, "`dtw.align`"
    right, equal, frames = 0, 0, 0
    for name, rows in features.items():
        count = min(len(rows), len(labels[name]))
        runs = [label for label, _ in itertools.groupby(labels[name].tolist())]
        means = {}
        for label in set(runs):
            of = [
                features[n][: len(labels[n])][(labels[n] == label)[: len(features[n])]] for n in features if n != name
            ]
            of = [part[part.any(1)] for part in of]
            if sum(map(len, of)):
                means[label] = np.concatenate(of).mean(0)
        runs = [label for label in runs if label in means]
        states, _ = dtw.align_states(cdist(rows[:count], np.array([means[label] for label in runs])))
        right += int(np.count_nonzero(np.array(runs)[states] == labels[name][:count]))
        equal += int(np.count_nonzero(dtw.stretch_labels(np.array(runs), count) == labels[name][:count]))
        frames += count
    yield "transcript alignment, % of frames (README)", 55.28, 100 * right / frames, "`dtw.align_states`"
    yield "transcript over equal parts (README)", 38.84, 100 * equal / frames, "`dtw.stretch_labels`"
    smooth = {}
    for name, rows in features.items():
        # Rows without tracks stay zero, as in the figures of the README.
        sums = np.cumsum(np.vstack([np.zeros(rows.shape[1]), rows]), axis=0)
        at = np.arange(len(rows))
        low, high = np.maximum(at - 15, 0), np.minimum(at + 15, len(rows))
        means = (sums[high] - sums[low]) / (high - low)[:, None]
        smooth[name] = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    right = dict.fromkeys(("first", "linear", "smooth"), 0)
    frames = 0
    for one, other in itertools.permutations(features, 2):
        source, target = labels[one], labels[other]
        first = np.empty(len(target), source.dtype)
        for i, j in dtw.align(features[one], features[other]).path[::-1]:
            first[j] = source[i]
        carried = dtw.carry_labels(source, dtw.align(smooth[one], smooth[other]).path, len(target))
        guessed = {"first": first, "linear": dtw.stretch_labels(source, len(target)), "smooth": carried}
        for name, found in guessed.items():
            right[name] += int(np.count_nonzero(found == target))
        frames += len(target)
    shares = {name: round(100 * count / frames, 1) for name, count in right.items()}
    yield "labels of the first row that meets a frame, 20 pairs (README)", 26.3, shares["first"], "`dtw.align`"
    yield "linear stretching (README)", 36.5, shares["linear"], "`dtw.stretch_labels`"
    by = "`dtw.align`, `dtw.carry_labels`"
    yield "30 frames averaged, L2, labels carried over (README)", 39.1, shares["smooth"], by


def worked():
    """Worked examples of other libraries."""
    for number, example in enumerate(examples()):
        name, by = f"dtw_examples.json, {number}", "`dtw.align`"
        if "pairs" in example:
            for pair in example["pairs"]:
                found = dtw.align(as_rows(pair["x"]), as_rows(pair["y"]), distance="sqeuclidean")
                yield name, pair["root"], float(np.sqrt(found.cost)), by
            continue
        first, second, distance = as_rows(example["x"]), as_rows(example["y"]), DISTANCE[example["cost"]]
        if example.get("subsequence"):
            best, row = dtw._aligned(first, second, distance, subsequence=True)
            yield f"{name}: last row", example["last_row"], row.tolist(), "`dtw.spot`"
            if "start" in example:
                wanted = [example["start"], example["end"]]
                yield f"{name}: place", wanted, best.path[[0, -1], 1].tolist(), "`dtw.spot`"
            continue
        found = dtw.align(first, second, distance=distance, band=2 if "band" in example else None)
        yield name, example.get("total", example.get("root", 0) ** 2), found.cost, by
        for band, total in example.get("total_by_band", {}).items():
            width = int(band.rpartition("=")[2])
            yield f"{name}: {band}", total, dtw.align(first, second, distance=distance, band=width).cost, by


PARTS = (lea, decoding, mstcn, of_squirrel, thumos14, of_videos, activity_net, warping, worked)


def agrees(wanted, ours):
    """Whether a number is the expected one to its last digit."""
    for one, other in zip(np.ravel(wanted).tolist(), np.ravel(ours).tolist(), strict=True):
        digits = len(repr(one).partition(".")[2])
        unit = 10.0**-digits if isinstance(one, float) and one else 1e-15
        if abs(one - other) > (0.55 * unit if isinstance(one, float) else 0):
            return False
    return True


def written(value):
    """A number, or several, as text."""
    if isinstance(value, list):
        return " ".join(map(written, value))
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def main(path):
    """Write the table; exit status."""
    lines = ["| value | expected | ours | by | |", "|---|---|---|---|---|"]
    wrong = 0
    for part in PARTS:
        for name, wanted, ours, by in part():
            good = agrees(wanted, ours)
            wrong += not good
            lines.append(f"| {name} | {written(wanted)} | {written(ours)} | {by} | {'' if good else '**differs**'} |")
        say(f"{part.__name__}: {len(lines) - 2} numbers so far, {wrong} differ")
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
