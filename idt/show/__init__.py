"""Pictures.

tracks        the tracks drawn over the frames
labels        labels of segments over drawn frames
video_writer  drawn frames as a video or a picture file
"""
