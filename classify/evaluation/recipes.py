"""Recipes: named sets of options of extraction, encoding and classifier, as a file or as options of a command.

A file of recipes is an INI file. Every section is a recipe; its heading is the name of the recipe. ``[DEFAULT]`` holds
options that all recipes have in common. A key is an option, with ``_`` or ``-``. An option that two groups have is
written with its group, ``group.option``.

    [DEFAULT]
    k = 64

    [Fisher vectors]

    [bag of words, chi2]
    encoder = bovw
    k = 500
    classifier = chi2

    [dense trajectories]
    camera = no

If blocks of outside vectors are given (``--extra``), a recipe with ``extra = no`` does not use them.
"""

import argparse
import configparser
import dataclasses
from typing import NamedTuple

from classify.params import ClassifierParams
from encoding.params import (
    BilinearParams,
    BlockParams,
    BovwParams,
    EncodingParams,
    PlainParams,
    StackedParams,
    VladParams,
)
from idt.command import value_parser
from idt.errors import DataError, did_you_mean, one_line, unknown_option
from idt.files.text import read_text
from idt.params.extraction import ExtractionParams

ENCODERS: dict[str, type[BlockParams]] = {
    "fisher": EncodingParams,
    "bovw": BovwParams,
    "vlad": VladParams,
    "stacked": StackedParams,
    "bilinear": BilinearParams,
    "plain": PlainParams,
}
"""Parameters of each encoding."""

OTHER_NAMES = {"fv": "fisher", "sfv": "stacked"}
"""Prefix of the command of an encoder → name of the encoder."""

BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
"""Words of a recipe → the truth value that they stand for."""

LARGEST = 1 << 20
"""Largest size of a file of recipes, in bytes. Usual files have a few thousand."""


class Recipe(NamedTuple):
    """Named set of options of extraction, encoding and classifier.

    Attributes
    ----------
    name : str
    extraction : ExtractionParams
    encoding : BlockParams
    classifier : ClassifierParams
    outside : bool
        Whether blocks of outside vectors, if there are any, stand beside the vectors.
    """

    name: str
    extraction: ExtractionParams
    encoding: BlockParams
    classifier: ClassifierParams
    outside: bool = True


def encoder_of(name):
    """Return the class of parameters of an encoding by its name.

    Parameters
    ----------
    name : str

    Returns
    -------
    type

    Raises
    ------
    DataError
        If there is none.
    """
    found = ENCODERS.get(OTHER_NAMES.get(name, name))
    if found is None:
        raise DataError(f"encoder must be one of {', '.join((*ENCODERS, *OTHER_NAMES))}, got {name!r}")
    return found


def recipe_of(name, encoder, options):
    """Make a recipe of options.

    Parameters
    ----------
    name : str
    encoder : str
    options : dict of str to dict of str to object
        ``extraction``, ``encoding`` and ``classifier``, each by name; an option that is not given has its default,
        which may depend on the encoder.

    Returns
    -------
    Recipe

    Raises
    ------
    DataError
        If the encoder has no such option, or an option does not take the value.
    """
    kind = encoder_of(encoder)
    given = options.get("encoding", {})
    known = [field.name for field in dataclasses.fields(kind)]
    for option in given:
        if option not in known:
            raise DataError(f"the encoder {encoder} has no option {option}{did_you_mean(option, known)}")
    return Recipe(
        name,
        ExtractionParams.from_options(**options.get("extraction", {})),
        kind(**given),
        ClassifierParams(**options.get("classifier", {})),
    )


def read_recipes(path, *, encoder="fisher", options=None):
    """Read a file of recipes.

    Parameters
    ----------
    path : str or Path
    encoder : str
        Encoder of recipes that name none.
    options : dict of str to dict of str to object, optional
        Options, as for `recipe_of`, for recipes that do not set them; those of other encoders are left out.

    Returns
    -------
    list of Recipe
        In the order of the file.

    Raises
    ------
    DataError
        If the file is no INI file of recipes, or one of them cannot be made; the message names it.
    OSError
        If it cannot be read.
    """
    parser = configparser.ConfigParser(interpolation=None)
    text = read_text(path, what="a file of recipes", most=LARGEST)
    try:
        parser.read_string(text, str(path))
    except (configparser.Error, ValueError, TypeError, AttributeError) as problem:
        raise DataError(f"{path} is no file of recipes: {one_line(str(problem), 300)}") from None
    if not parser.sections():
        raise DataError(f"{path} holds no recipes; a recipe is a section such as [Fisher vectors]")
    recipes = []
    for name in parser.sections():
        try:
            recipes.append(_recipe(name, dict(parser[name]), parser.defaults(), encoder, options or {}))
        except DataError as problem:
            raise DataError(f"{path}, [{name}]: {problem}") from None
    return recipes


def _recipe(name, section, common, encoder, base):
    """Make the recipe of a section."""
    section = {key.replace("-", "_"): text for key, text in section.items()}
    common = {key.replace("-", "_") for key in common}
    encoder, outside = section.pop("encoder", encoder), section.pop("extra", "yes")
    if outside.lower() not in BOOLEANS:
        raise DataError(f"extra must be yes or no, got {outside!r}")
    kind = encoder_of(encoder)
    groups = {"extraction": ExtractionParams, "encoding": kind, "classifier": ClassifierParams}
    known = {field.name for field in dataclasses.fields(kind)}
    options = {group: dict(base.get(group, {})) for group in groups}
    options["encoding"] = {key: value for key, value in options["encoding"].items() if key in known}
    if "preset" in section:
        options["extraction"]["preset"] = section.pop("preset")
    for key, text in section.items():
        found = _field(key, groups)
        if found is None:
            # Common options may be of encoders that only some recipes have.
            if key in common and any(_field(key, {**groups, "encoding": other}) for other in ENCODERS.values()):
                continue
            names = {field.name for group in groups.values() for field in dataclasses.fields(group)}
            raise DataError(unknown_option(key, ["encoder", "extra", "preset", *sorted(names)]))
        group, field = found
        options[group][field.name] = _value(field, text)
    return recipe_of(name, encoder, options)._replace(outside=BOOLEANS[outside.lower()])


def _field(key, groups):
    """Find the group and the field of a key; None if there is none."""
    wanted, _, name = key.rpartition(".")
    found = [
        (group, field)
        for group, cls in groups.items()
        for field in dataclasses.fields(cls)
        if name in (field.name.lower(), field.metadata["flag"]) and wanted in ("", group)
    ]
    if len(found) > 1:
        raise DataError(f"{key} is an option of {' and '.join(group for group, _ in found)}; write {found[0][0]}.{key}")
    return found[0] if found else None


def _value(field, text):
    """Convert the text of a field to its value."""
    if isinstance(field.default, bool):
        if text.lower() not in BOOLEANS:
            raise DataError(f"{field.name} must be yes or no, got {text!r}")
        return BOOLEANS[text.lower()]
    if text.lower() == "none" and "None" in str(field.type):
        return None
    try:
        return value_parser(field.type, field.metadata["bounds"])(text)
    except argparse.ArgumentTypeError as problem:
        raise DataError(f"{field.name}: {problem}") from None
