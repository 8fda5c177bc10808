"""The steps of the method, one file for each section of the paper; the frame loop of `idt.extractor` joins them.

pyramid     sizes of the scales, gray pyramid
flow        dense optical flow between two frames (a variant of Farnebäck's)
dense_flows other dense flows than the release's
block_flow  flow from the motion vectors of a video codec
surf        keypoints and their descriptors
corners     corners and their matches by the flow
camera      keypoint matches, a homography, the later frame warped back
sampling    textured grid points that no live track occupies
tracks      points follow the flow for L frames
histograms  HOG, HOF, MBHx and MBHy along the tracks
selection   tests that decide whether a finished track is kept
"""
