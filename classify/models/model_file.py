"""Model files: a trained classifier to and from HDF5.

Format ``idt-model``, version 2 (docs/method/files.md, section 6): ``classes`` (c,) text and ``biases`` (k,), where
k = c, or 1 for two classes of which each video has one. A linear machine has ``weights`` (k, d); one with the χ² kernel
``support`` (s, d), ``dual`` (k, s) and ``scales``, one for each part of the layout. ``sigmoids`` (k, 2) are there if
probabilities were calibrated. Root attributes besides those of all our files: ``trained``, JSON of ``C`` and of
``several``, whether a video may have several classes; ``layout``, ``codebook`` and ``encoding`` (the JSON of the
parameters) of the vectors it was trained on. A model refuses vectors that were made otherwise, because such vectors
often have the same shape and would be labelled with confidence.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_is_fitted

from classify.params import CLASSIFIERS, check_penalty
from classify.svm.build import channels_of
from classify.svm.chi2 import Chi2SVM
from classify.svm.linear import LinearSVM
from classify.svm.one_vs_rest import SEED, OneVsRest
from encoding.vector_layout import block_columns, check_layout
from idt.checks import checked_range, checked_seed
from idt.errors import DataError
from idt.files import hdf5, result_file

FORMAT = "idt-model"
VERSION = 2

SCALES = (1e-80, 1e80)
"""Smallest and largest scale of the χ² kernel in a model file. Distances of float32 numbers lie far within."""


@dataclass(frozen=True)
class Model:
    """A classifier and the vectors it is for.

    Attributes
    ----------
    classifier : LinearSVM or Chi2SVM
        Fitted; its classes are text.
    layout : list of dict
        As from `encoding.vector_layout.check_layout`.
    codebook : str
        Digest of the codebook.
    source : dict or None
        Provenance of the training data.
    encoding : dict or None
        Parameters that the vectors were encoded with; None if these were not recorded.
    """

    classifier: OneVsRest
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
            Parameters of their encoding; compared if the parameters of the model are known, too.
        name : str
            Name of the vectors in the message.

        Raises
        ------
        DataError
            If codebook, layout or parameters differ; the message names both values.
        """
        if codebook != self.codebook:
            raise DataError(
                f"{name} were made with codebook {codebook or 'none'}, the model was trained with"
                f" {self.codebook or 'none'}; encode the videos with the model's codebook"
            )
        if check_layout(layout) != self.layout:
            raise DataError(
                f"{name} hold {_brief(layout)}, the model was trained on {_brief(self.layout)}; encode the same blocks"
            )
        ours, theirs = self.encoding or {}, encoding or {}
        differ = [key for key in ours if key in theirs and ours[key] != theirs[key]]
        if differ:
            made, trained = (", ".join(f"{key}={values[key]}" for key in differ) for values in (theirs, ours))
            raise DataError(f"{name} were encoded with {made}, the model was trained with {trained}; encode them alike")


def save_model(path, classifier, *, layout, codebook, source, encoding=None, overwrite=False):
    """Write a model file.

    Parameters
    ----------
    path : str or Path
    classifier : LinearSVM or Chi2SVM
        Fitted on labels that are text.
    layout : list of dict
        Layout of the vectors it was trained on, outside blocks included.
    codebook : str
        Digest of their codebook.
    source : dict or None
        Provenance of the training data, with its ``"digest"``.
    encoding : dict, optional
        Parameters that the vectors were encoded with.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

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
    created = result_file.create(
        path, format=FORMAT, version=VERSION, params=stored_params(classifier), source=source, overwrite=overwrite
    )
    with created as file:
        result_file.write_text(file, "classes", classes)
        for name, attribute in _arrays(classifier).items():
            result_file.write_array(file, name, getattr(classifier, attribute))
        result_file.set_json(file, "trained", {"C": classifier.C_, "several": classifier.multi_label_})
        result_file.set_json(file, "layout", layout)
        result_file.set_attribute(file, "codebook", codebook)
        result_file.set_json(file, "encoding", encoding)


def stored_params(classifier):
    """Return the options of ``classifier`` as a model file records them.

    The channels of the χ² kernel are left out, because the layout in the file gives them. The seed is recorded only
    if it is not the default, so that models with the default seed equal those of releases without this option.
    """
    linear = isinstance(classifier, LinearSVM)
    # By name, because a subclass may have options of its own.
    options = {name: getattr(classifier, name) for name in ("C", "class_weight", "probability")}
    weight, seed = options["class_weight"], classifier.random_state
    if isinstance(weight, dict):
        options["class_weight"] = {str(label): float(factor) for label, factor in sorted(weight.items())}
    if not isinstance(options["C"], str):
        options["C"] = float(options["C"])
    if seed != SEED:
        options["random_state"] = int(seed)
    return {"classifier": "linear" if linear else "chi2", **options}


def load_model(path):
    """Read a model file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Model
        Its classifier gives exactly the scores of the saved classifier.

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
        trained = hdf5.json_attribute(file, "trained") or {}
        multi_label = trained.get("several") is True
        count = 1 if len(classes) == 2 and not multi_label else len(classes)
        layout = check_layout(hdf5.json_attribute(file, "layout", list), name=f"{path}: layout")
        classifier = _built(file, path, layout)
        classifier.classes_, classifier.multi_label_ = np.array(classes), multi_label
        classifier.C_ = trained.get("C")
        check_penalty(classifier.C_)
        classifier.sigmoids_ = None
        _read_arrays(file, classifier, count, path)
        matrix = classifier.coef_ if isinstance(classifier, LinearSVM) else classifier.support_
        classifier.n_features_in_ = matrix.shape[1]
        return Model(
            classifier,
            layout=check_layout(layout, matrix.shape[1], name=f"{path}: layout"),
            codebook=hdf5.attribute(file, "codebook", str),
            source=hdf5.json_attribute(file, "source"),
            encoding=hdf5.json_attribute(file, "encoding"),
        )


def _arrays(classifier):
    """Map each dataset of a file to the attribute of the classifier that it holds."""
    found = {"biases": "intercept_"}
    if isinstance(classifier, LinearSVM):
        found["weights"] = "coef_"
    else:
        found |= {"support": "support_", "dual": "dual_coef_", "scales": "scales_"}
    return found | ({"sigmoids": "sigmoids_"} if classifier.probability else {})


def _built(file, path, layout):
    """Build the classifier of a file's options, without its numbers."""
    params = dict(hdf5.json_attribute(file, "params") or {})
    name = params.pop("classifier", None)
    if name not in CLASSIFIERS:
        raise DataError(f"{path}: classifier must be one of {', '.join(CLASSIFIERS)}, got {name!r}")
    blank = LinearSVM() if name == "linear" else Chi2SVM()
    unknown = sorted({*stored_params(blank)} ^ {"classifier", *params} - {"random_state"})
    if unknown:
        raise DataError(f"{path}: params must be those of a {name} classifier, differs in {', '.join(unknown)}")
    check_penalty(params["C"])
    checked_seed(params.get("random_state", SEED))
    if name == "chi2":
        params["channels"] = channels_of(layout)
    return blank.set_params(**params)


def _read_arrays(file, classifier, count, path):
    """Read the arrays of a classifier of ``count`` machines, and set its attributes."""
    both = (np.float32, np.float64)
    support = None
    if not isinstance(classifier, LinearSVM):
        support = hdf5.dataset(file, "support", shape=(None, None), dtype=both).shape[0]
    shapes = {
        "biases": ((count,), np.float64),
        "weights": ((count, None), both),
        "support": ((None, None), both),
        "dual": ((count, support), np.float64),
        "scales": ((len(classifier.channels or ()) if support is not None else None,), np.float64),
        "sigmoids": ((count, 2), np.float64),
    }
    for name, attribute in _arrays(classifier).items():
        shape, dtype = shapes[name]
        values = hdf5.read(file, name, shape=shape, dtype=dtype)
        if not np.isfinite(values).all():
            raise DataError(f"{path}: {name} must be finite, got NaN or infinity")
        if name == "scales":
            checked_range(values, *SCALES, f"{path}: scales")
        setattr(classifier, attribute, values)


def _brief(layout):
    """Describe a layout in a few words: ``hog 5184, c3d 4096``."""
    return ", ".join(
        f"{block} {sum(part.stop - part.start for part in parts)}" for block, parts in block_columns(layout).items()
    )
