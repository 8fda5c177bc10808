"""What all files of ours share.

atomic       written whole or not at all
scratch      temporary folders that no run leaves behind
hdf5         how a file is read that a stranger may have made or damaged
hdf5_chunks  chunks deflated by the kind of byte they hold
hdf5_guard   broken heaps are met before libhdf5 meets them
result_file  HDF5 files with format, version, parameters and source
provenance   whether a file is up to date; digests
versions     what the numbers of a file were computed with
source_file  a file that is read through one opening
walk         files below a folder, each folder once
"""
