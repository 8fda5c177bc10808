"""Base class of the encoders: videos in, a codebook fitted, one vector a video out.

A sample for scikit-learn is a video: a (n, d) array of descriptors, `Features`, or the path of a feature file. So ``X``
is a list of these, all of one kind. An encoder's parameters are the fields of its `BlockParams`, in scikit-learn's
words: ``n_components`` or ``n_clusters`` for ``k``, ``random_state`` for ``seed`` and so on.
"""

import contextlib
import dataclasses
import re
from typing import ClassVar

import joblib
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from encoding.descriptors.inputs import Inputs
from encoding.encode import encode, layout_of, width_of
from encoding.fitting import fit_inputs
from encoding.params import BlockParams
from idt.checks import checked_seed
from idt.errors import DataError, unknown_option
from idt.params.bounds import JOBS, THREADS

SKLEARN_NAMES = {"pca": "pca_column_share", "sample": "subsample", "seed": "random_state"}
"""Fields of `BlockParams` that have another name in scikit-learn's words."""


class VideoEncoder(TransformerMixin, BaseEstimator):
    """Base class of all encoders.

    The class of an encoding sets ``_params_type``, its `BlockParams`, and ``_own_names``. The latter is a dict from a
    field of the `BlockParams` to the encoder's parameter, for each field whose parameter has another name. Its
    ``__init__`` lists and stores every parameter. A class derived from an encoder needs none of these; if it adds
    parameters, its ``__init__`` stores them and calls the encoder's ``__init__``.

    Attributes
    ----------
    codebook_ : Codebook
    layout_ : list of dict
        Which columns of a vector belong to which block and cell: ``"block"``, ``"cell"``, ``"first"`` and ``"size"``.

    Notes
    -----
    docs/method/encoding.md, section 16.
    """

    _params_type: ClassVar[type[BlockParams]]
    _own_names: ClassVar[dict[str, str]]

    @classmethod
    def from_codebook(cls, codebook, *, n_jobs=1, threads=1, **options):
        """Make an encoder as if fitted, from a codebook fitted elsewhere.

        Parameters
        ----------
        codebook : Codebook
        n_jobs, threads : int
        **options
            Other parameters of the encoder, such as ``power``.

        Returns
        -------
        VideoEncoder

        Raises
        ------
        DataError
            If the codebook is of another encoding, or an option is unknown or contradicts it.
        """
        if codebook.encoding != cls._params_type.encoding:
            raise DataError(
                f"{cls.__name__} needs a codebook of {cls._params_type.encoding}, got one of {codebook.encoding}"
            )
        encoder = cls()
        fields = {encoder._own_name(field.name): field.name for field in dataclasses.fields(cls._params_type)}
        own = {word: value for word, value in options.items() if word not in fields}
        known = dict.fromkeys([*fields, *encoder.get_params(deep=False)])
        unknown = sorted(set(own) - set(known))
        if unknown:
            raise DataError(unknown_option(unknown[0], known))
        with encoder._in_own_names():
            params = codebook.params_with(**{fields[word]: options[word] for word in options if word in fields})
        # A subclass may have an initialiser of fewer parameters, so they are set one by one.
        for name, value in vars(params).items():
            setattr(encoder, encoder._own_name(name), value)
        for word, value in {**own, "n_jobs": n_jobs, "threads": threads}.items():
            setattr(encoder, word, value)
        return encoder._set_learnt(codebook, params)

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
            As `encoding.fit_codebook`, or if a parameter is wrong.
        OSError
            If a file cannot be read.
        """
        workers = self._workers()
        params = self.params()
        inputs = Inputs.of(X, descriptors=params.descriptors)
        if y is not None and len(y) != len(inputs):
            raise DataError(f"every video has one class, got {len(y)} classes for {len(inputs)} videos")
        labels = None if y is None else dict(zip(inputs.names, map(str, y), strict=True))
        with self._in_own_names():
            codebook = fit_inputs(inputs, inputs.names, params, labels=labels, **workers)
        return self._set_learnt(codebook, params)

    def transform(self, X):
        """Encode videos.

        Parameters
        ----------
        X : list of (n, d) arrays, Features, or paths
            Videos of the kind that the encoder was fitted on.

        Returns
        -------
        (m, D) float32
            One row for each video; zero for a video without tracks. A table after ``set_output(transform="pandas")``.

        Raises
        ------
        DataError
            If the codebook does not fit the descriptors, or they are not finite.
        NotFittedError
            If nothing is fitted.
        OSError
            If a file cannot be read.
        """
        check_is_fitted(self, "codebook_")
        workers = self._workers()
        with self._in_own_names():
            params = self.codebook_.params_with(**vars(self.params()))
        inputs = Inputs.of(X, descriptors=tuple(self.codebook_.sizes))
        out = np.empty((len(inputs), width_of(layout_of(self.codebook_, params))), np.float32)
        for row, encoded in zip(out, encode(inputs, self.codebook_, params, **workers), strict=True):
            row[:] = encoded.vector
        return out

    def get_feature_names_out(self, input_features=None):
        """Name the columns of a vector: block, cell and number, such as ``hog_whole_0``.

        Parameters
        ----------
        input_features : ignored
            A video has no columns.

        Returns
        -------
        (D,) object
            Cells are named as in ``layout_``: ``whole``, ``1x3x1[0,2,0]`` (column, row, time), ``stacked``.

        Raises
        ------
        NotFittedError
            If nothing is fitted.
        """
        check_is_fitted(self, "codebook_")
        layout = layout_of(self.codebook_, self.codebook_.params_with(**vars(self.params())))
        names = [f"{part['block']}_{part['cell']}_{i}" for part in layout for i in range(part["size"])]
        return np.array(names, dtype=object)

    def params(self):
        """Return the parameters in the words of the commands and files, checked.

        Returns
        -------
        BlockParams
            As `encoding.fit_codebook` takes them.

        Raises
        ------
        DataError
            If a parameter is wrong.
        """
        checked_seed(self.random_state)
        with self._in_own_names():
            return self._params_type(
                **{
                    field.name: getattr(self, self._own_name(field.name))
                    for field in dataclasses.fields(self._params_type)
                }
            )

    def _own_name(self, name):
        """Return the encoder's own name of a field of its `BlockParams`."""
        return self._own_names.get(name, name)

    @contextlib.contextmanager
    def _in_own_names(self):
        """Append the encoder's own parameters to error messages that name options of the commands."""
        try:
            yield
        except DataError as problem:
            message = str(problem)
            # A message names a parameter before "=", before "must" or at its end; elsewhere the word may be prose.
            named = [f"{word} for {name}" for name, word in self._own_names.items()
                     if re.search(rf"\b{name}\b(?==| must\b|$)", message)]  # fmt: skip
            said = f" ({type(self).__name__} says {', '.join(named)})" if named else ""
            raise DataError(message + said) from None

    def _workers(self):
        """Return the numbers of processes, as ``n_jobs`` means them in scikit-learn, and of threads."""
        if isinstance(self.n_jobs, bool) or not (self.n_jobs is None or isinstance(self.n_jobs, int | np.integer)):
            raise DataError(f"n_jobs must be an integer or None, got {self.n_jobs!r:.60}")
        if self.n_jobs == 0:
            raise DataError("n_jobs must be at least 1, or negative to count from all processors, got 0")
        jobs = JOBS.check("n_jobs", joblib.effective_n_jobs(self.n_jobs))
        return {"jobs": jobs, "threads": THREADS.check("threads", self.threads)}

    def _set_learnt(self, codebook, params):
        """Set the learned attributes."""
        self.codebook_ = codebook
        self.layout_ = layout_of(codebook, params)
        return self
