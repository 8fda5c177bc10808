"""Plots of numbers: the camera's path over time, and the descriptors of one track as histograms."""

import numpy as np

from idt.imports.opencv import cv2
from idt.params import layout
from idt.show.canvas import GREEN, ORANGE, PURPLE, SKY, WHITE, beside, captioned, write

SIZE = (640, 200)
"""Width and height of a plot."""
PAPER, INK = 24, (200, 200, 200)
HISTOGRAM_COLOURS = {"hog": ORANGE, "hof": SKY, "mbhx": GREEN, "mbhy": PURPLE}


def camera_picture(camera, size):
    """Plot the camera's motion: the path of the frame's middle, and the share of matches that agree.

    Parameters
    ----------
    camera : Camera
        Homographies between consecutive frames, with matches and inliers.
    size : (int, int)
        Width and height of the frames.

    Returns
    -------
    (H, W, 3) uint8
        BGR. The upper plot shows where the middle of the first frame lies in each later one, right and down, in
        pixels. The lower plot shows the share.
    """
    middle = np.array([(size[0] - 1) / 2, (size[1] - 1) / 2, 1.0])
    total, positions = np.eye(3), []
    for homography in camera.homography:
        total = homography @ total
        x, y, w = total @ middle
        positions.append((x / w - middle[0], y / w - middle[1]) if abs(w) > 1e-9 else (np.nan, np.nan))
    path = np.array(positions).reshape(-1, 2)
    # The first frame has no matches, so its share is NaN.
    share = np.where(camera.matches > 0, camera.inliers / np.maximum(camera.matches, 1), np.nan)
    frames = camera.first_frame + np.arange(len(share))
    moved = _draw_curves(frames, {"right": path[:, 0], "down": path[:, 1]}, (SKY, ORANGE), "px")
    agreed = _draw_curves(frames, {"agree": 100 * share}, (GREEN,), "%", low=0.0, high=100.0)
    top = captioned(moved, "path of the first frame's middle", [("right", SKY), ("down", ORANGE)])
    return np.concatenate([top, captioned(agreed, "matches that agree with the camera's motion")])


def track_picture(track, gray=None, *, number=0, cells=2, time_cells=3):
    """Plot the descriptors of one track as histograms: one panel a descriptor, one row a temporal cell.

    Parameters
    ----------
    track : Track
    gray : (H, W) uint8, optional
        Frame at which it ends, on which its path is drawn.
    number : int
        Number of the track in the caption.
    cells, time_cells : int
        As in `ExtractionParams`.

    Returns
    -------
    (H, W, 3) uint8
        BGR. In a row the histograms of the patch's cells stand side by side; within a panel heights can be compared.
    """
    panels = []
    for name, bins in layout_of_histograms(cells).items():
        values = np.asarray(getattr(track, name), float).reshape(time_cells, cells * cells, bins)
        panels.append(captioned(_draw_bars(values, HISTOGRAM_COLOURS[name]), name.upper()))
    rows = [beside(panels[:2]), beside(panels[2:])]
    if gray is not None:
        rows.insert(0, _draw_path(track, gray, rows[0].shape[1]))
    caption = f"track {number}: ends at frame {int(track.frame)}, {float(track.length):.1f} px at 1/{track.scale:.3g}"
    legend = [("row: a stretch of time", INK), (f"group of bars: one of {cells} x {cells} cells of the patch", INK)]
    return captioned(np.concatenate(rows), caption, legend)


def layout_of_histograms(cells):
    """Return the bins of each histogram of a track with ``cells`` × ``cells`` cells: 8, and 9 of HOF."""
    return {name: size // cells**2 for name, size in layout.step_sizes(cells).items()}


def _draw_path(track, gray, width):
    """Draw the track over the frame at which it ends, and its displacements as enlarged arrows."""
    from idt.show.canvas import Canvas

    zoom = max(1, width // (2 * gray.shape[1]))
    canvas = Canvas(gray, zoom, 0.6)
    canvas.lines([track.points], ORANGE, thickness=2)
    canvas.dots(track.points[-1:], WHITE, zoom + 1)
    left = canvas.image()
    right = np.full((left.shape[0], max(width - left.shape[1] - 4, 40), 3), PAPER, np.uint8)
    points = np.asarray(track.points, float)
    low, reach = points.min(axis=0), max(float(np.ptp(points, axis=0).max()), 1e-6)
    scale = 0.7 * min(right.shape[:2]) / reach
    middle = (low + points.max(axis=0)) / 2
    at = (points - middle) * scale + np.array(right.shape[1::-1]) / 2
    for start, end in zip(at[:-1].round().astype(int).tolist(), at[1:].round().astype(int).tolist(), strict=True):
        cv2.arrowedLine(right, start, end, ORANGE, 1, cv2.LINE_AA, 0, 0.3)
    write(right, f"its steps, {scale:.1f} times enlarged", (6, 16), INK)
    return beside([left, right])


def _draw_bars(values, colour, height=56, width=318):
    """Draw (rows, groups, bins) numbers as bars."""
    rows, groups, bins = values.shape
    image = np.full((rows * height, width, 3), PAPER, np.uint8)
    step = (width - 8) / (groups * (bins + 1))
    top = values.max(initial=0) or 1.0
    for row in range(rows):
        base = (row + 1) * height - 4
        cv2.line(image, (4, base), (width - 4, base), (90, 90, 90), 1)
        for group in range(groups):
            for bin_index in range(bins):
                x = 4 + (group * (bins + 1) + bin_index) * step
                bar_height = round(float(values[row, group, bin_index]) / top * (height - 10))
                if bar_height > 0:
                    cv2.rectangle(image, (round(x), base - bar_height), (round(x + step) - 2, base - 1), colour, -1)
    return image


def _draw_curves(x, curves, colours, unit, *, low=None, high=None):
    """Draw curves over frame numbers, with the numbers of the axes."""
    width, height = SIZE
    image = np.full((height, width, 3), PAPER, np.uint8)
    values = np.concatenate([curve[np.isfinite(curve)] for curve in curves.values()] or [np.zeros(1)])
    low = min(float(values.min(initial=0)), 0.0) if low is None else low
    high = max(float(values.max(initial=0)), low + 1e-6) if high is None else high
    left, right, top, bottom = 60, width - 10, 10, height - 22

    def place(at, value):
        across = left + (right - left) * (at - x[0]) / max(x[-1] - x[0], 1) if len(x) else left
        return round(float(across)), round(float(bottom - (bottom - top) * (value - low) / (high - low)))

    for value in sorted({low, high, *([0.0] if low < 0 < high else [])}):
        _, y = place(x[0] if len(x) else 0, value)
        cv2.line(image, (left, y), (right, y), (70, 70, 70), 1)
        write(image, f"{value:.0f} {unit}", (4, min(max(y + 4, 14), height - 4)), INK)
    if len(x):
        write(image, f"frame {x[0]}", (left, height - 6), INK)
        last = f"{x[-1]}"
        write(image, last, (right - 9 * len(last), height - 6), INK)
    for curve, colour in zip(curves.values(), colours, strict=True):
        points = [place(at, value) for at, value in zip(x, curve, strict=True) if np.isfinite(value)]
        if points:
            cv2.polylines(image, [np.array(points, np.int32)], False, colour, 2, cv2.LINE_AA)
    return image
