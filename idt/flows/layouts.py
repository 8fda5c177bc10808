"""Layouts of flow files: names, first numbers, and the frames that are stored beside the flow.

Source: docs/method/flow.md, section 2. Two tools of one name, ``dense_flow`` and ``denseflow``, number differently.
"""

from typing import NamedTuple


class Layout(NamedTuple):
    """Names and numbers of a video's files below the output folder.

    Attributes
    ----------
    form : {"jpg", "zip", "npy", "flo", "h5"}
    x, y : str
        Templates of the names of the flow in x and in y: of files (``jpg``, ``flo``), members (``zip``) or datasets
        (``h5``). ``y`` is empty in forms that hold both components in one.
    image : str
        Template of the name of a frame; empty if the layout has no single frames.
    units : dict of str to str
        Templates of the folders or files that belong to a video, by content: ``flow``, ``flow_y``, ``image``. Contents
        may share a folder or file; ``flow_y`` is left out if it lies with ``flow``.
    first : int
        Number of the first flow and of the first frame.
    all_frames : bool
        Whether the first frame of the video is written, too; else frame k is the second frame of flow k.
    lists : bool
        Whether lists of the videos are written beside their files.
    """

    form: str
    x: str
    y: str
    image: str
    units: dict[str, str]
    first: int
    all_frames: bool
    lists: bool = False


_FOLDER = {"flow": "{name}", "image": "{name}"}

LAYOUTS = {
    "tsn": Layout(
        "jpg", "flow_x_{number:05d}.jpg", "flow_y_{number:05d}.jpg", "img_{number:05d}.jpg", _FOLDER, 1, False, True
    ),
    "tsn-zip": Layout(
        "zip", "x_{number:05d}.jpg", "y_{number:05d}.jpg", "img_{number:05d}.jpg", _FOLDER, 1, False, True
    ),
    "denseflow": Layout(
        "jpg", "flow_x_{step}{number:05d}.jpg", "flow_y_{step}{number:05d}.jpg", "img_{number:05d}.jpg",
        _FOLDER, 0, True,
    ),
    "mmaction2": Layout(
        "jpg", "flow_x_{number:05d}.jpg", "flow_y_{number:05d}.jpg", "img_{number:05d}.jpg", _FOLDER, 1, True, True
    ),
    "twostream": Layout(
        "jpg", "frame{number:06d}.jpg", "frame{number:06d}.jpg", "frame{number:06d}.jpg",
        {"flow": "tvl1_flow/u/{name}", "flow_y": "tvl1_flow/v/{name}", "image": "jpegs_256/{name}"}, 1, True,
    ),
    "i3d": Layout("npy", "", "", "", {"flow": "{name}_flow.npy", "image": "{name}_rgb.npy"}, 0, False),
    "flo": Layout("flo", "flow_{number:05d}.flo", "", "img_{number:05d}.jpg", _FOLDER, 1, True),
    "h5": Layout("h5", "flow_x_{step}{number:05d}", "flow_y_{step}{number:05d}", "", {"flow": "{name}.h5"}, 0, True),
}  # fmt: skip
"""Every layout by its name."""


def units_of(layout, name, *, rgb):
    """List the folders or files that a video takes, relative to the output folder.

    Parameters
    ----------
    layout : str
        A key of `LAYOUTS`.
    name : str
        Of the video.
    rgb : bool
        Whether frames are written, too.

    Returns
    -------
    list of str
    """
    units = LAYOUTS[layout].units
    return list(dict.fromkeys(path.format(name=name) for content, path in units.items() if rgb or content != "image"))


def unit_of(layout, name, content):
    """Return the folder or file in which a ``layout`` puts a ``content`` of the video ``name``.

    Contents are ``flow``, ``flow_y`` and ``image``.
    """
    units = LAYOUTS[layout].units
    return units.get(content, units["flow"]).format(name=name)


def step_text(step):
    """Return the prefix of the number in the name of a flow over ``step`` frames; empty for 1."""
    return "" if step == 1 else f"p{step}_"
