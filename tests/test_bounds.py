"""Every number that a command, a recipe or a Python caller gives has bounds, and is refused beyond them at once.

The options are those of the parsers themselves, so that one without bounds fails.
"""

import argparse
import dataclasses
import math
import os
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest

import idt
from classify.evaluation.recipes import read_recipes
from classify.options import GROUPS
from classify.params import ClassifierParams, DatasetParams, SegmentingParams
from classify.svm.linear import LinearSVM
from encoding import FisherEncoder, fit_codebook
from encoding.params import BovwParams, EncodingParams, StackedParams
from idt.command import Parser
from idt.errors import DataError
from idt.params.bounds import Bounds
from idt.params.extraction import ExtractionParams
from tests.commands import refused, scripts
from tests.samples import random_features

# What each command must be given. None of it exists: a video that is opened has its own message.
WORDS = {
    "idt-extract": ["absent.avi", "-o", "f.h5"],
    "idt-convert": ["absent.h5", "-o", "f.txt"],
    "idt-show": ["absent.avi", "-o", "a.png"],
    "idt-flow": ["absent.avi", "-o", "o"],
    "fv-encode": ["absent", "-o", "v.h5"],
    "bovw-encode": ["absent", "-o", "v.h5"],
    "vlad-encode": ["absent", "-o", "v.h5"],
    "sfv-encode": ["absent", "-o", "v.h5"],
    "bilinear-encode": ["absent", "-o", "v.h5"],
    "plain-encode": ["absent", "-o", "v.h5"],
    "svm-train": ["absent.h5", "--labels", "absent.csv", "-o", "m.h5"],
    "svm-predict": ["absent.h5", "absent.h5"],
    "idt-evaluate": ["folder", "absent", "-o", "out"],
    "idt-fuse": ["a=absent.npz", "b=absent.mat", "-o", "out"],
    "idt-net": ["absent.onnx", "absent.avi", "-o", "out", "--scores", "--classes", "absent.txt"],
    "idt-segment": ["absent.h5", "--model", "absent.h5", "--codebook", "absent.h5", "-o", "s.csv"],
    "idt-explain": ["absent.h5", "--model", "absent.h5", "--codebook", "absent.h5", "-o", "why.png"],
}

# What a bound needs beside it, by field and value.
BESIDE = {
    ("length", 1): {"time_cells": 1},
    ("time_cells", 100): {"length": 100},
    ("describe_every", 1000): {"length": 1000, "time_cells": 1},
    ("sample", 1): {"k": 1},
    ("seed", 2**32 - 1): {"seeds": 1},
}

# A refusal takes no more memory than an interpreter that has imported what parses the options.
MOST_MEMORY = 64 << 20


class ParserSeen(Exception):
    """Ends a command when its parser is complete."""


def parser_of(name):
    """The parser of a command."""

    def seen(self, *_):
        raise ParserSeen(self)

    with mock.patch.object(Parser, "parse_args", seen), pytest.raises(ParserSeen) as found:
        scripts()[name]([])
    return found.value.args[0]


def takes_number(action):
    """Whether an option takes a number; one of an unknown type is taken to do so."""
    return action.type not in (None, str) and getattr(action.type, "takes_number", True)


PARSERS = {name: parser_of(name) for name in scripts()}
NUMBERS = [
    (name, action.option_strings[-1], action.type.bounds)
    for name, parser in PARSERS.items()
    for action in parser._actions
    if takes_number(action) and getattr(action.type, "bounds", None)
]
PARAMS = [*(cls for classes in GROUPS.values() for cls in classes), DatasetParams, SegmentingParams]
FIELDS = [
    (cls, field)
    for cls in PARAMS
    for field in dataclasses.fields(cls)
    if any(kind in str(field.type) for kind in ("int", "float"))
]
FIELD_IDS = [f"{cls.__name__}.{field.name}" for cls, field in FIELDS]


def just_beyond(bounds):
    """The nearest values that lie outside."""
    if isinstance(bounds.low, int):
        return bounds.low - 1, bounds.high + 1
    below = bounds.low if bounds.above else math.nextafter(bounds.low, -math.inf)
    return below, math.nextafter(bounds.high, math.inf)


def just_inside(bounds):
    """The outermost values that are allowed."""
    return (math.nextafter(bounds.low, math.inf) if bounds.above else bounds.low), bounds.high


@pytest.fixture
def command(command, working_folder):
    """Run a command, which must fail, where nothing is that it might open: exit status, stdout, stderr."""
    return lambda name, *words: command(name, *WORDS[name], *words, status=2)


def test_the_commands_are_all_there():
    assert sorted(WORDS) == sorted(PARSERS)


# What has bounds.


@pytest.mark.parametrize("name", PARSERS)
def test_every_number_that_a_command_takes_has_bounds_that_its_help_shows(name):
    for action in filter(takes_number, PARSERS[name]._actions):
        bounds = getattr(action.type, "bounds", None)
        assert isinstance(bounds, Bounds), f"{name}: {action.option_strings} has no bounds; see idt.params.option"
        assert bounds.low < bounds.high
        assert bounds.why
        assert str(bounds) in action.help


@pytest.mark.parametrize(("cls", "field"), FIELDS, ids=FIELD_IDS)
def test_every_numeric_field_has_bounds_and_its_default_lies_within(cls, field):
    bounds = field.metadata["bounds"]
    assert isinstance(bounds, Bounds), f"{cls.__name__}.{field.name} has no bounds; see idt.params.option.option"
    assert field.default is None or bounds.fault(field.default) == ("", "")


def test_an_option_without_bounds_would_be_found():
    parser = argparse.ArgumentParser()
    assert takes_number(parser.add_argument("--size", type=int))
    assert not takes_number(parser.add_argument("--name"))


# Both sides of each bound.


@pytest.mark.parametrize(("name", "flag", "bounds"), NUMBERS, ids=[f"{name} {flag}" for name, flag, _ in NUMBERS])
def test_a_command_takes_its_bounds_and_refuses_what_lies_beyond(command, name, flag, bounds):
    (dest,) = (action.dest for action in PARSERS[name]._actions if flag in action.option_strings)
    for value in just_inside(bounds):
        options = PARSERS[name].parse_args([*WORDS[name], flag, repr(value)])
        assert getattr(options, dest) == value
    for value in just_beyond(bounds):
        refused(command(name, flag, repr(value)), rf"{name}: (argument )?{flag}\b")
    refused(command(name, flag, "-0"), f"argument {flag}: expected a")
    refused(command(name, flag, "9" * 5000), flag[2:])
    for text in ("nan", "inf", "-inf", "1e999", "true"):
        refused(command(name, flag, text), flag[2:])
    if isinstance(bounds.low, int):
        refused(command(name, flag, "2.5"), flag[2:])


@pytest.mark.parametrize(("cls", "field"), FIELDS, ids=FIELD_IDS)
def test_parameters_take_their_bounds_and_refuse_what_lies_beyond(cls, field):
    name, bounds = field.name, field.metadata["bounds"]
    known = {other.name for other in dataclasses.fields(cls)}
    for value in just_inside(bounds):
        beside = {key: given for key, given in BESIDE.get((name, value), {}).items() if key in known}
        assert getattr(cls(**{name: value, **beside}), name) == value
        assert getattr(cls(**{name: np.array(value)[()], **beside}), name) == value
    for value in just_beyond(bounds):
        with pytest.raises(DataError, match=rf"^{name} must be .*got {value!r}".replace("+", r"\+")):
            cls(**{name: value})


@pytest.mark.parametrize(("cls", "field"), FIELDS, ids=FIELD_IDS)
def test_what_is_no_number_is_refused_where_one_is_expected(cls, field):
    odd = [math.nan, math.inf, -math.inf, -0.0, True, np.True_, [1], np.ones(2), 1j, 10**5000, "nans", "-0s", "much"]
    if isinstance(field.metadata["bounds"].low, int):
        odd += [1.0, np.float32(2)]
    if "None" not in str(field.type):
        odd.append(None)
    for value in odd:
        with pytest.raises(DataError, match=f"^{field.name} must be ") as problem:
            cls(**{field.name: value})
        assert len(str(problem.value)) < 300


# Several options together.


@pytest.mark.parametrize(
    ("name", "words", "pattern"),
    [
        ("idt-extract", "--length 1000 --cells 16 --time-cells 100", "cells=16 and time_cells=100 make 846800 numbers"),
        ("idt-show", "--cells 16 --time-cells 4 --length 100", "make 33992 numbers a track, expected at most 32768"),
        ("idt-extract", "--jobs 1024 --threads 5", "jobs × threads must be at most 4096, got 1024 × 5"),
        ("svm-predict", "--jobs 5 --threads 1024", "jobs × threads must be at most 4096, got 5 × 1024"),
        ("fv-encode", "--k 65536 --pyramid 64x64x1", "k=65536 and pyramid=64x64x1 make a vector of 2684354560 numbers"),
        ("fv-encode", "--pyramid 9999x9999x9999", "pyramid must have at most 4096 cells in all"),
        ("bovw-encode", "--k 65536 --coding somp", "k=65536 and coding=somp make a Gram matrix of atoms of 4294967296"),
        ("bovw-encode", "--seed 4294967295", "seed . seeds - 1 must be at most 4294967295"),
        ("vlad-encode", "--seed 4294967295 --seeds 2", "seed . seeds - 1 must be at most 4294967295"),
        ("sfv-encode", "--volumes 101x1x2", "volumes must be at least 1/100 of the frame"),
        ("sfv-encode", "--first-k 65536 --volume-sample 1000000", "a sample of sub-volumes of 131072000000 numbers"),
        ("sfv-encode", "--first-k 65536 --reduced 16384", "first_k=65536 make a projection of 2147483648"),
        ("idt-evaluate", "--length 1000 --cells 16 --time-cells 100", "length=1000, cells=16 and time_cells=100"),
        ("idt-evaluate", "--encoder vlad --k 65536 --pyramid 64x64x1", "k=65536 and pyramid=64x64x1"),
    ],
)  # fmt: skip
def test_options_that_multiply_are_refused_together(command, name, words, pattern):
    refused(command(name, *words.split()), pattern)


def test_columns_that_are_known_only_with_the_descriptors_count_before_these_are_read():
    videos = [random_features(3, seed=i) for i in range(2)]
    with pytest.raises(DataError, match="sample=100000000 make a sample of 42600000000 numbers"):
        fit_codebook(videos, params=EncodingParams(k=1, sample=100_000_000))
    with pytest.raises(DataError, match="k=160 and pyramid=64x64x1 make a vector of 279183360 numbers"):
        fit_codebook(videos, params=EncodingParams(k=160, pyramid="64x64x1"))
    with pytest.raises(DataError, match="first_k=65536 make a sample of sub-volumes of 31457280000 numbers"):
        fit_codebook(videos, params=StackedParams(first_k=65_536, blocks="hog", pyramid="1x1x1"))


def test_a_codebook_refuses_vectors_that_would_fill_the_memory():
    fitted = FisherEncoder(160).fit([random_features(100, seed=i) for i in range(2)])
    coarse = FisherEncoder.from_codebook(fitted.codebook_, pyramid="32x64x1")
    assert coarse.layout_[-1]["first"] + coarse.layout_[-1]["size"] == 160 * 2 * 213 * 2048
    with pytest.raises(DataError, match="pyramid=64x64x1 makes a vector of 279183360 numbers with this codebook"):
        FisherEncoder.from_codebook(fitted.codebook_, pyramid="64x64x1")


# Whoever asks.


def test_python_callers_and_recipes_have_the_same_bounds(tmp_path):
    frames = np.zeros((3, 64, 64), np.uint8)
    with pytest.raises(DataError, match="length must be a whole number of at most 1000, got 1000000000: a point"):
        idt.extract(frames, length=10**9)
    with pytest.raises(DataError, match="threads must be a whole number of at most 1024, got 1025"):
        idt.extract(frames, threads=1025)
    with pytest.raises(DataError, match=r"C must be a number from 1e-09 to 1e\+09, or cv, got 10000000000"):
        LinearSVM(C=10**10).fit([[0.0], [1.0]], ["a", "b"])
    with pytest.raises(DataError, match="k must be a whole number of at most 65536, got 65537"):
        FisherEncoder(65_537).fit([np.ones((3, 2), np.float32)] * 2)
    videos = [np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32)]
    for wrong in (0, -1, 1025, 1.0, True, None):
        for name in ("jobs", "threads"):
            with pytest.raises(DataError, match=f"{name} must be a whole number of at (least 1|most 1024), got"):
                fit_codebook(videos, params=EncodingParams(k=1), **{name: wrong})
        with pytest.raises(DataError, match=r"threads must be a whole number of at (least 1|most 1024), got"):
            FisherEncoder(1, threads=wrong).fit(videos)
    # In scikit-learn's words -1 and None are numbers of processes, too.
    for wrong in (0, 1025, 1.0, True):
        with pytest.raises(DataError, match="n_jobs must be"):
            FisherEncoder(1, n_jobs=wrong).fit(videos)
    (tmp_path / "recipes.cfg").write_text("[a]\ncells = 17\n")
    with pytest.raises(DataError, match=r"\[a\]: cells: expected a whole number of at most 16, got '17': descr"):
        read_recipes(tmp_path / "recipes.cfg")


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="the peak is read from /proc")
@pytest.mark.parametrize("name", [name for name in WORDS if name != "idt-convert"])
def test_a_refusal_loads_nothing_heavy_and_takes_no_memory(name, tmp_path):
    flag = next(flag for command, flag, _ in NUMBERS if command == name)
    module = scripts()[name].__module__
    code = (
        "import atexit, re, sys\n"
        f"import {module} as cli\n"
        "heavy = {'cv2', 'numba', 'sklearn', 'h5py'}\n"
        # The peak that resource tells is that of the tests' own process, as which this one began.
        "peak = lambda: re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1]\n"
        "atexit.register(lambda: print(sorted(heavy & set(sys.modules)), peak()))\n"
        f"sys.exit(cli.{scripts()[name].__name__}({[*WORDS[name], flag, '1000000000000']!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert flag in done.stderr
    loaded, _, peak = done.stdout.rpartition(" ")
    assert loaded == "[]"
    assert int(peak) << 10 < MOST_MEMORY


def test_bounds_that_nothing_exceeds_in_earnest_are_taken():
    ExtractionParams(length=300, time_cells=10, patch=128, cells=8, gap=10**6)
    EncodingParams(k=65_536, pyramid="1x1x1,1x3x1,1x1x2")
    BovwParams(k=65_536, pyramid="1x1x1,2x2x1,1x3x1,1x1x2", seed=0xDEADBEEF)
    StackedParams(k=1024, first_k=4096, volume_sample=100_000)
    ClassifierParams(C=2.0**-20)
    DatasetParams(folds=100)
