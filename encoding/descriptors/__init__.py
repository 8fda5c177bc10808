"""Descriptors in: from feature files, features, arrays or videos; and a uniform sample of them.

sources        what the descriptors of a video come from
feature_files  files found, named, and asked for their parameters
videos         extracted and encoded in one pass
tracks         what an encoding asks about tracks
sample         a uniform sample of rows over many videos
reservoir      the samples of several training sets, in one pass
"""
