"""Encode feature files into a vectors file, or into several files, one for each of several codebooks.

Each video is read once, however many files it is encoded for.
"""

import contextlib
from typing import Any, NamedTuple

from encoding.descriptors.inputs import Inputs, combine_digests, digests
from encoding.encode import encode_with, layout_of, width_of
from encoding.vectors_file import VectorsWriter
from idt.files import outputs
from idt.workers.in_order import in_order
from idt.workers.run_options import RunOptions


class WrittenVectors(NamedTuple):
    """Content of a written file: ``videos`` vectors of ``columns`` numbers; ``empty`` lists videos without tracks."""

    videos: int
    columns: int
    empty: list


class PlannedVectors(NamedTuple):
    """A vectors file to be made.

    Attributes
    ----------
    output : str or Path
    codebook : Codebook
    source : dict
        Provenance that the file records.
    names : collection of str
        Names of the videos that the file gets.
    """

    output: Any
    codebook: Any
    source: dict
    names: Any


def encode_files(files, names, codebook, output, *, params=None, source=None, run=RunOptions()):
    """Encode feature files into a vectors file.

    Parameters
    ----------
    files : list of str or Path
    names : list of str or None
        Names of the videos; None for `encoding.descriptors.feature_files.names_of`.
    codebook : Codebook
    output : str or Path
        It appears when it is complete; read it with `encoding.vectors_file.load_vectors`.
    params : BlockParams, optional
        The encoding's defaults by default.
    source : dict, optional
        Provenance that the file records; by default the digests of the files and of the codebook.
    run : RunOptions
        Processes, threads, whether ``output`` may be replaced, and a progress that counts videos.

    Returns
    -------
    WrittenVectors

    Raises
    ------
    DataError
        As `encode`, and if ``output`` is one of the files, or exists and may not be replaced.
    OSError
        If a file cannot be read or the output cannot be written.
    """
    outputs.check([output], files, overwrite=run.overwrite)
    params = params or codebook.params_with()
    inputs = Inputs.of(files, names, descriptors=tuple(codebook.sizes))
    if source is None:
        source = {"digest": combine_digests(digests(inputs.sources)), "codebook": codebook.digest}
    return encode_sets(inputs, [PlannedVectors(output, codebook, source, inputs.names)], params, run=run)[0]


def encode_sets(inputs, wanted, params, *, run=RunOptions()):
    """Encode videos into several vectors files, such as those of the splits of a data set, reading each video once.

    Parameters
    ----------
    inputs : Inputs
    wanted : sequence of PlannedVectors
    params : BlockParams
        Parameters of all files.
    run : RunOptions
        As for `encode_files`.

    Returns
    -------
    list of WrittenVectors
        One for each file. A file holds its videos in the order of the inputs.

    Raises
    ------
    DataError, OSError
        As `encode_files`.
    """
    for each in wanted:
        each.codebook.params_with(**params.fitting())
        each.codebook.check_fits(inputs)
    names = [frozenset(each.names) for each in wanted]
    targets = [[i for i, of_file in enumerate(names) if name in of_file] for name in inputs.names]
    projected = inputs.projection_digest is not None
    tasks = (
        (source, [wanted[i].codebook for i in places], params, run.threads, projected)
        for source, places in zip(inputs.sources, targets, strict=True)
    )
    layouts = [layout_of(each.codebook, params) for each in wanted]
    empty: list[list[str]] = [[] for _ in wanted]
    with contextlib.ExitStack() as stack:
        update = stack.enter_context(run.progress("video", len(inputs)))
        writers = [
            stack.enter_context(
                VectorsWriter(
                    each.output,
                    layout=layout,
                    codebook=each.codebook.digest,
                    params=params,
                    source=each.source,
                    overwrite=run.overwrite,
                )
            )
            for each, layout in zip(wanted, layouts, strict=True)
        ]
        results = in_order(encode_with, tasks, run.jobs)
        for name, places, encoded in zip(inputs.names, targets, results, strict=True):
            for i, (vector, tracks) in zip(places, encoded, strict=True):
                writers[i].append(name, vector, empty=not tracks)
                if not tracks:
                    empty[i].append(name)
            update()
    return [
        WrittenVectors(len(each.names), width_of(layout), names)
        for each, layout, names in zip(wanted, layouts, empty, strict=True)
    ]
