"""Reading and writing files: the parts that our formats have in common, and readers of files that strangers made.

hdf5         checked reading of our HDF5 files, which a stranger may have forged or damaged
result_file  writing of our HDF5 files: attributes of format, version and provenance; datasets of text and numbers
provenance   up-to-date check of a file; digests
versions     versions of the software that computed the numbers of a file

atomic       files written whole or not at all
part_file    a file under its temporary name
locks        locks by which runs wait for each other or share the work
lock_file    one lock file: opened, taken, signed, removed
scratch      temporary folders that no run leaves behind
outputs      check that no output is an input
ownership    which files may be replaced
marks        the marks by which our pictures, videos and text files are recognised

source_file  a file that is opened once, for decoding and hashing
walk         files below a folder, each folder once
text         regular files, and UTF-8 text within limits
csv_text     CSV that gives every name back unchanged
json_text    JSON within limits
unpack       gzip, bzip2 and xz with a limit on the unpacked size

foreign      files of other programs: pickles, NumPy, torch, MATLAB, HDF5
"""
