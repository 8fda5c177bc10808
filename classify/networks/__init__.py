"""The command idt-net, which runs the models of `idt.networks` over many videos.

run_videos      a network over many videos, one file per video
score_videos    scores, one small file per video, joined in one file
feature_videos  features of snippets, one feature file per video
layers          the layers of a model as a table
cli, options    the command
"""
