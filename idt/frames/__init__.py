"""Frames in: files, folders, patterns, cameras and arrays become gray frames; human boxes.

video     gray frames with their numbers
sources   what a path, a number or an iterable means
decoders  what reads it: OpenCV, arrays; image_files
people    human boxes, from files or OpenCV's detector
suffixes  names that videos and images end in

image_size  how large an image is, before it is decoded
playlists   files that name others instead of holding frames
"""
