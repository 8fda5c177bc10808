"""ONNX models as functions of frames; the extra ``networks`` of the package installs their libraries.

Method: docs/method/networks.md.

model       START HERE: a model, its layout, its intermediate tensors
model_file  reading and checking of ONNX files; shape inference
geometry    stride, start and receptive field of every map
presets     preprocessing of each family of networks
layout      order of the dimensions of the inputs
colour      colour frames of a video
sampling    choice of the frames of clips
crops       resizing, cropping and normalisation
flow_input  optical flow in 8 bits
views       clips of a video, cropped and normalised
scoring     scores of a video
snippet_params, snippets
            features of clips all along a video
fused       maps of two networks as one
map_params  parameters of the maps that are pooled along tracks, and names of their blocks
map_stream  maps of a video, frame by frame
maps        pooling of maps along tracks
options     options of idt-extract
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
