"""Are two feature files the same? Dataset by dataset with its attributes; times and paths may differ."""

import h5py
import numpy as np


def datasets(path):
    """Every dataset of a feature file with its attributes."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: (item[()], dict(item.attrs))}) if hasattr(item, "dtype") else None
        )
    return found


def assert_same_datasets(one, other):
    """Compare two files."""
    first, second = datasets(one), datasets(other)
    assert first.keys() == second.keys()
    for name, (values, attributes) in first.items():
        np.testing.assert_array_equal(values, second[name][0], err_msg=name)
        assert attributes == second[name][1]


def assert_same_folders(one, other):
    """Compare the feature files of two folders, which must hold no other file but a summary of a run."""
    for folder in (one, other):
        names = {path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".h5"}
        assert names == {"summary.json"}, names
    first, second = (sorted(path.relative_to(folder) for path in folder.rglob("*.h5")) for folder in (one, other))
    assert first == second
    for name in first:
        assert_same_datasets(one / name, other / name)
