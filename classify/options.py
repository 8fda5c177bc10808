"""The options of `idt-evaluate`."""

import dataclasses
from typing import Any

from classify.params import ClassifierParams, DatasetParams
from encoding.params import BovwParams, EncodingParams, StackedParams, VladParams
from idt.command import Parser, add_fields, add_habits, flag_of
from idt.params.extraction import ExtractionParams

GROUPS: dict[str, tuple[Any, ...]] = {
    "extraction": (ExtractionParams,),
    "encoding": (EncodingParams, BovwParams, VladParams, StackedParams),
    "classifier": (ClassifierParams,),
}
"""Parameters of each group of options; of the encoders one is chosen."""


def evaluation_options(arguments):
    """Parse the command line of `idt-evaluate`.

    Parameters
    ----------
    arguments : list of str

    Returns
    -------
    options : argparse.Namespace
    given : dict of str to dict of str to object
        What was given of ``extraction``, ``encoding`` and ``classifier``, each by name: what was not has the default of
        its encoder, or is left to the recipes.
    """
    parser = Parser(
        "idt-evaluate",
        "Evaluate a data set by its protocol: extraction, codebooks of the training videos, vectors, support vector"
        " machines, report. With --compare by several recipes, which share what they have in common. Run it again and"
        " it goes on where it stopped.",
        "idt-evaluate weizmann data/weizmann -o weizmann-out --k 64 --jobs 2",
    )
    parser.add_argument(
        "dataset",
        metavar="DATASET",
        help="ucf101, hmdb51, ucf50, ucf11, hollywood2, olympic, jhmdb, kth, weizmann, ut-interaction; folder: any"
        " CLASS/VIDEO; list: whatever annotation files of a network name, --train and --test",
    )
    parser.add_argument("root", nargs="?", metavar="ROOT", help="its folder, as the official archive unpacks")
    parser.add_argument("--root", dest="named_root", metavar="FOLDER", help="the same as ROOT")
    add_habits(
        parser, output="folder of features, folds and report", jobs=True, threads=True, cluster=True, videos=True
    )
    parser.add_argument("--features", metavar="FOLDER", help="folder of the feature files (default PATH/features)")
    parser.add_argument(
        "--compare",
        metavar="RECIPES",
        help="INI file with a section for each recipe, its options as below without dashes; options given here hold"
        " for recipes that say nothing else",
    )
    parser.add_argument(
        "--encoder", default="fisher", metavar="NAME", help="fisher, bovw, vlad, stacked (default fisher)"
    )
    add_fields(parser, DatasetParams, "data set")
    names: dict[str, set[str]] = {group: set() for group in GROUPS}
    taken: set[str] = set()
    for group, classes in GROUPS.items():
        for cls in classes:
            title = group if len(classes) == 1 else f"{group}, {cls.encoding}"
            # A flag that several encoders share stands with the first.
            add_fields(parser, cls, title, prefix=f"{group}.", but=taken)
            taken |= {flag_of(field) for field in dataclasses.fields(cls)}
            names[group] |= {field.name for field in dataclasses.fields(cls)}
    parser.set_defaults(preset=None, **{f"{group}.{name}": None for group in names for name in names[group]})
    options = parser.parse_args(arguments)
    if (options.root is None) == (options.named_root is None):
        parser.error("the folder of the data set must be given once, as ROOT or with --root")
    options.root = options.root or options.named_root
    values = vars(options)
    given = {
        group: {
            name: values[f"{group}.{name}"] for name in sorted(names[group]) if values[f"{group}.{name}"] is not None
        }
        for group in names
    }
    if options.preset is not None:
        given["extraction"]["preset"] = options.preset
    return options, given
