"""Data sets: their clips, labels, splits and metric, one reader per file.

registry  the readers by name
dataset   clips with labels and groups, and clips that are missing
splits    training and test videos
official  lists that come with a data set
folder    any folder of class folders
listed_videos  any set that annotation files describe
video_list  annotation files that networks are trained from
list_lines, list_labels, class_files  their lines, labels and class names
"""
