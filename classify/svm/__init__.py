"""Support vector machines.

linear          the linear classifier
chi2            the classifier with the χ² kernel, on channels of histograms
one_vs_rest     base class: training of a machine for each class, choice of C, scores, probabilities
build           a classifier from the options of a command
solvers         training on inner products or on rows
interior_point  the solver for hard problems
inner_folds     folds of the training rows, choice of C
calibration     probabilities from scores
targets         labels as ±1 and weights
lazy_rows       rows of a file, read by blocks
feature_names   names of columns, kept and compared
"""
