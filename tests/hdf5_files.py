"""HDF5 files made or changed with HDF5's own means, in the form that our readers take."""

import h5py
import numpy as np


def opened(path, mode="r+"):
    """Open a file for changes; objects that are made in it have the form of HDF5 1.10, as ours."""
    return h5py.File(path, mode, libver=("v110", "v110"))


def fixed(text):
    """A text, or a list of texts, of a fixed length, for an attribute or a dataset."""
    data = np.char.encode(np.array(text), "utf-8")
    return data.astype(h5py.string_dtype("utf-8", max(1, data.itemsize)))


def set_text(item, name, text):
    """Set an attribute of an object to a text of a fixed length."""
    item.attrs[name] = fixed(text)
