"""Report a run over many videos: the progress bar, a line for each video, the summary and the exit status."""

import sys
from pathlib import Path

from idt.batch import summary
from idt.command import DONE, SOME_FAILED, say, warn
from idt.errors import with_name
from idt.workers.progress import progress_bar


def report_outcomes(tally, outcomes, report, *, quiet):
    """Count the outcomes of many videos, with a progress bar.

    Parameters
    ----------
    tally : idt.batch.summary.Tally
    outcomes : callable
        Called with ``advance``, as for `idt.batch.extract_many.extract_many`; returns an iterator of index and
        `Outcome`.
    report : callable
        Called with index and `Outcome` of a video; prints the outcome.
    quiet : bool
        Show no bar.
    """
    with progress_bar(tally.total, "B", quiet, bar_format=summary.BAR) as bar:

        def advance(*counted):
            bar.update(tally.advance(*counted))
            bar.set_description_str(str(tally), refresh=False)

        for index, outcome in outcomes(advance):
            bar.update(tally.end(index, outcome))
            bar.set_description_str(str(tally), refresh=False)
            with bar.external_write_mode(file=sys.stderr):
                report(index, outcome)


def end_run(name, tally, total, folder, run, *, scheduler, quiet):
    """Write the summary of a run, and print one line each about the notes and the number of failed videos.

    Parameters
    ----------
    name : str
        Name of the command.
    tally : idt.batch.summary.Tally
    total : int
        Number of videos.
    folder : str or Path
        Folder of the output.
    run : RunOptions
    scheduler : str or None
        Address of the cluster.
    quiet : bool
        Leave the notes out.

    Returns
    -------
    int
        Exit status of the command.

    Raises
    ------
    OSError
        If the disk is full.
    """
    tally.write_summary(jobs=run.jobs, threads=run.threads, scheduler=scheduler)
    noted = tally.notes.line(total, Path(folder) / summary.SUMMARY)
    if noted and not quiet:
        warn(f"{name}: {noted}")
    if tally.failed:
        failures = Path(folder) / summary.FAILURES
        warn(f"{name}: {tally.failed} of {total} videos failed; the others are complete, see {failures}")
    return SOME_FAILED if tally.failed else DONE


def verify_files(paths, check, unit, *, quiet):
    """Verify many files, and print the fault of each that has one.

    Parameters
    ----------
    paths : list of Path
    check : callable
        Called with a path; returns its `idt.batch.verify.Finding`.
    unit : str
        Unit of the bar.
    quiet : bool
        Show no bar.

    Returns
    -------
    bad, without_source : int
        Number of files that must be made again, and of files whose source is not where it was.
    """
    bad = without_source = 0
    with progress_bar(len(paths), unit, quiet) as bar:
        for path in paths:
            found = check(path)
            bar.update()
            without_source += not found.source_found
            if found.fault is not None:
                bad += 1
                with bar.external_write_mode(file=sys.stderr):
                    say(with_name(path, found.fault))
    return bad, without_source
