"""Readers that turn files, folders, patterns, cameras and arrays into gray frames; human boxes.

video     gray frames with their numbers
sources   what a path, a number or an iterable means
schedule  which frames are kept, by rate or time stamps
arrays    frames that the caller has as arrays
people    human boxes, from files or OpenCV's detector

decoders         which decoder opens a video file
opencv_decoder   video files and cameras, by OpenCV
pyav_decoder     video files, by PyAV
pyav_container   its containers and streams
pyav_pictures    its pictures
damage           which frames of a stream are lost

motion/  motion vectors of a codec as flow

image_files   image files, one frame each
image_pages   files of several pictures
image_series  which images of a folder are a video

suffixes    names that videos and images end in
image_size  how large an image is, before it is decoded
playlists   files that name others instead of holding frames
containers  whether a file is truncated
"""
