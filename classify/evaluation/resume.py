"""Resuming: the files of an earlier run, and whether this run may go on from them.

`earlier_report` and `refuse_other_features` compare options and versions before any work. The videos are compared file
by file later.
"""

import dataclasses

from idt.errors import DataError
from idt.features import feature_file
from idt.files import hdf5, json_text, ownership, provenance, versions
from idt.params.decoder import chosen_decoder

VARYING = ("tool", "seconds", "memory", "versions")
"""Entries of a report that may differ between two runs of one evaluation. Versions on which numbers depend are compared
file by file; those of the report are the versions of the run that made it."""


def settings_of(dataset, *, extraction, encoding, classifier):
    """Return the settings of an evaluation: all options that its numbers depend on.

    Parameters
    ----------
    dataset : Dataset
        Its ``protocol`` states its options in words.
    extraction : ExtractionParams
    encoding : encoding.params.BlockParams
    classifier : ClassifierParams

    Returns
    -------
    dict
        ``extraction``, ``encoding`` and ``classifier``, each as a dict of its options; ``encoder``, the name of the
        encoding; ``dataset`` and ``protocol``; and ``outside``, the digests of blocks of outside vectors, if there are
        any.
    """
    groups = {"extraction": extraction, "encoding": encoding, "classifier": classifier}
    described: dict = {"dataset": dataset.name, "protocol": dataset.protocol, "encoder": encoding.encoding}
    if dataset.outside:
        described["outside"] = {block.name: block.digest for block in dataset.outside}
    return {**described, **{name: dataclasses.asdict(params) for name, params in groups.items()}}


def earlier_report(path, settings, *, overwrite=False):
    """Read the report of an earlier run.

    Parameters
    ----------
    path : Path
    settings : dict
        As from `settings_of`.
    overwrite : bool or collection of path
        Accept a report with other settings, or another file that may be replaced.

    Returns
    -------
    dict or None
        None if there is none, or none that can be read.

    Raises
    ------
    DataError
        If ``path`` is a report with other settings and ``overwrite`` is false, or no report and may not be replaced.
    OSError
        If it cannot be read.
    """
    if not path.exists():
        return None
    try:
        report = json_text.load(path)
        before = _flat(report["settings"])
    except (DataError, TypeError, KeyError, AttributeError) as problem:
        if not overwrite:
            reason = f" ({problem})" if isinstance(problem, DataError) else ""
            raise DataError(f"{path} is no report of an evaluation{reason}; {ownership.remedy(path)}") from None
        ownership.check_replaceable(path, overwrite)
        return None
    if not overwrite:
        _refuse_difference(path, before, _flat(settings))
    return report


def equals_earlier(report, earlier):
    """Tell whether ``report`` equals an ``earlier`` one in all entries but `VARYING`."""
    if earlier is None:
        return False
    one, other = ({key: value for key, value in these.items() if key not in VARYING} for these in (report, earlier))
    return provenance.as_json_values(one) == other


def refuse_other_features(tasks, decoder="auto"):
    """Refuse feature files that were extracted with other parameters or versions, in one message before any extraction.

    Parameters
    ----------
    tasks : sequence of classify.models.video_features.Task
    decoder : {"auto", "opencv", "pyav"}
        Decoder of the video files.

    Raises
    ------
    DataError
        If there is one. Files that cannot be read are left to the extraction, which names them.
    """
    for task in tasks:
        if not task.output.exists():
            continue
        try:
            with hdf5.open_checked(task.output, format=feature_file.FORMAT, versions=feature_file.VERSIONS) as file:
                before = hdf5.json_attribute(file, "params") or {}
                origin = hdf5.json_attribute(file, "source") or {}
                made_with = provenance.made_with_of(file)
        except (DataError, OSError):
            continue
        wanted = provenance.as_json_values(feature_file.stored_params(task.params))
        _refuse_difference(task.output, before, wanted)
        source = {"decoder": chosen_decoder(decoder)} if origin.get("kind") == "file" else None
        reason = versions.difference(made_with, versions.made_with(feature_file.FORMAT, wanted, source))
        if reason:
            raise DataError(f"{task.output} {reason}; {provenance.REMEDY}")


def _refuse_difference(path, before, now):
    differ = [key for key in sorted({*before, *now}) if before.get(key, ...) != now.get(key, ...)]
    if differ:
        was, asked = (", ".join(f"{key}={values.get(key, 'none')}" for key in differ) for values in (before, now))
        raise DataError(f"{path} was made with {was}, this run asks for {asked}; {provenance.REMEDY}")


def _flat(settings):
    """Return the settings of all groups in one dict; a name that two groups have is prefixed with its group."""
    plain = provenance.as_json_values(settings)
    groups = {key: value for key, value in plain.items() if isinstance(value, dict)}
    flat = {key: value for key, value in plain.items() if key not in groups}
    names = [name for group in groups.values() for name in group]
    for key, group in groups.items():
        flat.update({name if names.count(name) == 1 else f"{key}.{name}": value for name, value in group.items()})
    return flat
