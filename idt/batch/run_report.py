"""Report a run over many videos: the progress bar, a line for each video, the summary and the exit status."""

import sys
from pathlib import Path

from idt.batch import summary
from idt.command import DONE, SOME_FAILED, say, warn
from idt.errors import with_name
from idt.workers.progress import progress_bar


def report_outcomes(count, outcomes, report, *, quiet):
    """Count the outcomes of many videos, with a progress bar.

    Parameters
    ----------
    count : idt.batch.summary.Tally
    outcomes : callable
        Called with ``advance``, as for `idt.batch.extract_many.extract_many`; returns an iterator of index and
        `Outcome`.
    report : callable
        Prints what became of a video, called with index and `Outcome`.
    quiet : bool
        Show no bar.
    """
    with progress_bar(count.total, "B", quiet, form=summary.BAR) as bar:

        def advance(*counted):
            bar.update(count.advance(*counted))
            bar.set_description_str(str(count), refresh=False)

        for index, outcome in outcomes(advance):
            bar.update(count.end(index, outcome))
            bar.set_description_str(str(count), refresh=False)
            with bar.external_write_mode(file=sys.stderr):
                report(index, outcome)


def end_run(name, count, total, folder, run, *, scheduler, quiet):
    """Write the summary of a run, and print one line each about the notes and the number of failed videos.

    Parameters
    ----------
    name : str
        Of the command.
    count : idt.batch.summary.Tally
    total : int
        Number of videos.
    folder : str or Path
        Of the output.
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
    count.write_summary(jobs=run.jobs, threads=run.threads, scheduler=scheduler)
    noted = count.notes.line(total, Path(folder) / summary.SUMMARY)
    if noted and not quiet:
        warn(f"{name}: {noted}")
    if count.failed:
        failures = Path(folder) / summary.FAILURES
        warn(f"{name}: {count.failed} of {total} videos failed; the others are complete, see {failures}")
    return SOME_FAILED if count.failed else DONE


def verify_files(paths, check, unit, *, quiet):
    """Verify many files, and print the fault of each that has one.

    Parameters
    ----------
    paths : list of Path
    check : callable
        Gives the `idt.batch.verify.Finding` of a path.
    unit : str
        Unit of the bar.
    quiet : bool
        Show no bar.

    Returns
    -------
    bad, alone : int
        Files that must be made again, and those whose source is not where it was.
    """
    bad = alone = 0
    with progress_bar(len(paths), unit, quiet) as bar:
        for path in paths:
            found = check(path)
            bar.update()
            alone += not found.source_found
            if found.fault is not None:
                bad += 1
                with bar.external_write_mode(file=sys.stderr):
                    say(with_name(path, found.fault))
    return bad, alone
