"""Networks in the same house: ONNX models as functions of frames, with the extra ``networks``.

Method: docs/method/networks.md.

model       START HERE: a model, its layout, tensors between its layers
model_file  files of strangers, checked; shapes
geometry    stride, start and receptive field of every map
presets     what each family of networks is given
layout      how views lie in the inputs
colour      frames in colour
sampling    which frames make up clips
crops       resized, cropped, normalised
flow_input  optical flow in 8 bits
views       videos as views
scoring     scores of a video
snippets    features of clips all along a video
map_params  which maps are pooled along tracks, and the blocks that they give
map_stream  the maps of a video, frame after frame
maps        maps pooled along tracks
options     of idt-extract
"""

from typing import TYPE_CHECKING

from idt.imports.lazy import lazy_exports

if TYPE_CHECKING:
    from idt.networks.model import Network as Network
    from idt.networks.presets import PRESETS as PRESETS
    from idt.networks.presets import Preset as Preset
    from idt.networks.scoring import scores as scores

__getattr__, __dir__, __all__ = lazy_exports(
    __name__,
    {
        "idt.networks.model": "Network",
        "idt.networks.presets": "PRESETS Preset",
        "idt.networks.scoring": "scores",
    },
)
