"""No output destroys an input, and none a file that is not ours."""

import os
import shutil
import stat
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

import idt
from classify.datasets.dataset import find_videos
from classify.models.train import train
from classify.params import ClassifierParams
from encoding import pipeline, video_pipeline
from encoding.codebook import Codebook
from encoding.descriptors import videos
from encoding.encode_files import encode_files
from idt import DataError, RunOptions
from idt.batch.extract_one import extract_job
from idt.batch.jobs import Job, sources_of
from idt.features.convert import convert
from idt.files import atomic, marks, outputs, ownership
from idt.frames.video import open_video
from idt.params.extraction import ExtractionParams
from idt.show.video_writer import write_picture, write_video
from tests.commands import refused, scripts
from tests.hostile import things
from tests.hostile.things import SMALL

ENCODE = "--k 2 --sample 100 f"
VIDEOS = "--from-videos --codebook cb.h5 a.avi b.avi"
EXTRA = "v.h5 --labels labels.csv --extra extra.npy --extra-names names.txt"
NETWORK = "m.h5 a.avi b.avi --scores --classes names.txt"
SET = "folder s --folds 2 --k 2"

ATTACKS = {
    "idt-extract": [
        ("a.avi", "a.avi"),
        ("frames", "frames/img_005.png"),
        ("frames/img_%03d.png", "frames/img_005.png"),
        ("frames/*.png", "frames/img_005.png"),
        ("a.avi --boxes boxes.txt", "boxes.txt"),
        ("a.avi --project cb.h5", "cb.h5"),
        ("a.avi --maps n.onnx:conv1", "n.onnx"),
    ],
    "idt-show": [
        ("a.avi", "a.avi"),
        ("frames", "frames/img_005.png"),
        ("frames/img_%03d.png", "frames/img_005.png"),
        ("a.avi --colour evidence --evidence split.csv", "split.csv"),
    ],
    "idt-flow": [("a.avi", "a.avi"), ("a.avi --boxes boxes.txt", "boxes.txt"), ("--list list.txt", "list.txt")],
    "idt-convert": [("f/a.h5", "f/a.h5"), ("rows.bin", "rows.bin"), ("f/a.h5 --project cb.h5", "cb.h5")],
    **{
        f"{name}-encode": [
            (ENCODE, "f/a.h5"),
            (f"{ENCODE} --train names.txt", "names.txt"),
            (f"{ENCODE} --fit-only", "f/b.h5"),
            *([("--codebook cb.h5 f", "cb.h5"), (VIDEOS, "b.avi"), (VIDEOS, "cb.h5")] if name == "fv" else []),
            *([(f"{VIDEOS} --boxes boxes.txt", "boxes.txt")] if name == "fv" else []),
            *([(f"{ENCODE} --first-k 2 --labels labels.csv", "labels.csv")] if name == "sfv" else []),
        ]
        for name in ("fv", "bovw", "vlad", "sfv", "bilinear", "plain")
    },
    "svm-train": [(EXTRA, "v.h5"), (EXTRA, "labels.csv"), (EXTRA, "extra.npy"), (EXTRA, "names.txt")],
    "svm-predict": [
        ("m.h5 v.h5", "m.h5"),
        ("m.h5 v.h5", "v.h5"),
        ("m.h5 v.h5 --extra extra.npy --extra-names names.txt", "extra.npy"),
        ("m.h5 v.h5 --extra extra.npy --extra-names names.txt", "names.txt"),
        ("m.h5 a.avi b.avi --codebook cb.h5", "a.avi"),
        ("m.h5 a.avi b.avi --codebook cb.h5", "cb.h5"),
        ("m.h5 @list.txt --codebook cb.h5", "b.avi"),
        ("m.h5 @list.txt --codebook cb.h5", "list.txt"),
        ("m.h5 frames --codebook cb.h5", "frames/img_003.png"),
    ],
    "idt-segment": [
        ("a.avi b.avi --model m.h5 --codebook cb.h5", "a.avi"),
        ("a.avi b.avi --model m.h5 --codebook cb.h5", "m.h5"),
        ("a.avi b.avi --model m.h5 --codebook cb.h5", "cb.h5"),
        ("@list.txt --model m.h5 --codebook cb.h5", "b.avi"),
        ("@list.txt --model m.h5 --codebook cb.h5", "list.txt"),
        ("frames --model m.h5 --codebook cb.h5", "frames/img_003.png"),
        ("a.avi --train labels.csv --train-slices b.avi --codebook cb.h5", "labels.csv"),
        ("a.avi --train labels.csv --train-slices b.avi --codebook cb.h5", "b.avi"),
        ("a.avi --model m.h5 --codebook cb.h5 --truth labels.csv", "labels.csv"),
        ("f --model m.h5 --codebook cb.h5 --method dtw --transcripts s", "s/x/1.avi"),
    ],
    "idt-explain": [
        ("a.avi --model m.h5 --codebook cb.h5", "a.avi"),
        ("a.avi --model m.h5 --codebook cb.h5", "m.h5"),
        ("a.avi --model m.h5 --codebook cb.h5", "cb.h5"),
        ("f/a.h5 --model m.h5 --codebook cb.h5", "f/a.h5"),
        ("f/a.h5 --model m.h5 --codebook cb.h5 --frames b.avi", "b.avi"),
        ("frames --model m.h5 --codebook cb.h5", "frames/img_003.png"),
    ],
    "idt-fuse": [
        ("extra.npy --convert --write csv --order names.txt", "extra.npy"),
        ("extra.npy --convert --write csv --order names.txt", "names.txt"),
        ("extra.npy --convert --write csv --list list.txt --classes names.txt", "list.txt"),
    ],
}
"""For each command words, and which of its inputs the output would be."""

IN_A_FOLDER = {
    "idt-extract": [
        ("a.avi b.avi", "o/a.h5", "a.avi"),
        ("@list.txt", "o/b.h5", "list.txt"),
        ("--list list.txt", "o/a.h5", "b.avi"),
        ("a.avi b.avi", "o/summary.json", "b.avi"),
        ("a.avi b.avi --boxes boxes.txt", "o/failures.csv", "boxes.txt"),
        ("a.avi b.avi --project cb.h5", "o/b.h5", "cb.h5"),
    ],
    "idt-flow": [
        ("a.avi b.avi", "o/.flow/a.json", "a.avi"),
        ("a.avi b.avi", "o/summary.json", "b.avi"),
        ("s", "o/flow_list.txt", "s/x/1.avi"),
        ("@list.txt", "o/classes.txt", "list.txt"),
        ("a.avi b.avi --boxes boxes.txt", "o/failures.csv", "boxes.txt"),
        ("a.avi --layout h5", "o/a.h5", "a.avi"),
        ("a.avi --layout i3d", "o/a_flow.npy", "a.avi"),
    ],
    "idt-evaluate": [
        (SET, "o/report.json", "s/x/1.avi"),
        (SET, "o/features/x/1.h5", "s/x/1.avi"),
        (SET, "o/cost.json", "s/y/3.avi"),
        (SET, "o/folds/01-fold-1/vectors.h5", "s/y/4.avi"),
        ("folder s --split split.csv", "o/confusion.csv", "split.csv"),
        (f"{SET} --compare r.cfg", "o/comparison.csv", "r.cfg"),
        (f"{SET} --compare r.cfg", "o/rows/one/report.md", "s/x/2.avi"),
        (f"{SET} --features g", "g/y/4.h5", "s/x/1.avi"),
        (f"{SET} --network scored.csv", "o/networks/scored/report.md", "scored.csv"),
        (f"{SET} --network scored.csv", "o/fused/fused.h5", "s/x/2.avi"),
    ],
    "idt-net": [
        (NETWORK, "o/scores.h5", "m.h5"),
        (NETWORK, "o/scores.h5", "names.txt"),
        (NETWORK, "o/videos/a.h5", "b.avi"),
        (NETWORK, "o/failures.csv", "a.avi"),
        ("n.onnx a.avi b.avi --features conv1 --crop 32 --short-side 32", "o/a.h5", "b.avi"),
    ],
    "idt-fuse": [
        ("one=extra.npy two=rows.bin+v.h5*2 --labels labels.csv", "o/report.json", "labels.csv"),
        ("one=extra.npy two=rows.bin+v.h5*2", "o/report.md", "v.h5"),
        ("one=extra.npy two=rows.bin --list two=list.txt --numbered names.txt", "o/accuracy.png", "names.txt"),
        ("one=extra{split}.npy two=rows.bin --split 1,2", "o/fused.split2.h5", "rows.bin"),
        ("one=extra.npy two=rows.bin --search one=v.h5 two=m.h5 --validation-list list.txt", "o/gain.png", "m.h5"),
        ("one=extra.npy two=rows.bin --write csv --order list.txt", "o/fused.csv", "list.txt"),
    ],
}
"""For commands that write into the folder ``o`` words, which file there, and which input is linked there."""


ALL_ATTACKS = [
    pytest.param(name, words, victim, alias, id=f"{name} {words} -o {victim} {alias}")
    for name, cases in ATTACKS.items()
    for words, victim in cases
    for alias in ("itself", "symlink", "hardlink", "dots")
]


def alias_of(victim, alias):
    """Another name of a file."""
    suffix = os.path.splitext(victim)[1]
    if alias == "symlink":
        os.symlink(os.path.abspath(victim), f"alias{suffix}")
    elif alias == "hardlink":
        os.link(victim, f"alias{suffix}")
    elif alias == "dots":
        os.mkdir("into")
        return f"into/../{victim}"
    else:
        return victim
    return f"alias{suffix}"


def test_every_command_is_attacked():
    assert ATTACKS.keys() | IN_A_FOLDER.keys() == scripts().keys()


@pytest.mark.parametrize(("name", "words", "victim", "alias"), ALL_ATTACKS)
def test_an_output_that_is_an_input_is_refused_whatever_permits_it(command, place, name, words, victim, alias):
    if name == "idt-show" and alias != "itself":
        # Its inputs have no name that it could write, but for their own.
        alias = "dots"
    output = alias_of(victim, alias)
    before = things.state_of(place)
    for permit in ("--overwrite", "--force"):
        given = [permit, output] if permit == "--force" else [permit]
        assert refused(command(name, *words.split(), "-o", output, *given, status=2), "is an input of this run")
    assert things.state_of(place) == before


@pytest.mark.parametrize("link", [os.link, os.symlink])
@pytest.mark.parametrize(
    ("name", "words", "file", "victim"), [(name, *case) for name, cases in IN_A_FOLDER.items() for case in cases]
)
def test_a_file_of_an_output_folder_that_is_an_input_is_refused(command, place, name, words, file, victim, link):
    os.makedirs(os.path.dirname(file))
    link(os.path.abspath(victim), file)
    before = things.state_of(place)
    for permit in (("--overwrite",), ("--force", file)):
        done = command(name, *words.split(), "-o", "o/", *permit, status=2)
        assert refused(done, "is an input of this run")
    assert things.state_of(place) == before


def test_an_output_that_is_an_input_through_a_bind_mount_is_refused(place):
    code = (
        "import sys; from idt.cli import extract; sys.argv = ['idt-extract'];"
        " sys.exit(extract(['mnt/a.avi', '-o', 'a.avi', '--force', 'a.avi']))"
    )
    os.mkdir("mnt")
    inside = f'mount --bind . mnt && exec {sys.executable} -c "{code}"'
    done = subprocess.run(["unshare", "--mount", "sh", "-c", inside], capture_output=True, text=True, check=False)
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip("this user may not mount")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "a.avi is an input of this run" in done.stderr


@pytest.mark.parametrize(
    ("name", "given", "output"),
    [
        ("idt-extract", "frames", "frames/img_099.png"),
        ("idt-extract", "frames", "frames/deeper/../img_099.PNG"),
        ("idt-extract", "frames/img_%03d.png", "frames/img_014.png"),
        ("idt-extract", "frames/*.png", "frames/tracks.png"),
        ("idt-show", "frames", "frames/tracks.png"),
        ("idt-show", "fr*/*.png", "frames/tracks.png"),
    ],
)
def test_an_output_that_the_next_run_would_read_is_refused(command, place, name, given, output):
    (place / "frames/deeper").mkdir()
    before = things.state_of(place)
    done = command(name, given, "-o", output, status=2)
    assert "where the next run would read it" in done[2]
    assert things.state_of(place) == before


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_a_video_that_was_drawn_into_the_folder_of_the_videos_is_none_of_them(command, place, suffix):
    output = f"s/x/1-tracks{suffix}"
    assert command("idt-show", "s/x/1.avi", "-o", output, *SMALL)[0] == 0
    assert len(sources_of(["s"])) == 4
    assert output not in sources_of(["s/x/*.*"])
    assert sources_of([output]) == [output]
    found, skipped = find_videos("s")
    assert list(found) == ["x/1", "x/2", "y/3", "y/4"]
    assert skipped == [(output, "drawn by idt-show")]


def test_features_inside_the_folder_of_their_images_are_no_image(command, place):
    assert command("idt-extract", "frames", "-o", "frames/f.h5", *SMALL)[0] == 0
    assert command("idt-extract", "frames", "-o", "frames/f.h5", *SMALL, "--gap", 2, "--overwrite")[0] == 0


def test_two_outputs_that_are_one_file_are_refused(place):
    with pytest.raises(DataError, match=r"f/a\.h5 and .*f/\.\./f/a\.h5 are one file|are one file here"):
        outputs.check(["f/a.h5", "f/../f/a.h5"])
    os.symlink("f", "g")
    with pytest.raises(DataError, match="are one file here"):
        outputs.check(["f/a.h5", "g/a.h5"])


def test_outputs_that_differ_in_case_only_are_refused_where_that_is_no_difference(command, place, monkeypatch):
    shutil.copy("a.avi", "A.avi")
    assert command("idt-extract", "a.avi", "A.avi", "-o", "o/", *SMALL)[0] == 0
    shutil.rmtree("o")
    monkeypatch.setattr(outputs, "ignores_case", lambda folder: True)
    assert refused(
        command("idt-extract", "a.avi", "A.avi", "-o", "o/", *SMALL, status=2), "A.h5 and .*a.h5 are one file here"
    )
    # Two ways to write one letter are one name there, too.
    with pytest.raises(DataError, match="are one file here"):
        outputs.check(["o/\u00e4.h5", "o/a\u0308.h5"])


def test_a_file_system_that_ignores_case_is_known_by_asking_it(place, monkeypatch):
    assert not outputs.ignores_case("f")
    assert not outputs.ignores_case("no/such/folder")
    monkeypatch.setattr(os.path, "samefile", lambda one, other: one.casefold() == other.casefold())
    assert outputs.ignores_case("f")


# Files that are not ours.


def test_a_stranger_s_file_is_replaced_only_by_its_name(command, place):
    for output in ("b.avi", "notes.h5", "other.h5"):
        if output != "b.avi":
            shutil.copy("labels.csv", output)
        before = things.state_of(place)
        for permit in ((), ("--overwrite",), ("--force", "elsewhere.h5")):
            done = command("idt-extract", "a.avi", "-o", output, *SMALL, *permit, status=2)
            assert refused(done, f"{output} (exists and )?is not one of this program's files.*--force {output}")
        assert things.state_of(place) == before
    assert command("idt-extract", "a.avi", "-o", "notes.h5", *SMALL, "--force", place / "notes.h5")[0] == 0
    assert idt.load("notes.h5").params.length == 5


def test_another_hdf5_file_is_not_ours(command, place):
    import h5py

    for name, form in (("plain.h5", None), ("theirs.h5", "their-features")):
        with h5py.File(name, "w") as file:
            file["a"] = 1
            if form:
                file.attrs["format"] = form
        before = (place / name).read_bytes()
        done = command("idt-extract", "a.avi", "-o", name, *SMALL, "--overwrite", status=2)
        assert refused(done, "is not one of this program's files")
        assert (place / name).read_bytes() == before


def test_rows_and_scores_stay_where_they_would_be_the_same_and_need_their_name_otherwise(command, place):
    assert command("idt-convert", "f/a.h5", "-o", "r.txt")[0] == 0
    assert command("svm-predict", "m.h5", "v.h5", "-o", "scores.csv")[0] == 0
    before = {name: os.stat(name).st_mtime_ns for name in ("r.txt", "scores.csv")}
    assert command("idt-convert", "f/a.h5", "-o", "r.txt", "--overwrite")[0] == 0
    assert command("svm-predict", "m.h5", "v.h5", "-o", "scores.csv", "--overwrite")[0] == 0
    assert {name: os.stat(name).st_mtime_ns for name in before} == before
    for name, words in (("r.txt", ("idt-convert", "f/a.h5")), ("scores.csv", ("svm-predict", "m.h5", "v.h5"))):
        with open(name, "a") as file:
            file.write("mine\n")
        assert refused(command(*words, "-o", name, "--overwrite", status=2), f"{name} is not one of .*--force {name}")
        assert (place / name).read_text().endswith("mine\n")
        assert command(*words, "-o", name, "--force", name)[0] == 0
        assert not (place / name).read_text().endswith("mine\n")


@pytest.mark.parametrize("name", ["t.png", "t.jpg", "t.mp4", "t.avi"])
def test_pictures_and_videos_of_ours_are_known_by_their_mark_and_still_play(command, place, name):
    words = ("idt-show", "a.avi", "-o", name, *SMALL)
    assert command(*words)[0] == 0
    if name.endswith(("png", "jpg")):
        assert cv2.imread(name) is not None
    else:
        film = cv2.VideoCapture(name)
        count = 0
        while film.grab():
            count += 1
        assert count == 14
    assert refused(command(*words, status=2), f"{name} exists; use another path or --overwrite")
    assert command(*words, "--overwrite")[0] == 0
    # Somebody worked on it.
    data = (place / name).read_bytes()
    (place / name).write_bytes(data.replace(marks.NAME.encode(), b"somebody-else-made-this----"))
    assert refused(command(*words, "--overwrite", status=2), "is not one of this program's files")
    assert command(*words, "--force", name)[0] == 0


def test_a_stranger_s_picture_and_video_are_not_replaced(command, place):
    shutil.copy("frames/img_000.png", "holiday.png")
    shutil.copy("b.avi", "holiday.avi")
    cv2.imwrite("holiday.jpg", np.zeros((9, 9), np.uint8))
    for name in ("holiday.png", "holiday.avi", "holiday.jpg"):
        before = (place / name).read_bytes()
        assert refused(command("idt-show", "a.avi", "-o", name, *SMALL, "--overwrite", status=2), "is not one of")
        assert (place / name).read_bytes() == before


def test_a_picture_that_carries_no_mark_stays_if_it_is_the_same(command, place):
    words = ("idt-show", "a.avi", "-o", "t.bmp", *SMALL)
    assert command(*words)[0] == 0
    assert command(*words, "--overwrite")[0] == 0
    assert refused(command(*words, "--frame", 3, "--overwrite", status=2), "t.bmp is not one of .*--force t.bmp")
    assert command(*words, "--frame", 3, "--force", "t.bmp")[0] == 0


@pytest.fixture
def devices(place, monkeypatch):
    """A folder that stands in for that of the devices: a root user who fails would lose the true one."""
    (place / "dev").mkdir()
    (place / "out.bin").touch()
    os.symlink("../out.bin", "dev/stdout")
    monkeypatch.setattr(ownership, "DEVICE_FOLDERS", (str(place / "dev"), "/proc"))
    return place / "dev"


@pytest.mark.parametrize("output", ["/dev/null", "/proc/self/fd/1", "fifo.h5", "to_null.h5", "f"])
def test_a_device_a_fifo_and_a_folder_are_never_replaced(place, output):
    os.mkfifo("fifo.h5")
    os.symlink("/dev/null", "to_null.h5")
    for overwrite in (False, True, [output]):
        with pytest.raises(DataError, match="is not a regular file"), atomic.replacing(output, overwrite=overwrite):
            pytest.fail("it began")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert stat.S_ISFIFO(os.stat("fifo.h5").st_mode)


@pytest.mark.parametrize("output", ["dev/stdout", "dev/../dev/stdout", "dev/new.h5"])
def test_standard_output_that_leads_to_an_empty_file_is_not_replaced(command, devices, place, output):
    before = things.state_of(place)
    for permit in ((), ("--overwrite",), ("--force", output)):
        done = command("idt-extract", "a.avi", "-o", output, *SMALL, *permit, status=2)
        assert refused(done, "is not a regular file but a device or a stream")
        assert things.state_of(place) == before


def test_a_link_gives_way_and_what_it_points_to_stays(command, place):
    assert command("idt-extract", "a.avi", "-o", "mine.h5", *SMALL)[0] == 0
    os.symlink("mine.h5", "link.h5")
    before = (place / "mine.h5").read_bytes()
    assert command("idt-extract", "a.avi", "-o", "link.h5", *SMALL, "--gap", 2, "--overwrite")[0] == 0
    assert (place / "mine.h5").read_bytes() == before
    assert not os.path.islink("link.h5")


def test_a_link_to_nothing_is_somebody_s(command, place):
    os.symlink("nowhere", "link.h5")
    for permit in ((), ("--overwrite",)):
        assert command("idt-extract", "a.avi", "-o", "link.h5", *SMALL, *permit, status=2)[1] == ""
        assert os.readlink("link.h5") == "nowhere"
    assert command("idt-extract", "a.avi", "-o", "link.h5", *SMALL, "--force", "link.h5")[0] == 0


def test_an_empty_file_has_nothing_to_lose(command, place):
    (place / "e.h5").touch()
    assert refused(command("idt-extract", "a.avi", "-o", "e.h5", *SMALL, status=2), "e.h5 exists; .*--overwrite")
    assert command("idt-extract", "a.avi", "-o", "e.h5", *SMALL, "--overwrite")[0] == 0


@pytest.mark.parametrize(
    ("data", "ours"),
    [
        (b'{\n "tool": "improved-dense-trajectories 0.1.0",\n "videos": 1', True),
        (b'{\n  "dataset": "kth",\n  "root": "d",\n  "clips": 4,\n  "protocol": "p"', True),
        (b'{"tool": "another 1.0"}', False),
        (b'{"mine": 1, "tool": "improved-dense-trajectories 0.1.0"}', False),
        (b"# kth: 93.1 % accuracy\n\n599 clips of 6 classes; official split.\n", True),
        (b"# kth: my notes\n\nnothing\n", False),
        (b"true class,a,b\na,1,0\n", True),
        (b"name,source,reason\na,b,c\n", True),
        (b"name,source\n", False),
        (b"name,label\na,b\n", False),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 40, False),
        (b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXtSoftware\0improved-dense-trajectories", True),
        (b"\xff\xd8\xff\xfe\x00\x00" * 20, False),
        (b"\xff\xd8\xff", False),
        (b"\0\0\0\x08ftyp" + b"free" * 40, False),
        (b"RIFF\0\0\0\0AVI JUNK", False),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, False),
        (b"", True),
    ],
)
def test_what_is_ours_is_known_by_its_content(tmp_path, data, ours):
    (tmp_path / "file").write_bytes(data)
    assert ownership.is_ours(tmp_path / "file") == ours


def test_the_plot_of_an_earlier_release_is_ours_beside_a_report_of_ours_only(tmp_path):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0))
    plot = marks.PNG + head + chunk(b"pHYs", struct.pack(">IIB", 4724, 4724, 1)) + chunk(b"IDAT", b"") + b"rest"
    (tmp_path / "confusion.png").write_bytes(plot)
    assert not ownership.is_ours(tmp_path / "confusion.png")
    (tmp_path / "report.json").write_text('{\n  "tool": "improved-dense-trajectories 0.1.0"')
    assert ownership.is_ours(tmp_path / "confusion.png")
    (tmp_path / "holiday.png").write_bytes(plot)
    assert not ownership.is_ours(tmp_path / "holiday.png")


# From Python.


def test_the_functions_refuse_what_the_commands_refuse(place):
    force = RunOptions(overwrite=["a.avi", "b.avi", "f/a.h5", "cb.h5", "v.h5", "labels.csv", "rows.bin"])

    def drawn(source, write, output, **given):
        with open_video(source) as video:
            write(video, output, ExtractionParams(), overwrite=[output], **given)

    codebook = Codebook.load("cb.h5")
    files, params = ["f/a.h5", "f/b.h5"], codebook.params_with()
    found = videos.find(["a.avi", "b.avi"], codebook, path="cb.h5")
    calls = [
        lambda: extract_job(Job("a.avi", "a", place / "a.avi"), ExtractionParams(), run=force),
        lambda: convert("rows.bin", "rows.bin", overwrite=force.overwrite),
        lambda: pipeline.fit(files, ["a", "b"], "f/a.h5", params, run=force),
        lambda: pipeline.fit_and_encode(files, ["a", "b"], "f/b.h5", params, run=force),
        lambda: pipeline.encode(files, ["a", "b"], "f/a.h5", codebook, params, run=force),
        lambda: video_pipeline.encode_videos(found, "b.avi", codebook, params, run=force),
        lambda: encode_files(files, ["a", "b"], codebook, "f/b.h5", run=force),
        lambda: drawn("a.avi", write_video, "a.avi"),
        lambda: drawn("a.avi", write_picture, "boxes.png", boxes="boxes.png"),
        lambda: drawn("frames", write_picture, "frames/img_003.png"),
        lambda: train("v.h5", "labels.csv", "labels.csv", ClassifierParams(), run=force),
        lambda: train("v.h5", "labels.csv", "v.h5", ClassifierParams(), run=force),
    ]
    shutil.copy("boxes.txt", "boxes.png")
    before = things.state_of(place)
    for call in calls:
        with pytest.raises(DataError, match="is an input of this run"):
            call()
    assert things.state_of(place) == before


def test_saving_replaces_nobody_s_file_but_by_its_name(place):
    features = idt.load("f/a.h5")
    with pytest.raises(DataError, match=r"b\.avi is not one of"):
        idt.save(features, "b.avi", overwrite=True)
    idt.save(features, "f/b.h5", overwrite=True)
    idt.save(features, "b.avi", overwrite=["b.avi"])
    assert len(idt.load("b.avi")) == 30


@pytest.mark.parametrize("overwrite", ["f.h5", b"f.h5", 1, None])
def test_overwrite_is_a_truth_value_or_a_list(place, overwrite):
    for call in (
        lambda: RunOptions(overwrite=overwrite),
        lambda: idt.save(idt.load("f/a.h5"), "n.h5", overwrite=overwrite),
    ):
        with pytest.raises(DataError, match="overwrite must be True, False or a list"):
            call()


def test_named_files_reach_another_folder(place, monkeypatch):
    run = RunOptions(overwrite=["notes.h5"])
    monkeypatch.chdir("f")
    assert ownership.is_named(place / "notes.h5", run.overwrite)
    assert not ownership.is_named("notes.h5", run.overwrite)
    assert stat.S_ISDIR(os.stat(place).st_mode)
