"""Growth of time with size: the slope of log time over log size, 1 if time is proportional, fitted to a few sizes.

One thread. The scenes are made of the clip ``wave``, whose tracks are first compared with the release's; vectors and
mixtures agree with the definition and with VLFeat on the smallest case of `bench_fisher`.
"""

import numpy as np

import idt
from benchmarks import bench_fisher, cases
from benchmarks.results import Row, in_turns
from encoding.coders.fisher import fisher_vector
from encoding.models.gmm import DiagonalGMM
from idt.extractor import run_frame_loop
from idt.frames.video import open_video
from idt.params.extraction import ExtractionParams

NAME = "growth"
EXTRACTION = {
    "frames": [(320, 240, n, 5) for n in (24, 48, 96)],
    "pixels": [(width, width * 3 // 4, 24, 5) for width in (160, 320, 640)],
    "tracks": [(320, 240, 24, stride) for stride in (10, 5, 3, 2)],
}
SMALL = {
    "frames": [(96, 72, n, 10) for n in (16, 24)],
    "pixels": [(width, width * 3 // 4, 16, 10) for width in (96, 128)],
    "tracks": [(96, 72, 16, stride) for stride in (10, 5)],
}
ENCODING = {"descriptors": (5_000, 20_000, 80_000), "components": (64, 256, 1024), "features": (16, 54, 128)}
USUAL = {"descriptors": 20_000, "components": 256, "features": 54}


def measure(*, runs=3, small=False):
    """Measure slopes, one a run, with their sizes and seconds."""
    runs = min(runs, 3)
    with cases.one_thread():
        cases.clip("wave").check(idt.extract(cases.clip("wave").frames))
        bench_fisher.checked(*bench_fisher.SMALL)
        rows = []
        for name, scenes in (SMALL if small else EXTRACTION).items():
            tasks = {size_of(name, scene): _extraction(*scene) for scene in scenes}
            rows.append(slope("extraction", name, tasks, runs))
        for name, sizes in ENCODING.items():
            for subject, make in (("Fisher vector", _encoding), ("EM, one iteration", _fitting)):
                tasks = {size: make({**USUAL, name: size}) for size in (sizes[:2] if small else sizes)}
                rows.append(slope(subject, name, tasks, runs))
    return rows


def slope(subject, name, tasks, runs):
    """Measure one slope; ``tasks`` maps sizes to calls."""
    for task in tasks.values():
        task()
    seconds = in_turns(tasks, runs)
    sizes = np.log(list(tasks))
    slopes = [float(np.polyfit(sizes, np.log(taken), 1)[0]) for taken in zip(*seconds.values(), strict=True)]
    medians = [f"{np.median(taken):.2g}" for taken in seconds.values()]
    more = {"sizes": ", ".join(f"{size:,.0f}" for size in tasks), "seconds": ", ".join(medians)}
    return Row(NAME, "slopes", f"{subject}, {name}", "log/log", tuple(slopes), more=more)


def size_of(name, scene):
    """Return the size of a scene: its mean number of live tracks, its frames or its pixels, by ``name``."""
    width, height, n_frames, stride = scene
    if name == "tracks":
        return live_tracks(cases.scene(width, height, n_frames), stride)
    return n_frames if name == "frames" else width * height


def live_tracks(frames, stride):
    """Compute the mean number of live tracks over the frames."""
    params = ExtractionParams(stride=stride)
    with open_video(frames, params=params) as video:
        return np.mean([sum(len(tracks) for tracks in step.live) for step in run_frame_loop(video, params)])


def _extraction(width, height, n_frames, stride):
    frames = cases.scene(width, height, n_frames)
    return lambda: idt.extract(frames, stride=stride)


def _encoding(sizes):
    rows, start = bench_fisher.case(*sizes.values())
    gmm = DiagonalGMM.from_parameters(*start)
    return lambda: fisher_vector(rows, gmm)


def _fitting(sizes):
    rows, start = bench_fisher.case(*sizes.values())
    return lambda: DiagonalGMM(len(start[0])).fit_from(rows, *start, 1)
