import os

from encoding.parallel import in_order


def test_results_come_in_the_order_of_the_tasks():
    tasks = [(7, 2), (9, 4), (3, 5)]
    for jobs in (1, 2):
        assert list(in_order(divmod, tasks, jobs)) == [(3, 1), (2, 1), (0, 3)]


def test_processes_that_are_used_again_work_in_the_folder_of_the_caller(tmp_path, monkeypatch):
    for folder in (tmp_path / "first", tmp_path / "second"):
        folder.mkdir()
        monkeypatch.chdir(folder)
        assert set(in_order(os.getcwd, [()] * 4, jobs=2)) == {str(folder)}
