"""What all files of ours share, and the room that opens what strangers made.

atomic       written whole or not at all
scratch      temporary folders that no run leaves behind
hdf5         how a file is read that a stranger may have made or damaged
hdf5_chunks  chunks deflated by the kind of byte they hold
hdf5_guard   broken heaps are met before libhdf5 meets them
result_file  HDF5 files with format, version, parameters and source
provenance   whether a file is up to date; digests
text         regular files, and UTF-8 text within limits
csv_text     CSV in which any name comes back as itself
json_text    JSON within limits
npy          matrices of numpy.save, looked at before they are read
gunzip       gzip that never unpacks to far more than it holds
"""
