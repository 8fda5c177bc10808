"""Score files of any known form, recognised by their content. Source: docs/method/files.md, section 7.2."""

from types import ModuleType

import numpy as np

from classify.fusion import score_file
from classify.fusion.forms import (
    activitynet,
    arrays,
    coviar,
    csv_table,
    mat,
    mmaction2,
    slowfast,
    torch_file,
    tsm,
    tsn,
    two_stream,
)
from classify.fusion.forms import hdf5 as hdf5_of_others
from classify.fusion.forms.complete import checked, complete
from classify.fusion.forms.content import open_content
from idt.errors import DataError, short_repr, unknown_option
from idt.files import hdf5

FORMS: dict[str, ModuleType] = {
    score_file.FORM: score_file,
    "mmaction2": mmaction2,
    "tsn": tsn,
    "coviar": coviar,
    "slowfast": slowfast,
    "two_stream": two_stream,
    "activitynet": activitynet,
    "mat": mat,
    "hdf5": hdf5_of_others,
    "arrays": arrays,
    "torch_file": torch_file,
    "tsm": tsm,
    "csv": csv_table,
}
"""Name of a form → its module, in the order in which the forms are tried."""


def read_scores(path, *, form=None, video_list=None):
    """Read scores of videos.

    Parameters
    ----------
    path : str or Path
    form : str, optional
        One of `FORMS`; by default the form is recognised by the content.
    video_list : classify.datasets.video_list.VideoList, optional
        Names of the videos in the order of the file. It is used only if the file names no videos.

    Returns
    -------
    Scores
        ``names`` is None where neither the file nor a list names the videos.

    Raises
    ------
    DataError
        If the file is of no known form, is damaged, holds objects of a type that is refused, holds scores that are not
        finite, or contradicts the list.
    OSError
        If it does not exist or cannot be read.
    """
    if form is not None and form not in FORMS:
        raise DataError(f"{unknown_option(short_repr(form)[1:-1], FORMS)}".replace("option", "form", 1))
    ours = hdf5.format_of(path) or ""
    if form in (None, score_file.FORM) and ours == score_file.SCORES_FORMAT:
        return checked(score_file.load(path))
    if form == score_file.FORM:
        raise DataError(f"{path} is no score file of ours, as idt-evaluate and svm-predict write")
    # A matrix of vectors would be taken for a matrix of scores.
    if ours.startswith("idt-"):
        raise DataError(f"{path} has format {ours!r}, expected scores{'' if form is None else f' of the form {form}'}")
    content = open_content(path)
    chosen = form or next(
        (name for name, each in FORMS.items() if each is not score_file and each.recognises(content)), None
    )
    if chosen is None:
        raise DataError(f"{path} is {content.container} of no known form of scores; known are {', '.join(FORMS)}")
    if not FORMS[chosen].recognises(content):
        raise DataError(f"{path} does not have the form {chosen}: expected {FORMS[chosen].DESCRIPTION}")
    # Readers sum and average numbers that are not finite, which `complete` refuses at the end.
    with np.errstate(all="ignore"):
        return complete(FORMS[chosen].read(content), content, chosen, video_list)
