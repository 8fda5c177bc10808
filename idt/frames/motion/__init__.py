"""Motion vectors of a video codec as optical flow: coarse, and far faster than any flow that looks at pixels.

flow         START HERE: the flow between consecutive frames
exported     choice of the vectors of a video file that are flow from the previous frame
encoded      vectors of frames from any source, which are encoded in memory
fields       vectors on the grid of the blocks
consecutive  flow that is known between consecutive frames only, resized to every scale

Source: docs/method/extraction.md, section 3.10; Kantorov & Laptev, CVPR 2014; Zhang et al., CVPR 2016.
"""
