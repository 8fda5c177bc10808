"""Pictures.

flow          a flow in the colours of the wheel
tracks        the tracks drawn over the frames
labels        labels of segments over drawn frames
video_writer  drawn frames as a video or a picture file
"""

from typing import TYPE_CHECKING

from idt.imports.lazy import lazy_exports

if TYPE_CHECKING:
    from idt.show.flow import flow_image as flow_image
else:
    __getattr__, __dir__, __all__ = lazy_exports(__name__, {"idt.show.flow": "flow_image"})
