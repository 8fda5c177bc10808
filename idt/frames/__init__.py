"""Frames in: files, folders, patterns, cameras and arrays become gray frames; human boxes.

video     gray frames with their numbers
sources   what a path, a number or an iterable means
decoders  what reads it: OpenCV, image files, arrays
people    human boxes, from files or OpenCV's detector
suffixes  names that videos and images end in
"""
