"""Interrupts that wait for a moment at which nothing is half done."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Interrupts"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Within the block, what these signals' handlers do is done in `look` and `allowed` alone.

    An exception that a handler raises comes between any two steps: an end that was just taken would be
    forgotten, and inside a finalizer the exception itself is. A second signal is not held back, for who sends
    it does not want to wait, unless `every` one is: that is for what takes no time. One that is held back
    when the block ends is dropped: all is done.

    Threads but the main one, and signals that have no handler in Python, are left as they are.
    """

    def __init__(self, *, every: bool = False) -> None:
        self._every = every
        self._handlers: dict[int, Callable[[int, Any], object]] = {}
        self._held: int | None = None
        self._allowed = False

    def __enter__(self) -> Self:
        """Take over the handlers."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        """Give the handlers back."""
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _take(self, number: int, frame: object) -> None:
        if self._allowed or (self._held is not None and not self._every):
            self._handlers[number](number, frame)
        else:
            self._held = number

    def look(self) -> None:
        """Do now what a signal that was held back does: raise KeyboardInterrupt, mostly."""
        number, self._held = self._held, None
        if number is not None:
            self._handlers[number](number, None)

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let signals through in this block, which may wait and can be left at any moment."""
        self._allowed = True
        try:
            self.look()
            yield
        finally:
            self._allowed = False
