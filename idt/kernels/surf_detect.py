"""Fast-Hessian detector of SURF: integral image, box-filter responses, their maxima, sub-cell positions.

Spec SURF, detector; Bay et al. 2008, sections 3.1 to 3.4. An octave samples the image every ``step`` pixels. Its
columns are regrouped by ``x mod step`` so that neighbouring cells lie side by side in memory at every octave:
pixel column ``x`` is found at ``x % step * stride + x // step``.

Every response equals the release's to the last bit, because ties between them decide the order of keypoints. Hence no
fastmath flag here; box sums go through float64, in which three or four float32 products add up exactly.
"""

import numpy as np
from numba import njit

OCTAVES = 4
LAYERS = 4
SEARCHED = (1, 2)
"""Layers of an octave that have one above and one below."""
COLUMNS = 5
"""A found keypoint: x, y, size, response, octave."""


@njit(cache=True, nogil=True)
def integrate(image, out):
    """Integral image: sums over everything above and to the left.

    image (H, W) uint8; out (H + 1, W + 1) int32. Unchecked: call surf.detect.
    """
    height, width = image.shape
    out[0] = 0
    for y in range(height):
        line, above, row = image[y], out[y], out[y + 1]
        row[0] = total = np.int32(0)
        for x in range(width):
            total = np.int32(total + line[x])
            row[x + 1] = total
        for x in range(width + 1):
            row[x] += above[x]


@njit(cache=True, nogil=True)
def find_keypoints(integral, mask_integral, threshold, out):
    """Accepted maxima of all octaves, in no order that matters; returns their number.

    integral (H + 1, W + 1) int32; mask_integral the same, or (0, 0) for no mask; out (capacity, 5) float32.
    Unchecked: call surf.detect, which also says how large out must be.
    """
    height, width = integral.shape[0] - 1, integral.shape[1] - 1
    count = 0
    for octave in range(OCTAVES):
        step = 1 << octave
        sizes = ((9 << octave), (15 << octave), (21 << octave), (27 << octave))
        if sizes[2] > min(height, width):
            break
        stride = width // step + 1
        columns = np.empty((height + 1, step * stride), np.int32)
        _regroup_columns(integral, step, stride, columns)
        # Cells that no filter covers stay unwritten: the border of the search always exceeds theirs.
        responses = np.empty((LAYERS, height // step, width // step), np.float32)
        for layer in range(LAYERS):
            if sizes[layer] <= min(height, width):
                _respond(columns, width, sizes[layer], step, responses[layer])
        for layer in SEARCHED:
            grids = responses[layer - 1 : layer + 2]
            first = count
            count = _find_maxima(grids, sizes[layer + 1] // 2 // step + 1, threshold, count, out)
            count = _refine(grids, sizes[layer], 6 << octave, octave, mask_integral, first, count, out)
    return count


@njit(cache=True, nogil=True)
def _regroup_columns(integral, step, stride, out):
    """Group the columns of an integral image by ``x mod step``.

    integral (H + 1, W + 1) int32; out (H + 1, step · stride) int32.
    """
    height, width = integral.shape
    for y in range(height):
        row, grouped = integral[y], out[y]
        for phase in range(step):
            group = grouped[phase * stride : (phase + 1) * stride]
            for j in range((width - phase + step - 1) // step):
                group[j] = row[j * step + phase]


@njit(cache=True, nogil=True)
def _respond(columns, width, size, step, out):
    """Determinant of the box-filter Hessian in every cell that the filter covers.

    columns (H + 1, step · stride) int32; out (H // step, W // step) float32.
    """
    height, stride = columns.shape[0] - 1, columns.shape[1] // step
    cells = (width - size) // step + 1
    m = size // 2 // step
    # Corners of the 9 × 9 layout: as rows, and as places among the regrouped columns.
    y = np.empty(10, np.int64)
    x = np.empty(10, np.int64)
    for corner in range(10):
        y[corner] = np.int64(np.rint(corner * size / 9.0))
        x[corner] = y[corner] % step * stride + y[corner] // step
    weight = np.float32(1) / np.float32(y[3] * (y[7] - y[2]))
    weight_xy = np.float32(1) / np.float32((y[4] - y[1]) * (y[4] - y[1]))
    # Six arrays rather than the rows of two: LLVM must know them apart to vectorise the loops that meet them.
    places = columns.shape[1]
    middle, upper, lower = np.empty(places, np.int32), np.empty(places, np.int32), np.empty(places, np.int32)
    dxx, dyy, dxy = np.empty(cells, np.float32), np.empty(cells, np.float32), np.empty(cells, np.float32)
    for i in range((height - size) // step + 1):
        rows = columns[i * step :]
        _subtract(rows[y[7]], rows[y[2]], middle)
        _filter_xx(middle[x[0] :], middle[x[3] :], middle[x[6] :], middle[x[9] :], weight, dxx)
        _filter_yy(rows[y[0]], rows[y[3]], rows[y[6]], rows[y[9]], x[2], x[7], weight, dyy)
        _subtract(rows[y[4]], rows[y[1]], upper)
        _subtract(rows[y[8]], rows[y[5]], lower)
        _filter_xy(upper, lower, x, weight_xy, dxy)
        _determinant(dxx, dyy, dxy, out[i + m, m:])


@njit(cache=True, nogil=True)
def _subtract(row, above, out):
    """Sums of the columns between two rows of the integral image, from the left border on.

    row, above, out (n,) int32.
    """
    for x in range(out.size):
        out[x] = row[x] - above[x]


@njit(cache=True, nogil=True)
def _three_boxes(first, second, third, weight):
    """Weigh three int32 box sums by 1, −2, 1: each product in float32, their sum rounded once."""
    outer, inner = np.float64(np.float32(first) * weight), np.float64(np.float32(second) * (np.float32(-2) * weight))
    return np.float32(outer + inner + np.float64(np.float32(third) * weight))


@njit(cache=True, nogil=True)
def _filter_xx(x0, x3, x6, x9, weight, out):
    """Dxx of a row of cells, from the column sums over the filter's middle rows at the boxes' four edges.

    x0, x3, x6, x9 (≥ n,) int32; out (n,) float32.
    """
    for j in range(out.size):
        first, second, third = np.int32(x3[j] - x0[j]), np.int32(x6[j] - x3[j]), np.int32(x9[j] - x6[j])
        out[j] = _three_boxes(first, second, third, weight)


@njit(cache=True, nogil=True)
def _filter_yy(y0, y3, y6, y9, left, right, weight, out):
    """Dyy of a row of cells, from the integral image at the boxes' four edges.

    y0, y3, y6, y9 rows (step · stride,) int32; left, right places of the boxes' sides; out (n,) float32.
    """
    y0_left, y3_left, y6_left, y9_left = y0[left:], y3[left:], y6[left:], y9[left:]
    y0_right, y3_right, y6_right, y9_right = y0[right:], y3[right:], y6[right:], y9[right:]
    for j in range(out.size):
        at0, at3 = np.int32(y0_right[j] - y0_left[j]), np.int32(y3_right[j] - y3_left[j])
        at6, at9 = np.int32(y6_right[j] - y6_left[j]), np.int32(y9_right[j] - y9_left[j])
        out[j] = _three_boxes(np.int32(at3 - at0), np.int32(at6 - at3), np.int32(at9 - at6), weight)


@njit(cache=True, nogil=True)
def _filter_xy(upper, lower, x, weight, out):
    """Dxy of a row of cells: two boxes in the filter's upper rows, two of opposite sign in its lower rows.

    upper, lower column sums (step · stride,) int32; x (10,) places of the corners; out (n,) float32.
    """
    upper1, upper4, upper5, upper8 = upper[x[1] :], upper[x[4] :], upper[x[5] :], upper[x[8] :]
    lower1, lower4, lower5, lower8 = lower[x[1] :], lower[x[4] :], lower[x[5] :], lower[x[8] :]
    for j in range(out.size):
        a = np.float64(np.float32(np.int32(upper4[j] - upper1[j])) * weight)
        b = np.float64(np.float32(np.int32(upper8[j] - upper5[j])) * weight)
        c = np.float64(np.float32(np.int32(lower4[j] - lower1[j])) * weight)
        d = np.float64(np.float32(np.int32(lower8[j] - lower5[j])) * weight)
        out[j] = np.float32((a - b) + (d - c))


@njit(cache=True, nogil=True)
def _determinant(dxx, dyy, dxy, out):
    """Dxx·Dyy − 0.81·Dxy², as a fused multiply-add rounds it: the second product to float32, then the difference.

    dxx, dyy, dxy (n,) float32; out (≥ n,) float32.
    """
    for j in range(dxx.size):
        mixed = np.float32(0.81) * dxy[j] * dxy[j]
        out[j] = np.float32(np.float64(dxx[j]) * np.float64(dyy[j]) - np.float64(mixed))


@njit(cache=True, nogil=True)
def _find_maxima(grids, border, threshold, count, out):
    """Append the cells of the middle grid that exceed the threshold and their 26 neighbours; returns the new count.

    grids (3, rows, cols) float32; out (capacity, 5) float32: column, row, unused, response, unused.
    """
    rows, cols = grids.shape[1:]
    candidates = np.empty(cols, np.uint8)
    for i in range(border, rows - border):
        row = grids[1, i]
        _mark_peaks(grids[1, i - 1], row, grids[1, i + 1], threshold, candidates)
        for j in range(border, cols - border):
            if candidates[j] and _is_maximum(grids, i, j):
                out[count, 0], out[count, 1], out[count, 3] = j, i, row[j]
                count += 1
    return count


@njit(cache=True, nogil=True)
def _mark_peaks(above, row, below, threshold, out):
    """Mark the cells that exceed the threshold and their four nearest neighbours: few are left to look at one by one.

    above, row, below (n,) float32; out (n,) uint8, its ends unwritten.
    """
    left, centre, right = row[:-2], row[1:-1], row[2:]
    upper, lower, marks = above[1:-1], below[1:-1], out[1:-1]
    for j in range(marks.size):
        value = centre[j]
        beside = (value > threshold) & (value > left[j]) & (value > right[j])
        marks[j] = beside & (value > upper[j]) & (value > lower[j])


@njit(cache=True, nogil=True)
def _is_maximum(grids, i, j):
    """Whether a cell of the middle grid is strictly greater than all its 26 neighbours; grids (3, rows, cols)."""
    value = grids[1, i, j]
    for k in (1, 0, 2):
        for u in (i - 1, i, i + 1):
            for v in (j - 1, j, j + 1):
                if grids[k, u, v] >= value and not (k == 1 and u == i and v == j):
                    return False
    return True


@njit(cache=True, nogil=True)
def _refine(grids, size, size_step, octave, mask_integral, first, last, out):
    """Turn the maxima first … last − 1 into keypoints, drop those that mask or interpolation refuse; returns the count.

    grids (3, rows, cols) float32; mask_integral (H + 1, W + 1) int32 or (0, 0); out (capacity, 5) float32.
    """
    step = 1 << octave
    count = first
    for k in range(first, last):
        j, i, response = np.int64(out[k, 0]), np.int64(out[k, 1]), out[k, 3]
        left, top = step * (j - size // 2 // step), step * (i - size // 2 // step)
        if mask_integral.size and not _mostly_inside(mask_integral, left, top, size):
            continue
        dx, dy, ds = _newton_step(grids[:, i - 1 : i + 2, j - 1 : j + 2])
        if not (abs(dx) <= 1 and abs(dy) <= 1 and abs(ds) <= 1) or (dx == 0 and dy == 0 and ds == 0):
            continue
        x, y = left + (size - 1) / 2 + dx * step, top + (size - 1) / 2 + dy * step
        if mask_integral.size and not _mostly_inside(mask_integral, np.int64(x + 0.5), np.int64(y + 0.5), 1):
            continue
        out[count, 0], out[count, 1], out[count, 2] = x, y, np.rint(size + ds * size_step)
        out[count, 3], out[count, 4] = response, octave
        count += 1
    return count


@njit(cache=True, nogil=True)
def _mostly_inside(mask_integral, left, top, size):
    """Whether the mean of the 0/1 mask over a square is at least one half; mask_integral (H + 1, W + 1) int32."""
    upper, lower = mask_integral[top], mask_integral[top + size]
    total = lower[left + size] - lower[left] - upper[left + size] + upper[left]
    # The mean is a box filter like the others: rounded in float32, it can miss an exact half.
    return np.float32(total) * (np.float32(1) / np.float32(size * size)) >= np.float32(0.5)


@njit(cache=True, nogil=True)
def _newton_step(cube):
    """Offsets (x, y, layer) of the extremum of the quadratic through 27 responses; (0, 0, 0) if it has none.

    cube (3, 3, 3) float32, indexed layer, y, x. Bay et al. 2008, section 3.4 (after Brown & Lowe 2002).
    """
    c = cube.astype(np.float64)
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
