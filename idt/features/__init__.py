"""Tracks and descriptors in memory and on the disk.

features        `Features`, the result of an extraction: columns of tracks, the camera's motion
collect         finished tracks of every frame, joined into features
columns         columns of tracks: dtypes, shapes, times
track, camera   one track; the camera's motion
joining         features of several videos or stretches as one
multi_skip      features of several frame steps, merged frame by frame
tables          features as tables of pandas and xarray
feature_file    reading and writing feature files
reader          an open feature file, some rows at a time
writer          a feature file written chunk by chunk
content_digest  the SHA-256 of the numbers of a file
projection      descriptors along the axes of a codebook
network_blocks  descriptors from networks
storage         `Storage`, the user's choice of the form in which a file stores its columns
column_storage  the columns of a file as datasets: plain, compact, projected
column_codecs   how one column is stored
release/        rows of the authors' release, text and binary
convert         from one form into another
"""
