"""The encodings as scikit-learn transformers, an encoding a file: START HERE.

video_encoder  their base class: `fit`, `transform`, `from_codebook`
fisher         Fisher vectors
bovw           bags of visual words
vlad           vectors of locally aggregated descriptors
stacked        stacked Fisher vectors
bilinear       means of x xᵀ
plain          means and largest values
"""
