"""SURF as docs/method/surf.md words it, in plain loops: slow, obvious, written without a look at the kernels."""

import math

import cv2
import numpy as np

F = np.float32
OCTAVES, LAYERS = 4, 4

# Corners (x0, y0, x1, y1) on the 9 × 9 grid, and the weight.
DXX = ((0, 2, 3, 7, 1), (3, 2, 6, 7, -2), (6, 2, 9, 7, 1))
DYY = tuple((y0, x0, y1, x1, weight) for x0, y0, x1, y1, weight in DXX)
DXY = ((1, 1, 4, 4, 1), (5, 1, 8, 4, -1), (1, 5, 4, 8, -1), (5, 5, 8, 8, 1))


def box_sum(image, x0, y0, x1, y1):
    return int(image[y0:y1, x0:x1].sum(dtype=np.int64))


def box_filter(image, x, y, size, boxes):
    total = 0.0
    for corners_and_weight in boxes:
        x0, y0, x1, y1 = (round(corner * size / 9) for corner in corners_and_weight[:4])
        factor = F(corners_and_weight[4]) / F((x1 - x0) * (y1 - y0))
        total += float(F(box_sum(image, x + x0, y + y0, x + x1, y + y1)) * factor)
    return F(total)


def response(image, x, y, size):
    dxx, dyy, dxy = (box_filter(image, x, y, size, boxes) for boxes in (DXX, DYY, DXY))
    # Fused multiply-add: the second product is rounded to float32, the first one is not.
    return F(float(dxx) * float(dyy) - float(F(F(0.81) * dxy) * dxy))


def response_grid(image, size, step):
    rows, cols = image.shape
    grid = np.zeros((rows // step, cols // step), F)
    m = (size // 2) // step
    for i in range((rows - size) // step + 1):
        for j in range((cols - size) // step + 1):
            grid[i + m, j + m] = response(image, j * step, i * step, size)
    return grid


def newton_step(cube):
    """Offsets (x, y, layer) of the extremum of the quadratic through ``cube[layer, y, x]``."""
    c = cube.astype(float)
    gradient = np.array([c[1, 1, 2] - c[1, 1, 0], c[1, 2, 1] - c[1, 0, 1], c[2, 1, 1] - c[0, 1, 1]]) / 2
    hessian = np.empty((3, 3))
    hessian[0, 0] = c[1, 1, 0] - 2 * c[1, 1, 1] + c[1, 1, 2]
    hessian[1, 1] = c[1, 0, 1] - 2 * c[1, 1, 1] + c[1, 2, 1]
    hessian[2, 2] = c[0, 1, 1] - 2 * c[1, 1, 1] + c[2, 1, 1]
    hessian[0, 1] = hessian[1, 0] = (c[1, 2, 2] - c[1, 2, 0] - c[1, 0, 2] + c[1, 0, 0]) / 4
    hessian[0, 2] = hessian[2, 0] = (c[2, 1, 2] - c[2, 1, 0] - c[0, 1, 2] + c[0, 1, 0]) / 4
    hessian[1, 2] = hessian[2, 1] = (c[2, 2, 1] - c[2, 0, 1] - c[0, 2, 1] + c[0, 0, 1]) / 4
    try:
        return np.linalg.solve(hessian, -gradient)
    except np.linalg.LinAlgError:
        return np.zeros(3)


def detect(image, mask=None, threshold=200.0):
    """Rows (x, y, size, response, octave), before orientation."""
    rows, cols = image.shape
    found = []
    for octave in range(OCTAVES):
        step = 2**octave
        sizes = [(9 + 6 * layer) * step for layer in range(LAYERS)]
        grids = [response_grid(image, size, step) for size in sizes]
        for layer in (1, 2):
            size = sizes[layer]
            border = (sizes[layer + 1] // 2) // step + 1
            for i in range(border, rows // step - border):
                for j in range(border, cols // step - border):
                    cube = np.array([grid[i - 1 : i + 2, j - 1 : j + 2] for grid in grids[layer - 1 : layer + 2]])
                    value = cube[1, 1, 1]
                    if value <= F(threshold) or (cube >= value).sum() > 1:
                        continue
                    left, top = step * (j - (size // 2) // step), step * (i - (size // 2) // step)
                    if mask is not None and F(mask[top : top + size, left : left + size].sum()) * F(1 / size**2) < 0.5:
                        continue
                    dx, dy, ds = newton_step(cube)
                    if max(abs(dx), abs(dy), abs(ds)) > 1 or dx == dy == ds == 0:
                        continue
                    x, y = left + (size - 1) / 2 + dx * step, top + (size - 1) / 2 + dy * step
                    if mask is not None and not mask[int(y + 0.5), int(x + 0.5)]:
                        continue
                    found.append((x, y, round(size + ds * (size - sizes[layer - 1])), value, octave))
    return sorted(found, key=lambda k: (-k[3], -k[2], -k[4], -k[1], k[0]))


def gaussian(taps, sigma):
    # OpenCV's: of an even number of taps, the two middle ones weigh as much as one at the centre would.
    return cv2.getGaussianKernel(taps, sigma, cv2.CV_32F).ravel()


def orientation(image, x, y, size):
    """Degrees, or None where no wavelet fits."""
    rows, cols = image.shape
    s = F(size) * F(1.2) / F(9)
    side = 2 * round(float(F(2) * s))
    half = side // 2
    weights = gaussian(13, 2.5)
    vectors = []
    for u in range(-6, 7):
        for v in range(-6, 7):
            left = round(float(F(x) + F(u) * s - F(side - 1) / F(2)))
            top = round(float(F(y) + F(v) * s - F(side - 1) / F(2)))
            if u * u + v * v > 36 or left < 0 or top < 0 or left + side > cols or top + side > rows:
                continue
            right, bottom = left + side, top + side
            area = side * half
            dx = box_sum(image, left + half, top, right, bottom) - box_sum(image, left, top, left + half, bottom)
            dy = box_sum(image, left, top, right, top + half) - box_sum(image, left, top + half, right, bottom)
            weight = weights[u + 6] * weights[v + 6]
            vectors.append((F(dx / area) * weight, F(dy / area) * weight))
    if not vectors:
        return None
    angles = [round(cv2.fastAtan2(float(dy), float(dx))) for dx, dy in vectors]
    longest, direction = F(-1), None
    for i in range(0, 360, 5):
        sx = sy = F(0)
        for (dx, dy), angle in zip(vectors, angles, strict=True):
            if abs(angle - i) < 30 or abs(angle - i) > 330:
                sx, sy = sx + dx, sy + dy
        if sx * sx + sy * sy > longest:
            longest, direction = sx * sx + sy * sy, (sx, sy)
    return cv2.fastAtan2(float(-direction[1]), float(direction[0]))


def sample(image, x, y):
    rows, cols = image.shape
    left, top = math.floor(x), math.floor(y)
    if not (0 <= left < cols - 1 and 0 <= top < rows - 1):
        return int(image[min(max(round(y), 0), rows - 1), min(max(round(x), 0), cols - 1)])
    a, b = x - left, y - top
    corners = image[top : top + 2, left : left + 2].astype(float)
    return round(np.array([1 - b, b]) @ corners @ np.array([1 - a, a]))


def window(image, x, y, size, angle):
    """The turned window, (n, n) uint8."""
    s = F(size) * F(1.2) / F(9)
    n = int(F(21) * s)
    cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    centre = (n - 1) / 2
    values = [
        sample(image, x + c * cos - r * sin, y + c * sin + r * cos)
        for r in np.arange(n) - centre
        for c in np.arange(n) - centre
    ]
    return np.array(values, np.uint8).reshape(n, n)


def descriptor(image, x, y, size, angle):
    patch = cv2.resize(window(image, x, y, size, angle), (21, 21), interpolation=cv2.INTER_AREA).astype(float)
    weights = gaussian(20, 3.3)
    vector = np.zeros((4, 4, 8))
    for r in range(20):
        for c in range(20):
            weight = weights[r] * weights[c]
            dx = (patch[r, c + 1] - patch[r, c] + patch[r + 1, c + 1] - patch[r + 1, c]) * weight
            dy = (patch[r + 1, c] - patch[r, c] + patch[r + 1, c + 1] - patch[r, c + 1]) * weight
            cell = vector[r // 5, c // 5]
            first = 0 if dy >= 0 else 2
            cell[first] += dx
            cell[first + 1] += abs(dx)
            first = 4 if dx >= 0 else 6
            cell[first] += dy
            cell[first + 1] += abs(dy)
    length = math.sqrt((vector**2).sum())
    return vector.ravel() / length if length else vector.ravel()


def nearest_in_window(points, descriptors, previous_points, previous_descriptors, radius=25.0):
    nearest = []
    for (x, y), own in zip(points, descriptors, strict=True):
        best, index = math.inf, -1
        for j, ((px, py), other) in enumerate(zip(previous_points, previous_descriptors, strict=True)):
            if abs(px - x) < radius and abs(py - y) < radius:
                distance = ((own.astype(float) - other) ** 2).sum()
                if distance < best:
                    best, index = distance, j
        nearest.append(index)
    return nearest
