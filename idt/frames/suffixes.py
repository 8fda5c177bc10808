"""What a file holds by its name: the suffixes of videos and of images, in lower case."""

VIDEOS = frozenset(
    f".{suffix}" for suffix in "3gp asf avi flv m2ts m4v mkv mov mp4 mpeg mpg mts ogv ts vob webm wmv".split(" ")
)

IMAGES = (".png", ".jpg", ".jpeg", ".jp2", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm")
"""Of files that are one frame each."""
