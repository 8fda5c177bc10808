"""A classifier from the options of a command."""

from classify.svm.chi2 import Chi2SVM
from classify.svm.linear import LinearSVM


def build_classifier(params, layout=None, threads=1):
    """Build the classifier that the options describe, not yet trained.

    Parameters
    ----------
    params : ClassifierParams
    layout : list of dict, optional
        Layout of the vectors, as `encoding.vector_layout.check_layout` describes. The χ² kernel takes each part as a
        channel.
    threads : int

    Returns
    -------
    LinearSVM or Chi2SVM
    """
    options = {
        "C": params.C,
        "class_weight": None if params.class_weight == "none" else params.class_weight,
        "probability": params.probability,
        "n_jobs": threads,
    }
    if params.classifier == "linear":
        return LinearSVM(**options)
    return Chi2SVM(channels=None if layout is None else channels_of(layout), **options)


def channels_of(layout):
    """Return the parts of a layout as channels of the χ² kernel.

    Parameters
    ----------
    layout : list of dict
        Parts of the vectors, or some of them.

    Returns
    -------
    list of (int, int)
        First and last column, exclusive, of each channel; the channels are adjacent.
    """
    channels, first = [], 0
    for part in layout:
        channels.append((first, first + part["size"]))
        first += part["size"]
    return channels
