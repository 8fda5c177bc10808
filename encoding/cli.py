"""The command `fv-encode`: parse, call one function, print what was done."""

import contextlib
import dataclasses
import sys
from pathlib import Path

from encoding.params import EncodingParams
from idt.command import DONE, SOME_FAILED, Parser, add_fields, add_habits, command, progress_bar
from idt.errors import DataError


@command
def fv_encode(arguments):
    """``fv-encode``: feature files to Fisher vectors, one a video."""
    options, given = _parsed(arguments)
    params = None if options.codebook else EncodingParams(**given)
    from encoding import batch
    from encoding.codebook import Codebook
    from encoding.files import find, names_of

    settings = {
        "overwrite": options.overwrite,
        "progress": batch.no_progress if options.quiet else _bar,
        "jobs": options.jobs,
        "threads": options.threads,
    }
    if options.from_videos:
        return _encode_videos(options, given, settings)
    files = find(options.features)
    names = names_of(files)
    if options.codebook:
        codebook = Codebook.load(options.codebook)
        _report_vectors(batch.encode(files, names, options.output, codebook, codebook.params_with(**given), **settings))
        return DONE
    train = _read_train(options.train, names) if options.train else None
    if options.fit_only:
        fitted, vectors = batch.fit(files, names, options.output, params, train=train, **settings), None
    else:
        fitted, vectors = batch.fit_and_encode(files, names, options.output, params, train=train, **settings)
    if train is None and not options.quiet and not fitted.up_to_date:
        print(f"fv-encode: no --train list, so the codebook was fitted on all {len(files)} videos", file=sys.stderr)
    _report_codebook(fitted)
    if vectors is not None:
        _report_vectors(vectors)
    return DONE


def _encode_videos(options, given, settings):
    """Videos to vectors in one pass; exit status."""
    from encoding import batch
    from encoding.codebook import Codebook
    from encoding.videos import find

    codebook = Codebook.load(options.codebook)
    params = codebook.params_with(**given)
    videos = find(options.features, codebook, path=options.codebook, boxes=options.boxes, threads=options.threads)
    made, failed = batch.encode_videos(videos, options.output, codebook, params, **settings)
    for name, reason in failed.items():
        print(f"fv-encode: {name}: {reason}", file=sys.stderr)
    _report_vectors(made)
    return SOME_FAILED if failed else DONE


def _parsed(arguments):
    """Options of ``fv-encode``, and the parameters of encoding that were given: dict by name."""
    parser = Parser(
        "fv-encode",
        "Encode feature files as Fisher vectors, one a video, with a codebook that is given or fitted and stored"
        " beside them (NAME.codebook.h5). A video has the name that is recorded in its feature file, if all files"
        " lie where idt-extract put them, or else the path of the file relative to the others.",
        "fv-encode --k 256 features/ -o vectors.h5",
    )
    parser.add_argument(
        "features", nargs="+", metavar="FEATS", help="feature file, folder of .h5 files, pattern; or see --from-videos"
    )
    add_habits(parser, output="vectors file; with --fit-only the codebook file", jobs=True, threads=True)
    parser.add_argument("--codebook", metavar="FILE", help="encode with this codebook instead of fitting one")
    parser.add_argument("--train", metavar="LIST", help="text file of the names of the videos to fit on, one a line")
    parser.add_argument(
        "--from-videos", action="store_true",
        help="FEATS are videos: extract and encode them in one pass, as --codebook says; no tracks are stored",
    )  # fmt: skip
    parser.add_argument("--boxes", metavar="FILE", help="with --from-videos: human boxes, as of idt-extract")
    parser.add_argument("--fit-only", action="store_true", help="fit and store a codebook, encode nothing")
    add_fields(parser, EncodingParams)
    # What is given must not contradict a codebook, what is absent cannot: so the parser must tell them apart.
    fields = [field.name for field in dataclasses.fields(EncodingParams)]
    parser.set_defaults(**dict.fromkeys(fields))
    options = parser.parse_args(arguments)
    if options.codebook and (options.train or options.fit_only):
        parser.error("--codebook is fitted already, so it goes with neither --train nor --fit-only")
    if options.from_videos and not options.codebook:
        parser.error("--from-videos reads every video once, so it needs a codebook that is fitted already (--codebook)")
    if options.boxes and not options.from_videos:
        parser.error("--boxes goes with --from-videos; features have them in already")
    return options, {name: getattr(options, name) for name in fields if getattr(options, name) is not None}


def _read_train(path, names):
    """Video names of a list; the suffix of a video or feature file may stand behind one."""
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DataError(f"{path} is not UTF-8 text; expected the name of a video on every line") from None
    known = set(names)
    found = [line.strip() for line in lines if line.strip()]
    found = [name if name in known else Path(name).with_suffix("").as_posix() for name in found]
    if not found:
        raise DataError(f"{path} names no video; expected the name of a video on every line")
    return found


def _report_codebook(made):
    if made.up_to_date:
        print(f"{made.path}: up to date")
        return
    blocks, sampling = made.content.blocks, made.content.sampling
    print(
        f"{made.path}: mixtures of {made.content.params['k']} components for {', '.join(b.name for b in blocks)},"
        f" fitted on {sampling['sampled']} of {sampling['seen']} tracks of {sampling['videos']} videos"
    )


def _report_vectors(made):
    if made.up_to_date:
        print(f"{made.path}: up to date")
        return
    empty = made.content.empty
    note = f"; {len(empty)} without tracks: {', '.join(empty)}" if empty else ""
    print(f"{made.path}: {made.content.videos} vectors of {made.content.columns} numbers{note}")


@contextlib.contextmanager
def _bar(stage, total):
    """Progress on stderr, for `encoding.batch`."""
    with progress_bar(total, stage, quiet=False) as bar:
        yield bar.update
