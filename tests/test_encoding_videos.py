"""Vectors from projected files, and straight from videos: `encoding.descriptors.videos`, `fv-encode --from-videos`."""

import dataclasses
import itertools
import shutil

import numpy as np
import pytest

import idt
from benchmarks.clips import SHIPPED
from encoding import FisherEncoder, video_pipeline
from encoding.codebook import Codebook
from encoding.descriptors import sources
from encoding.descriptors.inputs import Inputs, columns_of
from encoding.descriptors.rechunk import rechunk
from encoding.descriptors.sources import source_of
from encoding.encode import encode, slices_of_video, window_vector
from encoding.encode_files import encode_files
from encoding.fitting import fit_codebook
from encoding.params import BovwParams, EncodingParams, StackedParams, VladParams
from encoding.vectors_file import load_vectors
from idt import DataError, Features
from idt.batch.extract_one import extract_job
from idt.batch.jobs import plan
from idt.features import feature_file
from idt.params.extraction import ExtractionParams
from idt.workers.in_order import in_order_or_lost
from idt.workers.processes import Lost
from tests.samples import random_features

PARAMS = EncodingParams(k=2, sample=100)
# What float16 coordinates leave of a Fisher vector, as cosine; and of the vectors of 80 tracks by the other encodings:
# one track between two words goes to the other word, and roots of small sums go far.
ALIKE = 0.9999
ALIKE_OTHERS = 0.98


@pytest.fixture(scope="module")
def codebook(tmp_path_factory):
    """Path of a codebook fitted on random features."""
    path = tmp_path_factory.mktemp("codebook") / "c.h5"
    fit_codebook([random_features(60, seed=i) for i in (1, 2)], params=PARAMS).save(path)
    return path


@pytest.fixture
def command(command, working_folder):
    """Run fv-encode, or another encoder, in a folder of its own: exit status, stdout, stderr."""
    return lambda *words, encode="fv-encode", **given: command(encode, *words, **given)


def save(folder, **options):
    """Three feature files as idt-extract leaves them; the second is of a video without tracks."""
    files = []
    for i, n in enumerate((40, 0, 30)):
        path = folder / f"{i}.h5"
        folder.mkdir(exist_ok=True)
        features = random_features(n, seed=i)
        idt.save(dataclasses.replace(features, source={**features.source, "name": str(i)}), path, **options)
        files.append(path)
    return files


def assert_alike(one, other):
    """Equal directions; zero vectors equal zero vectors."""
    cosines = (one * other).sum(1) / np.maximum(np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1), 1e-30)
    assert (cosines[[0, 2]] > ALIKE).all()
    assert not one[1].any()
    assert not other[1].any()


# Stored forms.


@pytest.mark.parametrize("form", ["compact", "projected"])
def test_files_of_other_forms_give_nearly_the_vectors_of_plain_ones(tmp_path, codebook, form):
    encoder = FisherEncoder.from_codebook(Codebook.load(codebook))
    options = {"compact": True} if form == "compact" else {"project": codebook}
    plain, other = save(tmp_path / "plain"), save(tmp_path / "other", **options)
    found = encoder.transform(other)
    assert_alike(found, encoder.transform(plain))
    # In memory they are what they are in the file.
    np.testing.assert_array_equal(encoder.transform([feature_file.load(path) for path in other]), found)


def test_projected_blocks_are_read_piece_by_piece(tmp_path, codebook, monkeypatch):
    files = save(tmp_path / "f", project=codebook)
    monkeypatch.setattr(sources, "BATCH_ROWS", 7)
    widths = Codebook.load(codebook).widths
    pieces = [rows for rows, _ in source_of(files[0], "a").batches(widths, projected=True)]
    assert [len(piece) for piece in pieces] == [7, 7, 7, 7, 7, 5]
    expected = feature_file.load(files[0]).projected.blocks["hof"]
    np.testing.assert_array_equal(np.concatenate(pieces)[:, columns_of(widths)["hof"]], expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        dataclasses.replace(PARAMS, joint=True, pyramid="1x1x1,1x2x2", only_skips="1,3"),
        BovwParams(k=4, seeds=1, pca=0.5, coding="somp", atoms=2, pyramid="1x1x2"),
        VladParams(k=4, blocks="hog,mbhx", whiten=True),
        StackedParams(k=2, first_k=2, blocks="hog,mbhx", volumes="1x1x30", least=3, reduced=4, volume_sample=100),
    ],
    ids=lambda params: params.encoding,
)
def test_every_encoding_takes_files_along_the_axes_of_its_own_codebook(tmp_path, params):
    videos = [random_features(80, seed=i) for i in (1, 2, 3)]
    for video in videos:
        video.skip = np.tile(np.uint8([1, 1, 2, 3]), 20)
    codebook = fit_codebook(videos, params=params)
    codebook.save(tmp_path / "c.h5")
    files = [tmp_path / f"{i}.h5" for i in range(3)]
    for path, video in zip(files, videos, strict=True):
        idt.save(video, path, project=tmp_path / "c.h5")
    given = (Inputs.of(some, descriptors=params.descriptors) for some in (videos, files))
    plain, found = (np.array([made.vector for made in encode(some, codebook, params)]) for some in given)
    cosines = (plain * found).sum(1) / (np.linalg.norm(plain, axis=1) * np.linalg.norm(found, axis=1))
    assert (cosines > (ALIKE if params.encoding == "fisher" else ALIKE_OTHERS)).all()


def test_windows_of_projected_files_are_cut_as_others_are(tmp_path, codebook):
    book, path = Codebook.load(codebook), save(tmp_path / "f", project=codebook)[0]
    sliced = slices_of_video(source_of(path, "a"), book, PARAMS, grid=(2, 1), projected=True)
    (whole,) = encode(Inputs.of([path]), book, PARAMS)
    # Sums of sums are rounded in another order.
    np.testing.assert_allclose(window_vector(sliced, book, PARAMS), whole.vector, atol=1e-5)


def test_only_that_very_codebook_encodes_a_projected_file(command, tmp_path, codebook):
    save(tmp_path / "f", project=codebook)
    fit_codebook(
        [random_features(60, seed=i) for i in (1, 2)], params=dataclasses.replace(PARAMS, seed=1)
    ).save("other.h5")  # fmt: skip
    assert command("--codebook", codebook, "f", "-o", "v.h5")[0] == 0
    status, out, err = command("--codebook", "other.h5", "f", "-o", "w.h5", status=2)
    digests = [Codebook.load(path).digest[:12] for path in (codebook, "other.h5")]
    assert (status, out) == (2, "")
    assert err == (
        f"fv-encode: f/0.h5 is stored along the axes of the codebook with digest {digests[0]}…, so it can only be"
        f" encoded with that one, got one with digest {digests[1]}…\n"
    )


def test_no_codebook_is_fitted_on_projected_files(command, tmp_path, codebook):
    save(tmp_path / "f", project=codebook)
    status, _, err = command("--k", 2, "f", "-o", "v.h5", status=2)
    assert status == 2
    assert "no other can be fitted on it" in err
    assert err.count("\n") == 1


def test_projected_and_other_files_are_not_mixed(tmp_path, codebook):
    files = [save(tmp_path / "plain")[0], save(tmp_path / "projected", project=codebook)[2]]
    with pytest.raises(DataError, match=r"one set of parameters, got .*with projected=None"):
        Inputs.of(files)


# Straight from videos.


@pytest.mark.parametrize("lengths", [[], [0], [7], [3, 4], [3, 3, 3, 3], [0, 20, 0, 1], [7, 0]])
def test_chunks_are_regrouped_as_a_file_is_read(lengths, tmp_path):
    whole = random_features(max(1, sum(lengths)))[: sum(lengths)]
    edges = np.cumsum([0, *lengths])
    chunks = [whole[a:b] for a, b in itertools.pairwise(edges)] or [whole]
    found = list(rechunk(chunks, 7))
    idt.save(whole, tmp_path / "f.h5", float32=True)
    expected = list(feature_file.iter_rows(tmp_path / "f.h5", rows=7))
    assert [len(part) for part in found] == [len(part) for part in expected]
    np.testing.assert_array_equal(Features.concatenate(found).hog, Features.concatenate(expected).hog)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """A folder of three clips, the second too short for tracks and the last one no video; and a codebook of theirs."""
    folder = tmp_path_factory.mktemp("videos")
    (folder / "in" / "b").mkdir(parents=True)
    shutil.copy(SHIPPED / "disc.avi", folder / "in" / "b" / "disc.avi")
    shutil.copy(SHIPPED / "disc.avi", folder / "in" / "a.avi")
    params = ExtractionParams()
    for job in plan([str(folder / "in")], f"{folder}/features/"):
        extract_job(job, params)
    files = sorted((folder / "features").rglob("*.h5"))
    fit_codebook(files, params=PARAMS).save(folder / "c.h5")
    return folder


def test_vectors_straight_from_videos_are_those_of_extracting_and_encoding(command, clips, monkeypatch):
    monkeypatch.setattr(sources, "BATCH_ROWS", 100)
    # In this process, for another would not know of the hundred.
    in_turn = lambda function, tasks, jobs: (function(*task) for task in tasks)  # noqa: E731
    monkeypatch.setattr(video_pipeline, "in_order_or_lost", in_turn)
    assert command("--codebook", clips / "c.h5", clips / "features", "-o", "two.h5")[0] == 0
    status, out, err = command("--from-videos", "--codebook", clips / "c.h5", clips / "in", "-o", "one.h5")
    assert (status, out, err) == (0, "one.h5: 2 vectors of 852 numbers\n", "")
    one, two = load_vectors("one.h5"), load_vectors("two.h5")
    assert (one.names, one.codebook, one.layout) == (two.names, two.codebook, two.layout)
    assert np.linalg.norm(one.encodings) > 1
    np.testing.assert_array_equal(one.encodings, two.encodings)
    assert one.source["kind"] == "videos"
    again = command("--from-videos", "--codebook", clips / "c.h5", clips / "in", "-o", "one.h5")
    assert again == (0, "one.h5: up to date\n", "")


@pytest.mark.slow
def test_times_and_frame_steps_of_videos_are_those_of_their_files(command, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "BATCH_ROWS", 100)
    jobs = plan([str(clips / "in")], f"{tmp_path}/features/")
    for job in jobs:
        extract_job(job, ExtractionParams(skips="1,2", length=5, time_cells=1))
    files, names = [job.output for job in jobs], [job.name for job in jobs]
    steps = [feature_file.load(path).skip for path in files]
    assert all(set(skip) == {1, 2} for skip in steps)
    params = BovwParams(k=4, seeds=1, coding="somp", atoms=2, pyramid="1x1x1,1x2x2", only_skips="2")
    codebook = fit_codebook(files, names, params)
    codebook.save(tmp_path / "words.h5")
    encode_files(files, names, codebook, tmp_path / "two.h5", params=params)
    words = ("--from-videos", "--codebook", "words.h5", clips / "in", "-o", "one.h5", "--quiet")
    shaped = ("--coding", "somp", "--atoms", 2, "--pyramid", "1x1x1,1x2x2")
    assert command(*words, *shaped, encode="bovw-encode") == (0, "one.h5: 2 vectors of 200 numbers\n", "")
    np.testing.assert_array_equal(load_vectors("one.h5").encodings, load_vectors("two.h5").encodings)
    status, out, err = command(*words, status=2)
    assert (status, out) == (2, "")
    assert err == "fv-encode: words.h5 is a codebook of bags of visual words; use bovw-encode\n"


@pytest.mark.slow
def test_a_video_that_cannot_be_read_is_listed_and_leaves_the_vectors_incomplete(command, clips, tmp_path):
    shutil.copytree(clips / "in", tmp_path / "in")
    (tmp_path / "in" / "broken.avi").write_bytes(b"RIFF" + bytes(100))
    words = ("--from-videos", "--codebook", clips / "c.h5", "in", "-o", "v.h5")
    status, out, err = command(*words, status=3)
    assert status == 3
    assert out == "v.h5: 2 vectors of 852 numbers\n"
    assert err.startswith("fv-encode: broken: in/broken.avi is not a video")
    assert err.count("\n") == 1
    assert load_vectors("v.h5").names == ["a", "b/disc"]
    assert load_vectors("v.h5").source["missing"] == ["broken"]
    shutil.copy(tmp_path / "in" / "a.avi", tmp_path / "in" / "broken.avi")
    # Not over vectors of other videos, only to complete these.
    shutil.copy(tmp_path / "in" / "a.avi", tmp_path / "in" / "more.avi")
    assert "v.h5 was made from a source with" in command(*words, status=2)[2]
    (tmp_path / "in" / "more.avi").unlink()
    assert command(*words)[1] == "v.h5: 3 vectors of 852 numbers\n"
    assert load_vectors("v.h5").names == ["a", "b/disc", "broken"]
    (tmp_path / "in2").mkdir()
    (tmp_path / "in2" / "broken.avi").write_bytes(b"RIFF" + bytes(100))
    status, _, err = command("--from-videos", "--codebook", clips / "c.h5", "in2", "-o", "w.h5", status=2)
    assert status == 2
    assert "none of 1 videos can be read; broken: " in err
    assert not (tmp_path / "w.h5").exists()


@pytest.mark.slow
@pytest.mark.parametrize("step", ["digest", "vector"])
def test_a_run_goes_on_from_vectors_that_lack_a_video_whose_process_was_killed(command, clips, monkeypatch, step):
    words = ("--from-videos", "--codebook", clips / "c.h5", clips / "in", "-o")

    def killed_at_the_end(function, tasks, jobs):
        *done, last = in_order_or_lost(function, tasks, jobs)
        yield from (*done, Lost("its process was killed") if isinstance(last, str) == (step == "digest") else last)

    with monkeypatch.context() as patch:
        patch.setattr(video_pipeline, "in_order_or_lost", killed_at_the_end)
        command(*words, "lacking.h5", status=3)
    assert load_vectors("lacking.h5").source["missing"] == ["b/disc"]
    command(*words, "whole.h5")
    for name in ("lacking.h5", "lacking.h5"):
        command(*words, name)
        assert "missing" not in load_vectors(name).source
        np.testing.assert_array_equal(load_vectors(name).encodings, load_vectors("whole.h5").encodings)


def test_options_that_do_not_go_together_are_refused(command, tmp_path):
    for words, reason in (
        (("--from-videos", "in"), "needs a codebook that is fitted already"),
        (("--boxes", "b.txt", "in"), "--boxes goes with --from-videos"),
    ):
        status, _, err = command(*words, "-o", "v.h5", status=2)
        assert status == 2
        assert reason in err
    rows = [random_features(60, seed=i, foreign="text") for i in (1, 2)]
    fit_codebook(rows, params=PARAMS).save(tmp_path / "c.h5")
    status, _, err = command("--from-videos", "--codebook", "c.h5", "in", "-o", "v.h5", status=2)
    assert status == 2
    assert "c.h5 was fitted on features without recorded parameters" in err
