"""Read a feature file in a few lines of Python, and print a summary of it."""

import sys

import numpy as np

import idt

features = idt.load(sys.argv[1])
print(features)
scales, counts = np.unique(features.scale, return_counts=True)
print("tracks by scale:", ", ".join(f"{count} at {scale:.2f}" for scale, count in zip(scales, counts, strict=True)))
without = np.count_nonzero(features.camera.inliers == 0)
print(f"camera: a homography for {len(features.camera.inliers) - without} of {features.frames} frames")
