"""Combination of the scores of several sources.

normalize  normalisation of scores to one scale
weights    weights of the sources: the default, given, or searched for
stacking   a linear SVM on the scores of all sources
"""
