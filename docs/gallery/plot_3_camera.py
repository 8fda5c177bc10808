"""
The camera's path
=================

Between two frames a homography is fitted to matches of keypoints and of flow. Chained, the homographies give
the camera's path.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import idt

root = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "setup.cfg").exists())
camera = idt.extract(root / "tests/data/golden/walk.avi").camera

# %%
# Where the centre of the first frame would be seen later, had nothing moved but the camera.
centre = np.array([160.0, 88.0, 1.0])
path, chained = [centre[:2]], np.eye(3)
for homography in camera.homography[1:]:
    chained = homography @ chained
    x, y, w = chained @ centre
    path.append((x / w, y / w))
path = np.array(path) - centre[:2]

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
left.plot(path[:, 0], label="x")
left.plot(path[:, 1], label="y", linestyle="--")
left.set_xlabel("frame")
left.set_ylabel("shift of the scene, px")
left.legend()
right.bar(range(len(camera.matches)), camera.matches, color="0.75", label="matches")
right.bar(range(len(camera.inliers)), camera.inliers, label="inliers")
right.set_xlabel("frame")
right.legend()
plt.show()
