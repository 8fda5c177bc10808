"""Flow that is known between consecutive frames only, not computed scale by scale: motion vectors, flow files."""

from idt.errors import DataError
from idt.params.decoder import INSTALL_PYAV
from idt.params.flow_choice import MPEG, field_reader_of
from idt.steps import block_flow, dense_flows


def consecutive_flow_of(params):
    """Return a function of two consecutive frames that gives the flow of ``params``.

    Return None if this flow can be computed between any two images.
    """
    if params.flow != MPEG:
        return field_reader_of(params.flow)
    try:
        from idt.frames.motion.flow import MotionVectors
    except ImportError:
        raise DataError(f"flow=mpeg needs PyAV; {INSTALL_PYAV}, or choose another flow") from None
    return MotionVectors().between


def fields_at_scales(flow, levels, *, spacing=1):
    """Resize a flow that is known between consecutive frames to every scale.

    Parameters
    ----------
    flow : (H, W, 2) array or Blocks
    levels : list of Scale
    spacing : int
        Pixels of a scale, in x and in y, that share one vector, if the flow is `Blocks`.

    Returns
    -------
    fields : list of (h, w, 2) float32
        At every scale, finest first.
    blocks : Blocks or None
        The flow itself, if it is `Blocks`.
    """
    if isinstance(flow, block_flow.Blocks):
        return block_flow.at_scales(flow, levels, spacing=spacing), flow
    field = dense_flows.checked_field(flow, levels[0][1:])
    return dense_flows.at_scales(field, levels), None
