"""Models that are fitted to descriptors, as scikit-learn estimators.

pca           principal components
gmm           mixtures of Gaussians with diagonal covariances, by EM
em_start      the start of EM: k-means on a subset
expectation   the E-step: posteriors and sufficient statistics of a mixture
maximisation  the M-step
kmeans        centres of visual words
max_margin    the projection of stacked Fisher vectors
estimator_input  arrays, or tables with named columns, as the estimators take them
"""
