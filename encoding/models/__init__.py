"""What is fitted to descriptors.

pca          principal components
gmm          mixtures of Gaussians with diagonal covariances, by EM
expectation  posteriors and sufficient statistics of a mixture
kmeans       centres of visual words
max_margin   the projection of stacked Fisher vectors
product      matrix products with the same last bits everywhere
"""
