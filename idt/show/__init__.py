"""Pictures.

tracks         the tracks drawn over the frames
evidence       numbers of tracks drawn over the frames: what each adds to a score
video_writer   drawn tracks as a video or a picture file
picture_files  pictures and videos to the disk
canvas         lines, dots, captions and legends
"""
