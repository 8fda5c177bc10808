"""Trained models: made, kept, used.

train            vectors and labels to a model file
model_file       the file of a trained classifier
predict          labels of vectors
predict_videos   labels of videos, in one pass
outside_vectors  blocks of vectors that others computed
video_features   the feature files of videos
explain          which tracks and regions of a video made a score
evidence_pictures  the same as pictures and tables
"""
