"""Flow by itself, without tracks.

two_frames  the flow between two frames, and what remains of it without the camera's motion; pairs of a video
"""
