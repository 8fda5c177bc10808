"""Untrimmed video: which action, from when to when.

segments              the record of labelled segments of videos, truths and predictions
frame_metrics         frame accuracy, Edit and F1 of labels of frames
detection_metrics     average precision of scored segments, as ActivityNet and as THUMOS'14 define it
suppression           non-maximum suppression
viterbi               labels of frames from scores: a penalty for each change, lengths, or a transcript
dtw                   dynamic time warping: whole sequences, and a short one within a long one
"""
