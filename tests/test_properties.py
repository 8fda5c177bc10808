"""Laws that hold for whatever comes in: sizes, dtypes, parameters, counts of tracks.

Few examples of each: the gate is in a hurry. ``HYPOTHESIS_EXAMPLES`` asks for more.
"""

import dataclasses
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import idt
from encoding.params import EncodingParams
from idt.batch import verify
from idt.errors import DataError
from idt.features import feature_file
from idt.files import hdf5, provenance
from idt.params.extraction import ExtractionParams
from tests import scenes
from tests.samples import random_features

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "12"))

few = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)  # fmt: skip

DTYPES = ("int8", "uint16", "int32", "int64", "float16", "float32", "float64", "bool", "complex64")

TOLERANCE = 0.5 / 1024 + 1e-6
"""Fixed point rounds to the nearest 1/1024."""


@st.composite
def parameters(draw):
    """Parameters that are in range, one by one and together."""
    length = draw(st.integers(1, 6))
    time_cells = draw(st.integers(1, min(3, length)))
    patch = draw(st.integers(2, 40))
    return {
        "length": length,
        "time_cells": time_cells,
        "describe_every": draw(st.integers(1, length // time_cells)),
        "patch": patch,
        "cells": draw(st.integers(1, min(3, patch))),
        "stride": draw(st.integers(1, 30)),
        "scales": draw(st.integers(1, 5)),
        "gap": draw(st.integers(1, 4)),
        "camera": draw(st.booleans()),
        "keypoints": draw(st.sampled_from(["surf", "orb", "none"])),
        "local_norm": draw(st.sampled_from(["rootl1", "l2", "none"])),
    }


@pytest.mark.slow
@few
@given(
    st.integers(1, 70), st.integers(1, 70), st.integers(1, 7), st.booleans(), st.integers(0, 9), parameters(),
    st.sampled_from(["texture", "noise", "flat"]),
)  # fmt: skip
def test_any_frames_and_parameters_give_finite_features_or_one_line(height, width, count, colour, seed, params, kind):
    if kind == "flat":
        frames = scenes.flat(count, size=(height, width), value=seed)
    else:
        frames = (scenes.noise if kind == "noise" else scenes.translating)(count, size=(height, width), seed=seed)
    frames = np.repeat(frames[..., None], 3, axis=3) if colour else frames
    # As a list: an array of frames three pixels wide is taken for a single one of three colours, and refused.
    frames = list(frames)
    if min(height, width) < params["patch"]:
        with pytest.raises(DataError, match="smaller than patch"):
            idt.extract(frames, **params)
        return
    features = idt.extract(frames, **params)
    assert features.frames == len(features.camera) == count
    if count <= params["length"] or kind == "flat":
        assert len(features) == 0
    assert features.points.shape == (len(features), params["length"] + 1, 2)
    assert ((features.position >= 0) & (features.position <= 0.999)).all()
    assert ((features.frame >= params["length"]) & (features.frame < count)).all()
    for name, values in features.columns().items():
        assert np.isfinite(values).all(), name
    np.testing.assert_array_equal(features.to_numpy(), idt.extract(frames, threads=2, **params).to_numpy())


@few
@given(st.sampled_from(DTYPES), st.integers(0, 3), st.integers(0, 40))
def test_frames_of_another_dtype_or_shape_are_refused(dtype, dimensions, side):
    frame = np.zeros((side,) * dimensions, dtype)
    with pytest.raises(DataError, match=r"must be a uint8 array|must be gray"):
        idt.extract([frame, frame])
    if not side or not (dimensions == 2 or (dimensions, side) == (3, 3)):
        with pytest.raises(DataError, match="must be gray"):
            idt.extract([np.zeros(frame.shape, np.uint8)])


@pytest.mark.slow
@few
@given(st.integers(0, 2100), st.integers(0, 9), st.sampled_from(["plain", "float32", "compact"]), st.integers(1, 3000))
def test_any_number_of_tracks_comes_back_from_a_file(count, seed, form, block):
    features = random_features(count, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f.h5"
        feature_file.save(features, path, **({} if form == "plain" else {form: True}))
        found = feature_file.load(path)
        parts = list(feature_file.iter_rows(path, rows=block, columns=("hof", "frame")))
        assert verify.check_feature_file(path).fault is None
        assert hdf5.is_hdf5(path)
    assert len(found) == sum(map(len, parts)) == count
    np.testing.assert_array_equal(found.frame, features.frame)
    np.testing.assert_array_equal(np.concatenate([part.frame for part in parts]), features.frame)
    np.testing.assert_allclose(found.hof, features.hof, atol=0 if form == "float32" else TOLERANCE)
    np.testing.assert_array_equal(np.concatenate([part.hof for part in parts]), found.hof)


@pytest.mark.slow
@few
@given(
    st.sampled_from([ExtractionParams, EncodingParams]), st.data(),
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.lists(st.integers(), max_size=2)
    ),
)  # fmt: skip
def test_any_value_of_a_parameter_is_taken_or_refused_by_its_name(cls, data, value):
    name = data.draw(st.sampled_from([field.name for field in dataclasses.fields(cls)]))
    try:
        made = cls(**{name: value})
    except DataError as problem:
        refusal = str(problem)
    else:
        refusal = None
    if refusal is not None:
        assert "\n" not in refusal
        assert name.split("_")[0] in refusal
        return
    # What was taken can be written down and comes back as it was.
    assert provenance.as_json_values(made)[name] == provenance.as_json_values({name: value})[name]
