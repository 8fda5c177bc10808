"""Flow files as the flow that tracks follow: the parameter ``flow`` of an extraction holds the digest of the files."""

import hashlib
import os
from pathlib import Path

from idt.errors import DataError
from idt.files import provenance
from idt.flows.layouts import LAYOUTS, unit_of
from idt.flows.readers import open_flow_files, resize_field
from idt.params.flow_choice import FILES, ConsecutiveFlow


class FilesFlow(ConsecutiveFlow):
    """Flow files of one video; two objects are equal if their files' content and their bounds are equal.

    Attributes
    ----------
    folder, name : str
        Folder that the files lie in or below, and the name of the video.
    bound : float
        Pixels that the outermost gray levels stand for.
    """

    folder = name = ""
    bound = 20.0

    def begin(self):
        """Open the flow files; return a function that reads the field between two consecutive frames."""
        reader = open_flow_files(self.folder, self.name, bound=self.bound)

        def between(previous, current):
            if current.original != previous.original + 1:
                raise DataError(
                    f"flow files lead from each frame to the next, but frame {current.original} was asked for after"
                    f" {previous.original}; drop fps and skips"
                )
            return resize_field(reader.read(previous.original), *current.gray.shape)

        return between


def flow_of_files(folder, name, *, bound=20.0, refuse_missing=True):
    """Make the value of the parameter ``flow`` for the flow files of a video.

    Parameters
    ----------
    folder : str or Path
        Where ``idt-flow`` or another tool wrote to.
    name : str
        Of the video, such as ``class/clip``.
    bound : float
        Pixels that the outermost gray levels stand for.
    refuse_missing : bool
        Whether missing or damaged files are refused here, as is right for a run over one video. In a run over many
        videos they are refused when their video is begun, so that the run goes on with the other videos.

    Returns
    -------
    FilesFlow
        The text ``files:DIGEST``, with a digest of the files' content and of the bound.

    Raises
    ------
    DataError
        If there are no such files.
    """
    try:
        open_flow_files(folder, name, bound=bound)
    except (DataError, OSError):
        if refuse_missing:
            raise
    units = {unit_of(layout, name, content) for layout in LAYOUTS for content in ("flow", "flow_y")}
    units |= {f"{direction}/{name}" for direction in "uv"}
    paths = sorted(path for path in (Path(folder) / unit for unit in units) if path.exists())
    digest = hashlib.sha256(repr(float(bound)).encode())
    for path in paths:
        digest.update(provenance.digest(path).encode())
    flow = FilesFlow(f"{FILES}{digest.hexdigest()}")
    # The work may continue in a process with another working directory.
    flow.folder, flow.name, flow.bound = os.path.abspath(folder), name, bound
    return flow
