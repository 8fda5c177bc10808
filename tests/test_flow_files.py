"""Flow files: quantisation, every layout read back by a rival written from the table, resuming, lists, refusals."""

import io
import json
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

import idt
from benchmarks.clips import write_video
from idt.errors import DataError
from idt.flows.from_files import flow_of_files
from idt.flows.quantise import quantise, restore
from idt.flows.readers import open_flow_files, resize_field
from idt.flows.two_frames import pairs
from idt.frames.video import open_video
from idt.params.extraction import ExtractionParams
from idt.params.flow_export import LAYOUTS
from tests import scenes
from tests.commands import refused
from tests.waiting import until

N = 6
"""Frames of the clips."""

BOUND = 20
QUANTUM = 2 * BOUND / 255

JPEG = 4
"""Gray levels by which a JPEG of quality 95 may differ from what was written at the edges of a moving patch."""

IMAGE = 40
"""The same for colours, which are stored at half the resolution; what is compared is which frame it is."""


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two classes of a video each, large enough for the squares of I3D."""
    folder = tmp_path_factory.mktemp("clips")
    for i, name in enumerate(("run/a", "walk/b")):
        (folder / name).parent.mkdir()
        film = scenes.moving_patch(N, velocity=(3, 1), background=(-1, 0), size=(120, 160), seed=i)
        write_video(folder / f"{name}.avi", film)
    return folder


@pytest.fixture(scope="module")
def truth(clips):
    """Flows and frames of run/a: (n - 1, H, W, 2), (n, H, W)."""
    grays = np.stack([frame.gray for frame in open_video(str(clips / "run/a.avi"))])
    found = pairs(open_video(grays), ExtractionParams(camera=False))
    return np.stack([pair.flow for _, pair in found if pair is not None]), grays


def rival(folder, layout, name):
    """Flows in pixels and frames of a video, by nothing but the table of docs/method/flow.md, section 2."""

    def gray(data):
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)

    def series(pattern, first):
        found, number = [], first
        while (folder / (pattern % number)).exists():
            found.append(gray((folder / (pattern % number)).read_bytes()))
            number += 1
        there = (folder / (pattern % first)).parent
        start = Path(pattern).name.partition("%")[0]
        assert len(found) == len([path for path in there.iterdir() if path.name.startswith(start)])
        return np.stack(found)

    def back(x, y):
        return np.stack([x, y], axis=3).astype(float) * 2 * BOUND / 255 - BOUND

    if layout in ("tsn", "mmaction2", "denseflow"):
        first = 0 if layout == "denseflow" else 1
        x, y = (series(f"{name}/flow_{of}_%05d.jpg", first) for of in "xy")
        return back(x, y), series(f"{name}/img_%05d.jpg", first)
    if layout == "twostream":
        x, y = (series(f"tvl1_flow/{of}/{name}/frame%06d.jpg", 1) for of in "uv")
        return back(x, y), series(f"jpegs_256/{name}/frame%06d.jpg", 1)
    if layout == "tsn-zip":
        planes = []
        for of, member in (("flow_x", "x"), ("flow_y", "y"), ("img", "img")):
            with zipfile.ZipFile(folder / name / f"{of}.zip") as file:
                names = file.namelist()
                assert names == [f"{member}_{number:05d}.jpg" for number in range(1, len(names) + 1)]
                planes.append(np.stack([gray(file.read(one)) for one in names]))
        return back(*planes[:2]), planes[2]
    if layout == "i3d":
        flow, rgb = np.load(folder / f"{name}_flow.npy"), np.load(folder / f"{name}_rgb.npy")
        assert flow.dtype == rgb.dtype == np.float32
        assert flow.shape == (1, N - 1, 224, 224, 2)
        assert rgb.shape == (1, N - 1, 224, 224, 3)
        return flow[0] * BOUND, (rgb[0] + 1) / 2 * 255
    if layout == "flo":
        flows = []
        for path in sorted((folder / name).glob("*.flo")):
            assert path.name == f"flow_{len(flows) + 1:05d}.flo"
            file = io.BytesIO(path.read_bytes())
            assert file.read(4) == b"PIEH"
            width, height = np.frombuffer(file.read(8), "<i4")
            flows.append(np.frombuffer(file.read(), "<f4").reshape(height, width, 2))
        return np.stack(flows), series(f"{name}/img_%05d.jpg", 1)
    with h5py.File(folder / f"{name}.h5") as file:
        assert sorted(file) == sorted(f"flow_{of}_{number:05d}" for of in "xy" for number in range(N - 1))
        assert file["flow_x_00000"].dtype == np.float32
        planes = [np.stack([file[f"flow_{of}_{number:05d}"][:] for number in range(N - 1)]) for of in "xy"]
    return np.stack(planes, axis=3), None


# Quantisation


def test_no_motion_is_128_and_halves_are_rounded_to_even():
    assert quantise(np.array([-21, -20, 0, 20, 21.0]), BOUND).tolist() == [0, 0, 128, 255, 255]
    # 128.5 and 129.5
    halves = np.array([128.5, 129.5]) * QUANTUM - BOUND
    assert quantise(halves, BOUND).tolist() == [128, 130]


@pytest.mark.parametrize("bound", [20, 15, 0.5])
def test_what_was_quantised_comes_back_to_half_a_quantum(bound):
    values = np.random.default_rng(0).uniform(-bound, bound, 10_000)
    back = restore(quantise(values, bound), bound)
    assert back.dtype == np.float32
    assert np.abs(back - values).max() <= bound / 255 * (1 + 1e-5)
    levels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(quantise(restore(levels, bound), bound), levels)


# Layouts


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_what_the_table_says(command, clips, truth, tmp_path, layout):
    rgb = ["--rgb"] * (layout != "h5")
    out = command("idt-flow", clips, "-o", tmp_path, "--layout", layout, *rgb)[1]
    assert f"run/a: {N - 1} flows" in out
    flows, images = rival(tmp_path, layout, "run/a")
    wanted, grays = truth
    assert len(flows) == N - 1
    n_images = N - 1 if layout in ("tsn", "tsn-zip", "i3d") else N
    if layout == "i3d":
        # The flow is that of the enlarged frames, of which 341×256 px the middle is cut.
        large = [cv2.resize(gray, (341, 256), interpolation=cv2.INTER_LINEAR) for gray in grays[:2]]
        cut = idt.flow_between(*large)[16:240, 58:282]
        np.testing.assert_allclose(flows[0], np.clip(cut, -BOUND, BOUND), atol=1e-5)
    else:
        tolerance = 0 if layout in ("flo", "h5") else QUANTUM / 2 + JPEG * QUANTUM
        np.testing.assert_allclose(flows, wanted, atol=tolerance + 1e-6)
        if tolerance:
            # JPEG aside, it is half a quantum.
            assert np.median(np.abs(flows - wanted)) < QUANTUM / 2
    reader = open_flow_files(tmp_path, "run/a")
    read = np.stack([reader.read(index) for index in range(len(reader))])
    np.testing.assert_allclose(read, flows, atol=1e-5)
    if images is not None:
        assert len(images) == n_images
    if images is not None and layout != "i3d":
        for image, gray in zip(images, grays[N - n_images :], strict=True):
            assert np.abs(image.astype(int).mean(axis=2) - gray).max() < IMAGE


def test_gray_levels_before_the_jpeg_are_within_half_a_quantum(clips, truth):
    levels = quantise(truth[0], BOUND)
    assert np.abs(restore(levels, BOUND) - truth[0]).max() <= QUANTUM / 2 * (1 + 1e-5)
    # A gray JPEG of quality 95, as OpenCV writes it.
    data = cv2.imencode(".jpg", levels[0, ..., 0])[1]
    assert np.abs(cv2.imdecode(data, cv2.IMREAD_UNCHANGED).astype(int) - levels[0, ..., 0]).max() <= JPEG


@pytest.mark.slow
@pytest.mark.parametrize(("layout", "frames"), [("mmaction2", N), ("tsn", N - 1)])
def test_the_lists_are_those_of_tsn_and_mmaction2(command, clips, tmp_path, layout, frames):
    for given in ("r*/*.avi", "*/*.avi"):
        # The second run does one video more.
        command("idt-flow", f"{clips}/{given}", "-o", f"{tmp_path}/o/", "--layout", layout, "--rgb")
    assert (tmp_path / "o/flow_list.txt").read_text() == f"run/a {N - 1} 0\nwalk/b {N - 1} 1\n"
    assert (tmp_path / "o/rgb_list.txt").read_text() == f"run/a {frames} 0\nwalk/b {frames} 1\n"
    assert (tmp_path / "o/classes.txt").read_text() == "run\nwalk\n"


def test_a_step_leaves_frames_out_and_denseflow_names_it(command, clips, tmp_path):
    film = str(clips / "run/a.avi")
    command("idt-flow", film, "-o", tmp_path, "--layout", "denseflow", "--step", 2)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(
        f"flow_{of}_p2_{number:05d}.jpg" for of in "xy" for number in range(N - 2)
    )
    grays = [frame.gray for frame in open_video(film)]
    wanted = idt.flow_between(grays[1], grays[3])
    np.testing.assert_allclose(open_flow_files(tmp_path, "a").read(1), wanted, atol=QUANTUM * (JPEG + 0.5))


def test_bound_and_short_side_change_the_levels(command, clips, tmp_path):
    film = str(clips / "run/a.avi")
    command("idt-flow", film, "-o", tmp_path / "f", "--bound", 5, "--short-side", 60)
    image = cv2.imread(str(tmp_path / "f/a/flow_x_00001.jpg"), cv2.IMREAD_UNCHANGED)
    assert image.shape == (60, 80)
    field = open_flow_files(tmp_path / "f", "a", bound=5).read(0)
    assert np.median(field[2:8, :, 0]) == pytest.approx(-0.5, abs=0.1)
    # In pixels of the video.
    assert np.median(resize_field(field, 120, 160)[4:16, :, 0]) == pytest.approx(-1, abs=0.2)


def test_vectors_of_a_codec_are_a_flow_too_but_not_to_a_warped_frame(command, clips, tmp_path):
    pytest.importorskip("av")
    words = ("idt-flow", clips / "run/a.avi", "-o", tmp_path / "o", "--flow", "mpeg", "--layout", "flo")
    command(*words)
    grays = [frame.gray for frame in open_video(str(clips / "run/a.avi"))]
    wanted = idt.flow_between(*grays[:2], method="mpeg")
    np.testing.assert_array_equal(open_flow_files(tmp_path / "o", "a").read(0), wanted)
    assert refused(command(*words, "--warped", status=2), "known between consecutive frames only")
    assert refused(command(*words, "--step", 2, "--overwrite", status=2), "got step=2; leave it 1")


def test_what_others_wrote_is_read_from_its_first_number(tmp_path):
    (tmp_path / "u/v").mkdir(parents=True)
    (tmp_path / "v/v").mkdir(parents=True)
    (tmp_path / "w").mkdir()
    for number in (7, 8):
        for path in (f"u/v/frame{number:06d}.jpg", f"v/v/frame{number:06d}.jpg"):
            cv2.imwrite(str(tmp_path / path), np.full((16, 16), number, np.uint8))
        for of in "xy":
            cv2.imwrite(str(tmp_path / f"w/flow_{of}_{number:04d}.jpg"), np.full((16, 16), number, np.uint8))
    for name in ("v", "w"):
        reader = open_flow_files(tmp_path, name)
        assert len(reader) == 2
        np.testing.assert_allclose(reader.read(1), restore(np.full((16, 16, 2), 8, np.uint8), BOUND), atol=1e-6)


# Tracks along flow files


def test_tracks_follow_flow_files_as_they_follow_a_function(command, clips, tmp_path):
    film = str(clips / "run/a.avi")
    command("idt-flow", film, "-o", tmp_path / "flo", "--layout", "flo")
    words = ("--length", 4, "--compensation", "field")
    command("idt-extract", film, "-o", tmp_path / "f.h5", "--flow-files", tmp_path / "flo", *words)
    features = idt.load(tmp_path / "f.h5")
    wanted = idt.extract(film, flow=lambda a, b: idt.flow_between(a, b), length=4, compensation="field")
    np.testing.assert_allclose(features.points, wanted.points, atol=1e-3)
    assert features.params.flow.startswith("files:")
    # The same files are the same flow, and other ones are not.
    assert (
        "up to date"
        in command("idt-extract", film, "-o", tmp_path / "f.h5", "--flow-files", tmp_path / "flo", *words)[1]
    )
    command("idt-flow", film, "-o", tmp_path / "h5", "--layout", "h5", "--flow", "dis")
    done = command("idt-extract", film, "-o", tmp_path / "f.h5", "--flow-files", tmp_path / "h5", *words, status=2)
    assert refused(done, "was written with flow=files:")


def test_flow_files_go_with_neither_a_warped_frame_nor_a_rate_nor_another_flow(command, clips, tmp_path):
    film = str(clips / "run/a.avi")
    command("idt-flow", film, "-o", tmp_path / "o")
    given = ("idt-extract", film, "-o", tmp_path / "f.h5", "--flow-files", tmp_path / "o")
    assert refused(command(*given, status=2), "flow files are known .* only.*compensation=field")
    assert refused(command(*given, "--flow", "dis", status=2), "give one")
    assert refused(command(*given, "--no-camera", "--fps", 10, status=2), "drop fps and skips")
    assert refused(command(*given, "--no-camera", "--length", 3, "--skips", "1,2", status=2), "drop fps")
    command(*given, "--no-camera", "--start", 2, "--length", 3)
    with pytest.raises(DataError, match="name their folder with --flow-files"):
        idt.extract(film, flow=idt.load(tmp_path / "f.h5").params.flow, camera=False)


def test_one_video_without_flow_files_fails_alone(command, clips, tmp_path):
    command("idt-flow", clips / "run/a.avi", "-o", tmp_path / "o/run")
    words = ("--flow-files", tmp_path / "o", "--no-camera", "--length", 4)
    _, out, err = command("idt-extract", clips, "-o", tmp_path / "f", *words, status=3)
    assert "run/a.h5" in out
    assert "holds no flow of 'walk/b'" in err


# Runs


def state(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "summary.json")
    return {path: path.stat().st_mtime_ns for path in files}


def test_a_second_run_does_nothing_and_another_one_is_refused(command, clips, tmp_path):
    film = str(clips / "run/a.avi")
    command("idt-flow", film, "-o", tmp_path)
    before = state(tmp_path)
    assert command("idt-flow", film, "-o", tmp_path)[1] == "a: up to date\n"
    assert state(tmp_path) == before
    done = command("idt-flow", film, "-o", tmp_path, "--bound", 15, status=2)
    assert "was made with bound=20.0, this run asks for bound=15.0; use another folder or --overwrite" in done[2]
    assert state(tmp_path).items() >= before.items()
    command("idt-flow", film, "-o", tmp_path, "--layout", "denseflow", "--overwrite")
    assert sorted(path.name for path in (tmp_path / "a").iterdir())[0] == "flow_x_00000.jpg"
    assert len(list((tmp_path / "a").iterdir())) == 2 * (N - 1)


def test_a_layout_that_gives_way_leaves_nothing(command, clips, tmp_path):
    film = str(clips / "run/a.avi")
    command("idt-flow", film, "-o", tmp_path, "--layout", "i3d")
    command("idt-flow", film, "-o", tmp_path, "--layout", "h5", "--overwrite")
    assert {path.name for path in tmp_path.iterdir()} == {"a.h5", ".flow"}


@pytest.mark.slow
def test_jobs_and_threads_change_nothing(command, clips, tmp_path):
    command("idt-flow", clips, "-o", tmp_path / "one")
    command("idt-flow", clips, "-o", tmp_path / "two", "--jobs", 2, "--threads", 2)
    for path in (tmp_path / "one").rglob("*.jpg"):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_what_a_killed_run_has_moved_is_known_and_made_again(command, clips, tmp_path):
    film = str(clips / "run/a.avi")
    command("idt-flow", film, "-o", tmp_path)
    path = tmp_path / ".flow/a.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "complete": False}))
    (tmp_path / "a/flow_x_00002.jpg").unlink()
    done = command("idt-flow", "--verify", tmp_path, status=3)
    assert "left the flow files unfinished" in done[1]
    assert f"{N - 1} flows" in command("idt-flow", film, "-o", tmp_path)[1]
    assert "1 of 1 videos are whole" in command("idt-flow", "--verify", tmp_path)[1]
    (tmp_path / "a/flow_x_00002.jpg").write_bytes(b"")
    assert "has changed since it was written" in command("idt-flow", "--verify", tmp_path, status=3)[1]
    assert refused(command("idt-flow", "--verify", clips, status=2), "holds no record of flow files")


@pytest.mark.slow
def test_folders_and_lists_of_others_are_never_replaced(command, clips, tmp_path):
    (tmp_path / "o/run/a").mkdir(parents=True)
    (tmp_path / "o/run/a/mine.txt").write_text("mine")
    for permit in ([], ["--overwrite"]):
        done = command("idt-flow", clips, "-o", tmp_path / "o", *permit, status=3)
        assert "run/a exists, and idt-flow has not made it" in done[2]
    assert (tmp_path / "o/run/a/mine.txt").read_text() == "mine"
    (tmp_path / "l").mkdir()
    (tmp_path / "l/flow_list.txt").write_text("mine 1 2\n")
    assert refused(command("idt-flow", clips, "-o", tmp_path / "l", status=2), "flow_list.txt exists")
    assert refused(command("idt-flow", clips, "-o", tmp_path / "l/flow_list.txt", status=2), "is a file")
    assert refused(command("idt-flow", clips, "-o", "", status=2), "expected a folder")


def test_frames_of_a_folder_that_are_in_the_way_of_their_flow_are_an_input(command, tmp_path):
    scenes.write_images(tmp_path / "o/a", scenes.static(4))
    for permit in ([], ["--overwrite"]):
        done = command("idt-flow", tmp_path / "o/a", "-o", tmp_path / "o", *permit, status=2)
        assert refused(done, "is an input of this run|where the next run would read it")
    assert len(list((tmp_path / "o/a").iterdir())) == 4


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_ended_leaves_no_flow_and_the_next_one_cleans_up(clips, tmp_path, number):
    out = tmp_path / "o"
    program = "import sys; from idt.batch.flow_command import flow; sys.exit(flow())"
    words = ("-c", program, str(clips), "-o", str(out), "--flow", "tvl1")
    run = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: any(out.rglob("flow_x_00001.jpg")) if out.is_dir() else False)
    run.send_signal(number)
    assert run.wait(timeout=60) in (128 + number, -number)
    # What a killed run has left is hidden.
    assert not any(path for path in out.rglob("*.jpg") if ".flow" not in path.parts)
    again = (*words[:-2], "--flow", "dis")
    assert subprocess.run([sys.executable, *again], capture_output=True, check=False).returncode == 0
    assert len(list(out.rglob("*.jpg"))) == 2 * 2 * (N - 1)
    assert not list(out.rglob("idt-scratch-*"))


# Refusals


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["--layout", "h5", "--rgb"], "the layout h5 has no place for frames"),
        (["--layout", "i3d", "--short-side", 100], "cuts squares of 224 px, got short_side=100"),
        (["--step", 6], "a flow with step=6 needs 7 frames, got 6 in all"),
        (["--start", 5], "a flow with step=1 needs 2 frames, got 1 in all"),
        (["--boxes", "absent.txt", "--warped"], "absent.txt"),
    ],
)
def test_what_gives_no_flow_is_refused(command, clips, tmp_path, words, pattern):
    done = command("idt-flow", clips / "run/a.avi", "-o", tmp_path, *words, status=None)
    assert done[0] in (2, 3)
    assert re.search(pattern, done[2])
    assert not (tmp_path / "a").exists()


def damaged(folder, kind):
    (folder / "a").mkdir()
    image = cv2.imencode(".jpg", np.zeros((16, 16), np.uint8))[1].tobytes()
    colour = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()
    for of in "xy":
        for number in (1, 2):
            data = image[:-20] if (kind, of, number) == ("cut", "x", 2) else colour if kind == "colour" else image
            if (kind, number) != ("gap", 2):
                (folder / f"a/flow_{of}_{number:05d}.jpg").write_bytes(data)
    if kind == "gap":
        for of in "xy":
            (folder / f"a/flow_{of}_00003.jpg").write_bytes(image)
    if kind == "size":
        (folder / "a/flow_y_00002.jpg").write_bytes(cv2.imencode(".jpg", np.zeros((8, 16), np.uint8))[1].tobytes())
    if kind == "alone":
        (folder / "a/flow_y_00002.jpg").unlink()


@pytest.mark.parametrize(
    ("kind", "pattern"),
    [
        ("cut", "flow_x_00002.jpg"),
        ("colour", "must be a gray image, got colours"),
        ("gap", "flow 2 is missing between 1 and 3"),
        ("size", "must have one size"),
        ("alone", "flow_y_00002.jpg"),
    ],
)
def test_damaged_images_are_refused(tmp_path, kind, pattern):
    damaged(tmp_path, kind)
    with pytest.raises((DataError, OSError), match=pattern):
        open_flow_files(tmp_path, "a").read(1)


@pytest.mark.parametrize(
    ("path", "data", "pattern"),
    [
        ("a/flow_00001.flo", b"PIEH" + np.array([16, 16], "<i4").tobytes() + bytes(8), "no whole .flo file"),
        ("a/flow_00001.flo", b"PIEH" + np.array([-1, 1 << 30], "<i4").tobytes(), "no whole .flo file"),
        ("a/flow_00001.flo", b"PIEH" + np.array([1, 1], "<i4").tobytes() + b"\xff" * 8, "must be finite"),
        ("a/flow_x.zip", b"PK\x03\x04", "no whole zip archive"),
        ("a_flow.npy", b"\x93NUMPY", "header"),
        ("a.h5", b"text", "is no HDF5 file"),
    ],
)
def test_damaged_files_are_refused(tmp_path, path, data, pattern):
    (tmp_path / "a").mkdir()
    (tmp_path / path).write_bytes(data)
    (tmp_path / "a/flow_y.zip").write_bytes(data)
    if not path.startswith("a/"):
        (tmp_path / "a/flow_y.zip").unlink()
        (tmp_path / "a").rmdir()
    with pytest.raises(DataError, match=pattern):
        open_flow_files(tmp_path, "a").read(0)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(DataError, match=r"holds no flow of 'a': expected a/flow_x_00001\.jpg"):
        flow_of_files(tmp_path, "a")
    damaged(tmp_path, "whole")
    with pytest.raises(DataError, match="flow 2 was asked for, but there are 2"):
        open_flow_files(tmp_path, "a").read(2)
    with pytest.raises(DataError, match=r"flow files of 16×16 px do not fit frames of 64×32 px"):
        resize_field(np.zeros((16, 16, 2), np.float32), 32, 64)
