"""Pictures of an evaluation's page: wrong videos with evidence, right ones as they are."""

import dataclasses
import os
import re
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.clips import write_video
from classify.datasets.registry import read_dataset
from classify.evaluation import evaluate as evaluation
from classify.evaluation import fold
from classify.evaluation.page_pictures import draw_one
from classify.evaluation.prepare_features import prepare
from classify.params import DatasetParams
from classify.reports.page.template import data_url
from classify.reports.page.videos import key_of
from encoding.params import BovwParams, EncodingParams, StackedParams
from idt.params.extraction import ExtractionParams
from idt.workers import processes
from idt.workers.run_options import RunOptions
from tests import scenes

pytest.importorskip("jinja2")

PARAMS = ExtractionParams(length=5, time_cells=1, scales=1, stride=10, camera=False)
# The labels of the second group are swapped, so that each split has learnt the opposite of what it is asked.
FILMS = {"right/g1_a": (3, 0), "down/g1_b": (0, 3), "down/g2_c": (3, 0), "right/g2_d": (0, 3), "up/g1_e": (0, -3)}
EVIDENCE = r'alt="evidence for (\w+) \((true|predicted) class\), frame \d+"'


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A folder of clips in two groups, whose labels contradict each other."""
    root = tmp_path_factory.mktemp("clips")
    for seed, (name, velocity) in enumerate({**FILMS, "up/g2_f": (0, -3)}.items()):
        path = root / f"{name}.avi"
        path.parent.mkdir(exist_ok=True)
        write_video(path, scenes.translating(14, velocity=velocity, size=(64, 80), seed=seed))
    return read_dataset("folder", root, DatasetParams(group="g[0-9]"))


@pytest.fixture(scope="module")
def ready(clips, tmp_path_factory):
    """The set with its features."""
    return prepare(clips, tmp_path_factory.mktemp("features"), PARAMS)


def evaluated(ready, out, encoding=None, **options):
    """The page, and the videos and plans that its pictures were drawn of."""
    seen = []

    def watch(videos, **given):
        seen.append((videos, given))
        return evaluation.draw_pictures(videos, **given)

    places = evaluation.Places(out, out, out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "partial", lambda _, **given: partial(watch, **given))
        classifier = evaluation.ClassifierParams(**options.pop("classifier", {}))
        evaluation.evaluate_prepared(
            ready, places, encoding or EncodingParams(k=2), classifier, run=RunOptions(**options)
        )
    return (out / "report.html").read_text(encoding="utf-8"), seen


@pytest.fixture(scope="module")
def made(ready, tmp_path_factory):
    return evaluated(ready, tmp_path_factory.mktemp("out"))


def test_a_wrong_video_shows_the_evidence_for_the_true_and_the_predicted_class(made):
    page, ((videos, _),) = made
    wrong = [video for video in videos if not video.right]
    assert len(wrong) >= 2
    found = re.findall(EVIDENCE, page)
    assert len(found) == 2 * len(wrong)
    assert {name for name, role in found if role == "true"} == {video.label for video in wrong}
    assert "Orange regions and tracks raised the score" in page


def test_right_videos_show_a_frame(made):
    page, ((videos, _),) = made
    right = [video for video in videos if video.right]
    assert right
    assert page.count('"a frame of the video"') == len(right)


def test_evidence_is_in_colour_and_the_same_with_more_processes(made, ready, tmp_path):
    page, ((videos, given),) = made
    plans = given["plans"]
    again = evaluation.draw_pictures(videos, plans, ready.files, RunOptions(jobs=2))
    wrong = next(video for video in videos if not video.right)
    for picture in again[key_of(wrong)]:
        assert data_url(picture.data) in page
    image = cv2.imdecode(np.frombuffer(again[key_of(wrong)][0].data, np.uint8), cv2.IMREAD_COLOR).astype(int)
    assert max(image.shape) == 320
    assert np.abs(image[..., 0] - image[..., 2]).max() > 60  # orange or blue over a gray scene


def test_without_weights_or_vectors_there_is_a_frame(made, ready, tmp_path):
    _, ((videos, given),) = made
    plan = given["plans"][0]
    assert fold.train_explainable_model(plan, RunOptions()) is not None
    for changed in (
        {"classifier": dataclasses.replace(plan.classifier, classifier="chi2")},
        {"outside": ("c3d",)},
        {"encoding": BovwParams(k=2, coding="somp")},
        {"encoding": StackedParams(k=2)},
        {"vectors": plan.vectors._replace(path=tmp_path / "gone.h5")},
    ):
        assert fold.train_explainable_model(dataclasses.replace(plan, **changed), RunOptions()) is None
    (picture,) = draw_one(videos[0], None, RunOptions())
    assert (picture.caption, picture.shows_evidence) == ("a frame of the video", False)


def test_a_kept_process_that_stands_elsewhere_finds_relative_paths(made, ready, monkeypatch, tmp_path):
    _, ((videos, given),) = made
    monkeypatch.chdir(tmp_path)
    list(processes.run(os.chdir, [("/",)], keep=True))
    near = [video._replace(path=Path(os.path.relpath(video.path))) for video in videos]
    found = evaluation.draw_pictures(near, given["plans"], ready.files, RunOptions())
    assert len(found) == len(videos)


def test_an_encoding_without_shares_shows_frames(ready, tmp_path):
    page, _ = evaluated(ready, tmp_path, BovwParams(k=2, pooling="max"))
    assert "evidence for" not in page
    assert page.count("a frame of the video") >= len(FILMS)


def test_pictures_can_be_left_out(ready, tmp_path):
    page, seen = evaluated(ready, tmp_path, pictures=False)
    assert seen == []
    assert "<img" not in page
