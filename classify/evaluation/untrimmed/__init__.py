"""Evaluation of data sets of untrimmed video: models from segments, segmentation of the test videos, report.

data_sets      the readers: videos, truths and splits
evaluate       START HERE: from videos to the report
measure        the metrics of a split
command        the part of `idt-evaluate` for these data sets
report         report.json, report.md, report.html and results.csv
"""
