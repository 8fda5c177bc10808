"""Small rendered clips whose motion is known, seeded and procedural: what the tests look at.

Every clip is a (T, H, W) uint8 array; a velocity is (vx, vy) in pixels per frame, to the right and down.
"""

import cv2
import numpy as np

SIZE = (96, 128)


def texture(height, width, *, seed=0):
    """Noise of several octaves plus sharp-cornered flat rectangles, (height, width) uint8: corners and keypoints."""
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width), np.float32)
    for cell, weight in ((32, 1.0), (16, 0.8), (8, 0.6), (4, 0.5)):
        grid = rng.random((height // cell + 3, width // cell + 3), dtype=np.float32)
        image += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    image = 20 + 215 * (image - image.min()) / np.ptp(image)
    for _ in range(max(4, height * width // 700)):
        x, y = rng.integers(0, (max(1, width - 8), max(1, height - 8)))
        w, h = rng.integers(5, 22, 2)
        image[y : y + h, x : x + w] = rng.integers(20, 235)
    return _to_uint8(cv2.GaussianBlur(image, (0, 0), 0.8))


def translating(n_frames=20, *, velocity=(2, 1), size=SIZE, seed=0):
    """A textured scene that slides as a whole: the content of frame t is that of frame 0, moved by t × velocity.

    Whole velocities move the pixels exactly; fractional ones are interpolated bilinearly.
    """
    return _slide(n_frames, velocity, size, seed)


def static(n_frames=20, *, size=SIZE, seed=0):
    """The same textured frame again and again."""
    return np.repeat(texture(*size, seed=seed)[None], n_frames, axis=0)


def flat(n_frames=20, *, size=SIZE, value=128):
    """Frames of a single gray level: nothing to sample, nothing to match."""
    return np.full((n_frames, *size), value, np.uint8)


def moving_patch(
    n_frames=20, *, velocity=(3, 0), background=(0, 0), corner=(20, 30), patch=(40, 40), size=SIZE, seed=0
):
    """A textured rectangle in front of a textured background, each with its own constant velocity.

    Parameters
    ----------
    velocity, background : (float, float)
        Velocities of the rectangle and of what lies behind it.
    corner : (int, int)
        Top-left corner (x, y) of the rectangle in frame 0.
    patch : (int, int)
        Width and height of the rectangle.
    """
    frames = _slide(n_frames, background, size, seed)
    front = texture(patch[1], patch[0], seed=seed + 1).astype(np.float32)
    height, width = size
    for t, frame in enumerate(frames):
        x, y = corner[0] + t * velocity[0], corner[1] + t * velocity[1]
        move = np.array([[1, 0, x], [0, 1, y]], np.float64)
        alpha = cv2.warpAffine(np.ones_like(front), move, (width, height))
        moved = cv2.warpAffine(front, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        frame[:] = _to_uint8((1 - alpha) * frame + alpha * moved)
    return frames


def noise(n_frames=20, *, size=SIZE, seed=0):
    """Frames of independent noise: no motion between them can be right."""
    return np.random.default_rng(seed).integers(0, 256, (n_frames, *size), np.uint8)


def write_images(folder, frames, *, pattern="frame%d.png", first=0):
    """Write the frames as image files into ``folder``, numbered from ``first``, and return ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, frame in enumerate(frames, first):
        if not cv2.imwrite(str(folder / (pattern % i)), frame):
            raise OSError(f"this OpenCV cannot write {pattern}")
    return folder


def _slide(n_frames, velocity, size, seed):
    height, width = size
    travel = [abs(v) * (n_frames - 1) for v in velocity]
    margin = [int(np.ceil(t)) + 1 for t in travel]
    scene = texture(height + 2 * margin[1], width + 2 * margin[0], seed=seed).astype(np.float32)
    frames = np.empty((n_frames, height, width), np.uint8)
    for t in range(n_frames):
        move = np.array([[1, 0, t * velocity[0] - margin[0]], [0, 1, t * velocity[1] - margin[1]]], np.float64)
        frames[t] = _to_uint8(cv2.warpAffine(scene, move, (width, height)))
    return frames


def _to_uint8(image):
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
