"""Commands run in the process of the tests; the fixture `command` of the conftest hands one out."""

import configparser
import importlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def scripts():
    """The console scripts of setup.cfg: name → function."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["options.entry_points"]["console_scripts"].split("\n")
    found = {}
    for line in filter(None, map(str.strip, lines)):
        name, target = (part.strip() for part in line.split("="))
        module, function = target.split(":")
        found[name] = getattr(importlib.import_module(module), function)
    return found


def run_command(monkeypatch, capsys, function, name, *words, status=0):
    """Run a command that must end with this exit status, whatever it is if None: the status, stdout and stderr."""
    monkeypatch.setattr(sys, "argv", [name])
    try:
        left = function([str(word) for word in words])
    except SystemExit as exit_:
        left = exit_.code
    out, err = capsys.readouterr()
    assert status in (None, left), f"{name} ended with {left} instead of {status}: {err}"
    return left, out, err


def refused(result, pattern):
    """The command said why in one line on stderr, and exited with 2."""
    status, out, err = result
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1, err
    assert re.search(pattern, err), err
    return True
