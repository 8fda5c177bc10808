"""Statistics of whole tracks, and the tests for keeping them (docs/method/extraction.md, section 8)."""

import numpy as np
from numba import boolean, float32

from idt.jit.kernel import inner, kernel

# Thresholds of the tests in pixels, except for the share.
STATIC = np.float32(np.sqrt(3))
ERRATIC = np.float32(50)
JUMP = np.float32(20)
JUMP_SHARE = np.float32(0.7)
CAMERA = np.float32(1)


@inner()
def _moments(values):
    """Return mean and population standard deviation."""
    total = np.float32(0)
    for value in values:
        total += value
    mean = total / np.float32(values.size)
    total = np.float32(0)
    for value in values:
        total += (value - mean) * (value - mean)
    return mean, np.sqrt(total / np.float32(values.size))


@inner()
def _add_step(x, y, total, longest):
    """Return ``total`` with the length of one step added, and the longest length so far."""
    length = np.sqrt(x * x + y * y)
    return total + length, max(longest, length)


@kernel(
    (
        float32[:, :, ::1],
        float32[:, :, ::1],
        boolean,
        float32[:, :, ::1],
        float32[::1],
        float32[:, ::1],
        boolean[:, ::1],
    )
)
def measure(points, displacements, camera, moments, length, trajectory, passed):
    """Measure and test tracks: points (n, L + 1, 2), displacements (n, L, 2) float32.

    Out: moments (2, n, 2), mean and standard deviation, length (n,) and trajectory (n, 2 · L) float32; passed (2, n)
    bool: tracks that passed all tests, and tracks that failed only the test for camera motion, which is applied only if
    ``camera``.
    """
    mean, std = moments[0], moments[1]
    kept, followed = passed[0], passed[1]
    for n in range(points.shape[0]):
        for c in range(2):
            mean[n, c], std[n, c] = _moments(points[n, :, c])
        raw = longest = compensated = largest = np.float32(0)
        for k in range(displacements.shape[1]):
            raw, longest = _add_step(
                points[n, k + 1, 0] - points[n, k, 0], points[n, k + 1, 1] - points[n, k, 1], raw, longest
            )
            compensated, largest = _add_step(displacements[n, k, 0], displacements[n, k, 1], compensated, largest)
        length[n] = raw
        whole = compensated if compensated > 0 else np.float32(1)
        for k in range(displacements.shape[1]):
            for c in range(2):
                trajectory[n, 2 * k + c] = displacements[n, k, c] / whole
        static = std[n, 0] < STATIC and std[n, 1] < STATIC
        erratic = std[n, 0] > ERRATIC or std[n, 1] > ERRATIC
        jump = longest > JUMP and longest > JUMP_SHARE * raw
        sound = not (static or erratic or jump)
        followed[n] = camera and sound and largest <= CAMERA
        kept[n] = sound and not followed[n]
