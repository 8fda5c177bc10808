"""Trained models: training, storage, prediction, explanation.

train            vectors and labels to a model file
model_file       the file of a trained classifier
predict          labels of vectors
predict_videos   labels of videos, in one pass
outside_vectors  blocks of vectors that others computed
video_features   the feature files of videos
explain          shares of the tracks and regions of a video in a score
evidence_pictures  the same as pictures and tables
"""
