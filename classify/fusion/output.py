"""The files of a fusion: its report and the fused scores."""

from pathlib import Path

from classify.fusion import score_file
from classify.reports import fusion_report
from classify.reports.report import Written
from classify.text_files import write_scores
from idt.errors import DataError
from idt.files import json_text, ownership, provenance

FUSED = "fused"
"""Name of the files of fused scores, without suffix."""

SUFFIXES = {score_file.FORM: ".h5", "csv": ".csv"}

VARYING = ("tool", "versions")
"""Entries of a report that may differ between two runs of one fusion."""


def files_of(folder, splits, forms, *, pool):
    """Name the files that a fusion writes.

    Parameters
    ----------
    folder : str or Path
    splits : sequence of str
    forms : sequence of str
        Of the fused scores, besides that of this package.
    pool : bool
        Whether the videos of all splits lie in one file.

    Returns
    -------
    list of Path
    """
    folder = Path(folder)
    names = [FUSED] if pool or len(splits) == 1 else [f"{FUSED}.split{split}" for split in splits]
    scores = [folder / f"{name}{SUFFIXES[form]}" for name in names for form in _forms(forms)]
    return [*(folder / name for name in fusion_report.FILES), *scores]


def _forms(forms):
    """All forms, that of this package first."""
    unknown = [form for form in forms if form not in SUFFIXES]
    if unknown:
        raise DataError(f"unknown form {unknown[0]}; known are {', '.join(SUFFIXES)}")
    return list(dict.fromkeys((score_file.FORM, *forms)))


def write(folder, fusion, *, forms=(), overwrite=False):
    """Write the report and the fused scores.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there.
    fusion : Fusion
    forms : sequence of str
        Forms of the fused scores besides that of this package.
    overwrite : bool or collection of path
        Replace a report of ours that is there, and files that the collection names.

    Returns
    -------
    Written
        Of a fusion that is there already no files.

    Raises
    ------
    DataError
        If another report is there and ``overwrite`` is false, or a file in the way is not ours.
    OSError
        If something cannot be written.
    """
    folder, report = Path(folder), fusion.report
    final = folder / "report.json"
    splits = [split["name"] for split in report["per_split"]]
    files = files_of(folder, splits, forms, pool=report["pooled"])
    if final.exists() and not overwrite:
        if _is_repeated(report, final) and all(path.exists() for path in files if path.suffix != ".png"):
            return Written([], [])
        ownership.refuse(final, overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    every = [path for path in files if path.name not in fusion_report.FILES]
    kept = fusion.scores()
    each = [(scores, form) for scores in kept for form in _forms(forms)]
    for path, (scores, form) in zip(every, each, strict=True):
        if form == score_file.FORM:
            score_file.save(path, scores, source={"kind": "fusion"}, overwrite=overwrite or True)
        else:
            write_scores(path, scores.names, scores.values, scores.classes, overwrite=overwrite)
    written = fusion_report.write(folder, report, overwrite=overwrite)
    return Written([*every, *written.paths], written.notes)


def _is_repeated(report, path):
    """Whether the report that is there says the same."""
    try:
        earlier = json_text.load(path)
    except DataError:
        return False
    if not isinstance(earlier, dict):
        return False
    now, before = ({key: value for key, value in one.items() if key not in VARYING} for one in (report, earlier))
    return provenance.plain(now) == before
