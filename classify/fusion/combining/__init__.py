"""Scores of several sources become one.

normalize  scores brought to one scale
weights    weights: the default, given, or searched for
stacking   a linear machine on the scores of all sources
"""
