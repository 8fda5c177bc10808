"""The command idt-net, which runs the models of `idt.networks` over many videos.

run_videos      a network over many videos, a file each
score_videos    scores, one small file a video, joined in one
feature_videos  features of snippets, a feature file a video
layers          the layers of a model as a table
cli options     the command
"""
