import dataclasses

import h5py
import numpy as np
import pytest

import idt
from encoding.descriptors.sources import FileSource
from idt.batch import verify
from idt.features import content_digest, feature_file
from idt.features.reader import open_features
from idt.features.writer import VideoInfo, Writer
from idt.files.source_file import SourceFile
from tests.samples import random_features


def recorded(path):
    """The digest that a file records, which is that of what it holds."""
    with open_features(path) as reader:
        found = reader.file.attrs[content_digest.ATTRIBUTE].decode()
        assert found == content_digest.digest_of_file(reader, 1000) == content_digest.digest_of_file(reader, 7)
    return found


def saved(path, features, **form):
    feature_file.save(features, path, **form)
    return recorded(path)


def streamed(path, features, size):
    """Written some rows at a time, as if nobody knew how long the video is."""
    timeless = dataclasses.replace(features, position=features.position.copy())
    timeless.position[:, 2] = np.nan
    info = VideoInfo.of(features)
    with Writer(path, params=features.params, source={"digest": "0" * 64}, video=info) as writer:
        for first in range(0, len(features), size):
            part, camera = timeless[first : first + size], None if first else features.camera
            writer.append(dataclasses.replace(part, camera=camera))
        writer.finish(features.frames)
    return recorded(path)


@pytest.mark.parametrize("form", [{}, {"float32": True}, {"compact": True}])
@pytest.mark.parametrize("count", [0, 1, 1500])
def test_the_digest_is_that_of_what_the_file_holds(tmp_path, form, count):
    assert len(saved(tmp_path / "f.h5", random_features(count, seed=1), **form)) == 64


def test_it_depends_neither_on_the_chunks_nor_on_how_the_file_was_written(tmp_path):
    features = random_features(2500, seed=1)
    assert streamed(tmp_path / "a.h5", features, 100) == streamed(tmp_path / "b.h5", features, 1111)
    again = idt.load(tmp_path / "a.h5")
    assert saved(tmp_path / "c.h5", again) == recorded(tmp_path / "a.h5")


@pytest.mark.parametrize("name", ["hog", "trajectory", "frame", "scale", "position", "points"])
def test_every_number_counts(tmp_path, name):
    features = random_features(40, seed=1)
    changed = getattr(features, name).copy()
    changed.flat[-1] += 1 if name == "frame" else 0.125
    assert saved(tmp_path / "a.h5", features) != saved(
        tmp_path / "b.h5", dataclasses.replace(features, **{name: changed})
    )


def test_parameters_count_and_the_name_of_the_video_does_not(tmp_path):
    features = random_features(40, seed=1)
    other = dataclasses.replace(features, source={**features.source, "name": "other"})
    fine = dataclasses.replace(features, params=dataclasses.replace(features.params, stride=3))
    found = [saved(tmp_path / f"{i}.h5", each) for i, each in enumerate((features, other, fine))]
    assert found[0] == found[1] != found[2]


def test_the_digest_of_a_feature_file_is_taken_without_reading_it(tmp_path, monkeypatch):
    found = saved(tmp_path / "f.h5", random_features(40, seed=1))
    monkeypatch.setattr(SourceFile, "digest", None)
    assert FileSource(tmp_path / "f.h5", "f").digest() == found


def test_a_file_that_does_not_hold_what_its_digest_was_taken_of_is_found(tmp_path):
    saved(tmp_path / "f.h5", random_features(40, seed=1))
    assert verify.check_feature_file(tmp_path / "f.h5").fault is None
    with h5py.File(tmp_path / "f.h5", "r+") as file:
        file["tracks/scale"][3] += 1
    assert (
        "has changed since its digest was recorded; make it anew" in verify.check_feature_file(tmp_path / "f.h5").fault
    )
