"""HDF5 files of ours, as a stranger may have made or damaged them.

reading   START HERE: a file is opened, its attributes and datasets are checked and read
kind      whether an HDF5 file is ours, of an earlier release, of which format
guard     the open file: objects are found here before libhdf5 opens them
headers   object headers, parsed and held against those of our files
index     where the chunks of a dataset lie
stored    chunks unpacked, and their checksums compared
chunks    chunks deflated by the kind of byte they hold, when they are written
earlier   files of an earlier release, read in a process that may die
"""

from idt.files.hdf5.kind import format_of, is_hdf5, is_of_earlier_release, is_ours
from idt.files.hdf5.reading import attribute, damaged, dataset, has, json_attribute, open_checked, open_guarded, read

__all__ = [
    "attribute",
    "damaged",
    "dataset",
    "format_of",
    "has",
    "is_hdf5",
    "is_of_earlier_release",
    "is_ours",
    "json_attribute",
    "open_checked",
    "open_guarded",
    "read",
]
