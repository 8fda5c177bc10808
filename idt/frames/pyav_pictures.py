"""Convert PyAV's frames to upright BGR images as OpenCV decodes them, deinterlaced if asked for.

FFmpeg's swscale converts frames to BGR with the flags that OpenCV gives it, so that both libraries return equal pixels
with one version of FFmpeg. Chroma is interpolated bicubically. Colours beyond BT.709 (BT.2020, Display P3, HLG, PQ) are
mapped to BT.709; other transfer curves are left alone. An interlaced frame is converted like a progressive one, as
OpenCV before 4.13 does. Only if the caller asks for it, every other line is interpolated (yadif, one output frame for
each input frame).
"""

from fractions import Fraction

from av.filter import Graph
from av.video.reformatter import ColorPrimaries, ColorTrc, Interpolation, VideoReformatter

from idt.imports.opencv import cv2

# Turns by the angle that a frame records, in degrees.
_TURNS = {90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}

# Primaries and transfer curves of colours beyond BT.709.
_WIDE = (ColorPrimaries.BT2020, ColorPrimaries.SMPTE431, ColorPrimaries.SMPTE432)
_HDR = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)

# Codecs whose chroma samples lie left of the centre unless the frame says otherwise.
_LEFT_CHROMA_CODECS = ("h264", "hevc")


class FrameConverter:
    """Converter of the frames of a stream to BGR images.

    Parameters
    ----------
    stream : av.video.stream.VideoStream
    """

    def __init__(self, stream):
        self._codec = stream.codec_context.name
        self._reformatter = VideoReformatter()
        self._graph: Graph | None = None
        self._graph_form: tuple | None = None

    def convert(self, frame):
        """Convert a frame to an image.

        Parameters
        ----------
        frame : av.VideoFrame

        Returns
        -------
        (H, W, 3) uint8
            BGR, upright.
        """
        is_wide = frame.color_primaries in _WIDE or frame.color_trc in _HDR
        if is_wide or frame.interlaced_frame:
            picture = self._filtered(frame, is_wide)
        else:
            picture = self._reformatter.reformat(frame, format="bgr24", interpolation=Interpolation.BICUBIC, threads=1)
        image = picture.to_ndarray()
        turn = _TURNS.get(frame.rotation % 360)
        return image if turn is None else cv2.rotate(image, turn)

    def _filtered(self, frame, is_wide):
        """Convert with a filter graph, which maps wide colours and treats interlaced frames as progressive ones."""
        form = (frame.format.name, frame.width, frame.height, is_wide)
        if self._graph is None or form != self._graph_form:
            options = "flags=bicubic"
            if is_wide:
                options += ":out_primaries=bt709:out_transfer=bt709"
                options += ":in_chroma_loc=left" if self._codec in _LEFT_CHROMA_CODECS else ""
            self._graph, self._graph_form = filter_graph(frame, ("scale", options), ("format", "pix_fmts=bgr24")), form
        self._graph.push(frame)
        return self._graph.pull()


class Deinterlacer:
    """Filter that interpolates every other line from neighbouring lines and frames (FFmpeg's yadif)."""

    def __init__(self):
        self._graph: Graph | None = None
        self._graph_form: tuple | None = None

    def deinterlace(self, frame):
        """Push a frame, and return the frames that are ready.

        Parameters
        ----------
        frame : av.VideoFrame or None
            None at the end.

        Returns
        -------
        list of av.VideoFrame
            A frame is returned after the next one has been pushed.
        """
        ready = []
        form = None if frame is None else (frame.format.name, frame.width, frame.height)
        if form != self._graph_form and self._graph is not None:
            self._graph.push(None)
            ready = _pull(self._graph)
            self._graph = None
        if frame is not None:
            if self._graph is None:
                self._graph, self._graph_form = filter_graph(frame, ("yadif", "mode=send_frame:deint=all")), form
            self._graph.push(frame)
            ready += _pull(self._graph)
        return ready


def filter_graph(frame, *filters):
    """Build a filter graph for frames like this one.

    Parameters
    ----------
    frame : av.VideoFrame
    *filters : (str, str)
        Name and options of each filter, in order.

    Returns
    -------
    av.filter.Graph
    """
    made = Graph()
    made.threads = 1
    source = made.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 25)
    )
    nodes = [source, *(made.add(name, options) for name, options in filters), made.add("buffersink")]
    made.link_nodes(*nodes).configure()
    return made


def _pull(graph):
    """Return the frames that a filter graph has ready."""
    ready = []
    while True:
        try:
            ready.append(graph.pull())
        except (BlockingIOError, EOFError):
            return ready
