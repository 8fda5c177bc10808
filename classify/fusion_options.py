"""The options of `idt-fuse`, and the sources and protocol that they ask for."""

import os
import re
from dataclasses import replace

from classify.params import C_BOUNDS, NORMS
from idt.command import Parser, add_common_options, add_number_option
from idt.errors import DataError, did_you_mean, short_repr

SVM_C_BOUNDS = C_BOUNDS._replace(other="")
"""Bounds of ``--svm-c``, which takes no "cv", unlike the classifier's C."""

MOST_SPLITS = 10_000
"""Largest number of splits of one call. Leaving one video out makes as many splits as there are videos."""

TEST = "test"
"""Value of ``--search`` by which the weights are chosen on the test videos."""

FORMS = (
    *("idt", "mmaction2", "tsn", "coviar", "slowfast", "two_stream", "activitynet", "mat"),
    *("hdf5", "arrays", "torch_file", "csv"),
)
"""Forms of files with scores, copied from `classify.fusion.read.FORMS`, because importing the readers is slow."""

DESCRIPTION = (
    "Fuse the scores of several classifiers, such as improved dense trajectories and a network: score files in, one"
    " accuracy out, and what each of them adds. Rows and columns are matched by the names of videos and classes, never"
    " by position unless a list says so. A source may be several streams that are added with weights, and {split} in"
    " the name of a file is replaced by the split."
)

FUSION_ADVICE = (
    "Late fusion, this command, takes any network's scores on the test videos and needs no training. With weight 0.25"
    " for iDT a network of 59.4 % on HMDB51 (CoViAR) reaches 66.4 %, one of 51.7 % (an I-frame ResNet-152) 66.0 %; on"
    " UCF101 90.6 becomes 93.3 %, 87.0 becomes 93.7 %. Feature-level fusion, svm-train --extra, needs the network's"
    " vectors of the training videos, too; it is for networks that were not trained on your classes. On descriptors of"
    " Weizmann the two differed by no more than 1.3 points, late fusion being equal or better in 20 of 22 cases."
)
"""Part of the help: advice on the kind of fusion. The numbers are those of docs/method/fusion.md, section 6."""


def fusion_options(arguments):
    """Parse the command line of `idt-fuse`.

    Parameters
    ----------
    arguments : list of str

    Returns
    -------
    argparse.Namespace
    """
    parser = Parser(
        "idt-fuse",
        f"{DESCRIPTION} {FUSION_ADVICE}",
        "idt-fuse idt=idt.mat cnn=iframe.npz*2+mv.npz --lists lists/ --split 1 -o fused/",
    )
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="[NAME=]FILE[*WEIGHT][+FILE[*WEIGHT]…], two or more"
    )
    add_common_options(parser, output="folder of the report and the fused scores; with --convert a file")
    group = parser.add_argument_group("videos and labels (default: as stored in one of the score files)")
    group.add_argument(
        "--dataset", metavar="NAME", help="name of the data set; ucf101, hmdb51, jhmdb have three splits"
    )
    group.add_argument(
        "--lists", metavar="PATH", help="folder of official lists, or the annotation file of the test videos"
    )
    group.add_argument("--labels", metavar="CSV", help="CSV file with lines name,label[,label]")
    group.add_argument("--split", metavar="N[,N…]", help="splits, such as 1,2,3 or 1-9; their accuracies are averaged")
    group.add_argument(
        "--pool", action="store_true", help="count the videos of all splits together, as when one actor is left out"
    )
    group.add_argument(
        "--missing",
        choices=("refuse", "drop"),
        default="refuse",
        help="refuse videos that a source lacks, or leave them out (default refuse)",
    )
    group = parser.add_argument_group("options of the sources: of all, or with NAME= of one; may be repeated")
    group.add_argument(
        "--form", action="append", default=[], metavar="[NAME=]FORM", help=f"{', '.join(FORMS)} (default: detected)"
    )
    group.add_argument(
        "--list", action="append", default=[], metavar="[NAME=]LIST", help="names of the rows, where files have none"
    )
    group.add_argument(
        "--numbered",
        action="append",
        default=[],
        metavar="[NAME=]LIST",
        help="list of all videos, such as ActionVLAD's AllVideos.txt; the numbers in --list are its lines",
    )
    group.add_argument(
        "--classes", action="append", default=[], metavar="[NAME=]FILE", help="names of the columns, one a line"
    )
    group.add_argument(
        "--norm",
        action="append",
        default=[],
        metavar="[NAME=]NORM",
        help=f"{', '.join(NORMS)}; auto is l2, and logz for probabilities (default auto)",
    )
    group = parser.add_argument_group("weights; by default 0.25 for trajectories and 0.75 for all networks")
    group.add_argument("--weights", metavar="NAME=N,…", help="weights of the sources, such as idt=0.25,cnn=0.75")
    group.add_argument(
        "--search",
        nargs="+",
        metavar="SOURCE",
        help="find weights on these scores of validation videos, in the syntax of SOURCE; test: on the test videos,"
        " for study only, because the accuracy is then too high; reports mark it",
    )
    group.add_argument(
        "--svm", nargs="+", metavar="SOURCE", help="train a linear SVM on these scores of validation videos"
    )
    add_number_option(group, "--svm-c", SVM_C_BOUNDS, default=1.0, help="weight of the errors of --svm")
    group.add_argument(
        "--validation-list", metavar="LIST", help="annotation file of the validation videos, where files lack names"
    )
    group = parser.add_argument_group("scores for other programs")
    group.add_argument(
        "--write",
        action="append",
        default=[],
        metavar="FORM",
        help="write the fused scores in this form, too: mmaction2, tsn, activitynet, mat, csv",
    )
    group.add_argument(
        "--convert",
        action="store_true",
        help="write the scores of one source to the file PATH, in the form of its suffix or of --write; fuse nothing",
    )
    group.add_argument(
        "--as",
        dest="values_as",
        choices=("margins", "l2", "probability"),
        help="conversion of the scores (default: unchanged)",
    )
    group.add_argument("--order", metavar="LIST", help="list in whose order the videos are written")
    options = parser.parse_args(arguments)
    given = [flag for flag in ("weights", "search", "svm") if getattr(options, flag)]
    if len(given) > 1:
        parser.error(f"--{given[0]} and --{given[1]} exclude each other: weights come from one of them")
    return options


def splits_of(text, dataset, paths):
    """Return the names of the splits.

    Parameters
    ----------
    text : str or None
        As given: ``1,2,3`` or ``1-9``.
    dataset : str or None
    paths : list of str
        Paths of files; some may contain ``{split}``.

    Returns
    -------
    tuple of str

    Raises
    ------
    DataError
        If a name is malformed, a path contains ``{split}`` and no splits are named, or there are several splits and no
        path contains it.
    """
    from classify.fusion.alignment.protocol import SPLITS
    from classify.fusion.sources import SPLIT

    templated = any(SPLIT in path for path in paths)
    if text is None:
        if not templated:
            return ("1",)
        if dataset not in SPLITS:
            raise DataError("the name of a file holds {split}; name the splits, such as --split 1,2,3")
        return SPLITS[dataset]
    found: list[str] = []
    for part in text.split(","):
        ends = re.fullmatch(r"(\d{1,6})-(\d{1,6})", part.strip(), re.ASCII)
        if ends and int(ends[1]) <= int(ends[2]) < int(ends[1]) + MOST_SPLITS:
            found += map(str, range(int(ends[1]), int(ends[2]) + 1))
        elif re.fullmatch(r"[\w.]+(?:-[A-Za-z_.][\w.-]*)*", part.strip()):
            found.append(part.strip())
        else:
            raise DataError(f"--split must be names such as 1,2,3 or 1-9, got {text}")
    if len(found) > MOST_SPLITS:
        raise DataError(f"--split names {len(found)} splits, expected at most {MOST_SPLITS}")
    if len(found) > 1 and not templated:
        raise DataError("several splits need {split} in the name of a file, or all of them would be the same scores")
    return tuple(found)


def by_source(values, names, what):
    """Return the value of an option for each source.

    Parameters
    ----------
    values : list of str
        ``VALUE`` for all sources, or ``NAME=VALUE`` for one.
    names : list of str
    what : str
        The option, for messages.

    Returns
    -------
    dict of str to str
        Sources without a value are missing.

    Raises
    ------
    DataError
        If a source is unknown or has two values.
    """
    general: list[str] = []
    own: dict[str, str] = {}
    for value in values:
        name, equals, rest = value.partition("=")
        if not equals or os.path.lexists(value):
            general.append(value)
        elif name not in names:
            raise DataError(
                f"{what} names {short_repr(name)}, which is no source; sources are {', '.join(names)}"
                f"{did_you_mean(name, names)}"
            )
        elif name in own:
            raise DataError(f"{what} is given twice for {name}")
        else:
            own[name] = rest
    if len(general) > 1:
        raise DataError(f"{what} is given twice for all sources; write NAME={general[1]} for one")
    return {**dict.fromkeys(names, general[0]), **own} if general else own


def sources_of(options, splits, texts):
    """Return the sources that the options ask for.

    Parameters
    ----------
    options : argparse.Namespace
    splits : tuple of str
    texts : list of str
        As on the command line.

    Returns
    -------
    list of Source

    Raises
    ------
    DataError
        If a source cannot be read, or an option is given for a NAME that is no source.
    """
    from classify.fusion.sources import parse_source

    found = [parse_source(text, splits[0]) for text in texts]
    names = [source.name for source in found]
    own = {
        field: by_source(given, names, flag)
        for field, flag, given in (
            ("form", "--form", options.form),
            ("order", "--list", options.list),
            ("classes", "--classes", options.classes),
            ("numbering_list", "--numbered", options.numbered),
            ("norm", "--norm", [part for value in options.norm for part in value.split(",")]),
        )
    }
    return [
        replace(source, **{field: values[source.name] for field, values in own.items() if source.name in values})
        for source in found
    ]


def network_sources(networks, lists, classes):
    """Return the sources that the options of `idt-evaluate` for networks ask for.

    Parameters
    ----------
    networks : list of str
        ``[NAME=]FILE[*WEIGHT][+FILE[*WEIGHT]…]``.
    lists, classes : list of str
        ``[NAME=]PATH``, as for `by_source`.

    Returns
    -------
    list of Source

    Raises
    ------
    DataError
        If a text has another form, or an option is given for a NAME that is no source.
    """
    from classify.fusion.sources import parse_source

    found = [parse_source(text) for text in networks]
    names = [source.name for source in found]
    order, named = by_source(lists, names, "--network-list"), by_source(classes, names, "--network-classes")
    return [replace(source, order=order.get(source.name), classes=named.get(source.name)) for source in found]
