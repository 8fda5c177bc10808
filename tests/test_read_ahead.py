import threading
import time

import pytest

from idt.workers.read_ahead import read_ahead, write_behind
from tests.waiting import PATIENCE, failing, until


def running():
    return [thread for thread in threading.enumerate() if thread.name.startswith("idt-ahead")]


# Worked examples


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_items_come_in_their_order(depth):
    assert list(read_ahead(iter(range(20)), depth)) == list(range(20))
    assert list(read_ahead([], depth)) == []
    assert list(read_ahead([None, None], depth)) == [None, None]


@pytest.mark.parametrize(("depth", "elsewhere"), [(0, False), (1, True), (2, True)])
def test_items_are_made_in_a_thread_of_their_own_unless_depth_is_0(depth, elsewhere):
    made_in = list(read_ahead((threading.current_thread() for _ in range(3)), depth))
    assert [thread is not threading.current_thread() for thread in made_in] == [elsewhere] * 3


@pytest.mark.parametrize("depth", [1, 2])
def test_depth_items_are_kept_ready_while_one_is_in_the_making(depth):
    made = []
    items = read_ahead((made.append(k) or k for k in range(10)), depth)
    assert next(items) == 0
    # 0 is in use, `depth` wait in the queue, and the last one made waits to enter it.
    assert until(lambda: len(made) == depth + 2, PATIENCE)
    time.sleep(0.05)
    assert len(made) == depth + 2
    items.close()


def test_nothing_is_made_before_the_first_item_is_asked_for():
    made = []
    read_ahead((made.append(k) for k in range(3)), 2)
    assert not running()
    assert made == []


# Laws


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_an_error_comes_at_its_place(depth):
    items = read_ahead(failing(3), depth)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="the frame after these"):
        next(items)
    assert not running()


@pytest.mark.parametrize("depth", [1, 2])
def test_the_thread_ends_with_its_items(depth):
    items = read_ahead(range(3), depth)
    next(items)
    # With three items left to hand out, the thread waits at its full queue or has just put the last.
    assert list(items) == [1, 2]
    assert not running()


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_consumer_that_stops_early_stops_the_thread(depth):
    made = []
    for item in read_ahead((made.append(k) or k for k in range(1000)), depth):
        if item == 3:
            break
    assert until(lambda: not running(), PATIENCE)
    assert len(made) <= 4 + depth + 1


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_an_error_of_the_consumer_stops_the_thread(depth):
    items = read_ahead(iter(range(1000)), depth)

    def consume():
        for item in items:
            if item == 2:
                raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        consume()
    items.close()
    assert not running()


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_what_an_unfinished_source_holds_is_released(depth):
    released = []

    def source():
        try:
            yield from range(1000)
        finally:
            released.append(True)

    items = read_ahead(source(), depth)
    assert next(items) == 0
    items.close()
    del items
    assert until(lambda: released == [True], PATIENCE)


# Behind


@pytest.mark.parametrize("threaded", [False, True])
def test_items_are_used_in_their_order_and_all_before_the_end(threaded):
    used = []
    with write_behind(
        lambda item: (time.sleep(0.001), used.append((item, threading.current_thread()))), threaded
    ) as put:
        for item in range(20):
            put(item)
    assert [item for item, _ in used] == list(range(20))
    assert {thread is not threading.current_thread() for _, thread in used} == {threaded}


def test_one_item_is_under_way_at_most():
    allowed, used = threading.Event(), []
    with write_behind(lambda item: (allowed.wait(PATIENCE), used.append(item))) as put:
        put(0)
        assert used == []
        threading.Timer(0.05, allowed.set).start()
        put(1)
        assert used[0] == 0


@pytest.mark.parametrize("threaded", [False, True])
def test_an_error_of_the_use_is_raised_and_nothing_is_used_after_it(threaded):
    used = []

    def use(item):
        used.append(item)
        if item == 2:
            raise OSError("disk full")

    def work():
        with write_behind(use, threaded) as put:
            for item in range(20):
                put(item)

    with pytest.raises(OSError, match="disk full"):
        work()
    assert used == [0, 1, 2]


def test_an_error_of_the_last_item_is_raised_at_the_end():
    def work():
        with write_behind(lambda item: 1 // item) as put:
            put(0)

    with pytest.raises(ZeroDivisionError):
        work()
