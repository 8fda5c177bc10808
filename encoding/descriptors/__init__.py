"""Descriptors in: from feature files, features, arrays or videos; and a uniform sample of them.

sources        sources of the descriptors of a video: one protocol, four classes
inputs         sources that are checked to be of one kind
feature_files  files found, named, and asked for their parameters
videos         videos found, to be extracted and encoded in one pass
rechunk        chunks of features in blocks of one size
track_columns  columns of tracks that an encoding reads
labels         labels of other programs: headers, and names of files in place of names of videos
sample         uniform samples of rows over many videos
"""
