"""Convert `Features` to tables of pandas and xarray, which the extra ``tables`` installs."""

import json
import math
from dataclasses import asdict
from importlib import import_module
from typing import Any

import numpy as np

from idt.errors import DataError
from idt.params import layout

AXES = {"mean": "xy", "std": "xy", "position": "xyt"}
"""Columns whose second axis has a name for each number."""

UNITS = {"frame": "frames", "mean": "px", "std": "px", "length": "px", "points": "px"}


def to_pandas(features):
    """Return a pandas DataFrame with a row for each track.

    Parameters
    ----------
    features : Features

    Returns
    -------
    pandas.DataFrame
        As `Features.to_pandas`.
    """
    pandas = _library("pandas")
    blocks = {}
    for name, values in features.columns().items():
        if name in AXES:
            titles = [f"{name}_{axis}" for axis in AXES[name]]
        elif name == "points":
            titles = [f"point_{i}_{axis}" for i in range(values.shape[1]) for axis in "xy"]
        elif values.ndim == 1:
            titles = [name]
        else:
            titles = [f"{name}_{i}" for i in range(values.shape[1])]
        blocks[name] = values.reshape(len(values), len(titles)), titles
    for name, values in _projected(features).items():
        blocks[name] = values, [f"{name}_{i}" for i in range(values.shape[1])]
    index = pandas.RangeIndex(len(features), name="track")
    tables = [pandas.DataFrame(values, index=index, columns=titles) for values, titles in blocks.values()]
    return pandas.concat(tables, axis=1) if tables else pandas.DataFrame(index=index)


def to_xarray(features):
    """Return an xarray Dataset with named dimensions.

    Parameters
    ----------
    features : Features

    Returns
    -------
    xarray.Dataset
        As `Features.to_xarray`.
    """
    xarray = _library("xarray")
    variables: dict[str, tuple] = {}
    coordinates: dict[str, Any] = {"track": np.arange(len(features))}
    for name, values in features.columns().items():
        dims: tuple[str, ...] = ("track",)
        if name == "points":
            dims = ("track", "point", "xy")
        elif name in AXES:
            dims = ("track", AXES[name])
        elif values.ndim == 2:
            dims = ("track", f"{name}_bin" if name in layout.HISTOGRAMS else f"{name}_number")
        variables[name] = dims, values, {"units": UNITS[name]} if name in UNITS else {}
        coordinates.update({dim: list(dim) for dim in dims if dim in ("xy", "xyt")})
    for name, values in _projected(features).items():
        variables[name] = ("track", f"{name}_axis"), values
    if features.camera is not None:
        camera = features.camera
        first = camera.first_frame
        coordinates["video_frame"] = np.arange(first, first + len(camera))
        variables["homography"] = ("video_frame", "row", "column"), camera.homography
        variables["matches"] = "video_frame", camera.matches
        variables["inliers"] = "video_frame", camera.inliers
    return xarray.Dataset(variables, coordinates, _attributes(features))


def _attributes(features):
    """Return the metadata as numbers and strings, which netCDF and Zarr can store; unknown entries are left out."""
    found = {name: getattr(features, name) for name in ("width", "height", "fps", "frames")}
    found = {name: value for name, value in found.items() if value is not None and not math.isnan(value)}
    if features.params is not None:
        found["params"] = json.dumps(asdict(features.params))
    if features.source is not None:
        found["source"] = json.dumps(features.source)
    if features.notes:
        found["notes"] = list(features.notes)
    return found


def _projected(features):
    """Return the blocks of projected and network descriptors by the names of their columns."""
    blocks = {} if features.projected is None else features.projected.blocks
    found = {f"projected_{name}": values for name, values in blocks.items()}
    return found if features.network is None else {**found, **features.network.blocks}


def _library(name):
    """Import pandas or xarray."""
    try:
        return import_module(name)
    except ImportError:
        raise DataError(
            f"{name} is not installed; pip install 'improved-dense-trajectories[tables]' brings it"
        ) from None
