"""Motion vectors of a video codec as optical flow: coarse, and far faster than any flow that looks at pixels.

flow      START HERE: the flow between consecutive frames
exported  which vectors of a file's own codec are flow from the frame before
encoded   vectors of frames that are encoded for them, whatever they come from
fields    vectors on the grid of the blocks
given     any flow that is given between consecutive frames, at every scale

Source: docs/method/extraction.md, section 3.10; Kantorov & Laptev, CVPR 2014; Zhang et al., CVPR 2016.
"""
