"""The files of a fusion: its report and the fused scores."""

from pathlib import Path

from classify.datasets.video_list import read_video_list
from classify.fusion import score_file
from classify.fusion.sources import path_for_split
from classify.fusion.write import SUFFIXES, form_of, write_scores
from classify.reports import fusion_report
from classify.reports.report import Written
from idt.errors import DataError
from idt.files import json_text, ownership, provenance

FUSED = "fused"
"""Name of the files of fused scores, without suffix."""

VARYING = ("tool", "versions")
"""Entries of a report that may differ between two runs of one fusion."""


def files_of(folder, splits, forms, *, pool):
    """Name the files that a fusion writes.

    Parameters
    ----------
    folder : str or Path
    splits : sequence of str
    forms : sequence of str
        Forms of the fused scores, besides that of this package.
    pool : bool
        Whether the videos of all splits lie in one file.

    Returns
    -------
    ours : list of Path
        The report, and fused scores in the format of this package, which records that it made them.
    others : list of Path
        Fused scores in the forms of others.
    """
    folder = Path(folder)
    names = [FUSED] if pool or len(splits) == 1 else [f"{FUSED}.split{split}" for split in splits]
    ours = [*(folder / name for name in fusion_report.FILES), *(folder / f"{name}.h5" for name in names)]
    kinds = dict.fromkeys(form_of("", form) for form in forms if form != score_file.FORM)
    return ours, [folder / f"{name}{_suffix(form)}" for form in kinds for name in names]


def _suffix(form):
    """Return the suffix of a form."""
    return next(suffix for suffix, of in SUFFIXES.items() if of == form)


def write(folder, fusion, *, forms=(), values_as=None, order=None, overwrite=False):
    """Write the report and the fused scores.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there.
    fusion : Fusion
    forms : sequence of str
        Forms of the fused scores besides that of this package.
    values_as : str, optional
        Conversion of the scores in these forms, one of `classify.fusion.write.CONVERSIONS`.
    order : str, optional
        List of videos whose order the files in these forms have; may hold ``{split}``.
    overwrite : bool or collection of path
        Replace an existing report of this package, and files that the collection names.

    Returns
    -------
    Written
        No files if the same fusion is there already.

    Raises
    ------
    DataError
        If another report exists and ``overwrite`` is false, or a file that would be replaced was not made by this
        package.
    OSError
        If something cannot be written.
    """
    folder, report = Path(folder), fusion.report
    final = folder / "report.json"
    splits = [split["name"] for split in report["per_split"]]
    ours, others = files_of(folder, splits, forms, pool=report["pooled"])
    if final.exists() and not overwrite:
        needed = [path for path in (*ours, *others) if path.suffix not in fusion_report.OPTIONAL]
        if _says_the_same(report, final) and all(path.exists() for path in needed):
            return Written([], [])
        ownership.check_replaceable(final, overwrite)
    fused_scores = fusion.scores()
    lists = [order and read_video_list(path_for_split(order, split)) for split in splits[: len(fused_scores)]]
    folder.mkdir(parents=True, exist_ok=True)
    # Files in the forms of others come first: they do not record who made them, so an existing one is refused only when
    # it is written.
    for place, path in enumerate(others):
        split = place % len(fused_scores)
        form = SUFFIXES[path.suffix]
        write_scores(
            path, fused_scores[split], form=form, values_as=values_as, video_list=lists[split], overwrite=overwrite
        )
    scores = [path for path in ours if path.suffix == ".h5"]
    for path, fused in zip(scores, fused_scores, strict=True):
        write_scores(path, fused, form=score_file.FORM, overwrite=overwrite or True)
    written = fusion_report.write(folder, report, overwrite=overwrite)
    return Written([*others, *scores, *written.paths], written.notes)


def _says_the_same(report, path):
    """Tell whether the existing report equals ``report`` in all entries but `VARYING`."""
    try:
        earlier = json_text.load(path)
    except DataError:
        return False
    if not isinstance(earlier, dict):
        return False
    now, before = ({key: value for key, value in one.items() if key not in VARYING} for one in (report, earlier))
    return provenance.as_json_values(now) == before
