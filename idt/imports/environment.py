"""Keep modules and libraries in the current folder from being loaded, because a stranger may have put them there.

In ``PATH``, ``LD_LIBRARY_PATH`` and ``PYTHONPATH`` an empty entry stands for the current folder. It is there mostly by
accident: ``$LD_LIBRARY_PATH:/opt/lib`` begins with an empty entry if the variable is not set.
"""

import os
import sys

SEARCHED = ("PATH", "LD_LIBRARY_PATH")
"""Variables that tell where programs and libraries are."""


def clean_environment():
    """Keep child processes from loading anything from the current folder."""
    for name in SEARCHED:
        value = os.environ.get(name)
        if value is None or (cleaned := absolute_entries(value)) == value:
            continue
        if cleaned:
            os.environ[name] = cleaned
        else:
            del os.environ[name]


def absolute_entries(value):
    """Return the search path ``value`` without the entries that depend on the current folder."""
    return os.pathsep.join(entry for entry in value.split(os.pathsep) if os.path.isabs(entry))


def clean_search_path():
    """Remove the current folder from the search path if an empty entry put it there."""
    entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if len(entries) < 2 or "" not in entries:
        return
    here = os.getcwd()
    # Python has made the entry absolute. If another entry names the folder, it stays.
    if here not in {os.path.abspath(entry) for entry in entries if entry}:
        sys.path[:] = [entry for entry in sys.path if entry != here]
