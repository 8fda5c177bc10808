"""Reading and writing files: what our formats share, and readers of files that strangers made.

hdf5         checked reading of our HDF5 files, which a stranger may have forged or damaged
result_file  HDF5 of ours, written: format, version, parameters, source, versions; text and numbers
provenance   whether a file is up to date; digests
versions     what the numbers of a file were computed with

atomic       files written whole or not at all
part_file    a file under its temporary name
locks        two runs kept apart, or sharing the work
lock_file    one lock file: opened, taken, signed, removed
scratch      temporary folders that no run leaves behind
outputs      no output is an input
ownership    which files may be replaced
marks        the marks by which our pictures, videos and text files are recognised

source_file  a file that is opened once, for decoding and hashing
walk         files below a folder, each folder once
text         regular files, and UTF-8 text within limits
csv_text     CSV in which any name comes back as itself
json_text    JSON within limits
unpack       gzip, bzip2 and xz that never unpack to far more than they hold
"""
