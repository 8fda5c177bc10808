"""Pictures.

cli            the command idt-show
tracks         the tracks drawn over the frames; colours
step_pictures  flow, matches, the warped frame, human boxes
flow           the colour wheel
plots          the camera's path, the histograms of a track
evidence       numbers of tracks drawn over the frames: what each adds to a score; evidence_table reads them
video_writer   drawn tracks as a video or a picture file
picture_files  pictures and videos to the disk
canvas         lines, dots, captions and legends
"""
