"""Support vector machines.

linear          the linear classifier
chi2            the classifier with the χ² kernel, on channels of histograms
one_vs_rest     base class: training, scores, probabilities
kernel_machines libsvm on a kernel matrix, choice of C, calibration
pairwise        inner products and distances of all pairs of rows
lazy_rows       rows of a file, read by panels of columns
targets         classes of the rows and their weights
build           a classifier from the options of a command
"""
