"""The public functions: their written-out options are those of `ExtractionParams`; colours; pictures."""

import dataclasses
import inspect
import itertools
import pydoc
import re
from pathlib import Path

import cv2
import numpy as np
import numpydoc.docscrape
import pytest

import idt
from idt import api
from idt.params.extraction import ExtractionParams
from idt.show.colours import END_POINT, FOLLOWED_CAMERA
from idt.show.tracks import BRIGHTNESS
from tests import scenes

FIELDS = {field.name: field for field in dataclasses.fields(ExtractionParams)}
OTHERS = {
    "preset": "exact", "boxes": None, "threads": 1, "strict": False, "channels": "bgr", "max_pixels": 64_000_000,
    "decoder": "auto",
}  # fmt: skip
FUNCTIONS = pytest.mark.parametrize("name", ["extract", "stream", "draw"])

OTHER_VALUES = {
    "length": 12, "stride": 7, "patch": 24, "cells": 3, "time_cells": 2, "scales": 4, "gap": 2, "describe_every": 2,
    "skips": "1,2", "keypoints": "orb", "camera": False, "flow": "dis", "tracks": "none", "flow_from": 1,
    "compensation": "field", "local_norm": "l2", "humans": "hog", "start": 1, "end": 9, "fps": 12.5, "max_side": 200,
    "deinterlace": True,
}  # fmt: skip
"""For every option a value that is not its default."""


@pytest.fixture(scope="module")
def clip():
    return scenes.moving_patch(18, velocity=(2, 1), background=(-1, 0))


@pytest.fixture(scope="module")
def colours(clip):
    """The clip with three different channels, BGR."""
    return np.stack([clip, clip // 2, 255 - clip], axis=3)


@pytest.fixture
def params_of(monkeypatch):
    """The parameters that a call opens its video with."""

    class Opened(Exception):
        pass

    def opening(_, *, params, **__):
        raise Opened(params)

    monkeypatch.setattr(api, "open_video", opening)

    def params_of(name, **options):
        with pytest.raises(Opened) as opened:
            # extract does it when it is called, the others when the first item is asked for.
            next(getattr(idt, name)("a.avi", **options))
        return opened.value.args[0]

    return params_of


# The options


@FUNCTIONS
def test_the_signature_has_the_options_and_defaults_of_the_parameters(name):
    video, *options = inspect.signature(getattr(idt, name)).parameters.values()
    assert (video.name, video.kind) == ("video", video.POSITIONAL_OR_KEYWORD)
    assert {option.kind for option in options} == {inspect.Parameter.KEYWORD_ONLY}
    drawing = {"zoom": None, "dropped": True, "colour": "fate", "most": 400} if name == "draw" else {}
    wanted = {**{field.name: field.default for field in FIELDS.values()}, **OTHERS, **drawing}
    assert {option.name: option.default for option in options} == wanted


@FUNCTIONS
def test_every_option_is_documented(name):
    documented = numpydoc.docscrape.FunctionDoc(getattr(idt, name))["Parameters"]
    listed = [part.strip() for entry in documented for part in entry.name.split(",")]
    assert listed == list(inspect.signature(getattr(idt, name)).parameters)
    assert all(" ".join(entry.desc) for entry in documented)


@pytest.mark.parametrize("name", list(FIELDS))
def test_the_documentation_says_the_default_the_choices_and_the_unit(name):
    entries = {entry.name: entry for entry in numpydoc.docscrape.FunctionDoc(idt.extract)["Parameters"]}
    field, entry = FIELDS[name], entries[name]
    default = f'"{field.default}"' if isinstance(field.default, str) else str(field.default)
    assert entry.type.endswith(f", default {default}")
    if field.metadata["choices"]:
        assert entry.type.startswith("{" + ", ".join(f'"{choice}"' for choice in field.metadata["choices"]) + "}")
    unit = {"px": "pixels"}.get(field.metadata["unit"], field.metadata["unit"])
    assert unit in " ".join(entry.desc).lower()


def test_the_documentation_says_what_the_presets_are():
    entries = {entry.name: entry for entry in numpydoc.docscrape.FunctionDoc(idt.extract)["Parameters"]}
    assert entries["preset"].type.startswith("{" + ", ".join(f'"{name}"' for name in ExtractionParams.PRESETS) + "}")
    said = re.search(r"``(.*?)``", " ".join(entries["preset"].desc))
    assert eval(f"dict({said[1]})") == ExtractionParams.PRESETS["fast"]


def test_the_page_of_the_method_says_what_every_preset_sets():
    page = (Path(__file__).parent.parent / "docs/method/extraction.md").read_text().split("## 12. Presets")[1]
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:1] == "|"]
    (_, *presets, _), _, *options = rows
    assert presets == list(ExtractionParams.PRESETS)
    said = {
        name: {row[0][2:].replace("-", "_"): row[column] for row in options} for column, name in enumerate(presets, 1)
    }
    for name in presets:
        params = ExtractionParams.from_options(preset=name)
        assert said[name] == {option: str(getattr(params, option)) for option in said[name]}
        assert set(ExtractionParams.PRESETS[name]) <= set(said[name])


def test_help_shows_every_option_with_its_default():
    text = pydoc.plain(pydoc.render_doc(idt.extract))
    assert "extract(video, *, length=15, stride=5, patch=32" in " ".join(text.replace("(\n", "(").split())
    assert "keypoints : {" in text


@FUNCTIONS
@pytest.mark.parametrize("option", list(FIELDS))
def test_every_option_reaches_the_extraction(params_of, name, option):
    other = OTHER_VALUES[option]
    assert params_of(name, **{option: other}) == ExtractionParams(**{option: other})
    assert other != FIELDS[option].default


@FUNCTIONS
def test_a_preset_changes_what_the_call_leaves_out_only(params_of, name):
    fast = ExtractionParams.PRESETS["fast"]
    assert params_of(name) == params_of(name, preset="exact") == ExtractionParams()
    assert params_of(name, preset="fast") == ExtractionParams(**fast)
    # An option that the call gives stays, be it the default.
    for option in fast:
        given = {option: FIELDS[option].default}
        assert params_of(name, preset="fast", **given) == ExtractionParams(**{**fast, **given})


@FUNCTIONS
def test_an_unknown_option_names_the_nearest(name):
    with pytest.raises(idt.DataError, match=r"^unknown option lenght; did you mean length\?$"):
        getattr(idt, name)("a.avi", lenght=20)
    with pytest.raises(idt.DataError, match=r"^unknown option tone; known are length, stride, "):
        getattr(idt, name)("a.avi", tone=20)
    with pytest.raises(idt.DataError, match="preset must be one of exact, fast, mpeg, got 'best'"):
        getattr(idt, name)("a.avi", preset="best")
    with pytest.raises(TypeError, match="positional argument"):
        getattr(idt, name)("a.avi", 20)


# Colours


def test_rgb_frames_give_what_the_same_frames_in_bgr_give(colours):
    bgr, rgb = idt.extract(colours, camera=False), idt.extract(colours[..., ::-1], camera=False, channels="rgb")
    np.testing.assert_array_equal(rgb.to_numpy(), bgr.to_numpy())
    assert len(bgr) > 0
    wrong = idt.extract(colours[..., ::-1], camera=False)
    assert not np.array_equal(wrong.hog, bgr.hog)


def test_each_order_has_its_own_weights(colours):
    (rgb,) = itertools.islice(idt.draw(colours[:1], zoom=1, channels="rgb"), 1)
    gray = cv2.cvtColor(colours[0], cv2.COLOR_RGB2GRAY)
    expected = (gray * np.float32(BRIGHTNESS)).astype(np.uint8)
    np.testing.assert_array_equal(rgb.image, np.repeat(expected[..., None], 3, axis=2))


def test_gray_frames_and_files_know_their_own_colours(clip, colours, tmp_path):
    for i, image in enumerate(colours):
        cv2.imwrite(str(tmp_path / f"{i}.png"), image)
    np.testing.assert_array_equal(idt.extract(tmp_path, camera=False).hog, idt.extract(colours, camera=False).hog)
    for source in (clip, tmp_path):
        options = {"camera": False, "scales": 1}
        one, other = idt.extract(source, **options), idt.extract(source, channels="rgb", **options)
        np.testing.assert_array_equal(one.to_numpy(), other.to_numpy())


@pytest.mark.parametrize("channels", ["hsv", "RGB", None, ["rgb"], np.zeros((2, 2))])
def test_other_channels_are_refused(clip, channels):
    with pytest.raises(idt.DataError, match=r"^channels must be one of bgr, rgb, got ") as raised:
        idt.extract(clip, channels=channels)
    assert "\n" not in str(raised.value)


def test_frames_of_other_shapes_are_refused_by_the_order_of_their_colours():
    frames = [np.zeros((48, 64, 4), np.uint8)]
    with pytest.raises(idt.DataError, match=r"frame 0 must be gray \(H, W\) or RGB \(H, W, 3\), got uint8"):
        idt.extract(frames, channels="rgb")


# Pictures


def shows(image, colour):
    return (image == colour).all(axis=2).any()


def is_blue(image):
    """Where the colour is nearest to that of dropped tracks, whose thin lines are blended with the frame."""
    return image[..., 0].astype(int) > image[..., 1:].max(axis=2).astype(int) + FOLLOWED_CAMERA[0] // 10


@pytest.mark.slow
def test_draw_gives_a_picture_of_every_frame(clip):
    drawn = list(idt.draw(clip))
    assert [picture.index for picture in drawn] == list(range(18))
    assert drawn[0].image.shape == (4 * 96, 4 * 128, 3)
    assert drawn[0].image.dtype == np.uint8
    best = max(drawn, key=lambda picture: picture.kept)
    assert best.kept > 0
    assert any(shows(picture.image, END_POINT) for picture in drawn)
    blue, green, red = np.moveaxis(best.image.astype(int), -1, 0)
    assert ((green > red + 40) & (red > blue + 40)).any()


@pytest.mark.slow
def test_draw_counts_the_kept_tracks_under_way(clip):
    features = idt.extract(clip)
    for picture in idt.draw(clip, zoom=1):
        under_way = (features.frame - 15 <= picture.index) & (picture.index <= features.frame)
        assert picture.kept == under_way.sum()


@pytest.mark.slow
def test_draw_takes_a_zoom_and_leaves_dropped_tracks_out(clip):
    for zoom in (1, 3):
        every = list(idt.draw(clip, zoom=zoom))
        kept = list(idt.draw(clip, zoom=zoom, dropped=False))
        assert kept[0].image.shape == (zoom * 96, zoom * 128, 3)
        assert [picture.kept for picture in kept] == [picture.kept for picture in every]
        assert sum(picture.followed_camera for picture in every) > 0
        assert sum(picture.followed_camera for picture in kept) == 0
    assert is_blue(every[16].image).any()
    assert not is_blue(kept[16].image).any()


@pytest.mark.slow
def test_pictures_in_rgb_are_those_in_bgr_turned_around(clip):
    for bgr, rgb in zip(idt.draw(clip), idt.draw(clip, channels="rgb"), strict=True):
        np.testing.assert_array_equal(rgb.image, bgr.image[..., ::-1])


@pytest.mark.slow
def test_pictures_of_an_endless_video_come_as_it_goes(clip):
    pictures = idt.draw(itertools.cycle(clip), length=5)
    assert [next(pictures).index for _ in range(40)] == list(range(40))
    pictures.close()


@pytest.mark.parametrize("zoom", [0, -1, 1.5, "2", True, np.zeros((2, 2))])
def test_a_zoom_that_is_no_whole_number_is_refused(clip, zoom):
    with pytest.raises(idt.DataError, match=r"^zoom must be an integer of at least 1, got "):
        next(idt.draw(clip, zoom=zoom))
