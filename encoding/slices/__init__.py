"""Sums of short slices of a video, from which the vector of any window is made without reading the tracks again.

cut            the options
slice_sums     the sums of the slices of one video, in order
running        the slices of a video that is still running
slices_file    files of the slices of one video
stored_means   means of slices, read from their file when they are needed
slice_files    feature files in, files of slices out
windows        vectors of windows from sums of slices
"""
