"""The threads that carry a tracker's errands to the worker process, the urgent ones first."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

from sweeplib.track.messages import Answer, Open, Ping, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweeplib.track.channel import Channel
    from sweeplib.track.messages import Request

__all__ = ["Courier", "Errand", "Urgency"]

_CAPACITY = 20_000  # errands that wait at most; a few hundred bytes each
_TRIES = 3  # for an errand over which the store falls silent though it answers others
_PAUSES = (0.25, 0.5, 1.0, 2.0, 5.0)  # seconds between the questions whether the store is back
_QUIET = 3.0  # seconds that the end may take before it says what it waits for, …
_EVERY = 15.0  # … and between that and the next time
_LAST_PATIENCE = 5.0  # seconds that a silent store is still waited for once there is nothing else to do


class Urgency(IntEnum):
    """Which errands go first."""

    NOW = 0
    """A command waits for it."""
    SOON = 1
    """Something of this sweep that has ended."""
    SOMETIME = 2
    """Something of an earlier sweep."""


@dataclass(frozen=True, slots=True)
class Errand:
    """A request, made when its turn comes (None: no longer needed), and what to do with the reply.

    Both are called with the courier's lock held; `answered` is called once, if `request` made one. An
    errand that goes `alone` waits for those under way, and the others wait for it.
    """

    request: Callable[[], Request | None]
    answered: Callable[[Reply], None] = lambda _: None
    alone: bool = False


class Courier:
    """Carries errands, up to `threads` at once, and waits where the store falls silent.

    `news` is held for every change and notified after it. `late` says that the store has not answered
    in time and nobody should wait for it; `ended` that no errand will be carried any more, with the
    reason in `reason`, which is also set while the store is silent.
    """

    def __init__(self, channel: Channel, news: threading.Condition, threads: int = 1) -> None:
        self._channel = channel
        self._news = news
        self._waiting: tuple[deque[Errand], ...] = tuple(deque() for _ in Urgency)
        self._threads = [
            threading.Thread(target=self._run, name=f"sweep-tracking-{number}", daemon=True)
            for number in range(threads)
        ]
        self._started = False
        self._under_way = 0
        self._carried = 0
        self._one_alone = False
        self._closing: float | None = None
        self.late = False
        self.ended = False
        self.reason = ""

    def put(self, urgency: Urgency, errand: Errand, *, follows: bool = False) -> bool:
        """Take an errand; False where there is no room, or no courier any more. Needs the lock.

        An errand that `follows` from another, in whose call it is put, is also taken while closing.
        """
        closing = self._closing is not None and not follows
        if self.ended or closing or sum(map(len, self._waiting)) >= _CAPACITY:
            return False
        self._waiting[urgency].append(errand)
        if not self._started:
            self._started = True
            for thread in self._threads:
                thread.start()
        self._news.notify_all()
        return True

    def give_up(self, reason: str) -> None:
        """Drop all errands, for good. Needs the lock."""
        self.ended = True
        self.reason = reason
        for queue in self._waiting:
            queue.clear()
        self._news.notify_all()

    def close(self, timeout: float, still: Callable[[], None] | None = None) -> None:
        """Let the errands that wait be carried, and end the worker process.

        Up to `timeout` seconds are waited; with `still`, for each next errand: then it is called now and
        then.
        """
        with self._news:
            self._closing = time.monotonic()
            self._news.notify_all()
        if not self._started:
            return
        if still is not None:
            self._await_last(timeout, still)
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        if any(thread.is_alive() for thread in self._threads):
            with self._news:
                self.give_up(self.reason or "it was too slow")
            self._channel.kill()
        self._channel.stop(_LAST_PATIENCE)

    def _await_last(self, timeout: float, still: Callable[[], None]) -> None:
        """Wait until all errands are carried, or none has been for `timeout` seconds."""
        say_at = time.monotonic() + _QUIET
        give_up_at, carried = time.monotonic() + timeout, 0
        with self._news:
            while not self.ended and (any(self._waiting) or self._under_way):
                if self._carried != carried:
                    give_up_at, carried = time.monotonic() + timeout, self._carried
                    if time.monotonic() > say_at:
                        say_at = time.monotonic() + _EVERY
                        still()
                if not self._news.wait(max(0.0, give_up_at - time.monotonic())):
                    return

    def _run(self) -> None:
        while (errand := self._next()) is not None:
            with self._news:
                request = errand.request()
            reply = self._carry(request) if request is not None else None
            with self._news:
                if reply is not None:
                    errand.answered(reply)
                self._under_way -= 1
                self._carried += 1
                self._one_alone = False
                self._news.notify_all()

    def _next(self) -> Errand | None:
        """Return the most urgent errand as soon as it may go; None when there will be none."""
        with self._news:
            while True:
                queue = next((queue for queue in self._waiting if queue), None)
                if queue is not None and not self._one_alone and not (queue[0].alone and self._under_way):
                    errand = queue.popleft()
                    self._under_way += 1
                    self._one_alone = errand.alone
                    return errand
                if self.ended or (self._closing is not None and queue is None and not self._under_way):
                    return None
                self._news.wait()

    def _carry(self, request: Request) -> Reply:
        """Return the reply; a store that falls silent is waited for, and then asked again."""
        for _ in range(_TRIES):
            reply = self._ask(request)
            if reply.answer is not Answer.AWAY:
                return reply
            with self._news:
                self.late = True
                self.reason = reply.text
                self._news.notify_all()  # who waits for a run need not wait any longer
            if not self._await_store():
                return reply
            if isinstance(request, Open):
                request = replace(request, search=True)  # the answer may be all that was lost
        return reply

    def _ask(self, request: Request) -> Reply:
        try:
            reply = self._channel.ask(request)
        except ConnectionError as error:
            return Reply(answer=Answer.AWAY, text=str(error))
        with self._news:
            if reply.answer is Answer.UNUSABLE:
                self.give_up(reply.text)
            elif reply.answer is not Answer.AWAY:
                self.late = False
                self.reason = ""
        return reply

    def _await_store(self) -> bool:
        """Wait until the store answers; False if it is not to be waited for any longer."""
        tries = 0
        while True:
            with self._news:
                self._news.wait_for(self._over, _PAUSES[min(tries, len(_PAUSES) - 1)])
                if self._over() or self._channel.exhausted:
                    self.give_up(self.reason)
                    return False
            tries += 1
            if self._ask(Ping()).answer is Answer.DONE:
                return True

    def _over(self) -> bool:
        if self.ended:
            return True
        return self._closing is not None and time.monotonic() - self._closing > _LAST_PATIENCE
