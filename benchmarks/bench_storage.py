"""Size of features on the disk: bytes per track in every form, and the extrapolated sizes of whole data sets.

The shipped clip ``wave`` is always measured; two whole clips of UCF101 too, where they lie beside the checkout. The
size of a data set is its number of frames times the bytes and seconds of a frame of these clips, or of ``wave`` without
them. The content of a video determines its number of tracks, so an extrapolation may be wrong by a factor of two.
"""

import tempfile
import time
from pathlib import Path

import numpy as np

import idt
from benchmarks import clips
from encoding.fitting import fit_codebook
from encoding.params import EncodingParams

CLIPS = ("wave", "bowling", "ice_dancing")

FORMS = ("text", "float32", "plain", "compact", "projected")

TEXT_BYTES = 4300
"""Bytes of a track in the release's uncompressed text, which is not measured here."""

SETS = {"UCF101": (13_320, 2_500_000), "HMDB51": (6_766, 630_000)}
"""Number of clips, and approximate number of frames. The frames are 240 pixels high, as those of the measured clips."""

VECTOR_BYTES = 4 * 2 * 256 * 213
"""Bytes of a Fisher vector of the standard recipe, K = 256, which is all that ``fv-encode --from-videos`` stores."""


def measure(runs=1, names=CLIPS):
    """Measure the table: clip, frames, tracks, seconds, bytes of a file of each form, and the largest losses.

    Parameters
    ----------
    runs : int
        Runs of the extraction, of which the fastest counts.
    names : sequence of str
        Clips.
    """
    videos = {name: str(clips.video(name)) for name in names if name == "wave" or (clips.SHARED / "real").is_dir()}
    # The kernels are compiled before, because a data set compiles them only once.
    idt.extract(str(clips.video("wave")), end=20)
    found, seconds = {}, {}
    for name, video in videos.items():
        times = []
        for _ in range(runs):
            began = time.perf_counter()
            found[name] = idt.extract(video)
            times.append(time.perf_counter() - began)
        seconds[name] = min(times)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        codebook, path = Path(folder) / "codebook.h5", Path(folder) / "features.h5"
        _codebook([*found.values()]).save(codebook)
        options = {"float32": {"float32": True}, "plain": {}, "compact": {"compact": True}}
        options["projected"] = {"project": codebook}
        for name, features in found.items():
            row = {"clip": name, "frames": features.frames, "tracks": len(features)}
            row |= {"seconds": seconds[name], "bytes": {"text": TEXT_BYTES * len(features)}}
            for form, settings in options.items():
                idt.save(features, path, overwrite=True, **settings)
                row["bytes"][form] = path.stat().st_size
                if form == "compact":
                    row["loss"] = _loss(features, idt.load(path))
            rows.append(row)
    return rows


def table(rows):
    """Return the rows as lines of text, followed by the extrapolation to the data sets."""
    lines = [f"{'bytes a track':<14}{'frames':>8}{'tracks':>8}" + "".join(f"{form:>11}" for form in FORMS)]
    for row in rows:
        sizes = "".join(f"{row['bytes'][form] / row['tracks']:>11.0f}" for form in FORMS)
        lines.append(f"{row['clip']:<14}{row['frames']:>8}{row['tracks']:>8}{sizes}")
    points, trajectory = (max(row["loss"][name] for row in rows) for name in ("points", "trajectory"))
    lines.append(f"compact loses at most {points:.4f} pixel of a point and {trajectory:.1e} of a trajectory's numbers")
    measured = [row for row in rows if row["clip"] != "wave"] or rows
    names = " and ".join(row["clip"] for row in measured)
    lines.append(f"EXTRAPOLATED from {names} by frames, in GB, and in hours of one thread:")
    lines.append(f"{'':<14}{'frames':>16}" + "".join(f"{form:>11}" for form in FORMS) + f"{'vectors':>11}{'hours':>8}")
    for name, (n_clips, frames) in SETS.items():
        found = extrapolate(measured, frames)
        sizes = "".join(f"{found[form] / 1e9:>11,.0f}" for form in FORMS)
        lines.append(f"{name:<14}{frames:>16,}{sizes}{n_clips * VECTOR_BYTES / 1e9:>11.1f}{found['hours']:>8.0f}")
    return lines


def extrapolate(rows, frames):
    """Extrapolate to so many frames like those of the rows: bytes of every form, and hours."""
    scale = frames / sum(row["frames"] for row in rows)
    found = {form: scale * sum(row["bytes"][form] for row in rows) for form in FORMS}
    return found | {"hours": scale * sum(row["seconds"] for row in rows) / 3600}


def _codebook(features):
    """Fit a small codebook to the clips; the size of projected files does not depend on its mixtures."""
    halves = [part for whole in features for part in (whole[0::2], whole[1::2])]
    return fit_codebook(halves, params=EncodingParams(k=2, sample=20_000))


def _loss(features, stored):
    """Compute the largest differences of a compact file from the features."""
    return {
        name: float(np.abs(getattr(stored, name) - getattr(features, name)).max()) for name in ("points", "trajectory")
    }


if __name__ == "__main__":
    print(*table(measure()), sep="\n")
