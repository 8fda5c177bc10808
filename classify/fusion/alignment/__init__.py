"""Which rows and columns of score files belong together, by the names of videos and classes.

names     spellings of others, and which of two lists mean the same
truth     true labels, from lists, CSV or the score files themselves
protocol  the videos that are tested, and the splits
columns   columns in the order of the classes
align     rows in the order of the videos
"""
