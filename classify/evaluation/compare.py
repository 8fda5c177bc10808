"""Evaluation of several recipes on one data set; features, codebooks and vectors that they share are made once.

Recipes with the same extraction share features, recipes with the same fit share codebooks, and recipes with the same
encoding share vectors; a recipe that only changes the classifier needs only a training. Every recipe has its own
report, in ``rows``, and a line of the table (`classify.reports.comparison_table`), which is written anew after each new
recipe. A run that was interrupted goes on where it stopped. If a recipe cannot be evaluated, the table says why and the
others go on.
"""

import dataclasses
import hashlib
import json
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from classify.evaluation.evaluate import check_files, evaluate_prepared
from classify.evaluation.fold_plan import Places
from classify.evaluation.prepare_features import prepare
from classify.evaluation.resume import earlier_report, settings_of
from classify.reports import comparison_table
from classify.reports.comparison_table import Row
from classify.reports.report import PAGE, Written
from idt.errors import DataError
from idt.files import locks, provenance
from idt.workers.run_options import RunOptions


class Comparison(NamedTuple):
    """Result of a comparison.

    Attributes
    ----------
    rows : list of Row
    written : Written
        The table, and what could not be written.
    failed : dict of str to str
        Clips that could not be extracted, and why.
    up_to_date : bool
        Whether the files of an earlier run were up to date, so that nothing was done.
    """

    rows: list[Row]
    written: Written
    failed: dict[str, str]
    up_to_date: bool


def compare(dataset, recipes, output, *, features=None, run=RunOptions(), on_outcome=None, on_row=None, read=()):
    """Evaluate a data set by several recipes.

    Parameters
    ----------
    dataset : Dataset
        As from `classify.datasets.registry.read_dataset`.
    recipes : list of Recipe
        As from `classify.evaluation.recipes.read_recipes`.
    output : str or Path
        Folder of all files that the comparison makes; feature files may lie elsewhere.
    features : str or Path, optional
        Folder of the feature files of the first recipe's extraction; by default ``features`` in the output. Features
        of other extractions lie beside it, in folders named after the options that differ.
    run, on_outcome
        As `classify.evaluation.evaluate.evaluate`.
    on_row : callable, optional
        Called with the `Row` of every recipe when it is done.
    read : iterable of path
        Files that are read besides the data set, such as the file of the recipes: no output may be one of them.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        If two recipes have the same name, an existing row has other settings, an output would replace an input or a
        file that this package did not make, or no clip can be used.
    OSError
        If something cannot be read or written.
    """
    output = Path(output)
    folders = _folders(recipes, output / "rows")
    first = Path(features or output / "features")
    feature_folders = {
        recipe.extraction: _features_folder(first, recipes[0].extraction, recipe.extraction) for recipe in recipes
    }
    all_places = [_places(recipe, output, folder) for recipe, folder in zip(recipes, folders, strict=True)]
    wanted = [(feature_folders[recipe.extraction], places) for recipe, places in zip(recipes, all_places, strict=True)]
    table = [output / name for name in comparison_table.FILES]
    check_files(dataset, wanted, read=read, beside=table, overwrite=run.overwrite)
    for recipe, folder in zip(recipes, folders, strict=True):
        settings = settings_of(_dataset_for(recipe, dataset), **_options(recipe))
        earlier_report(folder / "report.json", settings, overwrite=run.overwrite)
    with locks.held(folders=[output, *feature_folders.values()], say=run.say):
        return _compare(dataset, recipes, output, wanted, run=run, on_outcome=on_outcome, on_row=on_row)


def _compare(dataset, recipes, output, wanted, *, run, on_outcome, on_row):
    """Evaluate each recipe; ``wanted`` holds its folder of features and its `Places`."""
    prepared, rows, pages, up_to_date = {}, [], {}, True
    for recipe, (home, places) in zip(recipes, wanted, strict=True):
        if recipe.extraction not in prepared:
            prepared[recipe.extraction] = prepare(dataset, home, recipe.extraction, run=run, on_outcome=on_outcome)
        ready = prepared[recipe.extraction]
        ready = dataclasses.replace(ready, dataset=_dataset_for(recipe, ready.dataset))
        try:
            found = evaluate_prepared(ready, places, recipe.encoding, recipe.classifier, run=run)
        except DataError as problem:
            rows.append(Row(recipe.name, None, " ".join(str(problem).split())))
        else:
            rows.append(Row(recipe.name, found.report))
            if (places.scores / PAGE).exists():
                pages[recipe.name] = quote(f"{places.scores.relative_to(output).as_posix()}/{PAGE}")
            if not found.up_to_date:
                up_to_date = False
                comparison_table.write(output, rows, pages=pages, overwrite=run.overwrite)
        if on_row is not None:
            on_row(rows[-1])
    written = comparison_table.write(output, rows, pages=pages, overwrite=run.overwrite)
    failed = {name: reason for ready in prepared.values() for name, reason in ready.failed.items()}
    return Comparison(rows, written, failed, up_to_date)


def _options(recipe):
    return {key: value for key, value in recipe._asdict().items() if key not in ("name", "outside")}


def _dataset_for(recipe, dataset):
    """Return the data set, without outside vectors if the recipe goes without."""
    return dataset if recipe.outside else dataclasses.replace(dataset, outside=())


def _folders(recipes, home):
    """Return a folder for each recipe, named after the recipe."""
    folders = [home / _slug(recipe.name) for recipe in recipes]
    for i, folder in enumerate(folders):
        if folder in folders[:i]:
            other = recipes[folders.index(folder)].name
            raise DataError(f"the recipes {other!r} and {recipes[i].name!r} have one folder, {folder}; rename one")
    return folders


def _features_folder(folder, first, extraction):
    """Return ``folder`` for the first extraction, else a folder beside it named after the options that differ."""
    before, now = dataclasses.asdict(first), dataclasses.asdict(extraction)
    differ = [f"{name}={value}" for name, value in now.items() if value != before[name]]
    return folder.with_name(f"{folder.name}-{_slug('-'.join(differ))}") if differ else folder


def _places(recipe, output, folder):
    """Name the folders of a recipe's codebooks, vectors and scores; shared ones are named after their parameters."""
    encoding, extraction = recipe.encoding, dataclasses.asdict(recipe.extraction)
    fitted = _digest([extraction, encoding.encoding, encoding.fitting()])
    encoded = _digest([extraction, encoding.encoding, dataclasses.asdict(encoding)])
    return Places(
        output / "codebooks" / f"{encoding.encoding}-{fitted}",
        output / "vectors" / f"{encoding.encoding}-{encoded}",
        folder,
    )


def _digest(values):
    return hashlib.sha256(json.dumps(provenance.as_json_values({"of": values}), sort_keys=True).encode()).hexdigest()[
        :12
    ]


def _slug(text):
    """Return a text without characters that a file system may refuse."""
    return re.sub(r"[^\w.=,+-]+", "-", text).strip("-.")[:80] or "recipe"
