"""
Fisher vectors of three clips
=============================

A codebook is fitted to the descriptors of all clips; a Fisher vector says how the descriptors of one clip differ from
it. The vectors of the two halves of a clip are alike, those of different clips are not.
"""

from pathlib import Path

import matplotlib.pyplot as plt

import idt
from encoding import FisherEncoder

root = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "setup.cfg").exists())
halves, names = [], []
for name in ("walk", "wave", "disc"):
    features = idt.extract(root / f"tests/data/golden/{name}.avi")
    middle = (features.frame.min() + features.frame.max()) / 2
    halves += [features[features.frame <= middle], features[features.frame > middle]]
    names += [f"{name}, first half", f"{name}, second half"]

vectors = FisherEncoder(n_components=8, random_state=0).fit_transform(halves)
print(vectors.shape)

# %%
# The part of a vector that belongs to one descriptor has length 1. The product of two vectors, divided by the number of
# descriptors, is therefore the mean of the descriptors' cosines.
alike = vectors @ vectors.T
alike /= alike[0, 0]
figure, axes = plt.subplots(figsize=(6, 4.6), layout="constrained")
shown = axes.imshow(alike, cmap="Blues", vmin=0, vmax=1)
axes.set_xticks(range(6), names, rotation=40, ha="right")
axes.set_yticks(range(6), names)
for row in range(6):
    for column in range(6):
        value = alike[row, column]
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color="white" if value > 0.5 else "black")
figure.colorbar(shown, label="likeness")
plt.show()
