"""Pictures.

cli            the command idt-show
tracks         the tracks drawn over the frames; colours
step_pictures  flow, matches, the warped frame, human boxes
flow           a flow in the colours of the wheel
plots          the camera's path, the histograms of a track
evidence       numbers of tracks drawn over the frames: what each adds to a score; evidence_table reads them
labels         labels of segments over drawn frames
video_writer   drawn tracks as a video or a picture file
picture_files  pictures and videos to the disk
canvas         lines, dots, captions and legends
"""

from typing import TYPE_CHECKING

from idt.imports.lazy import lazy_exports

if TYPE_CHECKING:
    from idt.show.flow import flow_image as flow_image
else:
    __getattr__, __dir__, __all__ = lazy_exports(__name__, {"idt.show.flow": "flow_image"})
