"""Flow by itself, without tracks: of two frames, and as files.

two_frames  the flow between two frames, and what remains of it without the camera's motion; pairs of a video
quantise    displacements as gray levels, and back
layouts     names and numbers of the files of each tool
frames      gray frames with their colours, resized to a shorter side
sinks       writers, a form each
export      the flow files of one video
record      what they were made from
lists       lists of videos for TSN and MMAction2
readers     flow files read back, whoever wrote them
from_files  flow files as the flow that tracks follow
"""
