"""A queue of what ends in other threads."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from sweeplib.engine.arrivals import Arrivals


def test_all_that_is_there_is_taken_at_once_in_its_order() -> None:
    arrivals: Arrivals[int] = Arrivals()
    for number in range(5):
        arrivals.put(number)
    assert arrivals.take(60.0) == [0, 1, 2, 3, 4]
    assert arrivals.take(0.0) == []


def test_what_was_there_before_needs_no_wait() -> None:
    arrivals: Arrivals[str] = Arrivals()
    arrivals.put("early")
    assert arrivals.take(0.0) == ["early"]


def test_the_first_is_waited_for_and_waits_for_others() -> None:
    arrivals: Arrivals[int] = Arrivals(gather=1.0)
    both = threading.Barrier(2)

    def write() -> None:
        both.wait()
        arrivals.put(1)
        arrivals.put(2)

    writer = threading.Thread(target=write)
    writer.start()
    both.wait()
    began = time.monotonic()
    assert arrivals.take(60.0) == [1, 2]
    assert 1.0 <= time.monotonic() - began < 30.0
    writer.join()


def test_nothing_is_lost_of_many_writers() -> None:
    arrivals: Arrivals[int] = Arrivals()
    writers = [
        threading.Thread(target=lambda first=first: [arrivals.put(first + i) for i in range(2_000)])
        for first in range(0, 8_000, 2_000)
    ]
    for writer in writers:
        writer.start()
    taken: list[int] = []
    while len(taken) < 8_000:
        taken += arrivals.take(60.0)
    assert sorted(taken) == list(range(8_000))
    for first in range(0, 8_000, 2_000):
        assert [each for each in taken if first <= each < first + 2_000] == list(range(first, first + 2_000))


def test_readers_of_several_wait_for_one_bell() -> None:
    bell = threading.Event()
    several: list[Arrivals[str]] = [Arrivals(), Arrivals()]
    for each in several:
        each.bell = bell
    threading.Thread(target=several[1].put, args=("second",)).start()
    assert bell.wait(60.0)
    assert [each.take(0.0) for each in several] == [[], ["second"]]
    assert bell.is_set(), "it is for the one that waits for it to clear"


@pytest.mark.timeout(30)
def test_a_signal_whose_handler_outlasts_the_wait_does_not_make_it_endless() -> None:
    arrivals: Arrivals[str] = Arrivals()
    before = signal.signal(signal.SIGALRM, lambda *_: time.sleep(0.4))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        assert arrivals.take(0.3) == []
    finally:
        signal.signal(signal.SIGALRM, before)
