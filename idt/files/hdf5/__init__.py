"""Readers of HDF5 files in our formats, which strangers may have made or damaged.

reading  the interface: `open_checked`, `attribute`, `json_attribute`, `dataset`, `read`
identify whether a file is ours, of an earlier release, of which format
guard    the open file: objects are found here before libhdf5 opens them
headers  object headers, parsed; structures that our files do not use are refused
filters  the filters of chunks, undone
index    where the chunks of a dataset lie
dataset  numbers and texts, chunk by chunk
chunks   writing of chunks, whose byte planes are deflated in different ways
"""

from idt.files.hdf5.identify import format_of, is_hdf5, is_ours
from idt.files.hdf5.reading import (
    attribute,
    damage_as_data_error,
    dataset,
    has,
    json_attribute,
    open_checked,
    open_guarded,
    read,
)

__all__ = [
    "attribute",
    "damage_as_data_error",
    "dataset",
    "format_of",
    "has",
    "is_hdf5",
    "is_ours",
    "json_attribute",
    "open_checked",
    "open_guarded",
    "read",
]
