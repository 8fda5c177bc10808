"""Flow files of one opened video: computed, written into a hidden folder, and given their names when complete."""

import os
import secrets
from pathlib import Path

from idt.errors import DataError
from idt.files import provenance, scratch
from idt.flows import record
from idt.flows.layouts import LAYOUTS, units_of
from idt.flows.sinks import FORMS
from idt.flows.two_frames import pairs


def export(video, folder, name, params, export_params, *, boxes=None, wanted, progress=iter):
    """Write the flow files of a video, and the record of them.

    Parameters
    ----------
    video : FlowVideo
        From `idt.flows.frames.open_flow_video`.
    folder : str or Path
        The output folder. The caller holds the lock of the record.
    name : str
        Of the video.
    params : ExtractionParams
        Parameters of the flow; ``camera`` is needed for the warped flow.
    export_params : FlowExportParams
    boxes : people.Boxes, optional
        Human boxes; no match is taken from inside them.
    wanted : Record
        Parameters, source and versions to be recorded.
    progress : callable
        Returns an iterator of the frames that it is given, and may count them for a progress bar.

    Returns
    -------
    Record

    Raises
    ------
    DataError
        If the video cannot be read, or a folder or file that would be written exists and was not made by idt-flow.
    OSError
        If the disk takes no more.
    """
    path = record.path_of(folder, name)
    units = units_of(export_params.layout, name, rgb=export_params.rgb)
    earlier = record.read(path)
    ours = set() if earlier is None else set(earlier.units)
    for unit in units:
        check_free(Path(folder) / unit, ours=unit in ours)
    path.parent.mkdir(parents=True, exist_ok=True)
    with scratch.folder(path.parent) as hidden:
        with FORMS[LAYOUTS[export_params.layout].form](hidden, name, export_params) as sink:
            frames = progress(pairs(video, params, boxes=boxes, step=export_params.step))
            _write(frames, sink, export_params)
        digests = {unit: provenance.digest(os.path.join(hidden, unit)) for unit in units}
        size = (video.width, video.height)
        made = wanted._replace(flows=sink.flows, images=sink.images, size=size, units=digests, complete=False)
        # The record names the files first. If this run is killed, the next one then recognises them as ours.
        record.write(path, made)
        for unit in units:
            _move(os.path.join(hidden, unit), Path(folder) / unit, hidden, ours=unit in ours)
        for unit in ours - digests.keys():
            _move(None, Path(folder) / unit, hidden, ours=True)
        made = made._replace(complete=True)
        record.write(path, made)
    return made


def check_free(path, *, ours):
    """Refuse a ``path`` that exists and was not made by idt-flow. ``ours`` tells whether a record names the path.

    Raises
    ------
    DataError
        If it is taken.
    """
    if os.path.islink(path) or (os.path.lexists(path) and not ours):
        raise DataError(f"{path} exists, and idt-flow has not made it; use another folder, or move it away")


def _write(frames, sink, params):
    """Write the flow that leads to each of the ``frames``, and the frames if they are asked for."""
    all_frames, n_without_flow = LAYOUTS[params.layout].all_frames, 0
    for frame, pair in frames:
        if pair is not None:
            sink.add_flow(pair.remaining if params.warped else pair.flow)
        n_without_flow += pair is None
        # Layouts without all frames have as many frames as flows: only frames that end a pair are written.
        if params.rgb and (all_frames or pair is not None):
            sink.add_image(frame.colour)
    if not sink.flows:
        raise DataError(f"a flow with step={params.step} needs {params.step + 1} frames, got {n_without_flow} in all")
    sink.finish()


def _move(source, target, hidden, *, ours):
    """Move a folder or file to its final name, in place of an earlier one; if ``source`` is None, only remove it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    check_free(target, ours=ours)
    if os.path.lexists(target):
        # The earlier one is moved aside first, so that there is never half a folder under the name.
        os.rename(target, os.path.join(hidden, f"{secrets.token_hex(8)}.old"))
    if source is not None:
        os.rename(source, target)
