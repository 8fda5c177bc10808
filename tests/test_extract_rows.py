"""`idt-extract -o NAME.txt`: rows as the release writes them, and names whose suffix says something else."""

import gzip
from pathlib import Path

import pytest

import idt
from benchmarks.clips import write_video
from tests import scenes
from tests.commands import refused
from tests.samples import assert_same_features


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A short film with tracks at the default parameters."""
    frames = scenes.moving_patch(19, background=(1, 0), size=(64, 80))
    return write_video(tmp_path_factory.mktemp("film") / "a.avi", frames)


@pytest.fixture
def convert(film, command, working_folder):
    """What two steps make of the film, by suffix: extracted with nothing lost, then converted."""
    command("idt-extract", film, "-o", "two.h5", "--float32")

    def convert(suffix):
        command("idt-convert", "two.h5", "-o", f"two{suffix}")
        return Path(f"two{suffix}").read_bytes()

    return convert


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".txt", ".features", ".txt.gz", ".bin"])
def test_rows_are_those_that_converting_would_give(film, command, convert, suffix):
    status, out, err = command("idt-extract", film, "-o", f"one{suffix}")
    assert status == 0
    assert out.startswith(f"one{suffix}: {len(idt.load('two.h5'))} tracks, 19 frames")
    assert "cannot hold the parameters: left out" in err
    found, expected = Path(f"one{suffix}").read_bytes(), convert(suffix)
    assert found == expected
    assert len(idt.load(f"one{suffix}")) > 0
    if suffix == ".txt.gz":
        assert gzip.decompress(found) == convert(".txt")
    assert not list(Path().glob(".*"))


@pytest.mark.slow
def test_rows_of_a_folder_are_hdf5_and_so_is_a_name_without_suffix(film, command, working_folder):
    for output, made in (("o/", "o/a.h5"), ("noext", "noext"), ("a.hdf5", "a.hdf5")):
        assert command("idt-extract", film, "-o", output)[0] == 0
        assert_same_features(idt.load(made), idt.load("o/a.h5"))


@pytest.mark.parametrize(
    ("output", "words", "message"),
    [
        ("a.csv", (), r"a\.csv must end in one of \.h5, .*\.txt\.gz"),
        ("a.bin.gz", (), r"a\.bin\.gz must end in one of"),
        ("a.txt", ("--length", 10), "text of 436 columns holds the layout of the default parameters only, got traj"),
        ("a.bin", ("--cells", 3), "float32 rows of 466 numbers holds the layout of the default parameters only"),
        ("a.txt", ("--compact",), r"only HDF5 can be compact or projected, got a\.txt"),
    ],
)
def test_what_a_form_cannot_hold_is_refused_before_the_work(film, command, working_folder, output, words, message):
    assert refused(command("idt-extract", film, "-o", output, *words, status=2), message)
    assert not list(working_folder.iterdir())


def test_several_videos_make_no_folder_with_the_name_of_a_file(film, command, working_folder):
    for output in ("a.txt", "a.txt.gz", "a.h5"):
        result = command("idt-extract", film, Path(__file__).parent / "data/golden/disc.avi", "-o", output, status=2)
        assert refused(result, f"{output} is the name of a file, but several videos need a folder; use another, or")
    assert not list(working_folder.iterdir())


def test_rows_are_never_replaced_but_by_their_name(film, command, working_folder):
    Path("a.txt").write_text("mine")
    for words in ((), ("--overwrite",)):
        result = command("idt-extract", film, "-o", "a.txt", *words, status=2)
        assert refused(result, r"is not one of this program's files.*--force a\.txt to lose it")
    assert Path("a.txt").read_text() == "mine"
    assert command("idt-extract", film, "-o", "a.txt", "--force", "a.txt", "--end", 5)[0] == 0
    assert Path("a.txt").read_text() == ""
