"""
Tracks that are kept, and tracks of the camera
==============================================

A patch moves over a background that the camera pans across. Tracks on the patch are kept; tracks on the background
follow the camera's motion and are dropped.
"""

# %%
# `idt.api.draw` yields a picture of every frame, with the tracks that are under way in it.
from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import idt

root = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "setup.cfg").exists())
video = root / "tests/data/golden/walk.avi"

picture = next(islice(idt.draw(video, channels="rgb"), 24, None))
figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
axes.imshow(picture.image)
axes.set_title(f"frame {picture.index}: {picture.kept} tracks kept")
axes.axis("off")

# %%
# The same tracks as arrays: where each one ends, coloured by the direction in which it went.
features = idt.extract(video)
way = features.points[:, -1] - features.points[:, 0]
figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
angle = np.degrees(np.arctan2(way[:, 1], way[:, 0]))
shown = axes.scatter(*features.points[:, -1].T, c=angle, s=5, cmap="twilight", vmin=-180, vmax=180)
axes.set_xlim(0, features.width)
axes.set_ylim(features.height, 0)
axes.set_aspect("equal")
axes.set_xlabel("x, px")
axes.set_ylabel("y, px")
figure.colorbar(shown, label="direction, degrees", ticks=range(-180, 181, 90))
plt.show()
