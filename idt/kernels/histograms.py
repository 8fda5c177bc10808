"""Histograms of oriented gradients, flow and motion boundaries over patches, without integral images.

Method: docs/method/extraction.md, section 7.

The image is walked row by row. Each pixel's four vectors are shared between their two nearest orientation bins, and
running sums over the last ``cell`` rows are kept for every column and bin, the bins of a column side by side. At the
last row of a cell, the sum over its ``cell`` columns is its histogram. At the last row of a patch, its histograms are
normalised.

Fields: 0 HOG, the gradient of gray; 1 HOF, the flow itself; 2 MBHx and 3 MBHy, the gradients of its components.
"""

import numpy as np
from numba import float32, int32, int64, uint8

from idt.jit.float8 import LANES, absolute, broadcast, from_numbers, lane_sum, maximum, square_root
from idt.jit.float8_memory import item, load, prefetch, store
from idt.jit.kernel import inner, kernel

BINS = 8
FIELDS = 4
CHANNELS = FIELDS * BINS + 1
"""Bins of a cell in all fields, with the ninth bin of HOF."""
SMALL = np.float32(0.4)
"""Length in pixels up to which a flow vector counts in the ninth bin of HOF."""
FLOOR = np.float32(0.05)
"""Number that is added to every bin before the normalisation."""
LINE = 16
"""float32 numbers in a cache line."""

# contract: fused multiply-add, as in the release's own build. nsz: the sign of a zero does not matter. Sums keep their
# order, NaN and infinities their meaning.
FLAGS = {"contract", "nsz"}

# atan(c) on [0, 1] as an odd polynomial in bins of 45°, off by at most 0.0007°: least squares on Chebyshev nodes,
# reweighted towards equal ripples.
_BINS_PER_RADIAN = 4 / np.pi
ATAN_1 = np.float32(0.99986633 * _BINS_PER_RADIAN)
ATAN_3 = np.float32(-0.33030479 * _BINS_PER_RADIAN)
ATAN_5 = np.float32(0.1801592 * _BINS_PER_RADIAN)
ATAN_7 = np.float32(-0.08515613 * _BINS_PER_RADIAN)
ATAN_9 = np.float32(0.02084499 * _BINS_PER_RADIAN)
TINY = np.float32(1e-30)
"""Summand that keeps the angle of a zero vector from being 0 / 0."""


@inner()
def _bucket(points, rows, patch, height, width, corners, order, start):
    """Place the patches inside the image, and list them by their first row.

    rows (n,) int32, the row of the sums for each patch; a patch with a negative one is not listed. Out: corners (n, 2)
    int32, first column and row of each patch; order (n,) int32, which lists the patches with first row y at
    order[start[y] : start[y + 1]]; start (H + 2,) int32, zero on entry. Return the highest of ``rows``, at least −1.
    """
    highest = np.int32(-1)
    for n in range(points.shape[0]):
        corners[n, 0] = min(max(np.rint(points[n, 0]) - patch // 2, 0), width - patch)
        corners[n, 1] = min(max(np.rint(points[n, 1]) - patch // 2, 0), height - patch)
        highest = max(highest, rows[n])
        if rows[n] >= 0:
            start[corners[n, 1] + 2] += 1
    for y in range(height):
        start[y + 2] += start[y + 1]
    # start[y + 1] is now where the patches of row y begin, and moves on to where they end.
    for n in range(points.shape[0]):
        if rows[n] >= 0:
            order[start[corners[n, 1] + 1]] = n
            start[corners[n, 1] + 1] += 1
    return highest


@inner(fastmath=FLAGS)
def _gradient_row(image, y, dx, dy):
    """Compute the central differences of row y; across a border they are 0, because the border is reflected."""
    height, width = image.shape
    above = max(y - 1, 0) if y < height - 1 else y
    below = min(y + 1, height - 1) if y > 0 else y
    dx[0] = np.float32(0)
    dx[width - 1] = np.float32(0)
    for x in range(1, width - 1):
        dx[x] = image[y, x + 1] - image[y, x - 1]
    for x in range(width):
        dy[x] = image[below, x] - image[above, x]


@inner(fastmath=FLAGS)
def _to_polar(dx, dy, magnitude, angle):
    """Compute length and direction of each vector, the direction in bins of 45°, in [0, 8]."""
    for x in range(dx.shape[0]):
        run = abs(dx[x])
        rise = abs(dy[x])
        c = min(run, rise) / (max(run, rise) + TINY)
        square = c * c
        turn = ((((ATAN_9 * square + ATAN_7) * square + ATAN_5) * square + ATAN_3) * square + ATAN_1) * c
        turn = np.float32(2) - turn if rise > run else turn
        turn = np.float32(4) - turn if dx[x] < np.float32(0) else turn
        angle[x] = np.float32(8) - turn if dy[x] < np.float32(0) else turn
        magnitude[x] = np.sqrt(dx[x] * dx[x] + dy[x] * dy[x])


@inner(fastmath=FLAGS)
def _polar_row(gray, flow, y, dx, dy, magnitude, angle, small):
    """Compute the four fields of row y: magnitude and angle (FIELDS, W), small (W,); dx and dy (W,) are scratch."""
    for field in range(FIELDS):
        if field == 1:
            for x in range(dx.shape[0]):
                dx[x] = flow[0, y, x]
                dy[x] = flow[1, y, x]
        else:
            _gradient_row(gray if field == 0 else flow[field - 2], y, dx, dy)
        _to_polar(dx, dy, magnitude[field], angle[field])
    # docs/method/extraction.md, section 7.2: a flow of at most 0.4 px adds 1 to the ninth bin of HOF and nothing else.
    for x in range(small.shape[0]):
        still = magnitude[1, x] <= SMALL
        small[x] = 1 if still else 0
        magnitude[1, x] = np.float32(0) if still else magnitude[1, x]


@inner()
def _slide_small(entering, leaving, counts, before):
    """Add the entering row of small vectors to the column counts, and subtract the leaving row.

    before (W + 1,) int32 out: the sum of the counts left of each column.
    """
    for x in range(counts.shape[0]):
        counts[x] += entering[x] - leaving[x]
    for x in range(counts.shape[0]):
        before[x + 1] = before[x] + counts[x]


@inner()
def _slide(columns, magnitude, angle, width, entering, leaving):
    """Add the vectors of the entering row to the sums of all columns and bins, and subtract the leaving row's.

    A vector's angle t is in units of bins, 0 to 8. Bin b has the share max(0, 1 − |t − b|), which falls from 1 to 0
    over the distance of one bin. Bin 0, which is bin 8 as well, has the share max(0, |t − 4| − 3).
    """
    one, three = np.float32(1), np.float32(3)
    centre = from_numbers(
        (np.float32(4), one, np.float32(2), three, np.float32(4), np.float32(5), np.float32(6), np.float32(7))
    )
    slope = from_numbers((one, -one, -one, -one, -one, -one, -one, -one))
    height = from_numbers((-three, one, one, one, one, one, one, one))
    none = broadcast(np.float32(0))
    for x in range(width):
        for field in range(FIELDS):
            enters, leaves = (entering * FIELDS + field) * width + x, (leaving * FIELDS + field) * width + x
            shared = maximum(absolute(broadcast(item(angle, enters)) - centre) * slope + height, none)
            taken = maximum(absolute(broadcast(item(angle, leaves)) - centre) * slope + height, none)
            at = (x * FIELDS + field) * BINS
            total = load(columns, at) + shared * broadcast(item(magnitude, enters))
            store(columns, at, total - taken * broadcast(item(magnitude, leaves)))


@inner()
def _sum_cell(columns, before, x, cell, index, n_cells, row):
    """Write the histograms of cell ``index``, which begins at column x, to their places in the blocks of a patch."""
    hog = broadcast(np.float32(0))
    hof = mbhx = mbhy = hog
    for at in range(x * FIELDS * BINS, (x + cell) * FIELDS * BINS, FIELDS * BINS):
        hog = hog + load(columns, at)
        hof = hof + load(columns, at + LANES)
        mbhx = mbhx + load(columns, at + 2 * LANES)
        mbhy = mbhy + load(columns, at + 3 * LANES)
    first, first_of_hof = BINS * index, BINS * n_cells + (BINS + 1) * index
    store(row, first, hog)
    store(row, first_of_hof, hof)
    store(row, first + (2 * BINS + 1) * n_cells, mbhx)
    store(row, first + (3 * BINS + 1) * n_cells, mbhy)
    row[first_of_hof + BINS] = before[x + cell] - before[x]


@inner(fastmath=FLAGS)
def _scale_of(row, first, n_cells, bins, norm):
    """Return the factor that normalises a block: 1 / sum for norm 1, 1 / length for norm 2, else 1.

    Sum and length are those after 0.05 is added to every bin.
    """
    if norm == 0:
        return np.float32(1)
    ninth = np.float32(0)
    eight = broadcast(ninth)
    for at in range(first, first + n_cells * bins, bins):
        part = _raised(load(row, at))
        eight = eight + (part * part if norm == 2 else part)
        if bins > BINS:
            last = row[at + BINS] + FLOOR
            ninth += last * last if norm == 2 else last
    whole = lane_sum(eight) + ninth
    return np.float32(1) / (np.sqrt(whole) if norm == 2 else whole)


@inner()
def _raised(bins):
    """Clip negative sums, which the rounding of the running sums leaves, and add 0.05."""
    return maximum(bins, broadcast(np.float32(0))) + broadcast(FLOOR)


@inner(fastmath=FLAGS)
def _add_normalised(row, n_cells, norm, into):
    """Add a patch's histograms to ``into``, each block scaled by `_scale_of`; for norm 1 add square roots."""
    first = np.int64(0)
    for field in range(FIELDS):
        bins = BINS + 1 if field == 1 else BINS
        scale = _scale_of(row, first, n_cells, bins, norm)
        for at in range(first, first + n_cells * bins, bins):
            part = _raised(load(row, at)) * broadcast(scale)
            store(into, at, load(into, at) + (square_root(part) if norm == 1 else part))
            if bins > BINS:
                last = (row[at + BINS] + FLOOR) * scale
                into[at + BINS] += np.sqrt(last) if norm == 1 else last
        first += n_cells * bins


@kernel((uint8[:, ::1], float32[:, :, ::1], float32[:, ::1], int32[::1], int64, int64, int64, float32[:, ::1]))
def accumulate(gray, flow, points, rows, patch, cells, norm, sums):
    """Add every patch's histograms, normalised, to its row of the sums.

    gray (H, W) uint8 and flow (2, H, W) float32; points (n, 2) float32; rows (n,) int32, negative for a patch that is
    not wanted; norm 0 for none, 1 for RootL1, 2 for L2; sums (m, cells² · CHANNELS) float32. Return False, and add
    nothing, if a row lies beyond the sums.
    """
    height, width = gray.shape
    cell, n_cells = patch // cells, cells * cells
    corners, order = np.empty((points.shape[0], 2), np.int32), np.empty(points.shape[0], np.int32)
    start = np.zeros(height + 2, np.int32)
    highest = _bucket(points, rows, patch, height, width, corners, order, start)
    if highest < 0 or highest >= sums.shape[0]:
        return highest < 0
    image = gray.astype(np.float32)
    dx, dy = np.empty(width, np.float32), np.empty(width, np.float32)
    # Ring of the last rows, one more than a cell has: the newest enters the running sums, the oldest leaves them.
    magnitude, angle = (
        np.zeros((cell + 1, FIELDS, width), np.float32),
        np.zeros((cell + 1, FIELDS, width), np.float32),
    )
    small = np.zeros((cell + 1, width), np.int32)
    # The running sums.
    columns = np.zeros(width * FIELDS * BINS, np.float32)
    counts, before = np.zeros(width, np.int32), np.zeros(width + 1, np.int32)
    histograms = np.empty((points.shape[0], n_cells * CHANNELS), np.float32)
    for y in range(height):
        entering, leaving = y % (cell + 1), (y + 1) % (cell + 1)
        _polar_row(image, flow, y, dx, dy, magnitude[entering], angle[entering], small[entering])
        _slide(columns, magnitude, angle, width, entering, leaving)
        _slide_small(small[entering], small[leaving], counts, before)
        # In a patch that begins at ``top``, row r of its cells ends at y.
        for r in range(min(cells, (y + 1) // cell)):
            top = y - (r + 1) * cell + 1
            for k in range(start[top], start[top + 1]):
                n = order[k]
                if r == 0:
                    # The sums of a track are used once a frame and lie far apart in memory, so they are prefetched
                    # while the patch is computed.
                    for at in range(0, sums.shape[1], LINE):
                        prefetch(sums, rows[n] * sums.shape[1] + at)
                for i in range(cells):
                    x = corners[n, 0] + i * cell
                    _sum_cell(columns, before, x, cell, i * cells + r, n_cells, histograms[k])
                if r == cells - 1:
                    _add_normalised(histograms[k], n_cells, norm, sums[rows[n]])
        # All patches have ended.
        if start[max(y - cells * cell + 2, 0)] == start[height]:
            break
    return True
