"""Flow files as the flow that tracks follow: the parameter ``flow`` of an extraction names them by their content."""

import hashlib
import os
from pathlib import Path

from idt.errors import DataError
from idt.files import provenance
from idt.flows.layouts import LAYOUTS, unit_of
from idt.flows.readers import open_flow_files, resized
from idt.params.flow_choice import FILES, FieldsFlow


class FilesFlow(FieldsFlow):
    """The flow files of one video. Two objects are equal if the content of their files is.

    Attributes
    ----------
    folder, name : str
        Where they lie, and the name of the video.
    bound : float
        Pixels that the outermost gray levels stand for.
    """

    folder = name = ""
    bound = 20.0

    def begin(self):
        """Begin the video; return what reads the field between two consecutive frames."""
        reader = open_flow_files(self.folder, self.name, bound=self.bound)

        def between(previous, current):
            if current.original != previous.original + 1:
                raise DataError(
                    f"flow files lead from each frame to the next, but frame {current.original} was asked for after"
                    f" {previous.original}; drop fps and skips"
                )
            return resized(reader.read(previous.original), *current.gray.shape)

        return between


def flow_of_files(folder, name, *, bound=20.0, alone=True):
    """Make the parameter ``flow`` of the flow files of a video.

    Parameters
    ----------
    folder : str or Path
        Where ``idt-flow`` or another tool wrote to.
    name : str
        Of the video, such as ``class/clip``.
    bound : float
        Pixels that the outermost gray levels stand for.
    alone : bool
        Whether this is the only video. Missing or damaged files are then refused here; else when their video is begun,
        so that a run over many videos goes on with the others.

    Returns
    -------
    FilesFlow
        The text ``files:DIGEST``, the digest being that of the files' content and of the bound.

    Raises
    ------
    DataError
        If there are no such files.
    """
    try:
        open_flow_files(folder, name, bound=bound)
    except (DataError, OSError):
        if alone:
            raise
    held = {unit_of(layout, name, held) for layout in LAYOUTS for held in ("flow", "flow_y")}
    held |= {f"{of}/{name}" for of in "uv"}
    paths = sorted(path for path in (Path(folder) / unit for unit in held) if path.exists())
    content = hashlib.sha256(repr(float(bound)).encode())
    for path in paths:
        content.update(provenance.digest(path).encode())
    flow = FilesFlow(f"{FILES}{content.hexdigest()}")
    # The work may go on in a process that stands in another folder.
    flow.folder, flow.name, flow.bound = os.path.abspath(folder), name, bound
    return flow
