"""Layouts of flow files: names, first numbers, and which frames lie beside them.

Source: docs/method/flow.md, section 2. Two tools of one name, ``dense_flow`` and ``denseflow``, number differently.
"""

from typing import NamedTuple


class Layout(NamedTuple):
    """Where the files of a video lie below the output folder.

    Attributes
    ----------
    form : {"jpg", "zip", "npy", "flo", "h5"}
    x, y : str
        Flow in x and in y: of ``jpg`` and ``flo`` the file of a number, of ``h5`` the dataset, of ``zip`` the member.
        Forms that hold both in one leave ``y`` empty.
    image : str
        Frame of a number; empty where the layout has none.
    units : dict of str to str
        Folders or files that a video's files are in, by what they hold: ``flow``, ``image``. Two kinds of files may
        share one folder or file.
    first : int
        Number of the first flow and of the first frame.
    all_frames : bool
        Whether the first frame of the video is among the frames; else frame k is the second one of flow k.
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
    return list(dict.fromkeys(path.format(name=name) for held, path in units.items() if rgb or held != "image"))


def unit_of(layout, name, held):
    """Return where a ``layout`` has the kind of content ``held`` (flow, flow_y, image) of the video ``name``: a folder
    or file.
    """
    units = LAYOUTS[layout].units
    return units.get(held, units["flow"]).format(name=name)


def step_text(step):
    """Return the part before the number in names of flow files over a ``step`` of several frames."""
    return "" if step == 1 else f"p{step}_"
