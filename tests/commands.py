"""Commands run in the process of the tests."""

import re
import sys


def run_command(monkeypatch, capsys, function, name, *words):
    """Run a command: its exit status, stdout and stderr."""
    monkeypatch.setattr(sys, "argv", [name])
    try:
        status = function([str(word) for word in words])
    except SystemExit as left:
        status = left.code
    out, err = capsys.readouterr()
    return status, out, err


def refused(result, pattern):
    """The command said why in one line on stderr, and exited with 2."""
    status, out, err = result
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1, err
    assert re.search(pattern, err), err
    return True
