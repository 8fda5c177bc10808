"""Containers that other programs write, read without these programs and without running code of the file.

pickles        the stack machine of pickles, with a closed table of names; pickle_types: the values that it makes
arrays         arrays of NumPy in pickles
torch_files    tensors of torch, in its files and in pickles
archives       zip archives
npy            arrays of `numpy.save`, whose header is checked first; npz: archives of such arrays
mat5           MAT files of version 5
hdf5           HDF5 of others, MAT files of version 7.3 among them
hdf5_objects   the objects of such a file; hdf5_types: type, shape and filters in the header of an array

pickle_writer  pickles of arrays and tensors, written

Source: docs/method/files.md, section 7.3.
"""
