"""Why a class: evidence of a model's score, drawn, written, and as a command gives it."""

import csv
import dataclasses

import numpy as np
import pytest

import idt
from benchmarks.clips import write_video
from classify.models.evidence_pictures import evidence_picture, write_evidence
from classify.models.explain import explain
from classify.models.model_file import Model, save_model
from classify.svm.chi2 import Chi2SVM
from classify.svm.linear import LinearSVM
from encoding import FisherEncoder
from encoding.encode import layout_of
from idt.errors import DataError
from idt.features.features import Features
from idt.show.canvas import Canvas, captioned, width_of
from idt.show.evidence import ValuedTracks, draw_evidence, neighbourhoods, scale_of
from tests import scenes
from tests.commands import refused
from tests.samples import random_features

ATOL = 1e-4
"""Of the largest score, which is about one here: vectors are float32."""

LABELS = ["run", "walk", "jump"] * 3


@pytest.fixture(scope="module")
def encoder():
    return FisherEncoder(3, blocks="hog,mbhx").fit([random_features(40, seed=i) for i in range(9)])


def model_of(encoder, machine, labels=LABELS):
    vectors = encoder.transform([random_features(40, seed=i) for i in range(9)])
    layout = layout_of(encoder.codebook_, encoder.params())
    return Model(machine.fit(vectors, labels), layout, encoder.codebook_.digest)


@pytest.fixture(scope="module")
def model(encoder):
    return model_of(encoder, LinearSVM())


def scores_of(model, encoder, video):
    return dict(
        zip(model.classifier.classes_.tolist(), model.classifier.scores(encoder.transform([video]))[0], strict=True)
    )


def test_what_tracks_add_is_the_score_without_its_bias(encoder, model):
    video = random_features(70, seed=20)
    scores = scores_of(model, encoder, video)
    for name in ("run", "walk", "jump"):
        found = explain(video, model, encoder.codebook_, class_name=name)
        assert found.score == pytest.approx(scores[name], abs=ATOL)
        assert found.values.sum() == pytest.approx(found.score - found.bias, abs=ATOL)
        np.testing.assert_allclose(sum(found.blocks.values()), found.values)
    best = max(scores, key=scores.__getitem__)
    assert explain(video, model, encoder.codebook_).class_name == best


def test_why_this_and_not_that_is_the_difference_of_two(encoder, model):
    video = random_features(70, seed=20)
    for by in ("share", "without"):
        one, other, both = (
            explain(video, model, encoder.codebook_, by=by, class_name=name, versus=versus, cells=(2, 2, 20))
            for name, versus in (("run", None), ("walk", None), ("run", "walk"))
        )
        np.testing.assert_allclose(both.values, one.values - other.values, atol=ATOL)
        assert both.score - both.bias == pytest.approx(one.score - one.bias - other.score + other.bias, abs=ATOL)
    assert both.title.startswith("run and not walk: score ")


def test_the_one_machine_of_two_classes_explains_both(encoder):
    model = model_of(encoder, LinearSVM(), ["run", "walk", "walk"] * 3)
    video = random_features(70, seed=20)
    found = [explain(video, model, encoder.codebook_, class_name=name) for name in ("run", "walk")]
    np.testing.assert_allclose(found[0].values, -found[1].values)
    assert found[1].values.sum() == pytest.approx(found[1].score - found[1].bias, abs=ATOL)


def test_a_machine_with_a_kernel_has_losses_and_no_shares(encoder):
    machine = Chi2SVM(channels=None)
    model = model_of(encoder, machine)
    video = random_features(70, seed=20)
    with pytest.raises(DataError, match=r"χ² kernel has no weights.*--by without"):
        explain(video, model, encoder.codebook_)
    found = explain(video, model, encoder.codebook_, by="without", class_name="run", cells=(2, 1, 100))
    left = video[video.position[:, 0] >= 0.5]
    assert found.losses[0] == pytest.approx(found.score - scores_of(model, encoder, left)["run"], abs=ATOL)


def test_tracks_of_other_frame_steps_do_not_count(model, encoder):
    video = random_features(60, seed=4)
    video.skip = np.where(np.arange(60) % 3, 1, 2).astype(np.uint8)
    book = dataclasses.replace(encoder.codebook_, params={**encoder.codebook_.params, "only_skips": "1"})
    moved = dataclasses.replace(model, codebook=book.digest)
    assert len(explain(video, moved, book).features) == 40


def test_a_video_without_tracks_has_no_evidence(encoder, model):
    found = explain(random_features(40)[:0], model, encoder.codebook_, class_name="run")
    assert (len(found.values), found.score) == (0, pytest.approx(found.bias))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_name": "runs"}, "no class 'runs', only jump, run, walk; did you mean run"),
        ({"class_name": "run", "versus": "run"}, "compared with another one"),
        ({"by": "guess"}, "by must be one of share, without"),
        ({"by": "without", "cells": (8, 0, 15)}, "rows must be"),
    ],
)
def test_what_cannot_be_explained_is_refused(encoder, model, options, message):
    with pytest.raises(DataError, match=message):
        explain(random_features(40), model, encoder.codebook_, **options)


def test_a_model_of_another_codebook_or_with_outside_blocks_is_refused(encoder, model):
    with pytest.raises(DataError, match="the model was trained with c0ffee"):
        explain(random_features(40), dataclasses.replace(model, codebook="c0ffee"), encoder.codebook_)
    size = model.layout[-1]["first"] + model.layout[-1]["size"]
    beside = [*model.layout, {"block": "c3d", "cell": "whole", "first": size, "size": 4}]
    with pytest.raises(DataError, match="the model also weighs c3d, to which no track adds"):
        explain(random_features(40), dataclasses.replace(model, layout=beside), encoder.codebook_)


def test_tables_hold_all_tracks_or_all_cells(encoder, model, tmp_path):
    video = random_features(70, seed=20)
    shares = explain(video, model, encoder.codebook_, class_name="run")
    write_evidence(tmp_path / "a.csv", shares)
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text().splitlines()))
    assert len(rows) == 70
    assert sum(float(row["adds"]) for row in rows) == pytest.approx(shares.score - shares.bias, abs=ATOL)
    assert float(rows[3]["hog"]) + float(rows[3]["mbhx"]) == pytest.approx(float(rows[3]["adds"]), abs=1e-6)
    losses = explain(video, model, encoder.codebook_, by="without", cells=(2, 2, 20))
    write_evidence(tmp_path / "b.csv", losses)
    rows = list(csv.DictReader((tmp_path / "b.csv").read_text().splitlines()))
    assert sum(int(row["tracks"]) for row in rows) == 70
    assert [float(row["loss"]) for row in rows] == pytest.approx(losses.losses.tolist())


def still_tracks(values):
    """A track that adds at (20, 20) and one that takes away at (60, 20), all of frame 15."""
    points = np.repeat(np.float32([[[20, 20]], [[60, 20]]]), 16, axis=1)
    return ValuedTracks(points, np.array([15, 15]), np.array([1, 1]), np.asarray(values, float))


def test_tracks_are_under_way_from_their_first_point_to_their_last():
    tracks = still_tracks([1, -1])._replace(skip=np.array([1, 2]), frame=np.array([15, 30]))
    assert [tracks.under_way(i)[0].tolist() for i in (0, 15, 16, 30, 31)] == [[0, 1], [0, 1], [1], [1], []]
    assert tracks.under_way(7)[1].tolist() == [7, 3]


def test_neighbourhoods_sum_to_what_the_tracks_under_way_add():
    found = neighbourhoods(still_tracks([1.6, -3.2]), 4, (80, 40))
    assert found.shape == (10, 20)
    assert found[5, 5] > 0 > found[5, 15]
    assert found.sum() == pytest.approx(-1.6 / 16, rel=0.1)


def test_what_adds_is_orange_and_what_takes_away_is_blue():
    tracks = still_tracks([1, -1])
    scale, index = scale_of(tracks, (80, 40))
    assert 0 <= index <= 15
    image = draw_evidence(np.full((40, 80), 90, np.uint8), 8, tracks, scale=scale, zoom=2, caption="run")
    blue, _, red = np.moveaxis(image.astype(int), -1, 0)
    caption = 20
    for left in (0, 164):
        assert red[caption + 40, left + 40] > blue[caption + 40, left + 40] + 50
        assert blue[caption + 40, left + 120] > red[caption + 40, left + 120] + 50


def test_pictures_show_the_named_frame_of_the_frames_they_are_given(encoder, model):
    frames = scenes.noise(40, size=(48, 64))
    evidence = explain(random_features(40), model, encoder.codebook_)
    assert evidence_picture(evidence, frames, frame=7, zoom=2).index == 7
    image = evidence_picture(evidence, frames, zoom=2).image
    assert image.shape == (96 + 40, 2 * 128 + 4, 3)
    with pytest.raises(DataError, match="the video has no frame 99"):
        evidence_picture(evidence, frames, frame=99)
    with pytest.raises(DataError, match="do not tell which video"):
        evidence_picture(dataclasses.replace(evidence, features=nameless(evidence.features)))


def nameless(features):
    return Features(**{**features.columns(), "params": features.params})


def test_captions_are_cut_and_legends_go_on_in_a_second_line():
    image = np.zeros((50, 120, 3), np.uint8)
    assert captioned(image, "é" * 300, [("a word", (0, 0, 255))] * 5).shape[0] > 50 + 3 * 20
    assert width_of("wave") < 60


def test_a_canvas_lays_lines_over_washes_over_the_frame():
    canvas = Canvas(np.full((10, 10), 200, np.uint8), 2, 0.5)
    canvas.overlay(np.full((1, 1, 3), 255, np.uint8), np.full((1, 1), 0.5))
    canvas.lines([[(0, 5), (9, 5)]], (0, 0, 250))
    image = canvas.image()
    assert image[2, 2].tolist() == [177, 177, 177]
    assert image[10:12, 10, 2].max() > 200 > image[10:12, 10, 0].min()


@pytest.mark.slow
def test_the_command_explains_a_video_and_a_feature_file(command, tmp_path):
    clip = write_video(tmp_path / "a.avi", scenes.moving_patch(24, velocity=(2, 1)))
    video = idt.extract(clip, length=5, time_cells=1, scales=1, camera=False)
    idt.save(video, tmp_path / "f.h5")
    encoder = FisherEncoder(2, blocks="hog").fit([video, video])
    encoder.codebook_.save(tmp_path / "cb.h5")
    halves = [video[::2], video[1::2], video[::3], video[2::3]]
    machine = LinearSVM().fit(encoder.transform(halves), ["run", "walk"] * 2)
    layout = layout_of(encoder.codebook_, encoder.params())
    save_model(tmp_path / "m.h5", machine, layout=layout, codebook=encoder.codebook_.digest, source={"digest": "0"})
    known = ("--model", tmp_path / "m.h5", "--codebook", tmp_path / "cb.h5")
    _, said, _ = command("idt-explain", clip, *known, "--class", "run", "-o", tmp_path / "why.png")
    assert said.startswith("run: score ")
    assert (tmp_path / "why.png").read_bytes()[:4] == b"\x89PNG"
    _, of_file, _ = command("idt-explain", tmp_path / "f.h5", *known, "--class", "run", "-o", tmp_path / "why.mp4")
    assert of_file.splitlines()[0] == said.splitlines()[0]
    assert of_file.endswith("why.mp4: 24 frames\n")
    _, said, _ = command("idt-explain", tmp_path / "f.h5", *known, "--by", "without", "-o", tmp_path / "why.csv")
    assert "without column " in said
    for words, message in (
        (["--class", "fly"], "no class 'fly'"),
        (["--versus", "run", "--class", "run"], "compared with another one"),
        (["-o", tmp_path / "w.xyz"], "cannot write a picture such as"),
        (["-o", tmp_path / "w.mp4", "--frame", 3], "--frame is for a picture"),
    ):
        assert refused(command("idt-explain", tmp_path / "f.h5", *known, *words, status=2), message)
