"""Model files: a trained classifier to and from HDF5.

Format ``idt-model``, version 1 (specification, "Codebook, vectors, model"): ``classes`` (c,) text, ``weights`` (k, d)
and ``biases`` (k,), where k = c, or 1 for two classes. Root attributes besides those of all our files: ``layout``,
``codebook`` and ``encoding`` (the JSON of the parameters) of the vectors it was trained on. A model serves only vectors
made in that way: others have the same shape often enough, and would be labelled with confidence.
"""

import json
from dataclasses import dataclass

import h5py
import numpy as np
from sklearn.utils.validation import check_is_fitted

from classify.params import check_penalty
from classify.svm import LinearSVM
from encoding.store import block_columns, check_layout, json_list
from idt import hdf5
from idt.errors import DataError

FORMAT = "idt-model"
VERSION = 1


@dataclass(frozen=True)
class Model:
    """A classifier and the vectors it is for.

    Attributes
    ----------
    classifier : LinearSVM
        Fitted; its classes are text.
    layout : list of dict
        As from `encoding.store.check_layout`.
    codebook : str
        Digest of the codebook.
    source : dict or None
        What it was trained on.
    encoding : dict or None
        Parameters that the vectors were encoded with; None if these were not recorded.
    """

    classifier: LinearSVM
    layout: list[dict]
    codebook: str
    source: dict | None = None
    encoding: dict | None = None

    def check(self, *, codebook, layout, encoding=None, name="the vectors"):
        """Refuse vectors that this model was not trained for.

        Parameters
        ----------
        codebook : str
            Digest of the vectors' codebook.
        layout : list of dict
            Their layout, outside blocks included.
        encoding : dict, optional
            Parameters that they were encoded with; compared if those of the model are known too.
        name : str
            What the message calls them.

        Raises
        ------
        DataError
            If codebook, layout or parameters differ; what differs is named, of both.
        """
        if codebook != self.codebook:
            raise DataError(
                f"{name} were made with codebook {codebook or 'none'}, the model was trained with"
                f" {self.codebook or 'none'}; encode the videos with the model's codebook"
            )
        if check_layout(layout) != self.layout:
            raise DataError(f"{name} hold {_brief(layout)}, the model was trained on {_brief(self.layout)}")
        ours, theirs = self.encoding or {}, encoding or {}
        differ = [key for key in ours if key in theirs and ours[key] != theirs[key]]
        if differ:
            made, trained = (", ".join(f"{key}={values[key]}" for key in differ) for values in (theirs, ours))
            raise DataError(f"{name} were encoded with {made}, the model was trained with {trained}; encode them alike")


def save(path, classifier, *, layout, codebook, source, encoding=None, overwrite=False):
    """Write a model file.

    Parameters
    ----------
    path : str or Path
    classifier : LinearSVM
        Fitted on labels that are text.
    layout : list of dict
        Of the vectors it was trained on, outside blocks included.
    codebook : str
        Digest of their codebook.
    source : dict or None
        What it was trained on, with its ``"digest"``.
    encoding : dict, optional
        Parameters that the vectors were encoded with.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    DataError
        If the labels are not text, the layout has another number of columns than the weights, or ``path`` exists and
        ``overwrite`` is false.
    OSError
        If the disk is full or ``path`` cannot be written; nothing is left then.
    """
    check_is_fitted(classifier)
    layout = check_layout(layout, classifier.n_features_in_)
    classes = classifier.classes_.tolist()
    if not all(isinstance(label, str) for label in classes):
        raise DataError(f"the labels of a model file must be text, got {classes[0]!r}; train with str labels")
    created = hdf5.create(
        path, format=FORMAT, version=VERSION, params=stored_params(classifier), source=source, overwrite=overwrite
    )
    with created as file:
        file.create_dataset("classes", data=classes, dtype=h5py.string_dtype())
        for name, values in (("weights", classifier.coef_), ("biases", classifier.intercept_)):
            # Little-endian on any machine.
            file.create_dataset(name, data=values, dtype=values.dtype.newbyteorder("<"))
        file.attrs["layout"] = json.dumps(layout)
        file.attrs["codebook"] = codebook
        file.attrs["encoding"] = json.dumps(hdf5.plain(encoding), sort_keys=True)


def stored_params(classifier):
    """What a model file records as ``params``: the options of the classifier, as a dict."""
    weight = classifier.class_weight
    if isinstance(weight, dict):
        weight = {str(label): float(factor) for label, factor in sorted(weight.items())}
    return {"C": float(classifier.C), "solver": classifier.solver, "class_weight": weight}


def load(path):
    """Read a model file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Model
        Its classifier gives the very scores of the one that was saved.

    Raises
    ------
    DataError
        If the file is of another format or version, damaged, or contradicts itself.
    OSError
        If it does not exist or cannot be read.
    """
    with hdf5.open_checked(path, format=FORMAT, versions=VERSION) as file:
        classes = hdf5.read(file, "classes", shape=(None,), dtype=str)
        if len(classes) < 2 or classes != sorted(set(classes)):
            raise DataError(f"{path}: classes must be two or more, sorted and all different, got {classes!r:.80}")
        count = 1 if len(classes) == 2 else len(classes)
        weights = hdf5.read(file, "weights", shape=(count, None), dtype=(np.float32, np.float64))
        biases = hdf5.read(file, "biases", shape=(count,), dtype=np.float64)
        if not (np.isfinite(weights).all() and np.isfinite(biases).all()):
            raise DataError(f"{path}: weights and biases must be finite, got NaN or infinity")
        params = hdf5.json_attribute(file, "params") or {}
        unknown = sorted({"C", "solver", "class_weight"} ^ set(params))
        if unknown:
            raise DataError(f"{path}: params must be C, solver and class_weight, differs in {', '.join(unknown)}")
        check_penalty(params["C"])
        classifier = LinearSVM(**params)
        classifier.classes_ = np.array(classes)
        classifier.coef_, classifier.intercept_ = weights, biases
        classifier.n_features_in_ = weights.shape[1]
        return Model(
            classifier,
            layout=check_layout(json_list(file, "layout"), weights.shape[1], name=f"{path}: layout"),
            codebook=hdf5.attribute(file, "codebook", str),
            source=hdf5.json_attribute(file, "source"),
            encoding=hdf5.json_attribute(file, "encoding"),
        )


def _brief(layout):
    """A layout in a few words: ``hog 5184, c3d 4096``."""
    return ", ".join(
        f"{block} {sum(part.stop - part.start for part in parts)}" for block, parts in block_columns(layout).items()
    )
