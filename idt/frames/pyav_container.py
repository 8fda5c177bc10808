"""Open the container of a video file with PyAV, and choose its video stream.

FFmpeg reads the file through `idt.files.source_file`. It may open no other file and no address, and takes only the
containers that are listed here, none of which names other files. FFmpeg may decode the first frame to probe a stream;
from then on a frame of too many pixels is refused before memory is allocated for it.
"""

import math
import os
import re
from threading import Lock

import av
from av.stream import Disposition

from idt.errors import DataError, printable
from idt.frames.image_size import check_pixels, image_size
from idt.frames.motion.exported import EXPORT
from idt.frames.opencv_decoder import IMAGE_HEAD_BYTES
from idt.frames.playlists import HEAD_BYTES, refuse_playlist

FORMATS = (
    *("3dostr", "4xm", "apng", "asf", "asf_o", "av1", "avi", "avs", "avs2", "avs3", "bink", "cavsvideo", "cdxl"),
    *("cine", "dhav", "dirac", "dnxhd", "dv", "dxa", "evc", "film_cpk", "flic", "flv", "gif", "gxf", "h261", "h263"),
    *("h264", "hevc", "idcin", "ingenient", "ivf", "jpeg_pipe", "jv", "kux", "live_flv", "lmlm4", "lxf", "m4v"),
    *("matroska", "mjpeg", "mjpeg_2000", "mov", "mpeg", "mpegts", "mpegvideo", "mtv", "mv", "mvi", "mxf", "nsv"),
    *("nut", "nuv", "obu", "ogg", "png_pipe", "psxstr", "pva", "r3d", "rm", "roq", "rpl", "simbiosis_imx", "smk"),
    *("swf", "thp", "tmv", "ty", "vc1", "vc1test", "vivo", "vmd", "vvc", "wc3movie", "wtv", "xmv", "yop"),
    "yuv4mpegpipe",
)
"""FFmpeg's demuxers of videos. Left out: playlists, devices, networks, sound, subtitles, and text drawn as pictures."""

# Held while the log level is changed, because PyAV has one level for all threads.
_LOG_LEVEL = Lock()

# FFmpeg's AVFMT_FLAG_GENPTS.
_GENERATE_STAMPS = 1

_PICTURE_CODECS = frozenset(("bmp", "gif", "jpeg2000", "jpegls", "mjpeg", "png", "ppm", "tiff", "webp"))
_COVER_FLAGS = Disposition.attached_pic | Disposition.timed_thumbnails
# A video stream in FFmpeg's description of a container: the name and the four-letter code of its codec.
_CODEC_LINE = re.compile(r"Video: (\w+)[^,\n]*?(?: \((\S+) / 0x\w+\))?,")
_DURATION_TAG = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")


class ByteReader:
    """File object that FFmpeg reads from, with a position of its own.

    Parameters
    ----------
    file : idt.files.source_file.SourceFile
    """

    # Without a suffix, from which FFmpeg would guess some formats.
    name = "video"

    def __init__(self, file):
        self._file, self._at = file, 0

    def read(self, size):
        """Read ``size`` bytes, or fewer at the end."""
        data = self._file.read_at(self._at, size)
        self._at += len(data)
        return data

    def seek(self, offset, whence=os.SEEK_SET):
        """Move to ``offset`` from the beginning, the current position or the end, as ``whence`` says."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._file.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self):
        """Return the current position."""
        return self._at


def open_container(file, path, max_pixels):
    """Open the container of a file.

    Parameters
    ----------
    file : idt.files.source_file.SourceFile
    path : str
        For messages.
    max_pixels : int
        Most pixels of a frame.

    Returns
    -------
    av.container.InputContainer

    Raises
    ------
    DataError
        If the file is no container of videos that FFmpeg knows, is damaged, or holds larger frames.
    """
    refuse_playlist(path, file.head(HEAD_BYTES))
    check_pixels(os.path.basename(path), image_size(file.head(IMAGE_HEAD_BYTES)) or (0, 0), max_pixels)
    # `av.open` gets no options for decoders, because PyAV then crashes when a stream appears later, as in MPEG. The
    # decoder of the chosen stream gets `decoder_options` afterwards.
    limits = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": ""}
    try:
        container = av.open(ByteReader(file), container_options=limits, io_open=_refuse_url, metadata_errors="replace")
    except av.FFmpegError:
        raise DataError(f"{path} is not a video that PyAV can decode, or it is damaged") from None
    # With this flag FFmpeg would hold packets back until their time stamps are known.
    container.flags &= ~_GENERATE_STAMPS
    return container


def decoder_options(max_pixels, *, vectors=False):
    """Return FFmpeg's options of a decoder.

    Parameters
    ----------
    max_pixels : int
        Most pixels of a frame. The decoder gets a larger limit, because it counts whole blocks.
    vectors : bool
        Whether the decoder exports its motion vectors.
    """
    options = {"max_pixels": f"{2 * max_pixels + 65536}"}
    return {**options, **EXPORT} if vectors else options


def video_stream(container, path):
    """Choose the video stream of a container.

    Parameters
    ----------
    container : av.container.InputContainer
    path : str
        For messages.

    Returns
    -------
    stream : av.video.stream.VideoStream
        The first that is no cover picture.
    notes : list of str
        Notes about the other streams.

    Raises
    ------
    DataError
        If there is no such stream, or FFmpeg has no decoder for it.
    """
    name = os.path.basename(path)
    streams = [stream for stream in container.streams if stream.type == "video"]
    videos = [stream for stream in streams if not Disposition(stream.disposition) & _COVER_FLAGS]
    if not videos:
        raise DataError(f"{path} holds {'a cover picture, but no video' if streams else 'no video'}")
    # Some programs write a cover picture without the flag that it is one.
    moving = [stream for stream in videos if _codec_name(stream) not in _PICTURE_CODECS] or videos
    stream = moving[0]
    if stream.codec_context is None:
        codec = _codec_description(container, streams.index(stream))
        raise DataError(
            f"{path} is a video of the codec {codec}, which PyAV cannot decode; convert it: ffmpeg -i {name} -c:v"
            " libx264 converted.mp4"
        )
    if len(moving) == 1:
        return stream, []
    size = f"{stream.codec_context.width}×{stream.codec_context.height} px"
    return stream, [f"{name} has {len(moving)} video streams; the first, of {size}, is read"]


def rate_of(stream):
    """Return the frame rate of a ``stream``, NaN if unknown."""
    rate = stream.guessed_rate
    return float(rate) if rate and 0 < rate < math.inf else math.nan


def announced_frames(container, stream):
    """Return the number of frames of a ``stream`` that its ``container`` announces; None if unknown.

    Without a number it is estimated from the duration and the frame rate.
    """
    if stream.frames:
        return stream.frames
    tag = _DURATION_TAG.fullmatch(stream.metadata.get("DURATION", ""))
    if tag:
        hours, minutes, seconds = map(float, tag.groups())
        duration = 3600 * hours + 60 * minutes + seconds
    elif stream.duration and stream.time_base:
        duration = float(stream.duration * stream.time_base)
    else:
        duration = (container.duration or 0) / av.time_base
    rate = rate_of(stream)
    count = 0 if math.isnan(rate) else round(duration * rate)
    return count if 0 < count < 2**31 else None


def _refuse_url(url, *_):
    """Refuse the ``url`` of another file or an address that FFmpeg wants to open."""
    raise PermissionError(f"a video must not refer to another file or address, got {url}")


def _codec_description(container, index):
    """Return the codec's name and four-letter code of a video stream without a decoder."""
    # Only FFmpeg's log names the codec, and PyAV drops that log by default.
    with _LOG_LEVEL:
        level = av.logging.get_level()
        av.logging.set_level(av.logging.INFO)
        try:
            found = _CODEC_LINE.findall(container.dumps_format())
        finally:
            av.logging.set_level(level)
    name, letters = found[index] if index < len(found) else ("", "")
    return printable(f"{name} ({letters})" if name not in ("", "none") else letters or "unknown")


def _codec_name(stream):
    return None if stream.codec_context is None else stream.codec_context.name
