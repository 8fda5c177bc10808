"""Networks through our protocol: what idt-net does with the models of `idt.networks`.

score_videos  scores of many videos, one small file each, joined in one
layers        the layers of a model as a table
cli options   the command
"""
