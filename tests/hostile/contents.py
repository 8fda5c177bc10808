"""All that our readers give back of a small file of every kind, as values that can be compared."""

import dataclasses
from pathlib import Path

import numpy as np

from classify.fusion import score_file
from classify.models import model_file
from encoding.codebook import Codebook
from encoding.vectors_file import load_vectors
from idt.features import feature_file


def content(path):
    """What a file holds, by the reader that its name says."""
    return flat(READERS[Path(path).stem.partition("-")[0]](path))


def flat(value):
    """A value as nested tuples of plain ones; arrays by their bytes."""
    if isinstance(value, np.ndarray):
        return str(value.dtype), value.shape, value.tobytes() if value.dtype != object else value.tolist()
    if isinstance(value, dict):
        return tuple((key, flat(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(map(flat, value))
    if dataclasses.is_dataclass(value) or hasattr(value, "__dict__"):
        return type(value).__name__, flat(dict(vars(value)))
    return repr(value)


def _scores(path):
    return score_file.load_details(path, names=["a", "b"], classes=["x", "y"], probability=False)


READERS = {
    **dict.fromkeys(("plain", "compact", "projected", "foreign", "float32"), feature_file.load),
    **dict.fromkeys(("codebook", "stacked"), Codebook.load),
    "vectors": load_vectors,
    "scores": _scores,
    **dict.fromkeys(("model", "chi2"), model_file.load_model),
}
