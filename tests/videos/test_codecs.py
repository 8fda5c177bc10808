"""A video whose codec has no decoder here is refused by the name of the codec, and with the remedy."""

import pytest

from benchmarks.clips import write_video
from idt.errors import DataError
from idt.frames.video import open_video
from tests.commands import refused
from tests.videos import make
from tests.videos.reading import PYAV, read


@pytest.fixture(scope="module")
def av1(tmp_path_factory):
    # The encoder prints what it is on stderr; there is no option for that.
    path = tmp_path_factory.mktemp("av1") / "a.mp4"
    return make.encode(path, make.moving(12), "libsvtav1", preset=12)


def test_av1_is_decoded_by_pyav(av1):
    assert make.are_alike(read(av1, "pyav").frames, make.moving(12))


def test_opencv_without_a_decoder_for_av1_names_it_and_the_remedy(av1, command, tmp_path):
    try:
        found = read(av1, "opencv")
    except DataError as problem:
        message = str(problem)
    else:
        assert make.are_alike(found.frames, make.moving(12))
        pytest.skip("this OpenCV decodes AV1")
    assert "whose codec is AV1 (av01)" in message
    assert 'pip install "av>=17.0.1", or convert it: ffmpeg -i a.mp4' in message
    for options in ([], ["--start", 3]):
        words = ["idt-extract", av1, "-o", tmp_path / "f.h5", "--decoder", "opencv", *options]
        assert refused(command(*words, status=2), r"AV1 \(av01\)")


@pytest.mark.parametrize("decoder", [PYAV])
@pytest.mark.parametrize(("letters", "named"), [(b"evc1", r"evc \(evc1\)"), (b"dvh9", "dvh9")])
def test_a_codec_that_ffmpeg_has_no_decoder_for_is_named(letters, named, decoder, tmp_path):
    path = make.h264(tmp_path / "e.mp4", make.moving(5))
    path.write_bytes(path.read_bytes().replace(b"avc1", letters))
    with pytest.raises(DataError, match=rf"e\.mp4 is a video of the codec {named}, which PyAV cannot decode; convert"):
        open_video(path, decoder=decoder)


@pytest.mark.parametrize("decoder", [PYAV])
def test_a_codec_that_nobody_knows_is_named_by_its_letters(decoder, tmp_path):
    path = write_video(tmp_path / "q.avi", make.moving(5))
    path.write_bytes(path.read_bytes().replace(b"FFV1", b"Q\x1b[Q"))
    with pytest.raises(DataError, match=r"is a video of the codec [^\x1b]+, which PyAV cannot decode"):
        open_video(path, decoder=decoder)
