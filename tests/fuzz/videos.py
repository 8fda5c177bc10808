"""The way of a video, from its bytes to a feature file, fed with mutants: of videos, images, box files and lists.

A mutant is extracted as `idt-extract` extracts one of many, by one of the decoders, or by that which ``IDT_DECODER``
names. What is refused must leave nothing behind; what is accepted must leave a whole file, as `idt.batch.verify` says.
"""

import os
import shutil
from pathlib import Path

import cv2

from benchmarks.clips import write_video
from idt.batch import verify
from idt.batch.extract_one import extract_job
from idt.batch.jobs import Job, plan
from idt.errors import DataError
from idt.params.decoder import is_installed
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions
from tests import scenes
from tests.fuzz.files import change
from tests.videos import make

PARAMS = ExtractionParams(length=3, stride=8, scales=1, keypoints="orb")
"""A few frames suffice for tracks."""

FRAMES = 6

DECODERS = ("opencv", "pyav") if is_installed() else ("opencv",)


def prepare(folder):
    """The intact inputs: list of (what it is, path)."""
    folder = Path(folder) / "intact"
    videos = [("FFV1", "avi"), ("MJPG", "avi"), ("mp4v", "mp4"), ("FFV1", "mkv"), ("XVID", "avi")]
    names = [folder / f"{codec}.{suffix}" for codec, suffix in videos]
    if not folder.exists():
        folder.mkdir()
        frames = scenes.moving_patch(n_frames=FRAMES, size=(48, 64), patch=(24, 24), corner=(4, 10))
        for (codec, _), path in zip(videos, names, strict=True):
            write_video(path, frames, fourcc=codec)
        for suffix in ("png", "jpg", "tif", "pgm"):
            scenes.write_images(folder / suffix, frames[:3], pattern=f"frame%d.{suffix}")
        cv2.imwritemulti(str(folder / "stack.tif"), list(frames))
        if is_installed():
            make.h264(folder / "h264.mp4", frames)
            make.interlaced(folder / "fields.mpg", frames)
            make.encode(folder / "vp9.webm", frames, "libvpx-vp9")
            make.encode(folder / "gif.gif", frames, "gif", pix_fmt="gray")
        (folder / "boxes.txt").write_text("".join(f"{t} {t} 3 20.5 30 0.9\n" for t in range(FRAMES)))
        (folder / "list.txt").write_text(f"# films\n{names[0]}\n{names[1]}\n{folder}/*.mkv\n{folder / 'png'}\n")
    images = [("images", folder / suffix) for suffix in ("png", "jpg", "tif", "pgm")]
    texts = [("boxes", folder / "boxes.txt"), ("list", folder / "list.txt")]
    more = [("video", path) for path in sorted(folder.iterdir()) if path.is_file() and path not in names]
    more = [(kind, path) for kind, path in more if path.suffix != ".txt"]
    return [*(("video", path) for path in names), *more, *images, *texts]


def attempt(state, rng, folder):
    """Make a mutant, take it in, say what became of it."""
    kind, path = state[rng.integers(len(state))]
    place = Path(folder) / "mutant"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    mutant = place / path.name
    boxes, job = None, Job(str(mutant), "mutant", place / "out" / "mutant.h5")
    if kind == "images":
        shutil.copytree(path, mutant)
        victim = sorted(mutant.iterdir())[rng.integers(3)]
    else:
        shutil.copy(path, mutant)
        victim = mutant
    data, what = change(victim.read_bytes(), rng)
    victim.write_bytes(data)
    # The mutants are the same, whichever decoders there are.
    decoder = os.environ.get("IDT_DECODER", DECODERS[rng.integers(2) % len(DECODERS)])
    run = RunOptions(decoder=decoder)
    label = f"{path.name} {what} by {decoder}"
    try:
        if kind == "list":
            plan([f"@{mutant}"], f"{place}/out/")
            return "accepted", label
        if kind == "boxes":
            boxes, job = str(mutant), job._replace(source=str(state[0][1]))
        outcome = extract_job(job, PARAMS, boxes=boxes, run=run)
    except (DataError, OSError) as problem:
        if "\n" in str(problem) or (isinstance(problem, OSError) and problem.filename is None):
            raise
        _check(not list(place.rglob("*.h5")) and not list(place.rglob("*.part")), label, "left a file behind")
        return "refused", f"{label}: {problem}"
    except BaseException as problem:
        problem.add_note(label)
        problem.args = (f"{label}: {problem}",)
        raise
    fault = verify.check_feature_file(job.output).fault
    _check(fault is None, label, fault)
    _check(outcome.frames > 0, label, "no frames")
    return "accepted", label


def _check(holds, label, problem):
    if not holds:
        raise AssertionError(f"{label}: {problem}")


def intact(state, folder):
    """What becomes of the inputs without a change: frames and tracks of each video and folder of images."""
    found = {}
    for kind, path in state:
        if kind in ("video", "images"):
            # OpenCV alone cannot read all of them.
            outcome = extract_job(Job(str(path), path.name, Path(folder) / f"{path.name}.h5"), PARAMS)
            found[path.name] = outcome.frames, outcome.tracks
    return found
