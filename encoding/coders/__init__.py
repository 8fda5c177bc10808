"""From the descriptors of a video to its vector, one file an encoding.

coder         the protocol of all encodings, and the fitted block of a codebook
registry      the encodings by name
pooling       sums by cell and time slice
pyramid       grids of cells over a video
fisher        Fisher vectors
bovw          bags of visual words
sparse_codes  simultaneous orthogonal matching pursuit, for bags of visual words
vlad          vectors of locally aggregated descriptors
stacked       stacked Fisher vectors
bilinear      means of x xᵀ, and their tensor sketch
plain         means and largest values of each column
centres       base class of the coders that learn centres
normalize     power, intra and block norms
"""
