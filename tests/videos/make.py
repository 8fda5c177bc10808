"""Videos of every kind, written by PyAV and by changing bytes: what the tests of this folder read.

Each function takes a path and frames, (T, H, W) uint8, and returns the path. Encoders lose a little, so that frames are
compared within `LOSS` gray levels, on the average of a frame.
"""

import struct

import numpy as np
import pytest

from tests import scenes

LOSS = 6.0
"""Mean gray levels by which a frame may differ from the one that was encoded; other frames differ by thirty."""

SIZE = (64, 96)


def moving(count=40):
    """Frames that all differ from each other."""
    return scenes.moving_patch(count, velocity=(1, 0), background=(1, 1), patch=(24, 24), corner=(20, 20), size=SIZE)


def pyav():
    """PyAV, or a reason to skip."""
    return pytest.importorskip("av", reason="PyAV is not installed")


def encode(path, frames, codec, *, stamps=None, ticks=25, cover=None, **options):
    """Encode frames by PyAV.

    Parameters
    ----------
    path : Path
    frames : (T, H, W) uint8
    codec : str
    stamps : sequence of int, optional
        Of the frames, in ticks.
    ticks : int
        Per second; without stamps also the rate.
    cover : str, optional
        Codec of a picture that becomes the first stream.
    **options
        ``pix_fmt`` and ``flags``, and options of the encoder.
    """
    av = pyav()
    flags = options.pop("flags", 0)
    with av.open(str(path), "w") as container:
        picture = None
        if cover is not None:
            picture = container.add_stream(cover, rate=25)
            picture.width, picture.height, picture.pix_fmt = 200, 300, "rgb24" if cover == "png" else "yuvj420p"
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = frames[0].shape
        stream.pix_fmt = options.pop("pix_fmt", "yuv420p")
        context = stream.codec_context
        context.options = {name: str(value) for name, value in options.items()}
        context.flags |= flags
        context.thread_count = 1
        if stamps is not None:
            context.time_base = stream.time_base = _fraction(1, ticks)
        if picture is not None:
            red = av.VideoFrame.from_ndarray(np.full((300, 200, 3), (200, 0, 0), np.uint8), format="rgb24")
            for packet in [*picture.encode(red), *picture.encode(None)]:
                container.mux(packet)
        for i, gray in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(gray, format="gray")
            frame.pts = i if stamps is None else int(stamps[i])
            frame.time_base = _fraction(1, 25 if stamps is None else ticks)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def h264(path, frames, *, gop=12, **options):
    """H.264 with a key frame every ``gop`` frames."""
    return encode(path, frames, "libx264", g=gop, preset="veryfast", **options)


def interlaced(path, frames):
    """MPEG-2 of two fields a frame."""
    av = pyav()
    fields = av.codec.context.Flags.interlaced_dct | av.codec.context.Flags.interlaced_me
    return encode(path, frames, "mpeg2video", flags=int(fields), b=4_000_000)


def with_sound(path, frames, seconds):
    """H.264 with a sound that lasts longer."""
    av = pyav()
    with av.open(str(path), "w") as container:
        stream, sound = container.add_stream("libx264", rate=25), container.add_stream("aac", rate=44100)
        stream.height, stream.width = frames[0].shape
        stream.pix_fmt = "yuv420p"
        for gray in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(gray, format="gray")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
        for i in range(round(seconds * 44100 / 1024)):
            samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            samples.rate, samples.pts = 44100, 1024 * i
            for packet in sound.encode(samples):
                container.mux(packet)
        for packet in sound.encode(None):
            container.mux(packet)
    return path


def packets(path):
    """Places and sizes of the packets of the video in a file, in the order of the file: (T, 2) int."""
    with pyav().open(str(path)) as container:
        return np.array([(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size])


def damage(path, number, *, skip=0, length=16):
    """Write ``length`` times 0xFF over a packet, by its number from 0, ``skip`` bytes behind its beginning."""
    data = bytearray(path.read_bytes())
    at = packets(path)[number][0] + skip
    data[at : at + length] = b"\xff" * length
    path.write_bytes(data)
    return path


def turned(path, degrees):
    """Ask players to turn the pictures of an MP4 clockwise, as phones do."""
    turn = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}[degrees]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value * 65536 for value in turn)
    struct.pack_into(">9i", data, at, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def edited(path, seconds):
    """Let the edit list of an MP4 show its first seconds only."""
    data = bytearray(path.read_bytes())
    ticks = struct.unpack_from(">I", data, data.index(b"mvhd") + 4 + 12)[0]
    struct.pack_into(">I", data, data.index(b"elst") + 4 + 8, round(seconds * ticks))
    path.write_bytes(data)
    return path


def announcing(path, more):
    """Let an AVI announce that many frames more than it has."""
    data = bytearray(path.read_bytes())
    for at in (data.index(b"avih") + 8 + 16, data.index(b"strh") + 8 + 32):
        struct.pack_into("<I", data, at, struct.unpack_from("<I", data, at)[0] + more)
    path.write_bytes(data)
    return path


def are_alike(got, wanted):
    """Whether frames are those that were encoded, each for itself."""
    got, wanted = np.asarray(got, float), np.asarray(wanted, float)
    return got.shape == wanted.shape and (np.abs(got - wanted).mean(axis=(1, 2)) < LOSS).all()


def _fraction(one, other):
    from fractions import Fraction

    return Fraction(one, other)
