"""Render a small labelled data set: jointed figures act in front of textured scenes, seen by a moving camera.

Writes OUT/<action>/<actor>_<action>.avi, lossless and gray. Only the motion tells the actions apart: the scene, the
camera's path, the place of the figure and the side that it faces are drawn anew for every clip. Proportions, size,
clothes, tempo and vigour belong to the actor and are the same in all actions. The same arguments render the same clips.

example: python examples/actors.py clips && idt-evaluate folder clips --group "actor[0-9]+" --k 16 -o report
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

FRAMES = 36
SIZE = (160, 120)
FPS = 25.0


class Pose(NamedTuple):
    """A posture. Angles are in radians from hanging down, positive forwards; lengths are in lengths of a leg.

    Attributes
    ----------
    arms, legs : pair of (float, float)
        Far and near limb; for each the angles of its upper and its lower half.
    lean : float
        Of the trunk, from upright.
    lift, travel : float
        How high the feet are above the ground, how far they have come.
    """

    arms: tuple = ((0.0, 0.2), (0.0, 0.2))
    legs: tuple = ((-0.1, -0.1), (0.1, 0.1))
    lean: float = 0.0
    lift: float = 0.0
    travel: float = 0.0


# Each action is a posture at a phase: a period is 2π, vigour scales the movement and is about 1.
def bend(phase, vigour):
    down = vigour * _there_and_back(phase)
    return Pose(arms=((0.1, 0.2 + 0.3 * down),) * 2, lean=1.4 * down)


def jump(phase, vigour):
    rise, crouch = max(0.0, np.sin(phase)), max(0.0, -np.sin(phase))
    arm = vigour * (1.7 * rise - 0.6 * crouch)
    leg = (0.8 * crouch, -0.8 * crouch)
    return Pose(arms=((arm, arm + 0.2),) * 2, legs=(leg, leg), lean=0.3 * crouch, lift=0.4 * vigour * rise)


def punch(phase, vigour):
    reach = [vigour * max(0.0, np.sin(phase + side)) for side in (0.0, np.pi)]
    arms = tuple((1.4 * r, 2.4 - 0.8 * r) for r in reach)
    return Pose(arms=arms, legs=((-0.3, -0.4), (0.4, 0.1)), lean=0.1 + 0.1 * max(reach))


def squat(phase, vigour):
    down = vigour * _there_and_back(phase)
    leg = (1.2 * down, -0.9 * down)
    return Pose(arms=((1.5 * down, 1.5 * down),) * 2, legs=(leg, leg), lean=0.4 * down)


def walk(phase, vigour):
    swing = 0.45 * vigour
    stride = 2.5 * np.sin(swing)  # with 4 the feet would not slide, but the walk would not fit into the frame
    legs, arms = [], []
    for side in (0.0, np.pi):
        angle = swing * np.sin(phase + side)
        # A knee bends while its foot is in the air, on the way forwards.
        legs.append((angle, angle - 0.6 * max(0.0, np.cos(phase + side))))
        arms.append((-angle, 0.3 - angle))
    return Pose(tuple(arms), tuple(legs), lean=0.05, travel=stride * phase / (2 * np.pi))


def wave(phase, vigour):
    swing = vigour * np.sin(phase)
    return Pose(arms=((0.0, 0.1), (2.3 + 0.3 * swing, 2.8 + 0.9 * swing)))


def _there_and_back(phase):
    return 0.5 - 0.5 * np.cos(phase)


ACTIONS = {action.__name__: action for action in (bend, jump, punch, squat, walk, wave)}


@dataclass(frozen=True, eq=False)
class Actor:
    """A person: proportions, tempo and clothes, which are the same in all actions."""

    name: str
    number: int
    height: float  # in heights of the frame
    legs: float  # this and the next two in heights of the actor
    arms: float
    girth: float
    period: float  # frames that a movement takes
    vigour: float
    clothes: tuple  # textures of limbs, trunk and head


def cast(n_actors, *, seed=0, size=SIZE):
    """Draw the first actors of a seed; a larger cast has the same ones and more."""
    actors = []
    for number in range(1, n_actors + 1):
        rng = np.random.default_rng([seed, number])
        actors.append(
            Actor(
                name=f"actor{number:02d}",
                number=number,
                height=rng.uniform(0.62, 0.76),
                legs=rng.uniform(0.45, 0.52),
                arms=rng.uniform(0.38, 0.46),
                girth=rng.uniform(0.14, 0.20),
                period=rng.uniform(15.0, 22.0),
                vigour=rng.uniform(0.85, 1.1),
                clothes=tuple(_cloth(rng, size[1]) for _ in range(3)),
            )
        )
    return actors


def render(action, actor, *, frames=FRAMES, size=SIZE, seed=0):
    """Render one clip.

    Parameters
    ----------
    action : str
        One of `ACTIONS`.
    actor : Actor
    frames : int
    size : (int, int)
        Width and height in pixels.
    seed : int
        Another seed is another scene, camera, place and side, for every clip.

    Returns
    -------
    (T, H, W) uint8
    """
    width, height = size
    # Actions count from 1, because NumPy's generator ignores a 0 at the end of a seed: the first action would share the
    # random numbers of its actor.
    rng = np.random.default_rng([seed, actor.number, 1 + list(ACTIONS).index(action)])
    scene = texture(rng, 2 * height, 2 * width)
    side, start = rng.choice([-1, 1]), rng.uniform(0, 2 * np.pi)
    place = np.array([rng.uniform(0.9, 1.1) * width, rng.uniform(1.40, 1.44) * height])
    camera = _camera(rng, frames, size)
    phases = start + 2 * np.pi * np.arange(frames) / actor.period
    poses = [ACTIONS[action](phase, actor.vigour) for phase in phases]
    halfway = 0.5 * (poses[0].travel + poses[-1].travel)
    clip = np.empty((frames, height, width), np.uint8)
    for pose, world, frame in zip(poses, camera, clip, strict=True):
        view = _look_up(scene, world[..., 0], world[..., 1])
        for limb in _limbs(pose._replace(travel=pose.travel - halfway), actor, place, side, height):
            _draw(view, world, limb)
        frame[:] = np.clip(np.rint(view + rng.normal(0, 1.5, view.shape)), 0, 255)
    return clip


def texture(rng, height, width):
    """Draw noise of several octaves and sharp-cornered patches, (height, width) float32, which give many tracks."""
    image = np.zeros((height, width), np.float32)
    for cell, weight in ((32, 1.0), (16, 0.8), (8, 0.6), (4, 0.4)):
        grid = rng.random((height // cell + 3, width // cell + 3), dtype=np.float32)
        image += weight * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    image = 20 + 215 * (image - image.min()) / np.ptp(image)
    for _ in range(height * width // 600):
        x, y = rng.integers(0, (width, height))
        w, h = rng.integers(4, 16, 2)
        image[y : y + h, x : x + w] = rng.integers(20, 235)
    return cv2.GaussianBlur(image, (0, 0), 0.8)


def write_clips(out, *, actors=6, frames=FRAMES, size=SIZE, seed=0, actions=tuple(ACTIONS)):
    """Write every action of every actor as a lossless video, and return the paths."""
    paths = []
    for actor in cast(actors, seed=seed, size=size):
        for action in actions:
            path = Path(out) / action / f"{actor.name}_{action}.avi"
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"FFV1"), FPS, size)
            if not writer.isOpened():
                raise OSError(f"OpenCV cannot write {path}")
            for frame in render(action, actor, frames=frames, size=size, seed=seed):
                writer.write(cv2.merge([frame] * 3))
            writer.release()
            paths.append(path)
    return paths


def _cloth(rng, side):
    """Draw a texture darker or brighter than the scenes, so that the actor stands out."""
    contrast = rng.uniform(0.4, 0.6)
    return contrast * texture(rng, side, side) + rng.choice([0.0, 255 * (1 - contrast)])


class _Limb(NamedTuple):
    """A capsule: all points within ``radius`` of the line from start to end.

    ``along`` is the column of the texture ``clothes`` that lies at the start.
    """

    start: np.ndarray
    end: np.ndarray
    radius: float
    clothes: np.ndarray
    along: float


def _camera(rng, frames, size):
    """Yield world coordinates of each pixel of each frame, (H, W, 2) float32: slowly changing pan, zoom and roll."""
    width, height = size
    pan, heading = rng.uniform(0.05, 0.10) * width, rng.uniform(0, 2 * np.pi)
    zoom, roll, shake = rng.uniform(0.02, 0.08), rng.uniform(0.01, 0.05), rng.uniform(0.0, 0.01) * width
    turns = rng.uniform(0, 2 * np.pi, 5)
    x, y = np.meshgrid(np.arange(width) - 0.5 * (width - 1), np.arange(height) - 0.5 * (height - 1))
    for t in range(frames):
        slow, quick = 2 * np.pi * t / 60, 2 * np.pi * t / 11
        scale, angle = 1 + zoom * np.sin(slow + turns[0]), roll * np.sin(slow + turns[1])
        along = pan * np.sin(slow + turns[4])
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        yield np.stack(
            [
                width + along * np.cos(heading) + shake * np.sin(quick + turns[2]) + cos * x - sin * y,
                height + 0.4 * along * np.sin(heading) + shake * np.sin(quick + turns[3]) + sin * x + cos * y,
            ],
            axis=-1,
        ).astype(np.float32)


def _limbs(pose, actor, place, side, frame_height):
    """List the limbs of the figure in this posture, the farthest first."""
    tall = actor.height * frame_height
    leg, arm, trunk, girth = actor.legs * tall, actor.arms * tall, 0.34 * tall, actor.girth * tall

    def towards(angle):
        return np.array([side * np.sin(angle), np.cos(angle)])

    def chain(joint, angles, length, radius):
        for half, angle in enumerate(angles):
            end = joint + 0.5 * length * towards(angle)
            yield _Limb(joint, end, radius * (1 - 0.2 * half), actor.clothes[0], 0.5 * length * half)
            joint = end

    feet = max(0.5 * leg * sum(np.cos(angles)) for angles in pose.legs)  # below the hip
    hip = place + [side * pose.travel * leg, -feet - pose.lift * leg]
    up = towards(np.pi - pose.lean)
    neck = hip + trunk * up
    yield from chain(neck, pose.arms[0], arm, 0.25 * girth)
    for angles in pose.legs:
        yield from chain(hip, angles, leg, 0.35 * girth)
    yield _Limb(hip, neck - 0.3 * girth * up, 0.55 * girth, actor.clothes[1], 0.0)
    yield _Limb(neck + 0.09 * tall * up, neck + 0.11 * tall * up, 0.075 * tall, actor.clothes[2], 0.0)
    yield from chain(neck, pose.arms[1], arm, 0.25 * girth)


def _draw(view, world, limb):
    """Draw a limb over a view, with smooth edges; its texture turns with it."""
    reach = limb.radius + 1
    low, high = np.minimum(limb.start, limb.end) - reach, np.maximum(limb.start, limb.end) + reach
    left, top, width, height = cv2.boundingRect(cv2.inRange(world, low, high))
    if not width * height:
        return  # out of sight
    box = np.s_[top : top + height, left : left + width]
    axis = limb.end - limb.start
    length = np.hypot(*axis)
    x, y = np.moveaxis(world[box] - limb.start, -1, 0)
    along, across = (x * axis[0] + y * axis[1]) / length, (x * axis[1] - y * axis[0]) / length
    distance = np.hypot(along - np.clip(along, 0, length), across)
    alpha = np.clip(limb.radius - distance + 0.5, 0, 1)
    cloth = _look_up(limb.clothes, along + limb.along, across + 0.5 * len(limb.clothes))
    view[box] += alpha * (cloth - view[box])


def _look_up(image, x, y):
    return cv2.remap(
        image, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )


def _size(text):
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and min(int(width), int(height)) >= 48):
        raise argparse.ArgumentTypeError(f"must be WxH, each at least 48 pixels, such as 160x120, got {text}")
    return int(width), int(height)


def main(words=None):
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], epilog=__doc__.rstrip().rpartition("\n")[2]
    )
    parser.add_argument("out", help="folder to write <action>/<actor>_<action>.avi into")
    parser.add_argument("--actors", type=int, default=6, help="people who perform every action (%(default)s)")
    parser.add_argument(
        "--frames",
        type=int,
        default=FRAMES,
        help="frames of a clip (%(default)s); in longer ones walkers leave the view",
    )
    parser.add_argument("--size", type=_size, default=SIZE, metavar="WxH", help="size of a frame in pixels (160x120)")
    parser.add_argument("--actions", nargs="+", choices=ACTIONS, default=list(ACTIONS), help="to render (default all)")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another set (%(default)s)")
    given = parser.parse_args(words)
    if min(given.actors, given.frames) < 1 or given.seed < 0:
        parser.error("actors and frames must be at least 1, seed at least 0")
    options = {"actors": given.actors, "frames": given.frames, "size": given.size, "seed": given.seed}
    paths = write_clips(given.out, **options, actions=tuple(given.actions))
    print(
        f"{len(paths)} clips of {given.frames} frames, {len(given.actions)} actions, {given.actors} actors: {given.out}"
    )


if __name__ == "__main__":
    main()
