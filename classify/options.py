"""The options of `idt-evaluate` and `svm-predict`, among them those of outside vectors, which `svm-train` has, too."""

import argparse
import dataclasses
import os
from typing import Any

from classify.params import UNTRIMMED, ClassifierParams, DatasetParams, SegmentingParams
from encoding.params import BilinearParams, BovwParams, EncodingParams, PlainParams, StackedParams, VladParams
from idt.command import (
    Parser,
    add_common_options,
    add_fields,
    add_number_option,
    add_overwrite_options,
    add_reading_options,
    flag_of,
    params_from,
    say,
)
from idt.errors import DataError
from idt.params.bounds import JOBS, THREADS, Bounds
from idt.params.extraction import ExtractionParams
from idt.workers.progress import add_progress

GROUPS: dict[str, tuple[Any, ...]] = {
    "extraction": (ExtractionParams,),
    "encoding": (EncodingParams, BovwParams, VladParams, StackedParams, BilinearParams, PlainParams),
    "classifier": (ClassifierParams,),
}
"""Classes of parameters of each group of options. A run uses one of the encoding classes."""


def evaluation_options(arguments):
    """Parse the command line of `idt-evaluate`.

    Parameters
    ----------
    arguments : list of str

    Returns
    -------
    options : argparse.Namespace
    given : dict of str to dict of str to object
        Options of ``extraction``, ``encoding`` and ``classifier`` that were given, each by name. With ``--compare``
        the recipes may set the others; else they have their defaults, which may depend on the encoder.
    outside : list of (str, str or None, str or None)
        As from `outside_of`.
    """
    parser = Parser(
        "idt-evaluate",
        "Evaluate a data set by its protocol: extraction, codebooks of the training videos, vectors, support vector"
        " machines, report. With --compare, several recipes are evaluated; steps that they have in common run once. An"
        " interrupted run goes on where it stopped.",
        "idt-evaluate weizmann data/weizmann -o weizmann-out --k 64 --jobs 2",
    )
    parser.add_argument(
        "dataset",
        metavar="DATASET",
        help="ucf101, hmdb51, ucf50, ucf11, hollywood2, olympic, jhmdb, kth, weizmann, ut-interaction; folder: any"
        " CLASS/VIDEO; list: the videos in annotation files of a network, --train and --test; of untrimmed video:"
        " breakfast, 50salads, gtea, thumos14, activitynet; frames: any folder with groundTruth/ or segments.csv",
    )
    parser.add_argument("root", nargs="?", metavar="ROOT", help="folder of the data set, as from the official archive")
    parser.add_argument("--root", dest="named_root", metavar="FOLDER", help="the same as ROOT")
    add_common_options(
        parser, output="folder of features, folds and report", jobs=True, threads=True, cluster=True, videos=True
    )
    parser.add_argument("--features", metavar="FOLDER", help="folder of the feature files (default PATH/features)")
    parser.add_argument(
        "--no-pictures",
        action="store_true",
        help="draw no pictures of videos for the page; a picture takes one or two seconds",
    )
    parser.add_argument(
        "--compare",
        metavar="RECIPES",
        help="INI file with a section for each recipe, its options as below without dashes; options given here hold"
        " for recipes that do not set them",
    )
    parser.add_argument(
        "--encoder",
        default="fisher",
        metavar="NAME",
        help="fisher, bovw, vlad, stacked, bilinear, plain (default fisher)",
    )  # fmt: skip
    add_fields(parser, DatasetParams, "data set")
    add_fields(parser, SegmentingParams, "untrimmed video")
    add_outside_options(parser)
    _add_networks(parser)
    names: dict[str, set[str]] = {group: set() for group in GROUPS}
    taken: set[str] = set()
    for group, classes in GROUPS.items():
        for cls in classes:
            title = group if len(classes) == 1 else f"{group}, {cls.encoding}"
            # A flag that several encoders share is listed with the first.
            add_fields(parser, cls, title, prefix=f"{group}.", exclude=taken)
            taken |= {flag_of(field) for field in dataclasses.fields(cls)}
            names[group] |= {field.name for field in dataclasses.fields(cls)}
    parser.set_defaults(preset=None, **{f"{group}.{name}": None for group in names for name in names[group]})
    options = parser.parse_args(arguments)
    if (options.root is None) == (options.named_root is None):
        parser.error("the folder of the data set must be given once, as ROOT or with --root")
    options.root = options.named_root if options.root is None else options.root
    if not options.root:
        parser.error("the folder of the data set must be named, got an empty text")
    if options.compare and options.network:
        parser.error("--network and --compare exclude each other; run the recipe by itself")
    if (options.network_list or options.network_classes) and not options.network:
        parser.error("--network-list and --network-classes go with --network")
    values = vars(options)
    given = {
        group: {
            name: values[f"{group}.{name}"] for name in sorted(names[group]) if values[f"{group}.{name}"] is not None
        }
        for group in names
    }
    if options.preset is not None:
        given["extraction"]["preset"] = options.preset
    return options, given, outside_of(options, parser)


def segmenting_of(options):
    """Return the segmenting options, if the data set is one of untrimmed video.

    Parameters
    ----------
    options : argparse.Namespace
        As from `evaluation_options`.

    Returns
    -------
    SegmentingParams or None
        None for a set whose videos are clips of one action.

    Raises
    ------
    DataError
        If an option is given that such a set does not take.
    """
    params = params_from(options, SegmentingParams)
    if options.dataset in UNTRIMMED:
        return params
    foreign = [flag_of(field) for field in dataclasses.fields(params) if getattr(params, field.name) != field.default]
    if foreign:
        raise DataError(f"{options.dataset} is no set of untrimmed video and takes no {', '.join(foreign)}")
    return None


def prediction_options(arguments):
    """Parse the command line of `svm-predict`.

    Parameters
    ----------
    arguments : list of str

    Returns
    -------
    options : argparse.Namespace
    outside : list of (str, str or None, str or None)
        As from `outside_of`.
    """
    parser = Parser(
        "svm-predict",
        "Label the videos of a vectors file, or videos themselves: with --codebook these are extracted and encoded as"
        " the model's training videos were. Prints the best classes of each video with their scores.",
        "svm-predict model.h5 video.avi --codebook vectors.codebook.h5",
    )
    parser.add_argument("model", metavar="MODEL", help="model file, as from svm-train")
    parser.add_argument("inputs", nargs="+", metavar="INPUT", help="a vectors file; with --codebook videos")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write all scores: score file .h5, or .csv, one line a video"
    )
    parser.add_argument("--codebook", metavar="FILE", help="codebook of the vectors that the model was trained on")
    parser.add_argument(
        "--probabilities",
        action="store_true",
        help="calibrated probabilities instead of scores; needs a model with them",
    )
    top = Bounds(1, 1_000_000, "no data set has as many classes")
    add_number_option(parser, "--top", top, default=5, help="classes to print")
    add_number_option(parser, "--jobs", JOBS, default=1, help="videos at once")
    add_number_option(parser, "--threads", THREADS, default=1, help="threads a video")
    add_reading_options(parser)
    add_overwrite_options(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress, no notes; errors only")
    add_progress(parser)
    parser.add_argument("--profile", action="store_true", help="print the time and memory of each stage at the end")
    add_outside_options(parser)
    options = parser.parse_args(arguments)
    return options, outside_of(options, parser)


def _add_networks(parser):
    """Add the options that evaluate networks by the same protocol."""
    group = parser.add_argument_group(
        "networks by the same protocol: each alone in networks/NAME, and all fused with this run in fused/"
    )
    group.add_argument(
        "--network", action="append", default=[], metavar="[NAME=]FILE[*WEIGHT][+FILE…]",
        help="scores of all test videos, as from idt-net or in any form that idt-fuse reads; {split} is the split's"
        " number; weights are those of idt-fuse; may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--network-list", action="append", default=[], metavar="[NAME=]LIST",
        help="names of the rows, where a file has none",
    )  # fmt: skip
    group.add_argument(
        "--network-classes", action="append", default=[], metavar="[NAME=]FILE", help="names of the columns"
    )


def say_page(path):
    """Print that the page ``path`` can be opened, if it exists."""
    if os.path.exists(path):
        say(f"open {path}")


class _InOrder(argparse.Action):
    """Action that keeps the options of outside vectors in the order in which they were given."""

    def __call__(self, parser, namespace, values, option_string=None):
        namespace.outside = [*namespace.outside, (self.metavar, values)]


def add_outside_options(parser):
    """Add the options of outside vectors to ``parser``."""
    group = parser.add_argument_group("outside vectors, such as a network's, concatenated with the videos' vectors")
    parser.set_defaults(outside=[])
    group.add_argument(
        "--extra",
        action=_InOrder,
        metavar="[NAME=]FILE",
        help="matrix with one row a video, which is L2-normalised: npy, npz, MAT, HDF5, CSV or scores of a network;"
        " NAME is the file's name by default; repeat the option for each block",
    )
    group.add_argument(
        "--extra-names",
        action=_InOrder,
        metavar="LIST",
        help="names of the rows of the --extra before it, one a line, or an annotation file; leave it out if the"
        " file names its rows",
    )


def outside_of(options, parser):
    """Pair the outside vectors on a command line with the lists of their rows.

    Parameters
    ----------
    options : argparse.Namespace
    parser : Parser

    Returns
    -------
    list of (str, str or None, str or None)
        Path, list of names and name of each block. If there are as many lists as files, the first list belongs to the
        first file and so on, in any order of the options. If there are fewer, each belongs to the file before it.
    """
    files = [value for kind, value in options.outside if kind != "LIST"]
    lists = [value for kind, value in options.outside if kind == "LIST"]
    names: list[str | None] = [None] * len(files)
    if len(lists) == len(files):
        names = list(lists)
    else:
        file = -1
        for kind, value in options.outside:
            if kind != "LIST":
                file += 1
            elif file < 0 or names[file] is not None:
                parser.error(f"--extra-names {value} must follow the --extra whose rows it names")
            else:
                names[file] = value
    blocks = []
    for given, listing in zip(files, names, strict=True):
        name, equals, path = given.partition("=")
        named = bool(equals) and not os.path.exists(given)
        blocks.append((path if named else given, listing, name if named else None))
    return blocks
