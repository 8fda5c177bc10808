import os
import signal

import pytest

from idt.workers.in_order import in_order, in_order_or_lost
from idt.workers.processes import Lost
from tests import perils


def test_results_come_in_the_order_of_the_tasks():
    tasks = [(7, 2), (9, 4), (3, 5)]
    for jobs in (1, 2):
        assert list(in_order(divmod, tasks, jobs)) == [(3, 1), (2, 1), (0, 3)]


def test_processes_that_are_used_again_work_in_the_folder_of_the_caller(tmp_path, monkeypatch):
    for folder in (tmp_path / "first", tmp_path / "second"):
        folder.mkdir()
        monkeypatch.chdir(folder)
        assert set(in_order(os.getcwd, [()] * 4, jobs=2)) == {str(folder)}


def test_a_killed_process_is_one_clear_line_or_stands_in_for_its_result():
    tasks = [(0,), (signal.SIGKILL,), (0,)]
    with pytest.raises(OSError, match=r"killed in the middle.*fewer --jobs; run again"):
        list(in_order(perils.die, tasks, jobs=2))
    first, lost, last = in_order_or_lost(perils.die, tasks, jobs=2)
    assert (first, last) == ("alive", "alive")
    assert isinstance(lost, Lost)
