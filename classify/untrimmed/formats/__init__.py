"""Files of segments and of labels of frames, a module for each form.

by_suffix             the writer that the suffix of an output chooses
activitynet           JSON of ActivityNet, of THUMOS'14 in that form, and MMAction2's localisation JSON
thumos                official lists and submissions of THUMOS'14
frame_labels          one label a frame: MS-TCN's layout, result files, squirrel's lists
table                 CSV of ours: video,start,end,label,score
network_features      features and labels of frames, as temporal networks take them
subtitles             .srt and .vtt
"""
