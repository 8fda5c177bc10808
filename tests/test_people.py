import cv2
import numpy as np
import pytest

from idt.errors import DataError
from idt.frames import people
from idt.frames.people import find_people, match_mask, read_boxes
from idt.frames.video import open_video
from tests import golden, scenes


@pytest.fixture
def boxes_file(tmp_path):
    def write(text):
        path = tmp_path / "boxes.txt"
        path.write_text(text)
        return path

    return write


def masked_pixel_by_pixel(boxes, shape):
    """docs/method/extraction.md, section 4.4, read literally: 0 where a pixel lies between ceil of the top-left and
    floor of the bottom-right.
    """
    out = np.ones(shape, np.uint8)
    for y in range(shape[0]):
        for x in range(shape[1]):
            for x1, y1, x2, y2 in boxes:
                if np.ceil(x1) <= x <= np.floor(x2) and np.ceil(y1) <= y <= np.floor(y2):
                    out[y, x] = 0
    return out


# Worked examples


def test_a_box_covers_from_ceil_to_floor_inclusive():
    got = match_mask(np.array([[1.2, 0.0, 3.9, 1.0]], np.float32), (3, 6))
    assert got.dtype == np.uint8
    assert got.tolist() == [[1, 1, 0, 0, 1, 1], [1, 1, 0, 0, 1, 1], [1, 1, 1, 1, 1, 1]]


def test_lines_give_the_boxes_of_their_own_frame_in_any_order(boxes_file):
    boxes = read_boxes(boxes_file("2 1 2 3 4 0.5 10 20 30.5 40 1\n\n0\n1\t5 6 7 8 -1e-3\n"))
    assert boxes.for_frame(2).tolist() == [[1, 2, 3, 4], [10, 20, 30.5, 40]]
    assert boxes.for_frame(1).tolist() == [[5, 6, 7, 8]]
    assert boxes.for_frame(0).shape == (0, 4)
    assert boxes.for_frame(1).dtype == boxes.for_frame(0).dtype == np.float32


def test_boxes_are_clipped_to_the_image_and_scaled_with_it(boxes_file):
    boxes = read_boxes(boxes_file("0 -5 -6 700 20 1 10 10 20 20 1\n"))
    clipped = boxes.clipped(640, 480)
    assert clipped.for_frame(0).tolist() == [[0, 0, 639, 20], [10, 10, 20, 20]]
    assert clipped.scaled(0.5).for_frame(0).tolist() == [[0, 0, 319.5, 10], [5, 5, 10, 10]]
    assert boxes.for_frame(0)[0].tolist() == [-5, -6, 700, 20]


def test_the_golden_boxes_leave_the_releases_keypoints():
    boxes = read_boxes(golden.HERE / "data" / "golden" / "wave_boxes.txt").clipped(240, 180)
    assert sum(len(boxes.for_frame(i)) for i in range(45)) == 40
    keypoints = np.load(golden.golden_folder("wave") / "surf.npz")
    camera = np.load(golden.golden_folder("wave_boxes") / "camera.npz")
    counts = dict(zip(camera["frame"].tolist(), camera["surf_keypoints"].tolist(), strict=True))
    for frame in (1, 10):
        free = match_mask(boxes.for_frame(frame), (180, 240))
        x, y = np.floor(keypoints[f"keypoints_{frame:03d}"][:, :2] + 0.5).astype(int).T
        assert free[y, x].sum() == counts[frame]


def test_the_detector_finds_the_boxer():
    with open_video(golden.video("boxing")) as video:
        boxes = find_people(video.first_frame.gray)
    assert boxes.shape == (1, 4)
    assert boxes.dtype == np.float32
    x1, y1, x2, y2 = boxes[0]
    # He stands right of the middle of 160×120 px and nearly fills the height.
    assert 50 < x1 < 90 < x2 < 120
    assert y2 - y1 > 80


def test_nobody_is_found_in_a_flat_frame():
    found = find_people(scenes.flat(1)[0])
    assert found.shape == (0, 4)
    assert found.dtype == np.float32
    assert (match_mask(found, (4, 5)) == 1).all()


# Rival


@pytest.mark.parametrize("shape", [(40, 60), (33, 31), (1, 1)])
def test_masks_are_those_of_the_pixel_by_pixel_definition(shape):
    rng = np.random.default_rng(1)
    corners = rng.uniform(-0.2, 1.0, (6, 2)) * shape[::-1]
    boxes = np.hstack([corners, corners + rng.uniform(0, 0.4, (6, 2)) * shape[::-1]]).astype(np.float32)
    boxes[0] = np.rint(boxes[0])
    assert np.array_equal(match_mask(boxes, shape), masked_pixel_by_pixel(boxes, shape))


# Laws


def test_boxes_outside_the_image_mask_nothing():
    outside = np.array([[-9, -9, -1, -1], [50, 2, 60, 9], [2, 50, 9, 60]], np.float32)
    assert match_mask(outside, (20, 30)).all()


def test_a_box_between_two_pixels_masks_nothing():
    assert match_mask(np.array([[3.2, 3.2, 3.8, 3.8]], np.float32), (8, 8)).all()


def test_the_detector_does_not_depend_on_the_number_of_threads():
    with open_video(golden.video("ice_dancing")) as video:
        gray = video.first_frame.gray
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = find_people(gray)
        cv2.setNumThreads(4)
        assert len(alone) >= 1
        assert all(np.array_equal(find_people(gray), alone) for _ in range(3))
    finally:
        cv2.setNumThreads(threads)


@pytest.mark.parametrize("size", [(32, 32), (33, 100), (260, 250)])
def test_found_boxes_lie_inside_frames_of_any_size(size):
    boxes = find_people(scenes.texture(*size, seed=5))
    assert (boxes >= 0).all()
    assert (boxes[:, [0, 2]] <= size[1] - 1).all()
    assert (boxes[:, [1, 3]] <= size[0] - 1).all()


# Refusals


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 1 2 3 4", "five numbers per box .* got 4"),
        ("1 1 2 3 4 0.5 6", "five numbers per box .* got 6"),
        ("1 1 2 x 4 0.5", "convert string to float: 'x'"),
        ("1 1 2 nan 4 0.5", "finite"),
        ("1 1 2 3 4 inf", "finite"),
        ("1 9 2 3 4 0.5", "x1 ≤ x2 and y1 ≤ y2, got 9 2 3 4"),
        ("1 1 9 3 4 0.5", "x1 ≤ x2 and y1 ≤ y2, got 1 9 3 4"),
        ("-1 1 2 3 4 0.5", "the frame must be a whole number of at least 0, got -1"),
        ("1.0 1 2 3 4 0.5", "the frame must be a whole number of at least 0, got 1.0"),
        ("frame x1 y1 x2 y2 conf", "the frame must be a whole number"),
        ("0 1 2 3 4 0.5", "frame 0 occurs again, first on line 1"),
    ],
)
def test_a_malformed_line_is_named_by_its_number(boxes_file, line, message):
    with pytest.raises(DataError, match=rf"boxes\.txt, line 3: .*{message}"):
        read_boxes(boxes_file(f"0 1 2 3 4 0.5\n\n{line}\n"))


def test_a_frame_without_a_line_is_named(boxes_file):
    boxes = read_boxes(boxes_file("0\n1 1 2 3 4 0.5\n3\n"))
    with pytest.raises(DataError, match="no line for frame 2: its 3 lines must cover the video"):
        boxes.for_frame(2)
    with pytest.raises(DataError, match=r"no line for frame 4.*frames 0 to 3 at present"):
        boxes.scaled(0.5).for_frame(4)


@pytest.mark.parametrize("box", ["-9 2 -1 5", "2 -9 5 -1", "640 2 650 5", "2 480 5 490"])
def test_a_box_outside_the_image_is_named_by_its_line(boxes_file, box):
    boxes = read_boxes(boxes_file(f"0 1 2 3 4 0.5\n\n1 5 5 9 9 1 {box} 0.5\n"))
    with pytest.raises(DataError, match=rf"line 3: box {box} lies outside the 640×480 image"):
        boxes.clipped(640, 480)


def test_files_without_boxes_are_refused(tmp_path, boxes_file):
    with pytest.raises(DataError, match=r"none\.txt: no such file"):
        read_boxes(tmp_path / "none.txt")
    with pytest.raises(DataError, match="is a folder"):
        read_boxes(tmp_path)
    with pytest.raises(DataError, match="has no lines"):
        read_boxes(boxes_file("\n \n"))
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)))
    with pytest.raises(DataError, match="not UTF-8 text, expected a text file of human boxes"):
        read_boxes(tmp_path / "binary.txt")


def test_masks_of_other_arrays_are_refused():
    with pytest.raises(DataError, match=r"boxes must be real numbers of shape \(n, 4\)"):
        match_mask(np.zeros((2, 5)), (4, 4))
    with pytest.raises(DataError, match="boxes must be finite"):
        match_mask(np.full((1, 4), np.nan), (4, 4))


def test_a_colour_frame_is_refused_by_the_detector():
    with pytest.raises(DataError, match="gray must be a 2-D uint8 image"):
        find_people(np.zeros((40, 40, 3), np.uint8))


def test_an_opencv_without_the_detector_is_reported_with_the_remedy(monkeypatch):
    people._detector.cache_clear()
    monkeypatch.delattr(cv2, "HOGDescriptor")
    with pytest.raises(DataError, match="install opencv-contrib-python"):
        find_people(scenes.flat(1)[0])
