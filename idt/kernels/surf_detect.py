"""Fast-Hessian detector of SURF: box-filter responses, their maxima, and sub-cell positions.

docs/method/surf.md, section 1; Bay et al. 2008, sections 3.1 to 3.4. An octave samples the image every ``step`` pixels.
Its columns are regrouped by ``x mod step`` so that neighbouring cells lie side by side in memory at every octave: pixel
column ``x`` is found at ``x % step * stride + x // step``, with ``stride`` columns in a group.

The three boxes of Dxx lie side by side, and the boxes of Dyy one below the other, so that several cells use the same
box; its weighted sum is computed once. Every response equals the release's to the last bit, because ties between
responses decide the order of keypoints. Therefore this file sets no fastmath flag, and adds weighted boxes in float64,
where the sum is exact.
"""

import numpy as np
from numba import float32, int32

from idt.jit.kernel import inner, kernel

OCTAVES = 4
LAYERS = 4
SEARCHED = (1, 2)
"""Layers of an octave that have one above and one below."""
READ_FROM = 21 // 2
"""Cells nearer to the border than this are not computed, because no searched cell has them as neighbours."""
COLUMNS = 5
"""Numbers of a found keypoint: x, y, size, response, octave."""


@kernel((int32[:, ::1], int32[:, ::1], float32, float32[:, ::1]))
def find_keypoints(integral, mask_integral, threshold, out):
    """Find the accepted maxima of all octaves, in no particular order; return their number.

    integral (H + 1, W + 1) int32; mask_integral the same, or (0, 0) for no mask; out (capacity, 5) float32.
    Unchecked: call surf.detect, which also says how large out must be.
    """
    height, width = integral.shape[0] - 1, integral.shape[1] - 1
    shorter = height if height < width else width
    # To numba a literal 0 has its own type, and the functions that take the count would be compiled twice.
    count = np.int64(0)
    for octave in range(OCTAVES):
        step = 1 << octave
        if 21 * step > shorter:
            break
        columns = np.empty((height + 1, (width // step + 1) * step), np.int32)
        _regroup_columns(integral, step, columns)
        # Cells that no filter covers or no search reads stay unwritten.
        responses = np.empty((LAYERS, height // step, width // step), np.float32)
        for layer in range(LAYERS):
            size = (9 + 6 * layer) * step
            if size <= shorter:
                _respond(columns, width, size, step, responses[layer])
        for layer in SEARCHED:
            first = count
            count = _find_maxima(responses, layer, threshold, count, out)
            count = _refine(responses, layer, octave, mask_integral, first, count, out)
    return count


@inner()
def _regroup_columns(integral, step, out):
    """Group the columns of an integral image by ``x mod step``.

    integral (H + 1, W + 1) int32; out (H + 1, step · stride) int32.
    """
    height, width = integral.shape
    stride = out.shape[1] // step
    for y in range(height):
        for phase in range(step):
            group = out[y, phase * stride :]
            for j in range((width - phase + step - 1) // step):
                group[j] = integral[y, j * step + phase]


@inner()
def _respond(columns, width, size, step, out):
    """Compute the determinant of the box-filter Hessian in the cells that the filter covers and the search reads.

    columns (H + 1, step · stride) int32; out (H // step, W // step) float32.
    """
    height, stride = columns.shape[0] - 1, columns.shape[1] // step
    lobe, m = size // 3 // step, size // 2 // step
    unread = READ_FROM - m if m < READ_FROM else 0
    rows, cells = (height - size) // step + 1 - unread, (width - size) // step + 1 - 2 * unread
    # Corners of the 9 × 9 layout: as rows, and as places among the regrouped columns.
    y, x = np.empty(10, np.int64), np.empty(10, np.int64)
    for corner in range(10):
        y[corner] = np.int64(np.rint(corner * size / 9.0))
        x[corner] = y[corner] % step * stride + y[corner] // step + unread
    weight = np.float32(1) / np.float32(y[3] * (y[7] - y[2]))
    weight_xy = np.float32(1) / np.float32(y[3] * y[3])
    # The left and the right boxes of Dxy come from one array of box sums.
    start, end = (x[1], x[5] + cells) if x[1] < x[5] else (x[5], x[1] + cells)
    # Separate arrays: LLVM must know that they do not alias, or it does not vectorise the loops.
    beside, stacked = np.empty(cells + 2 * lobe, np.float64), np.empty((2 * lobe + 1, cells), np.float64)
    upper, lower = np.empty(end - start, np.float64), np.empty(end - start, np.float64)
    dxx, dyy = np.empty(cells, np.float32), np.empty(cells, np.float32)
    depth = 2 * lobe + 1
    for i in range(unread - 2 * lobe, rows):
        # The boxes of Dyy are kept in a ring of rows; only the third box of each cell in this row is new.
        first, second, third = i % depth, (i + lobe) % depth, (i + 2 * lobe) % depth
        below, top = (i + 2 * lobe) * step, i * step
        _weigh_boxes(columns, below, below + y[3], x[2], x[7], weight, stacked[third])
        if i >= unread:
            _second_difference(stacked[first], stacked[second], stacked[third], dyy)
            _weigh_boxes(columns, top + y[2], top + y[7], x[0], x[3], weight, beside)
            _second_difference(beside, beside[lobe:], beside[2 * lobe :], dxx)
            _weigh_boxes(columns, top + y[1], top + y[4], start, start + lobe, weight_xy, upper)
            _weigh_boxes(columns, top + y[5], top + y[8], start, start + lobe, weight_xy, lower)
            _determinant(dxx, dyy, upper, lower, x[1] - start, x[5] - start, out[i + m, m + unread :])


@inner()
def _weigh_boxes(columns, top, bottom, left, right, weight, out):
    """Write the box sums of a row of cells times their weight, rounded to float32.

    columns (H + 1, step · stride) int32; top, bottom rows, left, right places of the first box's edges in it;
    out (n,) float64.
    """
    top_left, top_right = columns[top, left:], columns[top, right:]
    bottom_left, bottom_right = columns[bottom, left:], columns[bottom, right:]
    for j in range(out.size):
        box = np.int32(bottom_right[j] - bottom_left[j]) - np.int32(top_right[j] - top_left[j])
        out[j] = np.float64(np.float32(np.int32(box)) * weight)


@inner()
def _second_difference(first, second, third, out):
    """Weight three boxes by 1, −2, 1 and round once; first, second, third (≥ n,) float64; out (n,) float32."""
    for j in range(out.size):
        out[j] = np.float32(first[j] - 2 * second[j] + third[j])


@inner()
def _determinant(dxx, dyy, upper, lower, left, right, out):
    """Compute Dxx·Dyy − 0.81·Dxy²; round 0.81·Dxy², then the difference, as a fused multiply-add does.

    dxx, dyy (n,) float32; upper, lower rows of Dxy's boxes, float64; left, right where its boxes begin in them;
    out (≥ n,) float32.
    """
    upper_left, upper_right, lower_left, lower_right = upper[left:], upper[right:], lower[left:], lower[right:]
    for j in range(dxx.size):
        dxy = np.float32(upper_left[j] - upper_right[j] + lower_right[j] - lower_left[j])
        mixed = np.float32(0.81) * dxy * dxy
        out[j] = np.float32(np.float64(dxx[j]) * np.float64(dyy[j]) - np.float64(mixed))


@inner()
def _find_maxima(responses, layer, threshold, count, out):
    """Append the cells of a layer that exceed the threshold and their 26 neighbours; return the new count.

    responses (4, rows, cols) float32; out (capacity, 5) float32: column, row, unused, response, unused.
    """
    _, rows, cols = responses.shape
    border = (15 + 6 * layer) // 2 + 1
    marks = np.empty(cols, np.int32)
    for i in range(border, rows - border):
        # Few cells exceed the threshold and four neighbours; only these are compared with all 26, one by one.
        for j in range(1, cols - 1):
            value = responses[layer, i, j]
            beside = (value > responses[layer, i, j - 1]) & (value > responses[layer, i, j + 1])
            across = (value > responses[layer, i - 1, j]) & (value > responses[layer, i + 1, j])
            marks[j] = (value > threshold) & beside & across
        for j in range(border, cols - border):
            if marks[j] and _is_maximum(responses, layer, i, j):
                out[count, 0], out[count, 1], out[count, 3] = j, i, responses[layer, i, j]
                count += 1
    return count


@inner()
def _is_maximum(responses, layer, i, j):
    """Tell whether a cell of a layer is strictly greater than its 26 neighbours; responses (4, rows, cols)."""
    value = responses[layer, i, j]
    for k in (layer, layer - 1, layer + 1):
        for u in range(i - 1, i + 2):
            for v in range(j - 1, j + 2):
                if responses[k, u, v] >= value and not (k == layer and u == i and v == j):
                    return False
    return True


@inner()
def _refine(responses, layer, octave, mask_integral, first, last, out):
    """Turn the maxima first … last − 1 into keypoints; drop those outside the mask or without a fit; return the count.

    responses (4, rows, cols) float32; mask_integral (H + 1, W + 1) int32 or (0, 0); out (capacity, 5) float32.
    """
    step = 1 << octave
    size = (9 + 6 * layer) * step
    count = first
    for k in range(first, last):
        j, i, response = np.int64(out[k, 0]), np.int64(out[k, 1]), out[k, 3]
        left, top = step * (j - size // 2 // step), step * (i - size // 2 // step)
        if mask_integral.size and not _mostly_inside(mask_integral, left, top, size):
            continue
        dx, dy, ds = _newton_step(responses, layer, i, j)
        if not (abs(dx) <= 1 and abs(dy) <= 1 and abs(ds) <= 1) or (dx == 0 and dy == 0 and ds == 0):
            continue
        x, y = left + (size - 1) / 2 + dx * step, top + (size - 1) / 2 + dy * step
        if mask_integral.size and not _mostly_inside(mask_integral, np.int64(x + 0.5), np.int64(y + 0.5), np.int64(1)):
            continue
        out[count, 0], out[count, 1], out[count, 2] = x, y, np.rint(size + ds * (6 * step))
        out[count, 3], out[count, 4] = response, octave
        count += 1
    return count


@inner()
def _mostly_inside(mask_integral, left, top, size):
    """Tell whether the mean of the 0/1 mask over a square is at least one half; mask_integral (H + 1, W + 1) int32."""
    right, bottom = left + size, top + size
    total = mask_integral[bottom, right] - mask_integral[bottom, left]
    total += mask_integral[top, left] - mask_integral[top, right]
    # The mean is a box filter like the others: rounded in float32, it can miss an exact half.
    return np.float32(total) * (np.float32(1) / np.float32(size * size)) >= np.float32(0.5)


@inner()
def _newton_step(responses, layer, i, j):
    """Return offsets (x, y, layer) of the extremum of the quadratic through 27 responses; (0, 0, 0) if it has none.

    responses (4, rows, cols) float32, the middle of the 27 at layer, i, j. Bay et al. 2008, section 3.4 (after Brown &
    Lowe 2002).
    """
    c = np.empty((3, 3, 3), np.float64)
    for k in range(3):
        for v in range(3):
            for u in range(3):
                c[k, v, u] = responses[layer + k - 1, i + v - 1, j + u - 1]
    gx, gy, gs = (c[1, 1, 2] - c[1, 1, 0]) / 2, (c[1, 2, 1] - c[1, 0, 1]) / 2, (c[2, 1, 1] - c[0, 1, 1]) / 2
    xx = c[1, 1, 0] - 2 * c[1, 1, 1] + c[1, 1, 2]
    yy = c[1, 0, 1] - 2 * c[1, 1, 1] + c[1, 2, 1]
    ss = c[0, 1, 1] - 2 * c[1, 1, 1] + c[2, 1, 1]
    xy = (c[1, 2, 2] - c[1, 2, 0] - c[1, 0, 2] + c[1, 0, 0]) / 4
    xs = (c[2, 1, 2] - c[2, 1, 0] - c[0, 1, 2] + c[0, 1, 0]) / 4
    ys = (c[2, 2, 1] - c[2, 0, 1] - c[0, 2, 1] + c[0, 0, 1]) / 4
    # Cramer's rule with the cofactors of the symmetric Hessian.
    cxx, cxy, cxs = yy * ss - ys * ys, xs * ys - xy * ss, xy * ys - xs * yy
    cyy, cys, css = xx * ss - xs * xs, xy * xs - xx * ys, xx * yy - xy * xy
    determinant = xx * cxx + xy * cxy + xs * cxs
    if determinant == 0:
        return 0.0, 0.0, 0.0
    dx = -(cxx * gx + cxy * gy + cxs * gs) / determinant
    dy = -(cxy * gx + cyy * gy + cys * gs) / determinant
    return dx, dy, -(cxs * gx + cys * gy + css * gs) / determinant
