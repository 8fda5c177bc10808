"""Pictures.

tracks  the tracks drawn over the frames
"""
