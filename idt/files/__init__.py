"""What all files of ours share.

atomic       written whole or not at all
hdf5         HDF5 files with a format, a version and an origin, and how a stranger's are read
hdf5_chunks  chunks deflated by the kind of byte they hold
hdf5_guard   broken heaps are met before libhdf5 meets them
"""
