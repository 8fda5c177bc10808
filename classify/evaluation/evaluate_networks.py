"""Evaluation of networks by the protocol of our own evaluation, "the run": each alone, and fused with the run.

The score files of a network are aligned with the test videos of every split by name. They give a report of the same
form as the run's, in ``networks/NAME``. The late fusion with the run's own scores, by the default weights, lies in
``fused``.

Source: docs/method/fusion.md; docs/method/networks.md, section 5.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classify import metrics
from classify.evaluation.evaluate import check_files
from classify.evaluation.fold_plan import Places
from classify.evaluation.network_scores import OWN, folder_of, paths_of, rows_of, truth_of
from classify.evaluation.resume import earlier_report, equals_earlier
from classify.fusion import fuse, output, score_file
from classify.fusion.alignment.protocol import FusionProtocol
from classify.fusion.findings import pooled
from classify.fusion.scores import Scores
from classify.fusion.sources import Source, Stream
from classify.reports import report
from classify.reports.extent import SIZES
from classify.reports.markdown import METRIC_NAMES
from classify.reports.page.videos import tested_videos
from classify.reports.summary import Fold
from idt.files import locks
from idt.workers.run_options import RunOptions

FUSED = "fused"
"""Folder of the fusion."""


class NetworkEvaluation(NamedTuple):
    """Result of an evaluation of networks.

    Attributes
    ----------
    reports : dict of Path to dict
        The report of each network by its folder, as from `classify.reports.report.assemble`.
    fusion : dict
        The report of the fusion, as from `classify.fusion.report.make_report`.
    folder : Path
        Folder of the fusion.
    notes : list of str
        Reports and pictures that could not be written.
    """

    reports: dict[Path, dict]
    fusion: dict
    folder: Path
    notes: list[str]

    def lines(self):
        """Return the result as lines of text."""
        metric = METRIC_NAMES[self.fusion["metric"]]
        found = [
            f"{folder.name}: {METRIC_NAMES[made['metric']]} {100 * made['value']:.1f} %, {folder / 'report.md'}"
            for folder, made in self.reports.items()
        ]
        shares = " + ".join(f"{weight:.3g} {name}" for name, weight in self.fusion["weights"].items())
        return [*found, f"{shares}: {metric} {100 * self.fusion['value']:.1f} %, {self.folder / 'report.md'}"]


def check(dataset, output_folder, features, networks, *, overwrite=False):
    """Refuse outputs that are inputs, and outputs that would replace a report of other scores, before any work.

    Parameters
    ----------
    dataset : Dataset
    output_folder : str or Path
        Output folder of the run.
    features : str, Path or None
        Folder of the feature files, if it is not in the output folder.
    networks : list of Network
    overwrite : bool or collection of path
        Whether reports of other scores may be replaced, or which files may.

    Raises
    ------
    DataError
        If the evaluation would write to a file of a network, or an existing report is of other scores.
    OSError
        If it cannot be read.
    """
    output_folder, groups = Path(output_folder), _group_splits(dataset)
    sources = [network.source for network in networks]
    folders = [folder_of(output_folder, network.source.name) for network in networks]
    made = [folder / name for folder in folders for name in report.FILES]
    made += output.files_of(output_folder / FUSED, list(groups.indices), (), pool=groups.pool)[0]
    places = Places(output_folder, output_folder, output_folder)
    wanted = [(Path(features or output_folder / "features"), places)]
    check_files(dataset, wanted, read=paths_of(dataset, sources), beside=made, overwrite=overwrite)
    for network, folder in zip(networks, folders, strict=True):
        earlier_report(folder / "report.json", _settings(dataset, network), overwrite=overwrite)


def evaluate_networks(dataset, output_folder, networks, *, run=RunOptions()):
    """Report each network alone, and its fusion with an existing evaluation.

    Parameters
    ----------
    dataset : Dataset
        Without the clips that failed.
    output_folder : str or Path
        Output folder of the run.
    networks : list of Network
    run : RunOptions

    Returns
    -------
    NetworkEvaluation

    Raises
    ------
    DataError
        If an existing report has other settings, or a file that would be replaced was not made by this package.
    OSError
        If something cannot be read or written.
    """
    output_folder = Path(output_folder)
    own = [
        score_file.load(output_folder / "scores" / f"split{number}.h5")
        for number, _ in enumerate(dataset.splits, start=1)
    ]
    folder = output_folder / FUSED
    with locks.held(folders=[output_folder], say=run.say):
        reports, notes = {}, []
        for network in networks:
            home = folder_of(output_folder, network.source.name)
            made, written = _report(dataset, network, home, run)
            reports[home] = made
            notes += written
        fusion = _fused(dataset, own, networks)
        notes += output.write(folder, fusion, overwrite=run.overwrite).notes
    return NetworkEvaluation(reports, fusion.report, folder, list(dict.fromkeys(notes)))


class _SplitGroups(NamedTuple):
    """Groups of splits; the splits of a group are fused together.

    Attributes
    ----------
    indices : dict of str to list of int
        Name of the group → indices into ``Dataset.splits``.
    pool : bool
        Whether the videos of all groups are counted together.
    single : bool
        Whether each group is a single split.
    """

    indices: dict[str, list[int]]
    pool: bool
    single: bool


def _group_splits(dataset):
    """Group the splits for a fusion: by subset if there are several and one has several splits, else one by one."""
    subsets: dict[str, list[int]] = {}
    for place, split in enumerate(dataset.splits):
        subsets.setdefault(split.subset, []).append(place)
    several = 1 < len(subsets) < len(dataset.splits)
    groups = list(subsets.values()) if several else [[place] for place, _ in enumerate(dataset.splits)]
    indices = {str(number): group for number, group in enumerate(groups, start=1)}
    return _SplitGroups(indices, len(subsets) == 1 and len(dataset.splits) > 1, not several)


def _settings(dataset, network):
    """Return the settings that the numbers of a network depend on."""
    described = {"name": network.source.name, "files": network.source.paths, "digest": network.digest}
    return {"dataset": dataset.name, "protocol": dataset.protocol, "network": described}


def _report(dataset, network, folder, run):
    """Make the report of one network, and list the files that could not be written."""
    folds = [
        Fold(split, list(dataset.classes), rows_of(scores, split.test))
        for split, scores in zip(dataset.splits, network.splits, strict=True)
    ]
    settings = _settings(dataset, network)
    earlier = earlier_report(folder / "report.json", settings, overwrite=run.overwrite)
    made = report.assemble(dataset, folds, settings=settings, notes=network.notes)
    if equals_earlier(made, earlier) and not report.lacks_page(folder):
        return earlier, []
    # An earlier report in this folder is of the same scores, so it may be replaced.
    written = report.write(
        folder, made, videos=tested_videos(dataset, folds), overwrite=run.overwrite or earlier is not None
    )
    return made, written.notes


def _fused(dataset, own, networks):
    """Fuse the run's own scores with those of networks."""
    classes, groups = list(dataset.classes), _group_splits(dataset)

    def joined(splits, **facts):
        made = {}
        for number, places in groups.indices.items():
            names = [name for place in places for name in dataset.splits[place].test]
            values = np.concatenate([rows_of(splits[place], dataset.splits[place].test) for place in places])
            made[number] = Scores(values, names, classes, **facts)
        return made

    truths = {}
    for number, places in groups.indices.items():
        first, *others = (truth_of(dataset, dataset.splits[place]) for place in places)
        truths[number] = first if not others else replace(pooled([first, *others]), other_videos=())
    complete = [
        replace(one, values=metrics.scores_of_all_classes(one.values, one.classes, classes), classes=classes)
        for one in own
    ]
    sources = [Source(OWN, (Stream(joined(complete, kind="margins", path="scores", form=score_file.FORM)),))]
    for network in networks:
        facts = {"kind": network.splits[0].kind, "path": ", ".join(network.source.paths), "form": network.form}
        sources.append(Source(network.source.name, (Stream(joined(network.splits, **facts)),)))
    protocol = FusionProtocol(
        dataset=dataset.name if dataset.name in SIZES and groups.single else None,
        truths=truths,
        splits=tuple(groups.indices),
        pool=groups.pool,
    )
    return fuse.fuse(sources, protocol=protocol)
