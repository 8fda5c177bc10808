"""Sources of descriptors: feature files, features, arrays or videos; and a uniform sample of the descriptors.

sources        sources of the descriptors of a video: one protocol, four classes
inputs         sources that are checked to be of one kind
feature_files  search for feature files, their names and their parameters
videos         search for videos to extract and encode in one pass
rechunk        regrouping of chunks of features into batches of equally many rows
track_columns  columns of tracks that an encoding reads
labels         labels of other programs: headers, and names of files in place of names of videos
sample         uniform samples of rows over many videos
"""
