"""Optical flow without tracks: between two frames, and as files.

two_frames  the flow between two frames, with and without the camera's motion; the same for the frames of a video
quantise    displacements as gray levels, and back
layouts     names and numbers of the files of each tool
frames      gray frames with their colours, resized to a shorter side
sinks       writers of flow files, one for each form
export      the flow files of one video
record      provenance of the flow files of a video
lists       lists of videos for TSN and MMAction2
readers     flow files read back, whoever wrote them
from_files  flow files as the flow that tracks follow
"""
