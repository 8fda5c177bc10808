"""Render the lossless clips wave and walk: a moving camera sees a textured scene and a jointed figure acting in it.

Everything is procedural (seeded noise, capsules), so the clips belong to the project. Usage: make_clips.py OUTDIR
"""

import sys
from pathlib import Path

import cv2
import numpy as np


def noise_texture(rng, height, width, octaves=5):
    """Multi-octave value noise, uint8, strong enough corners for SURF and Shi-Tomasi."""
    image = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cell = 2 ** (octaves - octave + 1)
        grid = rng.random((height // cell + 3, width // cell + 3)).astype(np.float32)
        image += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.6**octave
    image = cv2.normalize(image, None, 20, 235, cv2.NORM_MINMAX)
    for _ in range(60):  # a few flat patches with sharp corners
        x, y = rng.integers(0, width - 40), rng.integers(0, height - 40)
        w, h = rng.integers(8, 40, 2)
        cv2.rectangle(image, (int(x), int(y)), (int(x + w), int(y + h)), float(rng.integers(20, 235)), -1)
    return cv2.GaussianBlur(image, (0, 0), 0.8)


def limb(canvas, texture, start, angle, length, width):
    """Draw a textured capsule and return its far end."""
    end = start + length * np.array([np.sin(angle), np.cos(angle)])
    mask = np.zeros(canvas.shape, np.uint8)
    cv2.line(
        mask,
        tuple(np.round(start * 16).astype(int).tolist()),
        tuple(np.round(end * 16).astype(int).tolist()),
        255,
        width,
        cv2.LINE_AA,
        4,
    )
    shift = np.float32([[1, 0, start[0]], [0, 1, start[1]]])
    patch = cv2.warpAffine(texture, shift, canvas.shape[::-1], borderMode=cv2.BORDER_WRAP)
    alpha = mask.astype(np.float32) / 255
    canvas[:] = canvas * (1 - alpha) + patch * alpha
    return end


def figure(canvas, textures, centre, size, phase, action):
    """A figure whose arms wave (action 'wave') or whose limbs swing while it walks (action 'walk')."""
    hip = np.array(centre, float)
    neck = limb(canvas, textures[0], hip, np.pi, 0.9 * size, int(0.35 * size))
    swing = 0.7 * np.sin(phase)
    arms = (np.pi / 2 + 0.9 * np.sin(phase), -np.pi / 2 - 0.9 * np.sin(phase)) if action == "wave" else (swing, -swing)
    legs = (0.15, -0.15) if action == "wave" else (-swing, swing)
    for i, angle in enumerate(arms):
        elbow = limb(canvas, textures[1 + i], neck, angle, 0.45 * size, int(0.14 * size))
        limb(canvas, textures[1 + i], elbow, angle + 0.5 * np.sin(phase + i), 0.4 * size, int(0.12 * size))
    for i, angle in enumerate(legs):
        knee = limb(canvas, textures[3 + i], hip, angle, 0.5 * size, int(0.18 * size))
        limb(canvas, textures[3 + i], knee, angle * 0.6, 0.5 * size, int(0.15 * size))
    limb(canvas, textures[5], neck + [0, -0.1 * size], np.pi, 0.12 * size, int(0.3 * size))


def render(seed, action, frames, width, height):
    rng = np.random.default_rng(seed)
    scene = noise_texture(rng, 2 * height, 2 * width)
    textures = [noise_texture(rng, 96, 96, 3) for _ in range(6)]
    for t in range(frames):
        s = t / frames
        zoom = 1.0 + 0.12 * np.sin(2 * np.pi * s)
        tilt = 0.06 * np.sin(2 * np.pi * s + 1)
        pan = np.array([0.5 * width + 1.6 * t, 0.4 * height + 8 * np.sin(3 * s)])
        c, k = np.cos(tilt) / zoom, np.sin(tilt) / zoom
        camera = np.array([[c, -k, pan[0]], [k, c, pan[1]], [4e-5 * np.sin(5 * s), 3e-5 * np.cos(4 * s), 1]])
        view = cv2.warpPerspective(
            scene, camera, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        ).astype(np.float32)
        x = width * (0.45 if action == "wave" else 0.2 + 0.6 * s)
        figure(view, textures, (x, 0.62 * height), 0.33 * height, 2 * np.pi * t / 14, action)
        view += rng.normal(0, 1.0, view.shape)
        yield np.clip(np.round(view), 0, 255).astype(np.uint8)


def main(out):
    out = Path(out)
    for seed, action, frames, width, height in [(1, "wave", 45, 240, 180), (2, "walk", 40, 320, 176)]:
        writer = cv2.VideoWriter(str(out / f"{action}.avi"), cv2.VideoWriter_fourcc(*"FFV1"), 25, (width, height), True)
        assert writer.isOpened()
        for gray in render(seed, action, frames, width, height):
            writer.write(cv2.merge([gray, gray, gray]))
        writer.release()


if __name__ == "__main__":
    main(sys.argv[1])
