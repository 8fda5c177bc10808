"""The commands `fv-encode`, `bovw-encode`, `vlad-encode` and so on: one function behind all.

Each command parses its options, calls one function of `encoding.pipeline` or `encoding.video_pipeline`, and prints the
result.
"""

import dataclasses
import os
from typing import NamedTuple

from encoding.descriptors.labels import drop_suffixes, read_labels, read_train
from encoding.params import (
    BilinearParams,
    BlockParams,
    BovwParams,
    EncodingParams,
    PlainParams,
    StackedParams,
    VladParams,
)
from encoding.slices.cut import ASSIGN, LENGTH
from idt.command import (
    DONE,
    SOME_FAILED,
    Parser,
    add_common_options,
    add_fields,
    add_number_option,
    command,
    run_options,
    say,
    warn,
)
from idt.errors import DataError


class EncodeCommand(NamedTuple):
    """Command: its ``name``, the ``params`` type of its encoding, a plural for its ``vectors``, an ``example`` line."""

    name: str
    params: type[BlockParams]
    vectors: str
    example: str


FISHER = EncodeCommand("fv-encode", EncodingParams, "Fisher vectors", "fv-encode --k 256 features/ -o vectors.h5")
BOVW = EncodeCommand("bovw-encode", BovwParams, "bags of visual words", "bovw-encode --k 500 features/ -o words.h5")
VLAD = EncodeCommand("vlad-encode", VladParams, "VLAD", "vlad-encode --k 256 features/ -o vlad.h5")
STACKED = EncodeCommand(
    "sfv-encode",
    StackedParams,
    "stacked Fisher vectors beside plain ones",
    "sfv-encode features/ --labels labels.csv -o stacked.h5",
)
BILINEAR = EncodeCommand(
    "bilinear-encode", BilinearParams, "bilinear vectors", "bilinear-encode --blocks fc6_snippets --sketch f/ -o v.h5"
)
PLAIN = EncodeCommand(
    "plain-encode", PlainParams, "pooled vectors", "plain-encode --blocks fc6_snippets --pool max f/ -o v.h5"
)
COMMANDS = (FISHER, BOVW, VLAD, STACKED, BILINEAR, PLAIN)


@command
def fv_encode(arguments):
    """Run ``fv-encode`` with these ``arguments``: encode each video as a Fisher vector."""
    return _encode(arguments, FISHER)


@command
def bovw_encode(arguments):
    """Run ``bovw-encode`` with these ``arguments``: encode each video as a bag of visual words."""
    return _encode(arguments, BOVW)


@command
def vlad_encode(arguments):
    """Run ``vlad-encode`` with these ``arguments``: encode each video as a VLAD vector."""
    return _encode(arguments, VLAD)


@command
def sfv_encode(arguments):
    """Run ``sfv-encode`` with these ``arguments``: encode each video as a stacked Fisher vector."""
    return _encode(arguments, STACKED)


@command
def bilinear_encode(arguments):
    """Run ``bilinear-encode`` with these ``arguments``: encode each video as a bilinear vector."""
    return _encode(arguments, BILINEAR)


@command
def plain_encode(arguments):
    """Run ``plain-encode`` with these ``arguments``: encode each video as means or largest values."""
    return _encode(arguments, PLAIN)


def _encode(arguments, tool):
    """Run one of the commands; return its exit status."""
    options, given = _parse_options(arguments, tool)
    params = None if options.codebook else tool.params(**given)
    from idt.workers import cluster

    with cluster.connected(options.scheduler):
        return _fit_and_encode(options, given, params, tool)


def _fit_and_encode(options, given, params, tool):
    """Fit, encode or do both, as the options ask; return the exit status."""
    from encoding import pipeline
    from encoding.descriptors.feature_files import find, names_of
    from idt.files import locks, outputs

    run = run_options(options)
    if options.from_videos:
        return _encode_videos(options, given, run, tool)
    # Wait for a run that extracts into one of the folders: before it ends, the folder holds only some of its videos.
    with locks.held(folders=[word for word in options.features if os.path.isdir(word)], say=run.say):
        files = find(options.features)
    made = [] if options.slices else [options.output]
    if not (options.codebook or options.fit_only):
        # The codebook goes into a file beside the vectors.
        made.append(pipeline.codebook_path(options.output))
    read = [*files, options.codebook, options.train, options.labels]
    outputs.check(made, read, overwrite=run.overwrite)
    names = names_of(files)
    if options.codebook:
        codebook = _codebook(options.codebook, tool)
        if options.slices is not None:
            return _slice(options, files, names, codebook, codebook.params_with(**given), run)
        _report_vectors(pipeline.encode(files, names, options.output, codebook, codebook.params_with(**given), run=run))
        return DONE
    learnt = {
        "train": read_train(options.train, names) if options.train else None,
        "labels": drop_suffixes(read_labels(options.labels, run.say), names, run.say) if options.labels else None,
    }
    if options.fit_only:
        fitted, vectors = pipeline.fit(files, names, options.output, params, **learnt, run=run), None
    else:
        fitted, vectors = pipeline.fit_and_encode(files, names, options.output, params, **learnt, run=run)
    if not (options.quiet or fitted.up_to_date):
        if not options.train:
            warn(f"{tool.name}: no --train list, so the codebook was fitted on all {len(files)} videos")
        if tool is STACKED and not options.labels:
            warn(f"{tool.name}: no --labels, so principal components stand in for the max-margin projection")
    _report_codebook(fitted)
    if vectors is not None:
        _report_vectors(vectors)
    return DONE


def _slice(options, files, names, codebook, params, run):
    """Sum up feature files by slice, one file a video in a folder; return the exit status."""
    from encoding.slices.cut import Cut
    from encoding.slices.slice_files import slice_files

    cut = Cut(options.slices, options.assign, options.float16)
    made = slice_files(files, names, options.output, codebook, params, cut=cut, run=run)
    note = f", {made.current} of them up to date" if made.current else ""
    say(f"{options.output}: slices of {len(made.paths)} videos, {cut.length} frames each{note}")
    return DONE


def _encode_videos(options, given, run, tool):
    """Extract and encode videos in one pass; return the exit status."""
    from encoding.descriptors.videos import find
    from encoding.video_pipeline import encode_videos
    from idt.files import outputs
    from idt.frames.suffixes import IMAGES, VIDEOS

    read = [*options.features, options.codebook, options.boxes]
    outputs.check([options.output], read, suffixes={*VIDEOS, *IMAGES}, overwrite=run.overwrite)
    codebook = _codebook(options.codebook, tool)
    params = codebook.params_with(**given)
    videos = find(
        options.features,
        codebook,
        path=options.codebook,
        boxes=options.boxes,
        run=run,
        on_note=lambda note: options.quiet or warn(f"{tool.name}: {note}"),
    )
    made, failed = encode_videos(videos, options.output, codebook, params, run=run)
    for name, reason in failed.items():
        warn(f"{tool.name}: {name}: {reason}")
    _report_vectors(made)
    return SOME_FAILED if failed else DONE


def _codebook(path, tool):
    """Load a codebook, which must be of the command's own encoding."""
    from encoding.codebook import Codebook

    codebook = Codebook.load(path)
    if codebook.encoding != tool.params.encoding:
        wanted = next(other for other in COMMANDS if other.params.encoding == codebook.encoding)
        raise DataError(f"{path} is a codebook of {wanted.vectors}; use {wanted.name}")
    return codebook


def _parse_options(arguments, tool):
    """Return the options of a command, and as a dict by name the parameters of its encoding that were given."""
    parser = Parser(
        tool.name,
        f"Encode feature files as {tool.vectors}, one a video, with a codebook that is given or fitted and stored"
        " beside them (NAME.codebook.h5). A video has the name that is recorded in its feature file, if all files"
        " lie where idt-extract put them, or else the path of the file relative to their common folder.",
        tool.example,
    )
    parser.add_argument(
        "features", nargs="+", metavar="FEATS", help="feature file, folder of .h5 files, pattern; or see --from-videos"
    )
    add_common_options(
        parser,
        output="vectors file; with --fit-only the codebook file",
        jobs=True,
        threads=True,
        cluster=True,
        videos=True,
    )
    parser.add_argument("--codebook", metavar="FILE", help="encode with this codebook instead of fitting one")
    parser.add_argument("--train", metavar="LIST", help="text file of the names of the videos to fit on, one a line")
    parser.add_argument(
        "--from-videos", action="store_true",
        help="FEATS are videos: extract them as --codebook records and encode them, in one pass; no tracks are stored",
    )  # fmt: skip
    parser.add_argument("--boxes", metavar="FILE", help="with --from-videos: human boxes, as of idt-extract")
    parser.add_argument("--fit-only", action="store_true", help="fit and store a codebook, encode nothing")
    _add_slices(parser)
    if tool is STACKED:
        parser.add_argument("--labels", metavar="CSV", help="name,label of the videos to fit on, one a line")
    else:
        parser.set_defaults(labels=None)
    add_fields(parser, tool.params)
    # An option that is given must not contradict a codebook, so the parser must tell it from an absent one.
    fields = [field.name for field in dataclasses.fields(tool.params)]
    parser.set_defaults(**dict.fromkeys(fields))
    options = parser.parse_args(arguments)
    if options.codebook and (options.train or options.fit_only or options.labels):
        fitting = "neither --train nor --fit-only" + (" nor --labels" if tool is STACKED else "")
        parser.error(f"--codebook is fitted already, so it goes with {fitting}")
    if options.from_videos and not options.codebook:
        parser.error("--from-videos reads every video once, so it needs a codebook that is fitted already (--codebook)")
    if options.slices is not None and (not options.codebook or options.from_videos):
        parser.error(
            "--slices goes with feature files and --codebook, so that all windows have the axes of one codebook"
        )
    if options.boxes and not options.from_videos:
        parser.error("--boxes goes with --from-videos; feature files were made with or without boxes already")
    return options, {name: getattr(options, name) for name in fields if getattr(options, name) is not None}


def _add_slices(parser):
    """Add the options of sums by slice."""
    group = parser.add_argument_group("slices, for windows of untrimmed video")
    add_number_option(
        group, "--slices", LENGTH, default=None,
        help="write the sums of every N frames, one file a video in the folder of -o, instead of vectors",
        unset="by default vectors are written",
    )  # fmt: skip
    group.add_argument(
        "--assign", choices=ASSIGN, default="end", help="frame that says in which slice a track counts (default end)"
    )
    group.add_argument(
        "--float16",
        action="store_true",
        help="with --slices: store three digits in half the space",
    )


def _report_codebook(made):
    """Print the path and the models of a codebook, or that it is up to date."""
    if made.up_to_date:
        say(f"{made.path}: up to date")
        return
    codebook, sampling = made.content, made.content.sampling
    k, blocks = codebook.params["k"], ", ".join(block.name for block in codebook.blocks)
    what = f"mixtures of {k} components for {blocks}"
    if codebook.encoding == "stacked":
        what = f"mixtures of {codebook.params['first_k']} and {k} components for {blocks}"
    elif codebook.encoding in ("bilinear", "plain"):
        what = f"no mixtures or words for {blocks}"
    elif codebook.encoding != "fisher":
        distortions = ", ".join(f"{block.name} ({block.coder.kmeans.distortion_:.4g})" for block in codebook.blocks)
        what = f"{k} words and distortions for {distortions}"
    fitted = f"fitted on {sampling['sampled']} of {sampling['seen']} tracks of {sampling['videos']} videos"
    say(f"{made.path}: {what}, {fitted}")


def _report_vectors(made):
    """Print the path, number and length of vectors, or that they are up to date."""
    if made.up_to_date:
        say(f"{made.path}: up to date")
        return
    empty = made.content.empty
    note = f"; {len(empty)} without tracks: {', '.join(empty)}" if empty else ""
    say(f"{made.path}: {made.content.videos} vectors of {made.content.columns} numbers{note}")
