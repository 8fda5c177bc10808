"""What all files of ours share, and the room that opens what strangers made.

atomic       written whole or not at all
part         a file under its temporary name
locks        two runs kept apart
outputs      no output is an input
ownership    which files may be replaced
marks        the signs of ours in pictures, videos and text
scratch      temporary folders that no run leaves behind
hdf5         how a file is read that a stranger may have made or damaged
hdf5_chunks  chunks deflated by the kind of byte they hold
hdf5_guard   broken heaps are met before libhdf5 meets them
result_file  HDF5 files with format, version, parameters and source
provenance   whether a file is up to date; digests
atomic        written whole or not at all
hdf5          how a file is read that a stranger may have made or damaged
hdf5_kind     whether an HDF5 file is ours, of an earlier release, of which format
hdf5_guard    the open file: objects are found here before libhdf5 opens them
hdf5_headers  object headers, parsed and held against those of our files
hdf5_index    where the chunks of a dataset lie
hdf5_dataset  chunks unpacked, and their checksums compared
hdf5_chunks   chunks deflated by the kind of byte they hold, when they are written
hdf5_earlier  files of an earlier release, read in a process that may die
result_file   HDF5 files with format, version, parameters and source; how their contents are written
provenance    whether a file is up to date; digests
text         regular files, and UTF-8 text within limits
csv_text     CSV in which any name comes back as itself
json_text    JSON within limits
npy          matrices of numpy.save, looked at before they are read
gunzip       gzip that never unpacks to far more than it holds
"""
