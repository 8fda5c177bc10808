"""Options: every default, range and help text of an extraction, and what follows from them.

extraction  the options of an extraction
option      fields of a dataclass that are options of a command, too
bounds      the range of a number
decoder     what reads a video file: OpenCV or PyAV
layout      descriptors, their order and sizes
"""
