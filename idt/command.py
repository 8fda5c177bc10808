"""Options generated from parameter dataclasses, one-line errors, exit statuses: shared by all commands.

Exit status: 0 done, 1 our bug (with a traceback), 2 wrong input or options, 3 some of many inputs failed, 128 + n ended
by signal n (SIGINT 130, SIGTERM 143, SIGHUP 129; SIGPIPE 141, without a message, because the reader has gone).
"""

import argparse
import contextlib
import dataclasses
import functools
import gc
import io
import os
import signal
import sys
import warnings

from idt.errors import LONGEST_MESSAGE, DataError, did_you_mean, one_line, printable, short_repr
from idt.imports.environment import clean_environment, clean_search_path
from idt.params.bounds import DEFAULT_PATIENCE, JOBS, MOST_PIXELS, PATIENCE, PIXELS, THREADS, check_workers
from idt.params.decoder import DECODERS
from idt.workers import kernel_folder, memory, patience, profile, signals
from idt.workers.progress import add_progress, show_as, shown_progress
from idt.workers.run_options import RunOptions, no_progress

DONE, BUG, WRONG, SOME_FAILED = 0, 1, 2, 3

GC_THRESHOLD = 200_000
"""Python's garbage collector starts a collection after this many new objects, instead of a few hundred."""


class Parser(argparse.ArgumentParser):
    """Argument parser whose help ends with an example to paste and whose errors are one line.

    Parameters
    ----------
    prog : str
    description, example : str
        First and last words of the help.
    """

    def __init__(self, prog, description, example):
        super().__init__(
            prog=prog,
            description=description,
            epilog=f"example: {example}",
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def error(self, message):
        """Print the error in one line and exit with status 2."""
        self.exit(WRONG, f"{self.prog}: {one_line(message, LONGEST_MESSAGE)}; see {self.prog} --help\n")

    def parse_args(self, args=None, namespace=None):
        """Parse ``args``, refuse unknown options, and apply the options of `add_common_options`."""
        self._refuse_files_named_like_options(args)
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            flag = next((word.split("=")[0] for word in unknown if word.startswith("-")), unknown[0])
            near = did_you_mean(flag, self._option_string_actions)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{near}")
        for action in self._actions:
            # An unset variable of the shell gives an empty text, which would count as an option that was not given.
            if action.option_strings and action.dest != "output" and getattr(options, action.dest, None) in ("", [""]):
                self.error(f"argument {'/'.join(action.option_strings)}: expected a value, got an empty text")
        show_as(getattr(options, "progress", "bar"))
        if getattr(options, "profile", False):
            profile.start()
        if getattr(options, "force", None):
            # The work may continue in a process with another working directory.
            options.overwrite = tuple(map(os.path.abspath, options.force))
        jobs, threads = getattr(options, "jobs", None), getattr(options, "threads", None)
        if jobs and threads:
            try:
                check_workers(jobs, threads)
            except DataError as problem:
                self.error(f"--jobs, --threads: {problem}")
        if "backend" in options and (options.backend == "dask") != (options.scheduler is not None):
            self.error("--backend dask and --scheduler tcp://HOST:PORT go together")
        return options

    def _refuse_files_named_like_options(self, words):
        """Refuse file names that begin like options: ``-overview.avi`` is ``-o verview.avi`` to argparse."""
        for word in words or []:
            if word == "--":
                return
            is_known = not word.startswith("-") or word.partition("=")[0] in self._option_string_actions
            if not is_known and word != "-" and os.path.lexists(word):
                self.error(f"{word} is a file, but begins as an option does; write ./{word}, or -- before all files")


class _Formatter(argparse.HelpFormatter):
    """Help formatter with lines of 110 characters on every terminal, 30 of them for the names of the options."""

    def __init__(self, prog):
        super().__init__(prog, max_help_position=30, width=110)


def add_fields(parser, cls, title="parameters", *, prefix="", exclude=()):
    """Add an option for every field of a parameter dataclass.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    cls : dataclass
        Its fields are made with `idt.params.option`. If the class has the attribute ``PRESETS``, ``--preset`` is added.
    title : str
        Heading of the group in the help.
    prefix : str
        Prefix of the names of the values in the parsed arguments, for dataclasses that share the name of a field.
    exclude : collection of str
        Flags to leave out, because the parser has them already.
    """
    group = parser.add_argument_group(title)
    presets = getattr(cls, "PRESETS", {})
    if presets:
        group.add_argument(
            "--preset", choices=presets, default=next(iter(presets)),
            help=f"defaults of the options below (default {next(iter(presets))}); "
            + "; ".join(f"{name}: " + _as_options(values) for name, values in presets.items() if values),
        )  # fmt: skip
    for field in dataclasses.fields(cls):
        described, flag, dest = field.metadata, flag_of(field), prefix + field.name
        several = "tuple" in str(field.type)
        if flag in exclude:
            continue
        default = argparse.SUPPRESS if presets else field.default
        if isinstance(field.default, bool):
            action = "store_false" if field.default else "store_true"
            group.add_argument(flag, dest=dest, action=action, default=default, help=described["help"])
            continue
        shown = "" if field.default in (None, ()) else f"default {field.default}"
        if described["bounds"]:
            shown = f"{described['bounds']}{shown and '; '}{shown}"
        shown = f" ({shown})" if shown else ""
        unit = f", {described['unit']}" if described["unit"] else ""
        group.add_argument(
            flag,
            dest=dest,
            action="append" if several else "store",
            default=[] if several else default,
            choices=described["choices"],
            type=value_parser(field.type, described["bounds"]),
            metavar=None if described["choices"] else "N",
            help=f"{described['help']}{unit}{shown}".replace("%", "%%"),
        )


def flag_of(field):
    """Return the option for the ``field`` of a parameter dataclass, such as ``--no-camera`` for ``camera``."""
    return "--" + (field.metadata["flag"] or field.name).replace("_", "-")


def _as_options(values):
    """Format the values of a preset as options of the command line."""
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in values.items())


def params_from(arguments, cls):
    """Build the parameter dataclass ``cls`` from parsed ``arguments``, over the values of a preset if one is given."""
    given = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(cls) if field.name in arguments}
    return cls.from_options(preset=arguments.preset, **given) if hasattr(cls, "PRESETS") else cls(**given)


def run_options(arguments):
    """Build the `RunOptions` from parsed ``arguments`` of `add_common_options`; absent options have their defaults."""
    return RunOptions(
        jobs=getattr(arguments, "jobs", None) or 1,
        threads=getattr(arguments, "threads", None) or 1,
        overwrite=arguments.overwrite,
        max_pixels=getattr(arguments, "max_pixels", MOST_PIXELS),
        patience=getattr(arguments, "patience", DEFAULT_PATIENCE),
        decoder=getattr(arguments, "decoder", "auto"),
        progress=no_progress if arguments.quiet else shown_progress,
    )


def add_common_options(parser, *, output, required=True, jobs=False, threads=False, cluster=False, videos=False):
    """Add the options that commands have in common.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    output : str
        Help of ``-o``.
    required : bool
        Whether ``-o`` must be given.
    jobs : bool
        Whether the command works on several inputs at once.
    threads : bool or str
        Whether the command has ``--threads``, with the default 1. If it is a text, the
        option's default is None, and the help describes the default by this text.
    cluster : bool
        Whether the command can work on other machines.
    videos : bool
        Whether the command reads videos.
    """
    run = parser.add_argument_group("run")
    parser.add_argument("-o", "--output", required=required, metavar="PATH", help=output)
    if jobs:
        add_number_option(run, "--jobs", JOBS, default=1, help="number of inputs processed at once")
    if threads:
        default, unset = (1, "") if threads is True else (None, f"default {threads}")
        add_number_option(run, "--threads", THREADS, default=default, help="threads for each input", unset=unset)
    if cluster:
        run.add_argument(
            "--backend", choices=("local", "dask"), default="local",
            help="process the inputs on this machine or on a Dask cluster (default local)",
        )  # fmt: skip
        run.add_argument("--scheduler", metavar="TCP", help="address of the Dask scheduler, tcp://HOST:PORT")
    if videos:
        add_reading_options(run)
    add_overwrite_options(parser)
    run.add_argument("--quiet", action="store_true", help="print results and errors only: no progress, no notes")
    add_progress(run)
    run.add_argument("--profile", action="store_true", help="print the time and memory of each stage at the end")


def add_reading_options(parser):
    """Add to ``parser`` the options of commands that read videos."""
    add_number_option(parser, "--max-pixels", PIXELS, default=MOST_PIXELS, help="refuse frames of more pixels")
    waiting = "give up a video after this time without a frame, s"
    add_number_option(parser, "--patience", PATIENCE, default=DEFAULT_PATIENCE, help=waiting)
    parser.add_argument(
        "--decoder", choices=DECODERS, default="auto",
        help="decoder of video files; auto is PyAV if it is installed, else OpenCV (default auto)",
    )  # fmt: skip


def add_overwrite_options(parser):
    """Add to ``parser`` the options that say which files may be replaced."""
    parser.add_argument("--overwrite", action="store_true", help="replace outputs of earlier runs, but no other files")
    parser.add_argument(
        "--force", action="append", default=[], metavar="FILE",
        help="as --overwrite, and replace FILE even if no run wrote it; never an input",
    )  # fmt: skip


def add_number_option(parser, flag, bounds, *, default, help, unset=""):
    """Add an option that takes a number.

    Parameters
    ----------
    parser : argparse.ArgumentParser
    flag : str
        Such as ``--jobs``.
    bounds : Bounds
    default : int or None
    help : str
        Its help, without bounds and default.
    unset : str
        Text in the help about a call without the option. If it is empty, the help says "default" and the value.
    """
    unset = unset or f"default {default}"
    parse = value_parser(type(bounds.low), bounds)
    parser.add_argument(flag, type=parse, default=default, metavar="N", help=f"{help} ({bounds}; {unset})")


def say(text, *, red=False):
    """Print the line ``text`` on stdout, with control characters escaped, so that it stays one line.

    ``red`` colours the line on a terminal, unless the environment has NO_COLOR.
    """
    line = printable(text)
    if red and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        line = f"\x1b[31m{line}\x1b[0m"
    signals.print_line(line, sys.stdout)


def warn(text):
    """Print the line ``text`` on stderr, as `say` does on stdout."""
    signals.print_line(printable(text), sys.stderr)


def command(main):
    """Decorate ``main`` (list of str → int) as a command: errors become one line and an exit status.

    A command that is started from the shell is called without arguments and owns the process. Its garbage collector
    then runs rarely, because the objects of libraries live until the end, and freed memory is kept for later use.
    """

    @functools.wraps(main)
    def run(arguments=None):
        if arguments is not None:
            return run_until_signal(arguments)
        gc.set_threshold(GC_THRESHOLD)
        memory.keep_freed_memory()
        clean_search_path()
        clean_environment()
        # OpenCV's warnings are silenced, because our messages say the same in one line. A level set by the user stays.
        os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
        # numba reads this variable when it is imported, which is later.
        os.environ.update(kernel_folder.environment())
        signals.handle_signals()
        patience.on_timeout(_give_up)
        try:
            return run_until_signal(sys.argv[1:])
        finally:
            signals.end_at_next_signal()
            signals.discard_unread_output()
            gc.freeze()

    def run_until_signal(arguments):
        if isinstance(sys.stdout, io.TextIOWrapper):
            # A path may contain characters that the terminal cannot print; stderr escapes them by itself. Line
            # buffering gives the reader of a pipe each result at once.
            sys.stdout.reconfigure(errors="backslashreplace", line_buffering=True)
        try:
            return run_with_messages(arguments)
        except signals.CommandEnded as end:
            return signals.status_of(end.number)

    def run_with_messages(arguments):
        name = os.path.basename(sys.argv[0])
        try:
            with signals.prefer_signals(), warnings.catch_warnings():
                # A warning, such as that of an SVM that did not converge, becomes one line without a source line.
                warnings.showwarning = lambda message, *_, **__: warn(f"{name}: {error_line(message)}")
                return main(arguments)
        except (DataError, OSError, MemoryError) as error:
            warn(f"{name}: {error_line(error)}")
            return WRONG
        except RuntimeError as error:
            if "no locator available" not in str(error):
                raise
            # numba raises this if neither the installation nor the home folder is writable, as in some containers.
            warn(f"{name}: no folder for compiled kernels; set NUMBA_CACHE_DIR to one")
            return WRONG
        except KeyboardInterrupt as interrupt:
            number = getattr(interrupt, "number", signal.SIGINT)
            if number == signal.SIGPIPE:
                raise
            said = "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"
            # The terminal may be closed.
            with contextlib.suppress(OSError, signals.CommandEnded):
                warn(f"{name}: {said}; nothing incomplete was left under a final name")
            return signals.status_of(number)
        finally:
            for line in profile.report():
                warn(f"{name}: {line}")

    return run


def _give_up(line):
    """Print ``line`` and end the process, because the decoder that the main thread waits for may never return."""
    with contextlib.suppress(OSError, signals.CommandEnded):
        warn(f"{os.path.basename(sys.argv[0])}: {line}")
    signals.end_at_once(WRONG)


def error_line(error):
    """Describe ``error`` in one line: an `OSError` by its file and reason, without its number."""
    if isinstance(error, MemoryError):
        return f"not enough memory: {error}"
    if isinstance(error, OSError) and error.strerror:
        return one_line(f"{error.filename}: {error.strerror}" if error.filename else error.strerror, LONGEST_MESSAGE)
    return one_line(str(error), LONGEST_MESSAGE)


def value_parser(annotation, bounds=None):
    """Make the argparse type of an option from the annotation of its field.

    Parameters
    ----------
    annotation : type
        Of the field, such as ``int | str | None``.
    bounds : Bounds, optional
        Of the number.

    Returns
    -------
    callable
        Its attribute ``bounds`` holds the bounds passed here; ``takes_number`` tells whether the text may be a number.
    """
    names = str(annotation)
    kinds = [kind for kind, name in ((int, "int"), (float, "float")) if name in names]

    def parse(text):
        for kind in kinds:
            try:
                number = kind(text)
            except ValueError:
                continue
            # int("-0") is 0 and loses the sign.
            expected, reason = bounds.fault(-0.0 if number == 0 and "-" in text else number) if bounds else ("", "")
            if expected:
                raise argparse.ArgumentTypeError(_fault(text, expected, reason))
            return number
        if "str" in names:
            return text
        raise argparse.ArgumentTypeError(_fault(text, bounds.fault(None)[0] if bounds else "a number"))

    parse.bounds, parse.takes_number = bounds, bool(kinds)  # type: ignore[attr-defined]
    return parse


def _fault(text, expected, reason=""):
    return f"expected {expected}, got {short_repr(text)}{f': {reason}' if reason else ''}"
