"""From the descriptors of a video to one vector.

FisherEncoder, BovwEncoder, VladEncoder, StackedEncoder, BilinearEncoder, PlainEncoder
                      scikit-learn transformers: from a list of videos to one row of numbers per video
Codebook, fit_codebook
                      fitted codebooks, their file, and the fit
EncodingParams, BovwParams, VladParams, StackedParams, BilinearParams, PlainParams
                      every option of an encoding, with its default, in the words of the commands
load_vectors, open_vectors, Vectors
                      the file of the encoded vectors
fisher_vector         the Fisher vector of a set of descriptors
DiagonalGMM, PCA, KMeans
                      models fitted to descriptors, as scikit-learn estimators

Inside, `encoders` is the place to start.

encoders              the transformers, one file per encoding
fitting, codebook     the models of every block, fitted to a sample of descriptors; the file of the models
encode, vectors_file  one vector per video; the file of the vectors
evidence              the share of each track and each region of a video in a score
pipeline, cli         files in, files out, with up-to-date checks; the commands
slices                sums of short slices of a video, for the windows of untrimmed video
descriptors           sources of descriptors: files, features, arrays, videos; a uniform sample of descriptors
models                mixtures, k-means and projections, fitted to descriptors
coders                from descriptors to a vector, one file per encoding
kernels               the compiled loops
params, grids         the parameters of the encodings; pyramids and sub-volumes
"""

from typing import TYPE_CHECKING

from idt.imports.lazy import lazy_exports

if TYPE_CHECKING:
    from encoding.codebook import Codebook as Codebook
    from encoding.coders.fisher import fisher_vector as fisher_vector
    from encoding.encoders.bilinear import BilinearEncoder as BilinearEncoder
    from encoding.encoders.bovw import BovwEncoder as BovwEncoder
    from encoding.encoders.fisher import FisherEncoder as FisherEncoder
    from encoding.encoders.plain import PlainEncoder as PlainEncoder
    from encoding.encoders.stacked import StackedEncoder as StackedEncoder
    from encoding.encoders.vlad import VladEncoder as VladEncoder
    from encoding.fitting import fit_codebook as fit_codebook
    from encoding.models.gmm import DiagonalGMM as DiagonalGMM
    from encoding.models.kmeans import KMeans as KMeans
    from encoding.models.pca import PCA as PCA
    from encoding.params import BilinearParams as BilinearParams
    from encoding.params import BovwParams as BovwParams
    from encoding.params import EncodingParams as EncodingParams
    from encoding.params import PlainParams as PlainParams
    from encoding.params import StackedParams as StackedParams
    from encoding.params import VladParams as VladParams
    from encoding.vectors_file import Vectors as Vectors
    from encoding.vectors_file import load_vectors as load_vectors
    from encoding.vectors_file import open_vectors as open_vectors
else:
    # A type checker that saw __getattr__ would accept every name.
    __getattr__, __dir__, __all__ = lazy_exports(
        __name__,
        {
            "encoding.encoders.fisher": "FisherEncoder",
            "encoding.encoders.bovw": "BovwEncoder",
            "encoding.encoders.vlad": "VladEncoder",
            "encoding.encoders.stacked": "StackedEncoder",
            "encoding.encoders.bilinear": "BilinearEncoder",
            "encoding.encoders.plain": "PlainEncoder",
            "encoding.codebook": "Codebook",
            "encoding.fitting": "fit_codebook",
            "encoding.params": "EncodingParams BovwParams VladParams StackedParams BilinearParams PlainParams",
            "encoding.vectors_file": "load_vectors open_vectors Vectors",
            "encoding.coders.fisher": "fisher_vector",
            "encoding.models.gmm": "DiagonalGMM",
            "encoding.models.pca": "PCA",
            "encoding.models.kmeans": "KMeans",
        },
    )
