"""The encodings as scikit-learn transformers: `FisherEncoder`, `BovwEncoder`, `VladEncoder`, `StackedEncoder`.

A sample for scikit-learn is a video: a (n, d) array of descriptors, `Features`, or the path of a feature file. So ``X``
is a list of these, all of one kind. An encoder's parameters are the fields of its `BlockParams`, with the same
defaults, and ``jobs`` and ``threads``, on which no result depends.
"""

import dataclasses
import inspect

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from encoding.descriptors.inputs import Inputs
from encoding.encode import encode, encode_files, layout_of, width_of
from encoding.fitting import fit_inputs
from encoding.params import BlockParams, BovwParams, EncodingParams, StackedParams, VladParams
from idt.errors import DataError

__all__ = [
    "BovwEncoder", "FisherEncoder", "StackedEncoder", "VideoEncoder", "VladEncoder", "encode_files", "layout_of",
]  # fmt: skip


class VideoEncoder(TransformerMixin, BaseEstimator):
    """What all encoders share; a subclass names its parameters: ``class BovwEncoder(VideoEncoder, params=BovwParams)``.

    Attributes
    ----------
    codebook_ : Codebook
    layout_ : list of dict
        Which columns of a vector belong to which block and cell.
    """

    _kind: type[BlockParams]

    def __init_subclass__(cls, *, params, **rest):
        super().__init_subclass__(**rest)
        cls._kind = params
        cls.__init__ = _initialiser(params)  # type: ignore[method-assign]

    @classmethod
    def from_codebook(cls, codebook, *, jobs=1, threads=1, **options):
        """An encoder as if fitted, of a codebook fitted elsewhere.

        Parameters
        ----------
        codebook : Codebook
        jobs, threads : int
        **options
            Other parameters, such as ``power``.

        Returns
        -------
        VideoEncoder

        Raises
        ------
        DataError
            If the codebook is of another encoding, or an option is unknown or contradicts it.
        """
        if codebook.encoding != cls._kind.encoding:
            raise DataError(f"{cls.__name__} needs a codebook of {cls._kind.encoding}, got one of {codebook.encoding}")
        params = codebook.params_with(**options)
        encoder = cls(**vars(params), jobs=jobs, threads=threads)  # type: ignore[call-arg]
        return encoder._learnt(codebook, params)

    def fit(self, X, y=None):
        """Fit a codebook.

        Parameters
        ----------
        X : list of (n, d) arrays, Features, or paths
            At least two videos.
        y : sequence of str or int, optional
            Their classes; only stacked Fisher vectors learn from them.

        Returns
        -------
        VideoEncoder
            Itself.

        Raises
        ------
        DataError
            As `encoding.fitting.fit_codebook`.
        """
        params = self._params()
        inputs = Inputs.of(X, descriptors=params.descriptors)
        if y is not None and len(y) != len(inputs):
            raise DataError(f"every video has one class, got {len(y)} classes for {len(inputs)} videos")
        labels = None if y is None else dict(zip(inputs.names, map(str, y), strict=True))
        workers = {"jobs": self.jobs, "threads": self.threads}
        codebook = fit_inputs(inputs, inputs.names, params, labels=labels, **workers)
        return self._learnt(codebook, params)

    def transform(self, X):
        """Encode videos.

        Parameters
        ----------
        X : list of (n, d) arrays, Features, or paths
            Of the kind that it was fitted on.

        Returns
        -------
        (m, D) float32
            One row each; zero for a video without tracks.

        Raises
        ------
        DataError
            If the codebook does not fit the descriptors, or they are not finite.
        """
        check_is_fitted(self, "codebook_")
        params = self.codebook_.params_with(**vars(self._params()))
        inputs = Inputs.of(X, descriptors=tuple(self.codebook_.sizes))
        out = np.empty((len(inputs), width_of(layout_of(self.codebook_, params))), np.float32)
        found = encode(inputs, self.codebook_, params, jobs=self.jobs, threads=self.threads)
        for i, encoded in enumerate(found):
            out[i] = encoded.vector
        return out

    def _params(self):
        """The parameters, checked."""
        return self._kind(**{field.name: getattr(self, field.name) for field in dataclasses.fields(self._kind)})

    def _learnt(self, codebook, params):
        """Set the learned attributes."""
        self.codebook_ = codebook
        self.layout_ = layout_of(codebook, params)
        return self


def _initialiser(params):
    """An ``__init__`` that stores the fields of a parameter dataclass, ``jobs`` and ``threads``."""
    defaults = {field.name: field.default for field in dataclasses.fields(params)} | {"jobs": 1, "threads": 1}
    first, *others = defaults
    kinds = {first: inspect.Parameter.POSITIONAL_OR_KEYWORD, **dict.fromkeys(others, inspect.Parameter.KEYWORD_ONLY)}
    signature = inspect.Signature(
        [
            inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD),
            *(inspect.Parameter(name, kind, default=defaults[name]) for name, kind in kinds.items()),
        ]
    )

    def __init__(self, *args, **options):
        given = signature.bind(self, *args, **options)
        given.apply_defaults()
        for name in defaults:
            setattr(self, name, given.arguments[name])

    __init__.__signature__ = signature  # type: ignore[attr-defined]  # what scikit-learn reads the names from
    return __init__


class FisherEncoder(VideoEncoder, params=EncodingParams):
    """Videos to Fisher vectors; parameters as `EncodingParams`, the standard recipe."""


class BovwEncoder(VideoEncoder, params=BovwParams):
    """Videos to bags of visual words; parameters as `BovwParams`."""


class VladEncoder(VideoEncoder, params=VladParams):
    """Videos to VLAD; parameters as `VladParams`."""


class StackedEncoder(VideoEncoder, params=StackedParams):
    """Videos to stacked Fisher vectors beside plain ones; parameters as `StackedParams`. `fit` learns from classes."""
