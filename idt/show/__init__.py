"""Pictures.

cli            the command idt-show
tracks         the tracks drawn over the frames
colours        the colours of tracks
step_pictures  flow, matches, the warped frame, human boxes
flow           a flow in the colours of the wheel
plots          the camera's path, the histograms of a track
evidence       what each track adds to a score, drawn over the frames
evidence_table reader of the CSV of idt-explain, a number for each track
stills         frames of a video as JPEGs for the HTML report, with evidence or without
labels         labels of segments over drawn frames
video_writer   drawn tracks or steps as a video or a picture file
picture_files  writers of picture and video files
canvas         lines, dots, captions and legends
"""

from typing import TYPE_CHECKING

from idt.imports.lazy import lazy_exports

if TYPE_CHECKING:
    from idt.show.flow import flow_image as flow_image
else:
    __getattr__, __dir__, __all__ = lazy_exports(__name__, {"idt.show.flow": "flow_image"})
