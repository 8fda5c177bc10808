"""Pages of reports: what they say, that names in them are text, and that they work in a browser."""

import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from classify.datasets.dataset import Clip, Dataset, Skipped
from classify.datasets.splits import Split
from classify.reports import comparison_table, report
from classify.reports.comparison_table import Row
from classify.reports.page import evaluation, template, videos
from classify.reports.page.videos import Picture
from classify.reports.report import Costs
from classify.reports.summary import Fold
from idt.files import ownership
from idt.show.stills import still
from tests.browser import browser, complaints, requests

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

WALK = Path(__file__).parent / "data/golden/walk.avi"
EVIL = "<script>alert(1)</script>"
NAMES = [EVIL, 'x" onmouseover="alert(2)', "$x$ & {{7*7}}", "'}]</style><img src=http://a.b/c>", "a\u202eb\udcff"]
CONTRAST = 4.5
"""Least contrast of text and ground, of WCAG 2.1, level AA."""


def a_report(classes=("jump", "run", "walk"), n=4, wrong=1, path="/s/{}.avi"):
    """Report and test videos of two splits; of each class and split the first ``wrong`` videos get the next class."""
    classes = sorted(classes)
    clips = [Clip(f"{c}/{i}", Path(path.format(i)), c) for c in classes for i in range(n)]
    names = [clip.name for clip in clips]
    splits = [Split(f"{classes[0]} {k}", tuple(names[1 - k :: 2]), tuple(names[k::2])) for k in range(2)]
    odd = [Skipped(f"/s/{classes[0]}", classes[0])]
    dataset = Dataset("weizmann", Path("/s"), clips, splits, "two halves", "accuracy", odd, [classes[0]], odd)
    folds = []
    for split in splits:
        places = [classes.index(dataset.labels[name]) for name in split.test]
        seen: dict[int, int] = {}
        guesses = []
        for place in places:
            seen[place] = seen.get(place, 0) + 1
            guesses.append((place + (seen[place] <= wrong)) % len(classes))
        folds.append(Fold(split, classes, np.eye(len(classes))[guesses]))
    found = report.assemble(
        dataset,
        folds,
        per_descriptor={"hog": folds, "mbhx": folds},
        settings={"extraction": {"boxes": classes[0]}},
        costs=Costs({"extraction": 12.0, "encoding": 3.0}, 5 << 20),
        vector_length=27264,
        notes=[classes[0]],
    )
    return found, videos.tested_videos(dataset, folds)


class Parsed(HTMLParser):
    """Elements and text of a page."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text, self.data = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        (self.data if self.elements and self.elements[-1][0] in ("script", "style") else self.text).append(data)

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)


def pages(names):
    """The pages of an evaluation and of a comparison in which everything that has a name has one of these."""
    found, tested = a_report(names)
    pictures = {videos.key_of(video): [Picture(names[0], b"\xff\xd8")] for video in tested}
    yield evaluation.page(found, tested, pictures)
    rows = [Row(names[0], found), Row(names[1], found), Row(names[-1], None, names[0])]
    yield comparison_table.comparison_page.page(rows, {names[0]: "rows/a/report.html"})


def test_a_page_says_what_the_report_says():
    found, tested = a_report()
    parsed = Parsed(evaluation.page(found, tested))
    text = " ".join(" ".join(parsed.text).split())
    assert "50.0 % accuracy 95 % confidence over 2 splits: 50.0 to 50.0 %" in text
    assert "12 clips of 3 classes; two halves." in text
    assert "jump/0 jump, taken for run" in text
    assert "On part of the set, 3 of 10 classes, 2 of 9 splits, 12 of 14 clips" in text
    assert "Wrong videos: 6" in text
    cells = {one["data-cell"]: one["aria-label"] for tag, one in parsed.elements if tag == "button"}
    assert cells["0 0"] == "jump taken for jump: 2 of 4"
    assert cells["0 1"] == "jump taken for run: 2 of 4"
    assert len(cells) == 6
    assert parsed.count("svg") == 3
    assert "this run, on 3 of 10 classes" in text
    assert "27,264" in text


def test_the_same_report_makes_the_same_page():
    assert list(pages(["a", "b"])) == list(pages(["a", "b"]))


def test_names_are_text_in_a_page():
    for odd, plain in zip(pages(NAMES), pages([f"name{i}" for i in range(len(NAMES))]), strict=True):
        odd, plain = Parsed(odd), Parsed(plain)
        assert odd.count("script") == plain.count("script")
        # The names may make columns of another width, and a chart of another number of lines, but no other elements.
        assert {tag for tag, _ in odd.elements} == {tag for tag, _ in plain.elements}
        assert not [name for _, attributes in odd.elements for name in attributes if name.startswith("on")]
        assert EVIL in "".join(odd.text)
        assert EVIL not in "".join(odd.data)


def test_a_page_asks_for_nothing_outside():
    for page in pages(NAMES):
        for _, attributes in Parsed(page).elements:
            for name in ("src", "href", "xlink:href", "action", "data"):
                assert str(attributes.get(name, "#")).startswith(("data:", "#", "rows/"))
        style = page[page.index("<style>") : page.index("</style>")]
        assert "url(" not in style
        assert "@import" not in style
        assert "default-src 'none'" in page


def test_the_files_have_the_page_and_it_is_known_for_ours(tmp_path):
    found, tested = a_report()
    written = report.write(tmp_path, found, videos=tested)
    assert tmp_path / "report.html" in written.paths
    assert not report.lacks_page(tmp_path)
    assert ownership.is_ours(tmp_path / "report.html")
    (tmp_path / "report.html").unlink()
    assert report.lacks_page(tmp_path)
    assert comparison_table.write(tmp_path, [Row("a", found)]).paths[-1] == tmp_path / "comparison.html"
    assert ownership.is_ours(tmp_path / "comparison.html")


def test_without_jinja_the_page_is_missing_and_it_is_said(tmp_path, monkeypatch):
    found, tested = a_report()
    report.write(tmp_path, found, videos=tested)
    monkeypatch.setattr(template, "is_available", lambda: False)
    for module in (evaluation, comparison_table.comparison_page, report):
        monkeypatch.setattr(module, "is_available", lambda: False)
    written = report.write(tmp_path, found, videos=tested, overwrite=True)
    assert written.notes == [template.NO_JINJA]
    assert (tmp_path / "report.md").exists()
    assert not (tmp_path / "report.html").exists()
    assert not report.lacks_page(tmp_path)
    assert comparison_table.write(tmp_path, [Row("a", found)]).notes == [template.NO_JINJA]


def test_a_comparison_without_results_has_a_page():
    page = comparison_table.comparison_page.page([Row("a", None, "no <tracks>")], {})
    assert "failed: no &lt;tracks&gt;" in page


def test_a_still_is_a_frame_of_the_video(tmp_path):
    picture = cv2.imdecode(np.frombuffer(still(WALK), np.uint8), cv2.IMREAD_COLOR)
    capture = cv2.VideoCapture(str(WALK))
    frames = [capture.read()[1] for _ in range(16)]
    assert max(picture.shape) <= 240
    wanted = cv2.resize(frames[15], picture.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(picture.astype(int) - wanted).mean() < 4  # levels that the JPEG loses
    assert still(WALK, 2, 3) != still(WALK)
    (tmp_path / "broken.avi").write_bytes(b"RIFF")
    assert still(tmp_path / "broken.avi") is None
    assert still(tmp_path / "none.avi") is None


def test_videos_that_are_wrong_come_first_and_classes_take_turns():
    _, tested = a_report(n=6)
    chosen = videos.videos_to_picture(tested)
    assert [video.right for video in chosen] == [False] * 6 + [True] * 12
    assert [video.label for video in chosen[6:12]] == ["jump", "run", "walk"] * 2
    assert len({video.name for video in chosen}) == len(chosen)


def test_what_cannot_be_read_has_no_picture():
    _, tested = a_report(n=2, path=str(WALK))
    assert [picture.caption for picture in videos.still_picture(tested[0])] == ["a frame of the video"]
    assert videos.still_picture(tested[0]._replace(path=Path("/none.avi"))) == []


def test_pictures_keep_to_their_budget():
    _, tested = a_report(n=6)
    large = {videos.key_of(video): [Picture("a", b"\xff\xd8" + bytes(videos.MOST_BYTES // 5))] for video in tested}
    kept = videos.within_budget(large, videos.videos_to_picture(tested))
    assert list(kept) == [videos.key_of(video) for video in videos.videos_to_picture(tested)[:4]]
    assert sum(len(picture.data) for shown in kept.values() for picture in shown) <= videos.MOST_BYTES


def test_wrong_videos_with_pictures_come_first_and_the_colours_are_explained():
    found, tested = a_report()
    last = [video for video in tested if not video.right][-1]
    shown = [Picture(f"evidence for {name}", b"\xff\xd8", shows_evidence=True) for name in (last.label, last.predicted)]
    page = evaluation.page(found, tested, {videos.key_of(last): shown})
    first = page[page.index('<li id="wrong0"') : page.index('<li id="wrong1"')]
    assert f'class="pair"><p class="name">{last.name}</p>' in first
    assert first.count("<img") == 2
    assert "Orange regions and tracks raised the score" in page
    assert "Orange regions" not in evaluation.page(found, tested)


def luminance(colour):
    """Relative luminance of ``rgb(r, g, b)`` or ``color(srgb r g b)``, of WCAG 2.1."""
    scale = 1 if colour.startswith("color(srgb") else 255
    channels = [float(value) / scale for value in re.findall(r"[\d.]+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    """Ratio of the contrast of two colours."""
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def colours(driver, selector):
    """Computed colours of text and ground of the first element that matches."""
    script = "const s = getComputedStyle(document.querySelector(arguments[0])); return [s.color, s.backgroundColor];"
    return driver.execute_script(script, selector)


@pytest.mark.slow
@pytest.mark.parametrize(("width", "dark"), [(390, False), (1440, False), (1440, True)])
def test_a_page_works_in_a_browser(tmp_path, width, dark):
    found, tested = a_report([*NAMES[:3], "walk"], path=str(WALK))
    pictures = {videos.key_of(video): videos.still_picture(video) for video in videos.videos_to_picture(tested)}
    for video in tested:
        pictures[videos.key_of(video)] *= 2 - video.right
    report.write(tmp_path, found, videos=tested, pictures=pictures)
    with browser(width, dark=dark) as driver:
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        address = (tmp_path / "report.html").as_uri()
        driver.get(address)
        cells = driver.find_elements("css selector", "button[data-cell]")
        names = [entry["name"] for entry in found["mistakes"]]
        wrong = next(cell for cell in cells if len(set(cell.get_attribute("data-cell").split())) == 2)
        ActionChains(driver).scroll_to_element(wrong).move_to_element(wrong).perform()
        status = driver.find_element("id", "cell")
        assert any(name in status.text for name in names), "hover names the videos"
        wrong.click()
        images = driver.find_elements("css selector", "#gallery img")
        assert images, "click shows the pictures"
        assert all(driver.execute_script("return arguments[0].naturalWidth > 0", image) for image in images)
        assert all(image.get_attribute("alt") for image in images)
        before = driver.switch_to.active_element
        ActionChains(driver).send_keys(Keys.ARROW_LEFT).perform()
        after = driver.switch_to.active_element
        assert before != after
        assert after.get_attribute("data-cell"), "arrow keys move"
        after.send_keys(Keys.ENTER)
        assert after.get_attribute("aria-pressed") == "true"
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width, "no sideways scrolling"
        paper = colours(driver, "body")
        assert luminance(paper[1]) < 0.1 if dark else luminance(paper[1]) > 0.9
        for selector in ("body", ".small", ".tiles dt", "summary"):
            ink, ground = colours(driver, selector)
            assert contrast(ink, ground if "0, 0, 0, 0" not in ground else paper[1]) >= CONTRAST, selector
        cells = driver.execute_script(
            "return [...document.querySelectorAll('button[data-cell]')].map("
            "(cell) => [getComputedStyle(cell).color, getComputedStyle(cell.parentElement).backgroundColor]);"
        )
        assert min(contrast(*pair) for pair in cells) >= CONTRAST, "counts can be read on every shade"
        assert complaints(driver) == []
        assert requests(driver) == [address]
