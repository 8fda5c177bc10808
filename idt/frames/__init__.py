"""Readers that turn files, folders, patterns, cameras and arrays into gray frames; human boxes.

video     gray frames with their numbers
sources   the reader for a path, a camera index or an iterable
schedule  choice of frames by range, rate and time stamps
arrays    frames that the caller has as arrays
people    human boxes, from files or OpenCV's detector

decoders         choice of the decoder of a video file
opencv_decoder   video files and cameras, by OpenCV
pyav_decoder     video files, by PyAV
pyav_container   containers and streams in PyAV
pyav_pictures    conversion of PyAV's frames to BGR images
damage           lost and damaged frames of a stream

motion/  motion vectors of a codec as flow

image_files   image files, one frame each
image_pages   files of several pictures
image_series  choice of the images that are one video

suffixes    suffixes of video and image files
image_size  size of an image, before it is decoded
playlists   refusal of files that name other files instead of holding frames
containers  truncated files, and edit lists that hide frames
"""
