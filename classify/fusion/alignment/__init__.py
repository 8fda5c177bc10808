"""Alignment of score files: rows by the names of videos, columns by the names of classes.

names     matching of two lists of names, across the spellings of other programs
truth     true labels, from lists, CSV or the score files themselves
protocol  the videos that are tested, and the splits
columns   columns in the order of the classes
align     rows in the order of the videos
"""
