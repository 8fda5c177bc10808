"""The report of a fusion as one dictionary, ready for JSON."""

from classify.fusion import findings
from classify.fusion.combining.weights import weighted_sum
from classify.reports.extent import NEGLIGIBLE, SIZES
from classify.reports.published import published
from classify.reports.report import versions
from idt.errors import DataError
from idt.files.marks import TOOL

BIASED = "the weights were chosen on the test videos, so that this accuracy is too high: do not quote it"


def make_report(sources, protocol, fused, classical, origin):
    """Make the report of a fusion.

    Parameters
    ----------
    sources : list of Source
    protocol : FusionProtocol
    fused : list of Fused
        One a split.
    classical : list of str
        Sources that are dense trajectories; empty unless there are networks, too.
    origin : str
        A key of `classify.reports.fusion_markdown.ORIGINS`.

    Returns
    -------
    dict
        ``accuracy`` and the other numbers of `findings.measure_splits`; ``sources`` by name, each with its own numbers;
        ``weights`` and ``norms`` by name, weights as the mean over the splits; ``before``, the fusion of all sources
        but the trajectories, or the best source alone where all are of one kind; ``gain`` of each class over
        ``before``; ``corrected`` and ``spoiled`` videos; ``curve`` over the weight of ``curve_of``.
    """
    gathered = [each.gathered for each in fused]
    truths, pool = [split.truth for split in gathered], protocol.pool
    weights = [each.weights for each in fused]
    names = [source.name for source in sources]
    multi_label = truths[0].multi_label
    metric = findings.PRECISION_KEY if multi_label else findings.ACCURACY_KEY
    alone = {name: [split.raw[name] for split in gathered] for name in names}
    numbers = {name: findings.measure_splits(truths, alone[name], pool=pool) for name in names}
    scores = [each.scores for each in fused]
    together = findings.measure_splits(truths, scores, pool=pool)
    before_sources = [name for name in names if name not in classical] if classical else [_best(names, numbers, metric)]
    before = [
        weighted_sum(split.scaled, findings.weight_shares(given, before_sources))
        for split, given in zip(gathered, weights, strict=True)
    ]
    corrected, spoiled = findings.changed_videos(gathered, before, scores)
    was, now = (findings.class_shares(truths, values, pool=pool) for values in (before, scores))
    group = classical or names[:1]
    return {
        "tool": TOOL,
        "dataset": protocol.dataset or "",
        "videos": sum(len(truth.names) for truth in truths),
        "classes": truths[0].classes,
        "labels_from": list(dict.fromkeys(truth.origin for truth in truths)),
        "metric": metric,
        "value": together[metric],
        **{key: value for key, value in together.items() if key != "per_split"},
        "pooled": pool,
        "sources": {
            source.name: _source(source, numbers[source.name], gathered, weights, truths, alone, pool)
            for source in sources
        },
        "weights": {name: _mean(given[name] for given in weights) for name in names} if origin != "svm" else {},
        "weights_from": origin,
        "norms": {source.name: _norm(source.name, gathered) for source in sources},
        "trajectories": classical,
        "before": {
            "sources": before_sources,
            **{
                key: value
                for key, value in findings.measure_splits(truths, before, pool=pool).items()
                if key not in ("interval", "per_split")
            },
        },
        "per_class": now,
        "per_class_before": was,
        "gain": {label: None if now[label] is None or was[label] is None else now[label] - was[label] for label in now},
        "corrected": corrected,
        "spoiled": spoiled,
        "curve_of": group,
        "curve": [] if origin == "svm" else findings.weight_curve(gathered, weights, group, pool=pool),
        "per_split": [
            {
                "name": split.split,
                "videos": len(split.truth.names),
                **mine,
                "weights": given if origin != "svm" else {},
                "sources": {name: numbers[name]["per_split"][place][metric] for name in names},
            }
            for place, (split, mine, given) in enumerate(zip(gathered, together["per_split"], weights, strict=True))
        ],
        "part": _part(protocol.dataset, gathered),
        "missing": list(dict.fromkeys(_left_out(gathered))),
        "notes": _notes(gathered, classical, origin),
        "published": [entry._asdict() for entry in published(protocol.dataset or "")],
        "versions": versions(),
    }


def _source(source, numbers, gathered, weights, truths, alone, pool):
    """Make the entry of one source in the report."""
    facts = [split.facts[source.name] for split in gathered]
    rules: dict[str, int] = {}
    for each in facts:
        for rule, count in each.rules.items():
            rules[rule] = rules.get(rule, 0) + count
    return {
        **{key: value for key, value in numbers.items() if key != "per_split"},
        "files": [
            f"{stream.title}*{stream.weight:g}" if len(source.streams) > 1 else stream.title
            for stream in source.streams
        ],
        "forms": list(dict.fromkeys(form for each in facts for form in each.forms)),
        "weight": _mean(given[source.name] for given in weights),
        "norm": facts[0].norm,
        "matched": rules,
        "columns": list(dict.fromkeys(how for each in facts for how in each.columns_found)),
        "notes": list(dict.fromkeys(note for each in facts for note in each.notes)),
        "per_class": findings.class_shares(truths, alone[source.name], pool=pool),
    }


def _left_out(gathered):
    """List the videos that are left out.

    A video that a source lacks is listed once for each split in which the source lacks it. A video without a label in
    any split is listed once.
    """
    tested = {name for split in gathered for name in split.truth.names}
    unlabelled = dict.fromkeys(name for split in gathered for name in split.unlabelled if name not in tested)
    return [*(name for split in gathered for name in split.missing), *unlabelled]


def _part(dataset, gathered):
    """Return the part of a data set that is covered, as `classify.reports.extent.covered_part` does."""
    classes, splits = SIZES.get(dataset or "", (0, 0))
    found, gone = len(gathered[0].truth.classes), len(_left_out(gathered))
    total = gone + sum(len(split.truth.names) for split in gathered)
    part = [
        f"{there} of {whole} {what}"
        for there, whole, what in ((found, classes, "classes"), (len(gathered), splits, "splits"))
        if there < whole
    ]
    return [*part, f"{total - gone} of {total} clips"] if gone > NEGLIGIBLE * total else part


def _norm(name, gathered):
    """Return the normalisation of a source, which must be one for all splits."""
    found = list(dict.fromkeys(split.facts[name].norm for split in gathered))
    if len(found) > 1:
        raise DataError(
            f"{name} holds probabilities in some splits and others not, so that auto means {' and '.join(found)}; give"
            f" its norm, --norm {name}={found[0]}"
        )
    return found[0]


def _best(names, numbers, metric):
    return max(names, key=lambda name: numbers[name][metric])


def _mean(values):
    values = list(values)
    return float(sum(values) / len(values))


def _notes(gathered, classical, origin):
    """List remarks that a reader must know to judge the numbers."""
    notes = []
    if origin == "test":
        notes.append(BIASED)
    if origin == "default" and not classical:
        notes.append(
            "the weights are equal, because no name says which sources are dense trajectories and which networks"
        )
    gone = len(_left_out(gathered))
    if gone:
        notes.append(
            f"{gone} videos were left out, because a source or the labels lack them: the numbers are not of the whole"
            " test"
        )
    return notes
