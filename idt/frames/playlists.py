"""Refuse playlists and session descriptions, which make FFmpeg read other files.

The digest of such a file does not cover the files that FFmpeg would read. FFmpeg's readers of HLS, DASH, IMF and concat
lists would open other files, and its reader of SDP would open the network. Each reader recognises its files by their
first bytes. Text of any other kind is no video either: FFmpeg turns some into pictures of its letters.
"""

from idt.errors import DataError

HEAD_BYTES = 4096
"""A file is recognised by this many bytes at its beginning."""

# ID3 is a tag of sound files. FFmpeg skips it before it recognises a file, so a playlist may follow it.
_HEADS = (b"#EXTM3U", b"ffconcat", b"# VobSub", b"v=0", b"ID3")

_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\f\r\x1b") | {127}


def refuse_playlist(path, head):
    """Refuse a file that names other files instead of holding frames.

    Parameters
    ----------
    path : str or Path
        For the message.
    head : bytes
        Its first `HEAD_BYTES` bytes.

    Raises
    ------
    DataError
        If it is a playlist or any other text. Raw video in YUV4MPEG is none.
    """
    if head.startswith(b"YUV4MPEG2 "):
        return
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    # "<" alone is not enough, because a transport stream may begin with this byte.
    is_xml = start.startswith(b"<") and _is_text(start[:64])
    if start.startswith(_HEADS) or b"\nc=IN IP" in head or is_xml or _is_text(head):
        raise DataError(
            f"{path} is not a video but text or a playlist; name the videos themselves, or give a list of them as @FILE"
        )


def _is_text(data):
    return bool(data) and _CONTROLS.isdisjoint(data)
