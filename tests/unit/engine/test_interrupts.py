"""Signals that wait for a moment at which nothing is half done."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest

from sweeplib.engine.interrupts import Interrupts

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """What the handlers of these tests raise."""


def end(number: int, frame: object) -> None:
    raise Ended(signal.Signals(number).name)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.signal(number, end) for number in NUMBERS}
    yield
    assert {signal.getsignal(number) for number in NUMBERS} == {end}
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_waits_until_it_is_looked_for(number: signal.Signals) -> None:
    done = []

    def steps() -> None:
        with Interrupts() as interrupts:
            interrupts.look()
            signal.raise_signal(number)
            done.append("the rest of a step")
            interrupts.look()
            done.append("another step")

    with pytest.raises(Ended, match=rf"^{number.name}$"):
        steps()
    assert done == ["the rest of a step"]


def test_a_second_signal_does_not_wait() -> None:
    def steps() -> None:
        with Interrupts():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Ended, match=r"^SIGTERM$"):
        steps()


def test_where_it_is_allowed_it_does_not_wait() -> None:
    done = []

    def steps() -> None:
        with Interrupts() as interrupts, interrupts.allowed():
            signal.raise_signal(signal.SIGINT)
            done.append("it waited")

    with pytest.raises(Ended):
        steps()
    assert done == []


def test_what_was_held_back_comes_where_it_is_allowed() -> None:
    done = []

    def steps() -> None:
        with Interrupts() as interrupts:
            signal.raise_signal(signal.SIGINT)
            with interrupts.allowed():
                done.append("it waited")

    with pytest.raises(Ended):
        steps()
    assert done == []


def test_afterwards_it_is_held_back_again() -> None:
    with Interrupts() as interrupts:
        with interrupts.allowed():
            pass
        signal.raise_signal(signal.SIGINT)
        done = ["the step after it"]
    assert done


def test_a_signal_is_not_lost_in_a_finalizer() -> None:
    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    def steps() -> None:
        with Interrupts() as interrupts:
            Finalized()
            interrupts.look()

    with pytest.raises(Ended):
        steps()


def test_a_signal_without_a_handler_is_left_alone() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with Interrupts():
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    signal.signal(signal.SIGHUP, end)


def test_another_thread_leaves_the_handlers_alone() -> None:
    found = []

    def look() -> None:
        with Interrupts() as interrupts:
            found.append(signal.getsignal(signal.SIGINT))
            interrupts.look()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [end]
