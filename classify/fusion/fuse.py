"""Late fusion of the scores of several classifiers, with the accuracy of each and of all together.

1. The files of every source are read (`classify.fusion.read`) and aligned by the names of videos and classes.
2. The streams of a source are added, and its scores normalised.
3. Weights are given, the default, or searched for on validation videos; or an SVM is trained on these.
4. The weighted scores of every video are added; `classify.fusion.findings` measures them.

Source: docs/method/fusion.md.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from classify.fusion import findings, output
from classify.fusion.alignment.names import match
from classify.fusion.alignment.protocol import FusionProtocol
from classify.fusion.alignment.truth import TRAIN
from classify.fusion.combining.stacking import PENALTY, stacking_scores
from classify.fusion.combining.weights import (
    checked_weights,
    classical_sources,
    default_weights,
    searched_weights,
    weighted_sum,
)
from classify.fusion.gather import MISSING, REFUSE, Gathered, gather
from classify.fusion.report import make_report
from classify.fusion.scores import Scores
from classify.fusion.sources import Source, Stream, parse_source
from classify.text_files import listed
from idt.errors import DataError, short_repr

DEFAULT, GIVEN, VALIDATION, TEST, SVM = "default", "given", "validation", "test", "svm"
"""Origins of weights."""


@dataclass(frozen=True)
class Fused:
    """Scores of one split after fusion.

    Attributes
    ----------
    gathered : Gathered
    scores : (n, C) float64
    weights : dict of str to float
        Weight of each source. For ``svm`` the default weights, because the SVM has a weight for each column and class.
    """

    gathered: Gathered
    scores: np.ndarray
    weights: dict[str, float]


@dataclass(frozen=True)
class Fusion:
    """Result of a fusion.

    Attributes
    ----------
    splits : list of Fused
    report : dict
        As `classify.reports.fusion_report.write` takes it: ``accuracy``, ``sources``, ``weights``, ….
    """

    splits: list[Fused]
    report: dict

    @property
    def accuracy(self):
        """Share of the videos that are labelled rightly; None where videos have several labels."""
        return self.report.get(findings.ACCURACY_KEY)

    def __repr__(self):
        """Show the metric of each source alone and of the fusion."""
        metric = self.report["metric"]
        alone = ", ".join(f"{name} {100 * source[metric]:.2f}" for name, source in self.report["sources"].items())
        return f"Fusion({alone}; fused {100 * self.report['value']:.2f} % {metric})"

    def write(self, folder, *, forms=(), overwrite=False):
        """Write the report and the fused scores.

        Parameters
        ----------
        folder : str or Path
        forms : sequence of str
            Forms of others, one of `classify.fusion.write.WRITERS` each, in which the scores are written, too.
        overwrite : bool or collection of path
            Replace an existing report of this package, and files that the collection names.

        Returns
        -------
        Written

        Raises
        ------
        DataError, OSError
            As `classify.fusion.output.write`.
        """
        return output.write(folder, self, forms=forms, overwrite=overwrite)

    def scores(self):
        """Return the fused scores, one `Scores` for each split, or one of all if they are counted together."""
        kept = [
            Scores(
                each.scores,
                each.gathered.truth.names,
                each.gathered.truth.classes,
                each.gathered.truth.has_class if each.gathered.truth.multi_label else each.gathered.truth.labels,
                split=int(each.gathered.split) if each.gathered.split.isdigit() else None,
            )
            for each in self.splits
        ]
        if not self.report["pooled"] or len(kept) == 1:
            return kept
        joined = (np.concatenate([getattr(one, field) for one in kept]) for field in ("values", "labels"))
        values, labels = joined
        names = [name for one in kept for name in one.names or ()]
        return [Scores(values, names, kept[0].classes, labels)]


def fuse(
    sources, *, protocol=None, norm="auto", weights=None, validation=None, missing=REFUSE, C=PENALTY, on_split=None
):
    """Fuse the scores of several classifiers.

    Parameters
    ----------
    sources : dict of str to object, or list of Source
        Name → its scores: a path, the text ``iframe.npz*2+mv.npz``, `Scores`, a list of paths or `Scores` and weights,
        or a `Source`. ``{split}`` in a path is replaced by the split.
    protocol : FusionProtocol, optional
        Videos, labels and splits. By default there is one split, and one of the files carries labels.
    norm : str or dict of str to str
        One of `classify.params.NORMS` for all sources that are no `Source`, or one for each name.
    weights : dict of str to float or {"search", "svm", "test"}, optional
        Weight of each source; by default 0.25 for trajectories and 0.75 for all networks, or equal ones. "search" finds
        them on the validation videos, "svm" trains an SVM there, and "test" finds them on the test videos, which makes
        the accuracy too high.
    validation : like sources, optional
        Scores of the same sources on validation videos.
    missing : {"refuse", "drop"}
        Whether videos that a source lacks are refused or left out.
    C : float or "cv"
        Penalty of the SVM; "cv" chooses it by cross-validation.
    on_split : callable, optional
        Called with the name of each split when it is done.

    Returns
    -------
    Fusion

    Raises
    ------
    DataError
        If there are fewer than two sources, a file does not fit the others or the labels, or an option is wrong.
    OSError
        If a file cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from classify.fusion.scores import Scores
    >>> a = Scores(np.array([[2.0, 1.0], [0.5, 0.0]]), ["v", "w"], ["run", "walk"], np.array([0, 1]))
    >>> b = Scores(np.array([[0.0, 3.0], [2.0, 1.0]]), ["w", "v"], ["run", "walk"])
    >>> fuse({"idt": a, "cnn": b}).accuracy
    1.0
    """
    protocol = protocol or FusionProtocol()
    sources = _sources(sources, norm, protocol)
    if len(sources) < 2:
        raise DataError(f"a fusion needs at least two sources, got {len(sources)}")
    if missing not in MISSING:
        raise DataError(f"missing must be one of {', '.join(MISSING)}, got {short_repr(missing)}")
    names = [source.name for source in sources]
    origin = _origin(weights)
    held_out_sources = _validation_sources(validation, sources, norm, protocol, origin)
    given = checked_weights(weights, names) if origin == GIVEN else None
    fused: list[Fused] = []
    classical: list[str] = []
    for split in protocol.splits:
        found = gather(sources, split, protocol, missing=missing)
        if fused and found.truth.classes != fused[0].gathered.truth.classes:
            found = gather(sources, split, protocol, missing=missing, classes=fused[0].gathered.truth.classes)
        classical = classical_sources(names, {name: facts.forms for name, facts in found.facts.items()})
        start = given or default_weights(names, classical)
        held_out = held_out_sources and _held_out(held_out_sources, found, protocol, missing)
        fused.append(_fused(found, start, origin, held_out, C))
        if on_split is not None:
            on_split(split)
    return Fusion(fused, make_report(sources, protocol, fused, classical, origin))


def _origin(weights):
    """Return the origin of the weights, such as `DEFAULT`."""
    if weights is None:
        return DEFAULT
    if isinstance(weights, dict):
        return GIVEN
    known = {"search": VALIDATION, "svm": SVM, "test": TEST}
    if not isinstance(weights, str) or weights not in known:
        raise DataError(
            f"weights must be a number for each source, or one of {', '.join(known)}, got {short_repr(weights)}"
        )
    return known[weights]


def _sources(sources, norm, protocol):
    """Convert the sources that a caller gives to a list of `Source`."""
    if not isinstance(sources, dict):
        found = list(sources)
    else:
        found = [_source(str(name), given, protocol) for name, given in sources.items()]
        norms = norm if isinstance(norm, dict) else dict.fromkeys((source.name for source in found), norm)
        names = [source.name for source in found]
        unknown = [name for name in norms if name not in names]
        if unknown:
            raise DataError(f"norm names {short_repr(unknown[0])}, which is no source; sources are {', '.join(names)}")
        found = [
            source if isinstance(sources[source.name], Source) else replace(source, norm=norms.get(source.name, "auto"))
            for source in found
        ]
    twice = sorted({source.name for source in found if [one.name for one in found].count(source.name) > 1})
    if twice:
        raise DataError(f"two sources are called {listed(twice)}; give each a name of its own, NAME=FILE")
    return found


def _source(name, given, protocol):
    """Make the source ``name`` of a path, a text, `Scores`, a list of these, or a `Source`."""
    if isinstance(given, Source):
        return replace(given, name=name)
    if isinstance(given, Scores | Path):
        given = [(given, 1.0)]
    if isinstance(given, str):
        return replace(parse_source(f"{name}={given}", protocol.splits[0]), name=name)
    pairs = [one if isinstance(one, tuple) else (one, 1.0) for one in given]
    return Source(name, tuple(Stream(one if isinstance(one, Scores) else str(one), weight) for one, weight in pairs))


def _validation_sources(validation, sources, norm, protocol, origin):
    """Make the sources of the validation videos, in the order and with the options of the test sources."""
    if (validation is not None) != (origin in (VALIDATION, SVM)):
        raise DataError("validation scores and weights='search' or 'svm' go together")
    if validation is None:
        return None
    found = {
        source.name: source for source in _sources(validation, norm if isinstance(norm, str) else "auto", protocol)
    }
    names = [source.name for source in sources]
    if set(found) != set(names):
        raise DataError(
            f"validation scores must be those of {', '.join(names)}, got {', '.join(found)}; use the same names"
        )
    held_out = [
        replace(source, streams=found[source.name].streams, order=found[source.name].order) for source in sources
    ]
    for source, other in zip(sources, held_out, strict=True):
        same = set(source.paths) & {stream.title for stream in other.streams}
        if same:
            raise DataError(
                f"{listed(same)} holds test scores of {source.name}, which must not choose weights; --search test does"
                " so on purpose"
            )
        if [stream.weight for stream in source.streams] != [stream.weight for stream in other.streams]:
            raise DataError(f"{source.name} must be added from the same streams on validation videos as on test videos")
    return held_out


def _held_out(sources, found, protocol, missing):
    """Gather the scores of the validation videos of a split, none of which is tested."""
    held_out = gather(sources, found.split, protocol, missing=missing, side=TRAIN, classes=found.truth.classes)
    shared = match(found.truth.names, held_out.truth.names)
    both = [name for name, place in zip(found.truth.names, shared.places, strict=True) if place >= 0]
    if both:
        raise DataError(f"{len(both)} validation videos are test videos: {listed(both[:5])}; weights must not see them")
    norms = {name: facts.norm for name, facts in found.facts.items()}
    for name, facts in held_out.facts.items():
        if facts.norm != norms[name]:
            raise DataError(f"{name} has other kinds of scores on validation videos ({facts.norm}, {norms[name]})")
    return held_out


def _fused(found, start, origin, held_out, C):
    """Fuse the scores of a split; ``held_out`` are the scores of its validation videos, or None."""

    def metric(has_class, scores):
        return findings.main_metric(has_class, scores, found.truth.multi_label)

    if origin == SVM:
        return Fused(found, stacking_scores(held_out, found, C=C), start)
    weights = start
    if origin in (VALIDATION, TEST):
        weights = searched_weights(found if origin == TEST else held_out, start, metric)
    return Fused(found, weighted_sum(found.scaled, weights), weights)
