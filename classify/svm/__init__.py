"""Support vector machines.

linear          linear, on one or several blocks of columns
chi2            with the χ² kernel, on channels of histograms
one_vs_rest     a machine for every class: training, choice of C, scores
build           which of the two, by name
solvers         how one is trained
interior_point  for many rows with few columns
inner_folds     C by cross-validation
calibration     probabilities from scores
targets         labels of every kind as ±1, and weights
lazy_rows       rows that are read when they are needed
"""
