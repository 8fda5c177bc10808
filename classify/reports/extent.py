"""Coverage of a data set by a run: numbers on part of a set are not comparable with those on the whole."""

SIZES = {
    "ucf101": (101, 3),
    "hmdb51": (51, 3),
    "ucf50": (50, 25),
    "ucf11": (11, 25),
    "hollywood2": (12, 1),
    "olympic": (16, 1),
    "jhmdb": (21, 3),
    "kth": (6, 1),
    "weizmann": (10, 9),
    "ut-interaction": (6, 20),
}
"""Data set → number of its classes and of its splits."""

CLIPS = {"ucf50": 6618}
"""Data set → number of its clips, where the reader cannot name the missing ones."""

NEGLIGIBLE = 0.01
"""Share of the clips that a run on the whole set may lack, because they change a result by no more than this."""


def covered_part(dataset, splits=None):
    """Return the part of a set that a run covers, if it does not cover all of it.

    Parameters
    ----------
    dataset : Dataset
    splits : int, optional
        Splits that were evaluated; those of ``dataset`` by default.

    Returns
    -------
    list of str
        Such as ``9 of 101 classes`` and ``1 of 3 splits``; empty for a run on the whole set. A share `NEGLIGIBLE` of
        the clips may be absent.

    Notes
    -----
    docs/method/protocols.md, section 3.
    """
    n_classes, n_splits = SIZES.get(dataset.name, (0, 0))
    count = len(dataset.clips)
    total = CLIPS.get(dataset.name, 0)
    if not total:
        # For UCF11 ``missing`` counts classes and groups, such as "2 of the 11 classes", and no clips.
        total = count + len(dataset.failed) + (0 if dataset.name == "ucf11" else len(dataset.missing))
    found = len(dataset.classes)
    splits = len(dataset.splits) if splits is None else splits
    part = [
        f"{covered} of {whole} {what}"
        for covered, whole, what in ((found, n_classes, "classes"), (splits, n_splits, "splits"))
        if covered < whole
    ]
    if count < (1 - NEGLIGIBLE) * total:
        part.append(f"{count} of {total} clips")
    return part
