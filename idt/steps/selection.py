"""Measure finished tracks as a whole, and test which are kept.

Method: docs/method/extraction.md, section 8.
"""

from typing import NamedTuple

import numpy as np

from idt import checks
from idt.kernels import selection as kernel


class TrackStatistics(NamedTuple):
    """Statistics of whole tracks, in full-resolution pixels.

    Attributes
    ----------
    mean, std : (n, 2) float32
        Mean and population standard deviation of the L + 1 positions.
    length : (n,) float32
        Summed step lengths.
    trajectory : (n, 2L) float32
        Displacements divided by the sum of their lengths.
    kept, followed_camera : (n,) bool
        Whether a track passed all tests; whether it passed the tests of the raw track but moved with the camera.
    """

    mean: np.ndarray
    std: np.ndarray
    length: np.ndarray
    trajectory: np.ndarray
    kept: np.ndarray
    followed_camera: np.ndarray


def measure_tracks(points_full, displacements_full, *, camera=True):
    """Measure finished tracks, and test which are kept.

    Parameters
    ----------
    points_full : (n, L + 1, 2) float32
        Positions in full-resolution pixels.
    displacements_full : (n, L, 2) float32
        Displacements of the compensated flow in full-resolution pixels.
    camera : bool
        Whether tracks that moved with the camera are dropped (test 3).

    Returns
    -------
    TrackStatistics
        Of all n tracks. A track whose displacements are all zero has the trajectory zero.

    Raises
    ------
    DataError
        If there is not one position more than displacements, or a number is not finite.

    Notes
    -----
    docs/method/extraction.md, section 8. Test 1 drops static tracks (both deviations below √3 px) and erratic tracks
    (one above 50 px). Test 2 drops tracks with a jump (one step of more than 20 px and more than 0.7 of the length).
    Test 3 drops tracks without a compensated displacement above 1 px.
    """
    points_full = checks.float_array(points_full, (None, None, 2), "points_full")
    n_tracks, n_points, _ = points_full.shape
    displacements_full = checks.float_array(displacements_full, (n_tracks, n_points - 1, 2), "displacements_full")
    moments, passed = np.empty((2, n_tracks, 2), np.float32), np.empty((2, n_tracks), np.bool_)
    length, trajectory = np.empty(n_tracks, np.float32), np.empty((n_tracks, 2 * (n_points - 1)), np.float32)
    kernel.measure(points_full, displacements_full, camera, moments, length, trajectory, passed)
    (mean, std), (kept, followed) = moments, passed
    return TrackStatistics(mean, std, length, trajectory, kept, followed)
