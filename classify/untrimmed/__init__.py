"""Segmentation of untrimmed video: its actions, with their starts and ends.

segments              the record of labelled segments of videos, truths and predictions
frames                labels of frames to segments, and back
frame_metrics         frame accuracy, Edit and F1 of labels of frames
detection_metrics     average precision of scored segments, as ActivityNet and as THUMOS'14 define it
protocols             data sets of untrimmed video and their measures
suppression           non-maximum suppression
viterbi               labels of frames from scores: a penalty for each change, or rewards of lengths
dtw                   dynamic time warping: whole sequences, a short one within a long one, or a transcript
window_scores         class scores of the windows of a video
segmenting            segments from these scores, by each method
segment_training      a classifier of windows, trained from segments
segment_videos        segments of videos, for `idt-segment`
segment_options       options of `idt-segment`
running               segments of a running video
running_video         tracks of a running video
running_viterbi       labels of a running video
frame_pipe            frames from a pipe
timeline              pictures of segments and scores
formats               files of segments and of labels of frames
"""
