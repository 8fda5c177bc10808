"""Annotation files that networks are trained from: every form of line, where labels begin, what classes are called."""

import time

import pytest

from classify.datasets.class_files import read_class_file
from classify.datasets.video_list import read_video_list, read_video_lists
from idt.errors import DataError
from tests import golden


def listing(folder, text, name="list.txt"):
    path = folder / name
    path.write_text(text)
    return path


FORMS = {
    # text → (form, names, labels, classes)
    "walk/a.avi 0\nrun/b.avi 1\n": ("path label", ["walk/a.avi", "run/b.avi"], [0, 1], ["walk", "run"]),
    "a.mp4 2\nb.mp4 0\nc.mp4 1\n": ("path label", ["a.mp4", "b.mp4", "c.mp4"], [2, 0, 1], None),
    "/data/a b.mp4,1\n/data/c.mp4,0\n": ("path label", ["/data/a b.mp4", "/data/c.mp4"], [1, 0], None),
    "a.mp4, 1\r\nb.mp4, 0\r\n": ("path label", ["a.mp4", "b.mp4"], [1, 0], None),
    "riding a bike/x_000001_000011.mp4 0\nyoga/y.mp4 1": (
        "path label",
        ["riding a bike/x_000001_000011.mp4", "yoga/y.mp4"],
        [0, 1],
        ["riding a bike", "yoga"],
    ),
    "a,walking\nb,running\n": ("path label", ["a", "b"], [1, 0], ["running", "walking"]),
    "a.avi walking\nb.avi running\n": ("path label", ["a.avi", "b.avi"], [1, 0], ["running", "walking"]),
    "1234;Pushing something, slowly\n56;Folding it\n": (
        "path label",
        ["1234", "56"],
        [1, 0],
        ["Folding it", "Pushing something, slowly"],
    ),
    "v/one 120 1\nv/two 88 0\n": ("path frames label", ["v/one", "v/two"], [1, 0], None),
    "brush_hair/11 439 0\ncartwheel/112 94 1\n": (
        "path frames label",
        ["brush_hair/11", "cartwheel/112"],
        [0, 1],
        ["brush_hair", "cartwheel"],
    ),
    "smile/Me_(x)_;-)_0.avi smile 0\nclap/a,b.avi clap 1\n": (
        "path class label",
        ["smile/Me_(x)_;-)_0.avi", "clap/a,b.avi"],
        [0, 1],
        ["smile", "clap"],
    ),
    "path,label\na.mp4,3\nb.mp4,0\n": ("csv", ["a.mp4", "b.mp4"], [3, 0], None),
    "a/v.avi\nb/w.avi\n": ("path", ["a/v.avi", "b/w.avi"], None, None),
    "a/v,2.avi\nb/w;3.avi\n": ("path", ["a/v,2.avi", "b/w;3.avi"], None, None),
    "v_Biking_g01_c01\nv_Biking_g01_c02\n": ("path", ["v_Biking_g01_c01", "v_Biking_g01_c02"], None, None),
}


@pytest.mark.parametrize("text", FORMS)
def test_a_list_is_read_in_its_form(tmp_path, text):
    found = read_video_list(listing(tmp_path, text))
    assert (found.form, found.names, found.labels, found.classes) == FORMS[text]
    assert found.label_sets is None


def test_frames_and_several_labels_of_mmaction2_are_told_apart(tmp_path):
    found = read_video_list(listing(tmp_path, "d/one 163 1 3 0\nd/two 122 1 2\nd/three 258 2\n"))
    assert (found.form, found.frames) == ("path frames label", [163, 122, 258])
    assert (found.labels, found.label_sets) == (None, [(0, 1, 3), (1, 2), (2,)])
    found = read_video_list(listing(tmp_path, "a.mp4 1 3\nb.mp4 0\n"))
    assert (found.form, found.label_sets, found.frames) == ("path labels", [(1, 3), (0,)], None)


def test_two_numbers_behind_a_video_are_frames_where_they_exceed_the_classes_and_else_refused(tmp_path):
    path = listing(tmp_path, "a.mp4 120 1\nb.mp4 99 0\n")
    with pytest.raises(DataError, match="may be labels or a number of frames: the forms path labels, path frames"):
        read_video_list(path)
    assert read_video_list(path, n_classes=50).frames == [120, 99]
    assert read_video_list(path, form="path labels").label_sets == [(1, 120), (0, 99)]


def test_an_offset_is_read_where_the_form_says_so(tmp_path):
    path = listing(tmp_path, "d 12 163 1\ne 30 122 0\n")
    with pytest.raises(DataError, match="and path offset frames label fit"):
        read_video_list(path)
    found = read_video_list(path, form="path offset frames label")
    assert (found.offsets, found.frames, found.labels) == ([12, 30], [163, 122], [1, 0])


def test_clips_of_kinetics_have_times_and_the_usual_names(tmp_path):
    header = "label,youtube_id,time_start,time_end,split\n"
    found = read_video_list(listing(tmp_path, header + '"yoga",-3B3,5,15,validate\nabseiling,x_y,105,115.5,validate\n'))
    assert found.names == ["-3B3_000005_000015", "x_y_000105_000115"]
    assert (found.form, found.ids, found.times) == ("kinetics", ["-3B3", "x_y"], [(5, 15), (105, 115.5)])
    assert (found.labels, found.classes) == ([1, 0], ["abseiling", "yoga"])
    found = read_video_list(listing(tmp_path, "youtube_id,time_start,time_end,split\na,0,10,test\n"))
    assert (found.names, found.labels) == (["a_000000_000010"], None)


def test_labels_from_one_are_said_and_a_class_file_settles_the_rest(tmp_path):
    whole = listing(tmp_path, "a 1\nb 2\nc 3\n")
    found = read_video_list(whole)
    assert (found.labels, found.notes) == ([0, 1, 2], ("labels begin at 1",))
    partial = listing(tmp_path, "a 2\nb 3\n")
    with pytest.raises(DataError, match=r"labels from 2 to 3 of an unknown number of classes, so that they may begin"):
        read_video_list(partial)
    with pytest.raises(DataError, match="labels from 2 to 3 of 5 classes"):
        read_video_list(partial, n_classes=5)
    assert read_video_list(partial, classes=["x", "y", "z"]).labels == [1, 2]
    assert read_video_list(partial, n_classes=5, first_label=0).labels == [2, 3]
    assert read_video_list(listing(tmp_path, "a 0\nb 3\n"), n_classes=5).labels == [0, 3]


def test_folders_called_as_classes_tell_where_labels_begin(tmp_path):
    classes = ["jump", "run", "walk", "wave"]
    assert read_video_list(listing(tmp_path, "run/a 1\nwalk/b 2\n"), classes=classes).labels == [1, 2]
    assert read_video_list(listing(tmp_path, "run/a 2\nwalk/b 3\n"), classes=classes).labels == [1, 2]
    with pytest.raises(DataError, match=r"line 2: walk/b has the label of wave; the classes must be in the order"):
        read_video_list(listing(tmp_path, "jump/a 0\nwalk/b 3\n"), classes=classes)


def test_lists_of_one_set_are_read_together(tmp_path):
    train = listing(tmp_path, "walk/a.avi 1\nrun/b.avi 2\njump/c.avi 3\n", "train.txt")
    test = listing(tmp_path, "run/d.avi\njump/e.avi\n", "test.txt")
    first, second = read_video_lists([train, test])
    assert first.classes == second.classes == ["walk", "run", "jump"]
    assert (first.labels, second.labels) == ([0, 1, 2], [1, 2])
    test = listing(tmp_path, "run/d.avi 2\njump/e.avi 3\n", "test.txt")
    assert read_video_lists([train, test])[1].labels == [1, 2]


def test_the_official_lists_of_ucf101_and_hmdb51_are_read_from_their_folder(tmp_path):
    listing(tmp_path, "1 Archery\n2 Biking\n", "classInd.txt")
    listing(tmp_path, "Archery/v_Archery_g08_c01.avi 1\nBiking/v_Biking_g08_c01.avi 2\n", "trainlist02.txt")
    listing(tmp_path, "Biking/v_Biking_g01_c01.avi\n", "testlist02.txt")
    found = read_video_list(tmp_path, split=2)
    assert (found.names, found.labels, found.classes) == (["Biking/v_Biking_g01_c01.avi"], [1], ["Archery", "Biking"])
    assert "labels are the folders" in " ".join(found.notes)
    assert read_video_list(tmp_path, split=2, side="train").labels == [0, 1]

    hmdb = tmp_path / "hmdb"
    hmdb.mkdir()
    listing(hmdb, "a;-)[x].avi 1\nb.avi 2\nc.avi 0\n", "clap_test_split1.txt")
    listing(hmdb, "d.avi 2 \ne.avi 1 \n", "wave_test_split1.txt")
    found = read_video_list(hmdb)
    assert (found.names, found.labels, found.classes) == (["clap/b", "wave/d"], [0, 1], ["clap", "wave"])
    with pytest.raises(DataError, match="is the list of one class of HMDB51, whose numbers are no labels"):
        read_video_list(hmdb / "clap_test_split1.txt")
    with pytest.raises(DataError, match=r"no official lists of split 3: neither testlist03.txt nor"):
        read_video_list(hmdb, split=3)


def test_the_real_lists_have_the_counts_of_the_protocol():
    ucf, hmdb = golden.splits("ucf101"), golden.splits("hmdb51") / "testTrainMulti_7030_splits"
    counts = {1: (9537, 3783), 2: (9586, 3734), 3: (9624, 3696)}
    for split, sizes in counts.items():
        found = [read_video_list(ucf, split=split, side=side) for side in ("train", "test")]
        assert tuple(len(videos.names) for videos in found) == sizes
        for videos in found:
            assert [videos.classes[label] for label in videos.labels] == [name.split("/")[0] for name in videos.names]
        found = [read_video_list(hmdb, split=split, side=side) for side in ("train", "test")]
        assert [len(videos.names) for videos in found] == [3570, 1530]
        assert all(len(videos.classes) == 51 for videos in found)


def test_numbers_of_actionvlad_become_the_names_of_its_list_of_all_videos(tmp_path):
    every = listing(tmp_path, "clap/x.avi\nclap/y.avi\nwave/z.avi\n", "AllVideos.txt")
    path = listing(tmp_path, "clap/2 40 0\nwave/3 41 1\n")
    assert read_video_list(path, numbering_list=every).names == ["clap/y.avi", "wave/z.avi"]
    with pytest.raises(DataError, match=r"line 1: expected CLASS/NUMBER of one of the 3 videos of .*, got clap/3"):
        read_video_list(listing(tmp_path, "clap/3 40 0\nwave/3 41 1\n"), numbering_list=every)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "lists no videos"),
        ("a.mp4 0\nb.mp4\n", "line 2: expected 'path label' as the other lines, got 'b.mp4'"),
        ("a.mp4\nb.mp4 1\n", "line 2: expected 'path' as the other lines, got 'b.mp4 1'"),
        ("a.mp4 0\n\nb.mp4 -1\n", "line 3: expected a label or a number of frames from 0, got '-1'"),
        (f"a.mp4 {'9' * 5000}\n", "line 1: expected a label"),
        ("a.mp4,0\nb.mp4\n", "line 2: expected path,label"),
        ("a;x\nb\n", "line 2: expected name;label"),
        ("a 0\nb 1\na 0\n", "line 3: a is on line 1 too"),
        ("a.mp4 1 1\nb.mp4 0\n", "line 1: a.mp4 has one label twice"),
        ("a.mp4 walking\nb.mp4 3\n", "line 2: expected 'path label'"),
        ("label,youtube_id,time_start,time_end\nyoga,a,15,5\n", "line 2: a clip must end after it starts"),
        ("label,youtube_id,time_start,time_end\nyoga,a,1e9,5\n", "line 2: expected a time in seconds, got '1e9'"),
        ("label,youtube_id,time_start,time_end\nyoga,a,1\n", "line 2: expected at least 4 fields"),
        ("label,youtube_id,time_start,time_end\n", "lists no videos below its header"),
        ("path,label\na,\n", "line 2: a has no label"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        read_video_list(listing(tmp_path, text))


def test_labels_beyond_the_classes_are_refused(tmp_path):
    with pytest.raises(DataError, match="line 2: b has label 2, expected between 0 and 1"):
        read_video_list(listing(tmp_path, "a 0\nb 2\n"), classes=["x", "y"])
    with pytest.raises(DataError, match="line 1: 'hop' is none of the 2 classes"):
        read_video_list(listing(tmp_path, "a,hop\n"), classes=["x", "y"])
    with pytest.raises(DataError, match="line 1: a has label 0, expected between 1 and 2"):
        read_video_list(listing(tmp_path, "a 0\nb 2\n"), n_classes=2, first_label=1)


@pytest.mark.parametrize(
    ("name", "text", "classes"),
    [
        ("classInd.txt", "1 Archery\n2 Biking\n", ["Archery", "Biking"]),
        ("classes.txt", "riding a bike\n2 hands\nyoga\n", ["riding a bike", "2 hands", "yoga"]),
        ("zero.txt", "1 run\n0 walk\n", ["walk", "run"]),
        ("map.csv", 'id,name\n0,abseiling\n1,"a, b"\n', ["abseiling", "a, b"]),
        ("map.json", '{"yoga": "1", "abseiling": 0}', ["abseiling", "yoga"]),
        ("list.json", '["yoga", "abseiling"]', ["yoga", "abseiling"]),
    ],
)
def test_class_files_of_every_kind_give_the_classes_by_label(tmp_path, name, text, classes):
    assert read_class_file(listing(tmp_path, text, name)) == classes


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "", "names no classes"),
        ("a.txt", "run\nrun\n", "line 2: run stands in line 1 too"),
        ("a.txt", "1 run\n3 walk\n", "must number its classes from 0 or from 1 without a gap"),
        ("a.txt", "1 run\n2 hop\nwalk\n", "line 3: expected the number of a class"),
        ("a.csv", "id,name\n0,run\n2,walk\n", "line 3: expected the number 1, got 2 for walk"),
        ("a.csv", "id,name\nx,run\n", "line 2: expected id,name"),
        ("a.json", '{"a": 1.5}', "expected the number of the class"),
        ("a.json", '{"a": 0, "b": 0}', "expected the number 1, got 0"),
        ("a.json", '"a"', "must hold an object from class to number or a list"),
        ("a.json", '["a", "a"]', "must hold an object from class to number or a list"),
    ],
)
def test_a_malformed_class_file_is_refused(tmp_path, name, text, said):
    with pytest.raises(DataError, match=said):
        read_class_file(listing(tmp_path, text, name))


def test_a_line_of_a_million_numbers_is_read_in_linear_time(tmp_path):
    path = listing(tmp_path, "1 " * 450_000 + "x\n")
    begun = time.process_time()
    assert len(read_video_list(path).names) == 1
    assert time.process_time() - begun < 5
