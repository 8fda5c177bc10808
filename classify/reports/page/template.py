"""Filling of the templates of pages. Jinja2 is loaded when a page is made, and need not be installed.

Names of videos and classes may come from strangers, so Jinja2 escapes every value. A content security policy in the
page's head forbids all requests, and every script but ours, which it knows by its digest.
"""

import base64
import functools
import hashlib
import importlib.util

from classify.reports.markdown import percent
from idt.errors import printable
from idt.files.marks import TOOL

NO_JINJA = "no report.html: Jinja2 is not installed; pip install 'improved-dense-trajectories[plots]' brings it"

SCRIPT, STYLE = "page.js", "page.css"

MOST_LISTED = 200
"""Most entries of a list on a page; the others are in ``report.json``."""


def is_available():
    """Tell whether Jinja2 is installed."""
    return importlib.util.find_spec("jinja2") is not None


@functools.cache
def _environment():
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("classify.reports.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # A name may hold a character that turns the direction of writing, or a lone surrogate, which UTF-8 cannot
        # encode.
        finalize=lambda value: printable(value) if type(value) is str and not value.isprintable() else value,
    )
    made.filters["percent"] = percent
    made.filters["points"] = lambda share: "–" if share is None else f"{100 * share:+.1f}"
    made.filters["data_url"] = data_url
    return made


def fill_template(name, **values):
    """Fill a template.

    Parameters
    ----------
    name : str
        File name of the template.
    **values
        Values that the template names.

    Returns
    -------
    str or None
        The page; None where Jinja2 is not installed.
    """
    if not is_available():
        return None
    from markupsafe import Markup

    environment = _environment()
    script, style = (environment.loader.get_source(environment, part)[0] for part in (SCRIPT, STYLE))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    ours = {"script": Markup(script), "style": Markup(style), "digest": digest, "tool": TOOL}
    return environment.get_template(name).render(**values, **ours) + "\n"


def markup(svg):
    """Return an ``svg`` element of ours as text that is not escaped."""
    from markupsafe import Markup

    return Markup(svg)


def data_url(data):
    """Return a ``data:`` address that contains a picture; ``data`` are the bytes of its PNG or JPEG file."""
    kind = "png" if data[:4] == b"\x89PNG" else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
