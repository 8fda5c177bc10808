"""Improved dense trajectories (Wang & Schmid, ICCV 2013): from a video to tracks and descriptors.

extract, stream       `Features` of a video: at once, or a chunk at a time
draw                  pictures of the tracks, frame by frame
flow_between          the optical flow between two frames
compensate            the camera's motion between two frames, and the flow that remains without it
load, save            read features from a file, write them into one
Features, Camera      tracks with their descriptors, and the camera's motion
ExtractionParams      every option of an extraction, with its default
RunOptions            jobs, threads, overwrite and progress of runs over many videos; no result depends on them
DataError             the one exception for a caller's mistake

Inside, `extractor` is the place to start: its frame loop joins the steps of the method.

api                   the functions above, with every option written out
extractor             the frame loop, one line a step
flows                 flow and camera motion without tracks
frames                readers of frames: files, folders, cameras, arrays; human boxes
steps                 the steps of the method, one file each: pyramid, flow, surf, corners, camera, sampling, tracks,
                      histograms, selection
kernels, jit          the compiled loops of the steps, and how they are compiled
features              tracks and descriptors in memory, in our files and in the authors' forms
files, workers        reading and writing of our file formats; threads, processes and clusters
batch                 many videos to feature files
show                  pictures of tracks
cli, command          the commands
params                every option with its default and its range
checks, errors        checks of arrays; exceptions and the wording of messages
imports               how modules are imported: lazily, and never from the current folder

Coordinates are ``(x, y)``, images ``(H, W)``, flows ``(H, W, 2)`` with x first; pixels are pixels of the step's own
scale unless a name ends in ``_full``.
"""

from typing import TYPE_CHECKING

from idt.imports.lazy import lazy_exports

__version__ = "0.1.0"

if TYPE_CHECKING:
    from idt.api import draw as draw
    from idt.api import extract as extract
    from idt.api import stream as stream
    from idt.errors import DataError as DataError
    from idt.features.camera import Camera as Camera
    from idt.features.feature_file import load as load
    from idt.features.feature_file import save as save
    from idt.features.features import Features as Features
    from idt.flows.two_frames import compensate as compensate
    from idt.flows.two_frames import flow_between as flow_between
    from idt.params.extraction import ExtractionParams as ExtractionParams
    from idt.workers.run_options import RunOptions as RunOptions
else:
    # A type checker that saw __getattr__ would believe every name.
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "idt.api": "extract stream draw",
            "idt.flows.two_frames": "flow_between compensate",
            "idt.features.feature_file": "load save",
            "idt.features.features": "Features",
            "idt.features.camera": "Camera",
            "idt.params.extraction": "ExtractionParams",
            "idt.workers.run_options": "RunOptions",
            "idt.errors": "DataError",
        },
    )
