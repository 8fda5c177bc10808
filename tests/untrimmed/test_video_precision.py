"""Untrimmed classification: average precision of the scores of whole videos, by which labels and videos count."""

import numpy as np
import pytest
from scipy.io import loadmat

from classify.metrics import average_precision
from tests.untrimmed import others


@pytest.mark.parametrize(
    ("secondary", "background", "expected"),
    [(False, True, 86.63), (True, True, 83.81), (False, False, 91.11), (True, False, 89.02)],
)
def test_the_scores_of_untrimmednet_give_the_known_numbers(secondary, background, expected):
    folder = others.place() / "thumos14"
    scores = np.load(folder / "uNet_test.npy")
    videos = loadmat(folder / "test_set_meta.mat")["test_videos"][0]
    truth = np.zeros(scores.shape, bool)
    plain = np.zeros(len(scores), bool)
    for row, video in enumerate(videos):
        plain[row] = str(video["background_video"].ravel()[0]) == "YES"
        indices = list(video["primary_action_index"].ravel()) if not plain[row] else []
        if secondary:
            indices += list(video["secondary_actions_indices"].ravel())
        for index in indices:
            if 1 <= int(index) <= scores.shape[1]:
                truth[row, int(index) - 1] = True
    kept = np.ones(len(scores), bool) if background else ~plain
    found = average_precision(truth[kept], scores[kept], np.arange(scores.shape[1]))
    assert 100 * np.nanmean(found) == pytest.approx(expected, abs=0.005)
