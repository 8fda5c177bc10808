"""The commands, as a user meets them: exit status, what is printed, what is left on the disk."""

import gc
import re
import shutil
import signal
import subprocess
import sys
import time

import cv2
import h5py
import numpy as np
import pytest

import idt
from benchmarks.clips import write_video
from encoding.fitting import fit_codebook
from encoding.params import EncodingParams
from idt.batch.extract_one import extract_job
from idt.batch.jobs import Job
from idt.batch.precompile import compile_missing
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions
from tests import scenes
from tests.commands import refused
from tests.comparing import assert_same_datasets
from tests.progress import Counted


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A short film of a textured patch that moves over a moving background."""
    path = tmp_path_factory.mktemp("clip") / "patch.avi"
    write_video(path, scenes.moving_patch(n_frames=20))
    return path


# What a user does.


def test_extract_writes_a_file_that_load_reads(command, clip, tmp_path):
    status, out, _ = command("idt-extract", clip, "-o", tmp_path / "f.h5")
    features = idt.load(tmp_path / "f.h5")
    assert status == 0
    assert len(features) > 0
    assert f"{len(features)} tracks, 20 frames" in out
    in_memory = idt.extract(clip)
    assert len(in_memory) == len(features)
    np.testing.assert_array_equal(in_memory.points, features.points)
    np.testing.assert_array_equal(in_memory.position, features.position)
    # Fixed point rounds to the nearest 1/1024.
    np.testing.assert_allclose(in_memory.hof, features.hof, atol=0.5 / 1024 + 1e-7)
    np.testing.assert_array_equal(in_memory.camera.homography, features.camera.homography)


def test_float32_stores_what_extract_returns(command, clip, tmp_path):
    assert command("idt-extract", clip, "-o", tmp_path / "f.h5", "--float32")[0] == 0
    np.testing.assert_array_equal(idt.load(tmp_path / "f.h5").to_numpy(), idt.extract(clip).to_numpy())


@pytest.mark.slow
def test_compact_and_projected_files_are_what_converting_a_plain_one_gives(command, clip, tmp_path):
    command("idt-extract", clip, "-o", tmp_path / "plain.h5")
    halves = [idt.load(tmp_path / "plain.h5")[i::2] for i in (0, 1)]
    fit_codebook(halves, params=EncodingParams(k=2, sample=100)).save(tmp_path / "c.h5")
    project = ("--project", tmp_path / "c.h5")
    compact, projected = "with compact=True", "with projected=[0-9a-f]{64}/[0-9a-f]{16}"
    for words, made, asked in (
        (("--compact",), compact, "no compact"),
        (project, projected, "no projected"),
        (("--compact", *project), f"{compact}, {projected}", "no compact, no projected"),
    ):
        one, two = tmp_path / f"{len(words)}a.h5", tmp_path / f"{len(words)}b.h5"
        assert command("idt-extract", clip, "-o", one, *words)[0] == 0
        status, out, err = command("idt-convert", tmp_path / "plain.h5", "-o", two, *words)
        assert (status, err.count("\n")) == (0, 1)
        assert out.startswith(f"{two}: ")
        assert_same_datasets(one, two)
        assert "up to date" in command("idt-extract", clip, "-o", one, *words)[1]
        refused(
            command("idt-extract", clip, "-o", one, status=2),
            f"{re.escape(str(one))} was written {made}, this run asks for {asked}; use another path or --overwrite$",
        )


def test_two_runs_and_any_number_of_threads_give_identical_files(command, clip, tmp_path):
    for name, threads in (("a", 1), ("b", 1), ("c", 2), ("d", 3)):
        assert command("idt-extract", clip, "-o", tmp_path / f"{name}.h5", "--threads", threads)[0] == 0
    for name in "bcd":
        assert_same_datasets(tmp_path / "a.h5", tmp_path / f"{name}.h5")
        assert (tmp_path / "a.h5").read_bytes() == (tmp_path / f"{name}.h5").read_bytes()


def test_progress_tells_how_many_frames_there_will_be(clip, tmp_path):
    progress = Counted()
    job = Job(str(clip), "patch", tmp_path / "f.h5")
    extract_job(job, ExtractionParams(start=1), run=RunOptions(progress=progress))
    assert (progress.calls, progress.totals) == ([16, 3], {"frame": 19})


@pytest.mark.slow
def test_one_video_loads_only_what_it_needs(clip, tmp_path):
    code = (
        "import gc, sys; from idt.cli import extract; status = extract()\n"
        "print([name for name in ('tqdm', 'joblib', 'sklearn', 'matplotlib', 'idt.show') if name in sys.modules])\n"
        "print(status, gc.get_threshold()[0] > 700, gc.get_freeze_count() > 50_000)"
    )
    compile_missing()  # needs more
    words = [sys.executable, "-c", code, clip, "-o", tmp_path / "f.h5", "--end", "1"]
    found = subprocess.run(words, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[1:] == ["[]", "0 True True"]


def test_a_command_called_by_a_program_leaves_its_garbage_collector_alone(command, clip, tmp_path):
    before = gc.get_threshold(), gc.get_freeze_count()
    command("idt-extract", clip, "-o", tmp_path / "f.h5", "--end", 1)
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_a_second_run_says_up_to_date_and_leaves_the_file_alone(command, clip, tmp_path):
    target = tmp_path / "f.h5"
    command("idt-extract", clip, "-o", target)
    before = target.stat().st_mtime_ns
    status, out, _ = command("idt-extract", clip, "-o", target)
    assert (status, out) == (0, f"{target}: up to date\n")
    assert target.stat().st_mtime_ns == before


@pytest.mark.slow
def test_several_videos_keep_their_path_below_the_common_root(command, clip, tmp_path):
    for name in ("wave/a.avi", "walk/b.avi"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, tmp_path / "in" / name)
    status, out, _ = command("idt-extract", tmp_path / "in", "-o", tmp_path / "out", "--jobs", 2)
    assert status == 0
    assert out.count("tracks") == 2
    assert sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.h5")) == [
        "walk/b.h5",
        "wave/a.h5",
    ]
    assert_same_datasets(tmp_path / "out/walk/b.h5", tmp_path / "out/wave/a.h5")


def test_one_video_and_a_folder_gives_its_name_in_the_folder(command, clip, tmp_path):
    assert command("idt-extract", clip, "-o", f"{tmp_path}/out/")[0] == 0
    assert (tmp_path / "out" / "patch.h5").is_file()


@pytest.mark.slow
def test_one_bad_video_among_good_ones_gives_status_3(command, clip, tmp_path):
    (tmp_path / "in").mkdir()
    shutil.copy(clip, tmp_path / "in" / "good.avi")
    (tmp_path / "in" / "bad.avi").write_bytes(b"")
    _, _, err = command("idt-extract", tmp_path / "in", "-o", tmp_path / "out", status=3)
    assert "bad.avi" in err
    assert "1 of 2 videos failed" in err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["failures.csv", "good.h5", "summary.json"]


def test_a_single_frame_gives_a_complete_file_without_tracks(command, tmp_path):
    scenes.write_images(tmp_path / "frames", scenes.static(n_frames=1, size=(64, 64)))
    status, out, _ = command("idt-extract", tmp_path / "frames", "-o", tmp_path / "f.h5")
    features = idt.load(tmp_path / "f.h5")
    assert status == 0
    assert "0 tracks, 1 frames" in out
    assert (len(features), features.frames) == (0, 1)
    np.testing.assert_array_equal(features.camera.homography, np.eye(3)[None])


def test_a_truncated_video_keeps_what_decodes_and_says_how_much(command, clip, tmp_path):
    whole = clip.read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) * 9 // 10])
    status, _, err = command("idt-extract", tmp_path / "cut.avi", "-o", tmp_path / "f.h5")
    assert status == 0
    decoded = idt.load(tmp_path / "f.h5").frames
    assert 0 < decoded < 20
    assert f"{decoded} of 20" in err
    refused(
        command("idt-extract", tmp_path / "cut.avi", "-o", tmp_path / "g.h5", "--strict", status=2), f"{decoded} of 20"
    )
    assert not (tmp_path / "g.h5").exists()
    # Nor does the file that was made without it pass.
    refused(
        command("idt-extract", tmp_path / "cut.avi", "-o", tmp_path / "f.h5", "--strict", status=2), f"{decoded} of 20"
    )


def test_what_is_noticed_and_where_it_comes_from_is_with_the_features(command, clip, tmp_path):
    whole = clip.read_bytes()
    (tmp_path / "cut.avi").write_bytes(whole[: len(whole) * 9 // 10])
    features = idt.extract(tmp_path / "cut.avi")
    assert re.search(f"truncated: {features.frames} of 20", features.notes[0])
    idt.save(features, tmp_path / "f.h5")
    # So the command finds it up to date; with boxes it would not.
    status, out, err = command("idt-extract", tmp_path / "cut.avi", "-o", tmp_path / "f.h5")
    assert (status, "up to date" in out, features.notes[0] in err) == (0, True, True)
    boxes = tmp_path / "boxes.txt"
    boxes.write_text("".join(f"{t}\n" for t in range(20)))
    idt.save(idt.extract(tmp_path / "cut.avi", boxes=boxes), tmp_path / "g.h5")
    refused(command("idt-extract", tmp_path / "cut.avi", "-o", tmp_path / "g.h5", status=2), "boxes_digest")


def test_a_folder_whose_name_is_a_number_is_no_camera(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scenes.write_images(tmp_path / "7", scenes.static(n_frames=1, size=(64, 64)))
    assert command("idt-extract", "7", "-o", "f.h5")[0] == 0
    assert command("idt-show", "7", "-o", "f.png")[0] == 0


def test_frames_named_by_a_pattern_take_the_name_of_their_folder(command, tmp_path):
    scenes.write_images(tmp_path / "walk", scenes.static(n_frames=2, size=(64, 64)))
    for i, pattern in enumerate(("*.png", "frame%d.png")):
        assert command("idt-extract", tmp_path / "walk" / pattern, "-o", f"{tmp_path}/{i}/")[0] == 0
        assert [path.name for path in (tmp_path / str(i)).iterdir()] == ["walk.h5"]
        assert idt.load(tmp_path / str(i) / "walk.h5").source["name"] == "walk"


@pytest.mark.slow
def test_show_draws_a_picture_and_a_video(command, clip, tmp_path):
    status, out, _ = command("idt-show", clip, "-o", tmp_path / "t.png")
    picture = cv2.imread(str(tmp_path / "t.png"))
    assert status == 0
    caption_and_legend = 2 * 20
    assert picture.shape == (384 + caption_and_legend, 512, 3)
    assert int(re.search(r"(\d+) kept tracks", out)[1]) > 0
    # The kept tracks are green: colour on a gray frame.
    assert (picture[..., 1].astype(int) - picture[..., 2] > 60).any()
    assert command("idt-show", clip, "-o", tmp_path / "t.mp4")[0] == 0
    video = cv2.VideoCapture(str(tmp_path / "t.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == 20


def test_convert_goes_to_the_release_text_and_back(command, clip, tmp_path):
    command("idt-extract", clip, "-o", tmp_path / "f.h5")
    assert command("idt-convert", tmp_path / "f.h5", "-o", tmp_path / "f.txt.gz")[0] == 0
    status, out, _ = command("idt-convert", tmp_path / "f.txt.gz", "-o", tmp_path / "g.h5")
    assert status == 0
    before, after = idt.load(tmp_path / "f.h5"), idt.load(tmp_path / "g.h5")
    assert out == f"{tmp_path / 'g.h5'}: {len(before)} tracks\n"
    np.testing.assert_array_equal(before.to_numpy(), after.to_numpy())


# Habits.


@pytest.mark.parametrize("name", ["idt-extract", "idt-convert", "idt-show"])
def test_help_ends_with_a_line_to_paste(command, name):
    status, out, _ = command(name, "--help")
    assert status == 0
    assert out.rstrip().splitlines()[-1].startswith(f"example: {name} ")


def test_help_does_not_wait_for_opencv_or_numba():
    code = (
        "import sys\nfrom idt import cli\n"
        "try:\n    cli.extract(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'cv2', 'numba', 'numpy', 'h5py', 'scipy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_the_help_names_every_parameter_with_its_default(command):
    _, out, _ = command("idt-extract", "--help")
    for words in ("--length N", "(1 to 1000; default 15)", "--no-camera", "{surf,sift,orb,none}", "--time-cells"):
        assert words in out
    assert "--max-side" in out


@pytest.mark.slow
def test_a_killed_run_leaves_nothing_under_the_final_name(tmp_path):
    video = tmp_path / "long.avi"
    write_video(video, np.concatenate([scenes.moving_patch(n_frames=40)] * 10))
    target = tmp_path / "f.h5"
    code = f"from idt import cli; cli.extract([{str(video)!r}, '-o', {str(target)!r}, '--quiet'])"
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob(".f.h5.*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not target.exists()


# Refusals.


def test_inputs_that_cannot_be_read_are_refused(command, clip, tmp_path):
    out = tmp_path / "f.h5"
    (tmp_path / "empty").mkdir()
    (tmp_path / "zero.avi").write_bytes(b"")
    (tmp_path / "text.avi").write_text("no video\n" * 100)
    refused(
        command("idt-extract", tmp_path / "absent.avi", "-o", out, status=2), r"absent\.avi: no such file or folder$"
    )
    refused(
        command("idt-extract", tmp_path / "empty", "-o", out, status=2), "/empty is an empty folder: expected videos"
    )
    refused(command("idt-extract", tmp_path / "zero.avi", "-o", out, status=2), r"zero\.avi is empty \(0 bytes\)$")
    refused(
        command("idt-extract", tmp_path / "text.avi", "-o", out, status=2),
        r"text\.avi is not a video but text or a playlist; name the videos .*",
    )
    assert not out.exists()


def test_frames_smaller_than_the_patch_are_refused(command, clip, tmp_path):
    refused(
        command("idt-extract", clip, "-o", tmp_path / "f.h5", "--patch", 100, status=2),
        "128×96.*smaller than patch=100",
    )
    refused(command("idt-extract", clip, "-o", tmp_path / "f.h5", "--max-side", 40, status=2), "40×30.*patch=32")


def test_frames_that_change_size_midway_are_refused_and_leave_nothing(command, tmp_path):
    folder = tmp_path / "frames"
    scenes.write_images(folder, scenes.static(n_frames=3, size=(64, 64)))
    names = sorted(folder.iterdir())
    cv2.imwrite(str(names[2]), np.zeros((64, 80), np.uint8))
    refused(command("idt-extract", folder, "-o", tmp_path / "f.h5", status=2), f"{names[2].name}.*80×64.*64×64")
    assert not (tmp_path / "f.h5").exists()
    assert not list(tmp_path.glob(".f.h5*"))


@pytest.mark.parametrize(
    ("frames", "pattern"),
    [
        ([np.full((64, 64), np.nan)], "uint8"),
        ([np.zeros((64, 64), np.int32)], "int32"),
        ([np.zeros((64, 64, 4), np.uint8)], r"\(64, 64, 4\)"),
        ([], "no frames"),
    ],
)
def test_arrays_that_are_no_frames_are_refused(frames, pattern):
    with pytest.raises(idt.DataError, match=pattern):
        idt.extract(frames)


def test_wrong_boxes_are_refused_with_their_line(command, clip, tmp_path):
    boxes = tmp_path / "boxes.txt"
    whole = [f"{t} 10 10 50 60 0.9" for t in range(20)]
    for line, text, pattern in (
        (3, "2 10 10 50", "line 3.*"),
        (4, "3 10 10 x 60 0.9", "line 4.*"),
        (5, "4 500 10 550 60 0.9", "line 5.*outside"),
    ):
        wrong = list(whole)
        wrong[line - 1] = text
        boxes.write_text("\n".join(wrong) + "\n")
        refused(command("idt-extract", clip, "-o", tmp_path / "f.h5", "--boxes", boxes, status=2), pattern)
    boxes.write_text("\n".join(whole[:12]) + "\n")
    refused(command("idt-extract", clip, "-o", tmp_path / "f.h5", "--boxes", boxes, status=2), "frame 12")
    assert not (tmp_path / "f.h5").exists()


def test_an_output_made_with_other_parameters_is_refused_and_kept(command, clip, tmp_path):
    target = tmp_path / "f.h5"
    command("idt-extract", clip, "-o", target)
    before = target.read_bytes()
    refused(command("idt-extract", clip, "-o", target, "--length", 10, status=2), "length=15.*length=10.*--overwrite")
    assert target.read_bytes() == before
    assert command("idt-extract", clip, "-o", target, "--length", 10, "--overwrite")[0] == 0
    assert idt.load(target).points.shape[1] == 11


def test_a_file_that_is_not_ours_is_never_replaced_unasked(command, clip, tmp_path):
    target = tmp_path / "notes.h5"
    target.write_text("my notes")
    for words in ((), ("--overwrite",)):
        refused(command("idt-extract", clip, "-o", target, *words, status=2), "notes.h5.*--force .*notes.h5")
    assert target.read_text() == "my notes"


def test_a_feature_file_of_another_version_is_refused(command, clip, tmp_path):
    target = tmp_path / "f.h5"
    command("idt-extract", clip, "-o", target)
    with h5py.File(target, "r+") as file:
        file.attrs["version"] = 99
    with pytest.raises(idt.DataError, match=r"version.*99"):
        idt.load(target)
    refused(command("idt-convert", target, "-o", tmp_path / "f.txt", status=2), "version.*99")


def test_an_input_is_never_replaced_even_if_asked(command, clip, tmp_path):
    film = tmp_path / "film.avi"
    shutil.copy(clip, film)
    refused(command("idt-extract", film, "-o", film, "--overwrite", status=2), "film.avi is an input")
    refused(command("idt-show", film, "-o", film, "--overwrite", status=2), "film.avi is an input")
    assert film.read_bytes() == clip.read_bytes()
    boxes = tmp_path / "boxes.txt"
    boxes.write_text("0\n")
    refused(
        command("idt-extract", film, "-o", boxes, "--boxes", boxes, "--overwrite", status=2), "boxes.txt is an input"
    )
    np.zeros((1, 466), np.float32).tofile(tmp_path / "rows.txt")
    refused(
        command("idt-convert", tmp_path / "rows.txt", "-o", tmp_path / "rows.txt", "--overwrite", status=2),
        "is an input",
    )
    assert (tmp_path / "rows.txt").stat().st_size == 4 * 466


def test_show_refuses_an_output_before_it_works(command, clip, tmp_path, monkeypatch):
    (tmp_path / "there.png").write_text("")
    monkeypatch.setattr("idt.show.video_writer.draw_tracks", lambda *_, **__: pytest.fail("it began to work"))
    refused(command("idt-show", clip, "-o", tmp_path / "there.png", status=2), "there.png exists")
    refused(command("idt-show", clip, "-o", tmp_path / "a.xyz", status=2), "picture such as .*a.xyz")
    refused(command("idt-show", clip, "-o", tmp_path / "a", status=2), "picture such as")
    refused(command("idt-show", clip, "-o", tmp_path / "no" / "a.png", status=2), "No such file")
    refused(command("idt-show", clip, "-o", tmp_path / "a.mp4", "--frame", 3, status=2), "--frame is for a picture")
    refused(
        command("idt-show", clip, "-o", tmp_path / "a.png", "--threads", 0, status=2), "--threads: expected.*at least 1"
    )


def test_a_drawn_video_that_the_disk_did_not_take_is_no_result(command, clip, tmp_path, monkeypatch):
    # OpenCV drops frames that it cannot write, with no more than a warning.
    # A stand-in around the writer, not a subclass: OpenCV frees instances of its types as if they had no subclass.
    class Full:
        fourcc = cv2.VideoWriter.fourcc

        def __init__(self, *arguments):
            self.writer, self.left = original(*arguments), 1

        def write(self, image):
            if self.left:
                self.writer.write(image)
                self.left -= 1

        def isOpened(self):
            return self.writer.isOpened()

        def release(self):
            self.writer.release()

    original = cv2.VideoWriter
    monkeypatch.setattr(cv2, "VideoWriter", Full)
    refused(command("idt-show", clip, "-o", tmp_path / "a.mp4", status=2), "a.mp4 was not written whole.*room")
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_refused(command, clip, tmp_path):
    (tmp_path / "file").write_text("")
    refused(command("idt-extract", clip, clip, "-o", tmp_path / "file", status=2), "file is a file, but several videos")
    refused(command("idt-extract", clip, "-o", "-", status=2), "cannot be piped")
    refused(command("idt-extract", clip, "-o", "", status=2), "file or a folder, got ''")
    refused(command("idt-extract", clip, "-o", tmp_path / "file" / "f.h5", status=2), "file")


@pytest.mark.slow
def test_a_full_disk_leaves_nothing_and_says_so(clip, tmp_path):
    # A limit on the size of files stands in for a full disk: the write fails in the same place.
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from idt import cli, extract\n"
        # Kernels that are compiled under the limit could not be cached.
        f"extract({str(clip)!r})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        f"sys.argv = ['idt-extract']\n"
        f"sys.exit(cli.extract([{str(clip)!r}, '-o', {str(tmp_path / 'f.h5')!r}, '--quiet']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert "f.h5" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_options_that_make_no_sense_are_refused(command, clip, tmp_path):
    out = tmp_path / "f.h5"
    refused(
        command("idt-extract", clip, "-o", out, "--length", 0, status=2),
        "--length: expected a whole number of at least 1, got '0'",
    )
    refused(
        command("idt-extract", clip, "-o", out, "--length", "long", status=2),
        "--length: expected a whole number of at least 1, got 'long'",
    )
    refused(command("idt-extract", clip, "-o", out, "--keypoints", "fast", status=2), "--keypoints.*surf")
    refused(
        command("idt-extract", clip, "-o", out, "--threads", 0, status=2), "--threads: expected.*at least 1, got '0'"
    )
    refused(
        command("idt-extract", clip, "-o", out, "--jobs", "two", status=2), "--jobs: expected.*at least 1, got 'two'"
    )
    refused(
        command("idt-extract", clip, "-o", out, "--length", 10**9, status=2), "--length: expected .* at most 1000, got"
    )
    refused(command("idt-extract", "*.none", "-o", out, status=2), "as a pattern it matches none")
    refused(command("idt-extract", clip, "-o", out, "--time-cells", 20, status=2), "time_cells=20.*length=15")
    refused(
        command("idt-extract", clip, "-o", out, "--describe-every", 6, status=2), "must not exceed the 5 steps .*got 6"
    )
    refused(command("idt-extract", clip, "-o", out, "--start", 30, status=2), "start=30.*20 frame")
    refused(command("idt-extract", clip, status=2), "required: -o")
    refused(command("idt-extract", clip, "-o", out, "--wrong", status=2), "--wrong")


def test_memory_that_is_not_there_is_one_line(command, clip, tmp_path, monkeypatch):
    def extract_job(*_, **__):
        return np.empty(2**62, np.uint8)

    monkeypatch.setattr("idt.batch.extract_one.extract_job", extract_job)
    refused(command("idt-extract", clip, "-o", tmp_path / "f.h5", status=2), "idt-extract: not enough memory: .*EiB")


def test_text_rows_of_another_length_are_refused_with_their_line(command, tmp_path):
    rows = tmp_path / "rows.txt"
    rows.write_text("\t".join(["15"] * 436) + "\n" + "\t".join(["15"] * 430) + "\n")
    refused(
        command("idt-convert", rows, "-o", tmp_path / "f.h5", status=2),
        "rows.txt: line 2 must have 436 columns, got 430$",
    )
    assert not (tmp_path / "f.h5").exists()
