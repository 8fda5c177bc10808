"""Canvas over a dimmed and enlarged frame: translucent lines, end points, a caption and a legend.

Colours are those of Okabe and Ito, which people with any kind of colour blindness can tell apart.
"""

import unicodedata

import numpy as np

from idt.imports.opencv import cv2

ORANGE, SKY, GREEN, YELLOW = (0, 159, 230), (233, 180, 86), (115, 158, 0), (66, 228, 240)
BLUE, VERMILION, PURPLE = (178, 114, 0), (0, 94, 213), (167, 121, 204)
WHITE, GRAY, BLACK = (255, 255, 255), (150, 150, 150), (0, 0, 0)
"""The colours are BGR."""

SMALLEST_SIDE = 360
"""Frames are enlarged by a whole number until their shorter side has about this many pixels, because lines would hide
the content of smaller ones."""

SUBPIXEL_BITS = 4
"""OpenCV draws at multiples of 1/2⁴ pixel."""
LINE_HEIGHT = 20
"""Height of a line of text in pixels."""
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SIZE = 0.45


def zoom_of(video):
    """Return the default factor by which the frames of a ``video`` are enlarged."""
    return max(1, round(SMALLEST_SIDE / min(video.height, video.width)))


class Canvas:
    """A picture of one frame.

    Parameters
    ----------
    frame : (H, W) or (H, W, 3) uint8
        Gray or BGR.
    zoom : int
        Factor by which the frame is enlarged.
    brightness : float
        1 leaves the frame as it is, less dims it.
    """

    def __init__(self, frame, zoom, brightness=0.5):
        size = (frame.shape[1] * zoom, frame.shape[0] * zoom)
        self.zoom = zoom
        self._base = cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC).astype(np.float32) * np.float32(brightness)
        self._line_colours = np.zeros((*self._base.shape[:2], 3), np.uint8)
        self._line_alpha = np.zeros(self._base.shape[:2], np.uint8)
        self._overlay: tuple | None = None

    def lines(self, points, colour, alpha=1.0, *, thickness=1):
        """Draw polylines.

        Parameters
        ----------
        points : sequence of (k, 2) float
            Positions in pixels of the frame; (0, 0) is the centre of the first pixel.
        colour : (int, int, int)
            BGR.
        alpha : float
            Opacity; 1 hides the frame.
        thickness : int
            Pixels of the picture.
        """
        paths = [self._fixed_point(path) for path in points]
        premultiplied = tuple(alpha * channel for channel in colour)
        for layer, value in ((self._line_colours, premultiplied), (self._line_alpha, 255 * alpha)):
            cv2.polylines(layer, paths, False, value, thickness, cv2.LINE_AA, SUBPIXEL_BITS)

    def dots(self, points, colour, radius=1.0, alpha=1.0):
        """Draw filled circles.

        Parameters
        ----------
        points : (n, 2) float
        colour, alpha
            As for `lines`.
        radius : float
            Pixels of the picture.
        """
        size = round(radius * (1 << SUBPIXEL_BITS))
        premultiplied = tuple(alpha * channel for channel in colour)
        for x, y in self._fixed_point(points).tolist():
            for layer, value in ((self._line_colours, premultiplied), (self._line_alpha, 255 * alpha)):
                cv2.circle(layer, (x, y), size, value, -1, cv2.LINE_AA, SUBPIXEL_BITS)

    def overlay(self, colours, alpha, *, smooth=True):
        """Lay translucent colours between the frame and the lines.

        Parameters
        ----------
        colours : (h, w, 3) uint8
            BGR, of any size; they are enlarged to the size of the picture.
        alpha : (h, w) float
        smooth : bool
            Interpolate between cells; else they have sharp edges.
        """
        size, how = self._base.shape[1::-1], cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
        over = cv2.resize(np.asarray(alpha, np.float32), size, interpolation=how)
        self._overlay = cv2.resize(colours, size, interpolation=how), np.clip(over, 0, 1)

    def image(self):
        """Return the picture, (H', W', 3) uint8 BGR."""
        base = self._base.copy() if self._base.ndim == 3 else np.repeat(self._base[..., None], 3, axis=2)
        if self._overlay is not None:
            colours, alpha = self._overlay
            base += alpha[..., None] * (colours - base)
        base *= 1 - self._line_alpha[..., None].astype(np.float32) / 255
        return np.clip(base + self._line_colours, 0, 255).astype(np.uint8)

    def _fixed_point(self, points):
        """Convert positions to the fixed-point numbers that OpenCV draws with."""
        points = np.asarray(points, np.float64)
        moved = points * self.zoom + (self.zoom - 1) / 2
        return np.rint(np.nan_to_num(moved) * (1 << SUBPIXEL_BITS)).clip(-(2**20), 2**20).astype(np.int32)


def draw_text(image, text, place, colour=WHITE):
    """Write a line of text.

    Parameters
    ----------
    image : (H, W, 3) uint8
        Picture that is written on.
    text : str
        Letters that the font lacks lose their accents, or become question marks.
    place : (int, int)
        Left end of the base line.
    colour : (int, int, int)
    """
    cv2.putText(image, drawable(text), place, _FONT, _SIZE, colour, 1, cv2.LINE_AA)


def width_of(text):
    """Return the width of a ``text`` in pixels."""
    return cv2.getTextSize(drawable(text), _FONT, _SIZE, 1)[0][0]


def captioned(image, caption="", legend=()):
    """Put a caption above a picture and a legend below it.

    Parameters
    ----------
    image : (H, W, 3) uint8
    caption : str
        Text of the caption, cut if it is wider than the picture; empty for none.
    legend : sequence of (str, (int, int, int))
        Words and their colours; they continue in a further line if one is full.

    Returns
    -------
    (H', W, 3) uint8
    """
    parts = [image]
    if caption:
        bar = np.full((LINE_HEIGHT, image.shape[1], 3), 24, np.uint8)
        while len(caption) > 1 and width_of(caption) > image.shape[1] - 8:
            caption = caption[:-1]
        draw_text(bar, caption, (4, LINE_HEIGHT - 6))
        parts.insert(0, bar)
    rows: list[list] = []
    x = image.shape[1]
    for words, colour in legend:
        width = 24 + width_of(words)
        if x + width > image.shape[1] and (not rows or rows[-1]):
            rows.append([])
            x = 4
        rows[-1].append((x, words, colour))
        x += width
    for row in rows:
        bar = np.full((LINE_HEIGHT, image.shape[1], 3), 24, np.uint8)
        for x, words, colour in row:
            cv2.line(bar, (x, LINE_HEIGHT // 2), (x + 10, LINE_HEIGHT // 2), colour, 2, cv2.LINE_AA)
            draw_text(bar, words, (x + 14, LINE_HEIGHT - 6))
        parts.append(bar)
    return np.concatenate(parts)


def side_by_side(images, gap=4):
    """Put pictures beside each other, top to top.

    Parameters
    ----------
    images : sequence of (H, W, 3) uint8
    gap : int
        Pixels between them.

    Returns
    -------
    (H', W', 3) uint8
    """
    high = max(len(image) for image in images)
    parts: list[np.ndarray] = []
    for image in images:
        parts += [np.zeros((high, gap, 3), np.uint8)] * bool(parts)
        parts.append(cv2.copyMakeBorder(image, 0, high - len(image), 0, 0, cv2.BORDER_CONSTANT))
    return np.concatenate(parts, axis=1)


def drawable(text):
    """Replace what the font lacks in a ``text``: accents are dropped, other letters become question marks."""
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letters).encode("ascii", "replace").decode().replace("\n", " ")
