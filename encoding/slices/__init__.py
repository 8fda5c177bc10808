"""Sums of short slices of a video, from which the vector of any window is made without another look at the tracks.

cut            the options
slice_sums     the sums of the slices of one video, in order
slices_file    their file
slice_files    feature files in, files of slices out
windows        vectors of windows from sums of slices
"""
