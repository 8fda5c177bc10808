import threading
import time
import weakref
from contextlib import ExitStack

import pytest

from idt.workers.threads import WorkStealingPool
from tests.waiting import PATIENCE, failing, until

HELPERS = pytest.mark.parametrize("helpers", [0, 1, 3])


def running():
    return [thread for thread in threading.enumerate() if thread.name.startswith("idt-crew")]


# Worked examples


@HELPERS
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_items_and_parts_come_in_their_order(helpers, depth):
    with WorkStealingPool(helpers) as crew:
        assert list(crew.ahead([], depth)) == []
        for item in crew.ahead(iter(range(50)), depth):
            assert crew.map(pow, [item, item + 1, item + 2], [2, 2, 2]) == [item**2, (item + 1) ** 2, (item + 2) ** 2]
        assert item == 49
        assert crew.map(pow, [], []) == []


def test_without_helpers_all_is_done_by_the_caller_when_it_is_asked_for():
    made = []
    with WorkStealingPool(0) as crew:
        items = crew.ahead((made.append(k) or threading.current_thread() for k in range(3)), 2)
        assert made == []
        assert next(items) is threading.current_thread()
        assert made == [0]
        assert crew.map(lambda _: threading.current_thread(), [1, 2]) == [threading.current_thread()] * 2


def test_no_more_than_depth_items_are_made_before_they_are_asked_for():
    made = []
    with WorkStealingPool(1) as crew:
        items = crew.ahead((made.append(k) or k for k in range(10)), 2)
        assert next(items) == 0
        assert until(lambda: len(made) == 3, PATIENCE)
        time.sleep(0.05)
        assert len(made) == 3
        items.close()


def test_a_free_helper_takes_over_a_part():
    taken = threading.Event()

    def work(part):
        if part == "first":
            # Ends only if somebody else does the second part.
            assert taken.wait(PATIENCE)
        taken.set()
        return threading.get_ident()

    with WorkStealingPool(1) as crew:
        assert len(set(crew.map(work, ["first", "second"]))) == 2


def test_the_caller_does_all_parts_while_its_helper_makes_an_item():
    go_on = threading.Event()

    def source():
        yield 0
        go_on.wait(PATIENCE)
        yield 1

    with WorkStealingPool(1) as crew:
        items = crew.ahead(source(), 1)
        assert next(items) == 0
        assert crew.map(lambda _: threading.current_thread(), range(4)) == [threading.current_thread()] * 4
        go_on.set()
        assert list(items) == [1]


def test_nothing_of_a_part_is_kept_when_all_are_done():
    class Frame:
        pass

    go_on, frames = threading.Event(), [Frame() for _ in range(4)]
    known = [weakref.ref(frame) for frame in frames]

    def source():
        yield 0
        go_on.wait(PATIENCE)

    with WorkStealingPool(1) as crew:
        items = crew.ahead(source(), 1)
        next(items)
        # The helper, still at an item, never comes to the parts that the caller did.
        assert crew.map(lambda _: None, frames) == [None] * 4
        frames.clear()
        assert [frame() for frame in known] == [None] * 4
        go_on.set()


# Laws


@HELPERS
def test_an_error_of_the_source_comes_at_its_place(helpers):
    with WorkStealingPool(helpers) as crew:
        items = crew.ahead(failing(3), 2)
        assert [next(items) for _ in range(3)] == [0, 1, 2]
        with pytest.raises(KeyError, match="the frame after these"):
            next(items)
    assert not running()


@HELPERS
@pytest.mark.parametrize("bad", [0, 1, 3])
def test_an_error_of_a_part_is_raised_when_no_other_is_worked_on(helpers, bad):
    under_way = []

    def work(part):
        under_way.append(part)
        try:
            time.sleep(0.01)
            return 1 // (part - bad)
        finally:
            under_way.remove(part)

    with WorkStealingPool(helpers) as crew:
        with pytest.raises(ZeroDivisionError):
            crew.map(work, range(4))
        assert under_way == []
        assert crew.map(abs, [-1, -2]) == [1, 2]


@HELPERS
@pytest.mark.parametrize("after", [0, 3])
def test_a_consumer_that_stops_early_leaves_no_thread_and_no_source_open(helpers, after):
    made, released = [], []

    def source():
        try:
            for k in range(1000):
                made.append(k)
                yield k
        finally:
            released.append(True)

    with WorkStealingPool(helpers) as crew, ExitStack() as stack:
        items = crew.ahead(source(), 2)
        stack.callback(items.close)
        for item in items:
            if item == after:
                break
    assert not running()
    assert len(made) <= after + 1 + 2
    del items
    assert until(lambda: released == [True], PATIENCE)


def test_one_thread_at_a_time_asks_the_source():
    inside = []

    class Source:
        def __iter__(self):
            return self

        def __next__(self):
            inside.append(threading.get_ident())
            assert len(inside) == 1
            time.sleep(0.0005)
            inside.clear()
            return 0

    with WorkStealingPool(3) as crew:
        items = crew.ahead(Source(), 2)
        for _ in range(200):
            assert next(items) == 0
        items.close()
