"""What all files of ours share, and the room that opens what strangers made.

atomic       written whole or not at all
part         a file under its temporary name
locks        two runs kept apart
outputs      no output is an input
ownership    which files may be replaced
marks        the signs of ours in pictures, videos and text
scratch      temporary folders that no run leaves behind
hdf5         HDF5 files that a stranger may have made or damaged: a room of its own
result_file  HDF5 files with format, version, parameters and source; how their contents are written
provenance   whether a file is up to date; digests
text         regular files, and UTF-8 text within limits
csv_text     CSV in which any name comes back as itself
json_text    JSON within limits
npy          matrices of numpy.save, looked at before they are read
gunzip       gzip that never unpacks to far more than it holds
"""
