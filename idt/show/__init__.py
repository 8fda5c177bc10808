"""Pictures.

tracks        the tracks drawn over the frames
video_writer  drawn frames as a video or a picture file
"""
