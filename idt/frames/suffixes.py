"""Suffixes of videos and images, in lower case."""

VIDEOS = frozenset(
    f".{suffix}"
    for suffix in (
        "264 265 3g2 3gp amv apng asf avi divx dv f4v flv gif h264 h265 hevc ivf m1v m2t m2ts m2v m4v mjpeg mjpg mkv"
        " mov mp4 mpe mpeg mpg mpv mts mxf nut ogm ogv qt rm rmvb ts vob webm wmv xvid y4m"
    ).split(" ")
)
"""Suffixes of video files."""

IMAGES = (".png", ".jpg", ".jpeg", ".jp2", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
"""Suffixes of image files, which are one frame each."""
