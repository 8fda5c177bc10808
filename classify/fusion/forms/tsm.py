"""Output of TSM's ``--csv_file``: ``name;class``, or five classes for Something-Something. It holds no scores."""

import re

from classify.fusion.forms.content import ROWS
from idt.errors import DataError

DESCRIPTION = "text of TSM's --csv_file, which holds no scores and is refused"

_LINE = re.compile(r"[^;]+(?:;[^;]+){1}|[^;]+(?:;\s*\d+){5}")


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    return (
        content.kind == ROWS and bool(content.value) and all(_LINE.fullmatch(",".join(row)) for _, row in content.value)
    )


def read(content):
    """Refuse the ``content`` of a file."""
    raise DataError(
        f"{content.path} holds labels without scores, as TSM's --csv_file writes; make scores with its --save_scores"
    )
