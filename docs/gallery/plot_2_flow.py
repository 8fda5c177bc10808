"""
Dense optical flow between two frames
=====================================

Tracks are carried by Farnebäck's flow. Hue is its direction, saturation its length.
"""

from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import hsv_to_rgb

from idt.frames.video import open_video
from idt.steps import flow

root = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "setup.cfg").exists())
with open_video(root / "tests/data/golden/walk.avi") as video:
    first, second = (frame.gray for frame in islice(video, 20, 22))
field = flow.between(flow.expand(first), flow.expand(second))[0]

length, angle = np.linalg.norm(field, axis=2), np.arctan2(field[..., 1], field[..., 0])
most = np.percentile(length, 99)
colours = hsv_to_rgb(np.dstack([angle / (2 * np.pi) % 1, np.clip(length / most, 0, 1), np.ones_like(length)]))

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
left.imshow(first, cmap="gray")
left.set_title("frame 20")
right.imshow(colours)
right.set_title(f"flow to frame 21, at most {length.max():.1f} px")
for axes in (left, right):
    axes.axis("off")
plt.show()
