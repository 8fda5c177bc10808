"""Containers that other programs write, read without these programs and without running anything.

pickles      the stack machine of pickles, with a closed table of names
arrays       arrays of NumPy in pickles
torch_files  tensors of torch, in its files and in pickles
archives     zip archives
npz          archives of arrays
mat5         MAT files of version 5
"""
