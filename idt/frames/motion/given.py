"""Flow that is known between consecutive frames only, not computed scale by scale: motion vectors, flow files."""

from idt.errors import DataError
from idt.params.decoder import REMEDY
from idt.params.flow_choice import MPEG, fields_of
from idt.steps import block_flow, dense_flows


def given_flow(params):
    """Return a function of two consecutive frames that gives the flow of ``params``.

    Return None if this flow can be computed between any two images.
    """
    if params.flow != MPEG:
        return fields_of(params.flow)
    try:
        from idt.frames.motion.flow import MotionVectors
    except ImportError:
        raise DataError(f"flow=mpeg needs PyAV; {REMEDY}, or choose another flow") from None
    return MotionVectors().between


def fields_given(given, levels, *, every=1):
    """Resize a flow that is known between consecutive frames to every scale.

    Parameters
    ----------
    given : (H, W, 2) array or Blocks
    levels : list of Scale
    every : int
        Pixels of a scale, in x and in y, that share one vector, if the flow is `Blocks`.

    Returns
    -------
    fields : list of (h, w, 2) float32
        At every scale, finest first.
    blocks : Blocks or None
        The flow itself, if it is `Blocks`.
    """
    if isinstance(given, block_flow.Blocks):
        return block_flow.at_scales(given, levels, every=every), given
    field = dense_flows.checked_field(given, levels[0][1:])
    return dense_flows.at_scales(field, levels), None
