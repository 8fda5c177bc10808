"""Data sets: their clips, labels, splits and metric, one reader a file.

registry  the readers by name
dataset   clips with labels and groups, and clips that are missing
splits    training and test videos
official  lists that come with a data set
video_list  annotation files that networks are trained from
"""
