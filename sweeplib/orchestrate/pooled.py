"""The engine's submitter for a work pool of Prefect: its flow runs take work from a spool."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from sweeplib.engine import Finished, Lock
from sweeplib.engine.unseen import unseen
from sweeplib.orchestrate.asked import Asked
from sweeplib.orchestrate.combination import Running
from sweeplib.orchestrate.ended import attempts_at, is_settled, tries
from sweeplib.orchestrate.helpers import Helpers
from sweeplib.orchestrate.spool import Spool
from sweeplib.run.machine import processors
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from threading import Event

    from sweeplib.engine import Execution
    from sweeplib.orchestrate.helpers import Verdict
    from sweeplib.orchestrate.pools import Pool
    from sweeplib.orchestrate.session import Session
    from sweeplib.run.model import Attempt, Work
    from sweeplib.where import Where

__all__ = ["PooledSubmitter"]

_TICK = 0.05  # seconds between looks at the spool for what has ended
_LOOK = 0.5  # seconds between looks at who has signed in, and who has died
_LEAVE = 5.0  # seconds that helpers have to leave at the end
_AHEAD = 8  # pieces of work that wait for each command that runs: helpers take them, each as it is free
_FRUITLESS = 2  # helpers that took no work, with no end of any in between, before work is given up


class PooledSubmitter:
    """Hands work to flow runs in a work pool; a context manager.

    Work that a helper had when it died is given to another once, with the retries that are left of it.
    `note` is told what the user should know.
    """

    def __init__(
        self, pool: Pool, session: Session, execution: Execution, note: Callable[[str], None]
    ) -> None:
        self._pool = pool
        self._session = session
        self._note = note
        self._spool = Spool.of(execution.paths)
        self._owner = Lock(self._spool.owner_lock)
        self._spool.make(session, Asked.of(execution.plan))
        self._helpers = Helpers(pool, session, execution.tag, execution.project, self._spool.folder)
        self._works: dict[int, Work] = {}
        self._again: set[int] = set()
        self._ready: list[Finished] = []
        self._signed: dict[str, int] = {}  # how many commands each helper runs at once
        self._dead: set[str] = set()
        self._count = 0
        self._waiting = 0
        self._taken = 0
        self._looked = 0.0
        self._fruitless = 0
        self._cancelled = ""
        self._stopped = False
        self.submitted = 0
        """How many task runs were submitted; `Chunks` counts its own."""

    def __enter__(self) -> Self:
        self._owner.acquire()
        self._helpers.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the helpers go, those that have not begun before they do."""
        self._see_helpers()
        self._spool.close()
        deadline = time.monotonic() + _LEAVE
        while time.monotonic() < deadline and any(each.alive for each in self._spool.signed()):
            time.sleep(_TICK)
        self._helpers.__exit__()
        self._owner.release()
        if not any(each.alive for each in self._spool.signed()):
            shutil.rmtree(self._spool.folder, ignore_errors=True)
            with suppress(OSError):
                self._spool.folder.parent.rmdir()

    @property
    def parallel(self) -> int:
        """How many commands run at once; as long as no helper has begun, what is to be expected."""
        known = sum(self._signed.values())
        return known or self._pool.parallel or max(1, self._helpers.most) * processors()

    @property
    def running(self) -> int:
        """How many commands run now, about."""
        return min(self._taken, len(self._works), sum(self._signed.values()))

    @property
    def window(self) -> int:
        """How many pieces of work to keep submitted: beside what helpers have, enough for them to go on."""
        return max(0, len(self._works) - self._waiting) + self._ahead

    @property
    def _ahead(self) -> int:
        return self.parallel * (1 if self._pool.cautious else _AHEAD)

    @property
    def batch(self) -> int:
        """How many pieces of work to submit at once."""
        return max(1, self._ahead // 4)

    def at(self, where: Where | None) -> Self:  # noqa: ARG002 - the protocol's signature
        """Return this one: it hands no work on to others that the engine knows."""
        return self

    def ring(self, bell: Event) -> None:
        """Do nothing: what ends elsewhere rings no bell here."""

    def submit(self, work: Work) -> None:
        """Lay work down for a helper."""
        self.submitted += work.chunk is None
        number = self._count
        self._count += 1
        self._works[number] = work
        if self._cancelled:
            self._end(number, [unseen(work.key, self._cancelled, Outcome.CANCELLED)])
        else:
            self._spool.put(number, work)
            self._waiting += 1

    def wait(self, timeout: float) -> list[Finished]:
        """Return what has ended, waiting up to `timeout` seconds for the first."""
        deadline = time.monotonic() + timeout
        while True:
            self._look()
            left = deadline - time.monotonic()
            if self._ready or left <= 0:
                found, self._ready = self._ready, []
                return found
            time.sleep(min(left, _TICK))

    def stop(self, *, at_once: bool = False) -> None:
        """End what runs: helpers look at the sweep's stop file; what nobody has taken comes back at once."""
        self._stopped = True
        self._helpers.ask(0)
        if at_once:
            self._spool.hurry()
        self._withdraw("cancelled: the sweep was stopped", Outcome.CANCELLED)

    def _finish(self, number: int, attempts: list[Attempt]) -> None:
        work = self._works.pop(number, None)
        if work is not None:
            self._ready.append(Finished(work, attempts))

    def _end(self, number: int, attempts: list[Attempt]) -> None:
        """End work that no helper gives back; nobody else tells Prefect of its task run."""
        work = replace(self._works[number], tried=len(attempts) - 1)
        Running.of(work, self._session).run.ends(attempts[-1])
        self._finish(number, attempts)

    def _withdraw(self, message: str, outcome: Outcome) -> None:
        """Give back what nobody has taken; what an earlier helper saw of it counts."""
        for number in self._spool.withdraw():
            if number in self._works:
                work = replace(self._works[number], tried=1)  # or more: the done-markers tell
                self._end(number, attempts_at(work, unseen(work.key, message, outcome)))
        self._waiting = 0

    def _look(self) -> None:
        """See what has ended, and what has become of the helpers."""
        ended = self._spool.collect()
        for number, attempts in ended:
            self._fruitless = 0
            self._finish(number, attempts)
        if ended:
            self._waiting, self._taken = self._spool.waiting(), self._spool.taken()
        now = time.monotonic()
        if now - self._looked < _LOOK:
            return
        self._looked = now
        self._waiting, self._taken = self._spool.waiting(), self._spool.taken()
        self._see_helpers()
        while not self._helpers.verdicts.empty():
            self._judge(self._helpers.verdicts.get())
        while not self._helpers.notes.empty():
            self._note(self._helpers.notes.get())
        if not self._stopped:
            each = max(1, self.parallel // (len(self._signed) or max(1, self._helpers.most)))
            self._helpers.ask(-(-len(self._works) // each))

    def _see_helpers(self) -> None:
        found = self._spool.signed()
        alive = {each.id: each.parallel for each in found if each.alive}
        for helper in alive.keys() - self._signed.keys():
            self._helpers.signed(helper)
        for each in found:
            if not each.alive and each.id not in self._dead:
                self._dead.add(each.id)
                self._helpers.signed(each.id)
                self._helpers.died(each.id)
        for helper in self._signed.keys() - alive.keys() - self._dead:
            self._helpers.left(helper)
        self._signed = alive

    def _judge(self, verdict: Verdict) -> None:
        """Take back what a helper had, and decide whether others go on with it."""
        held = [number for number in self._spool.held_by(verdict.id) if number in self._works]
        for number in held:
            self._take_back(number, verdict)
        self._spool.forget(verdict.id)
        self._dead.discard(verdict.id)  # somebody may run it again
        self._fruitless += not held
        if self._helpers.active:
            if verdict.what == "unable":
                self._note(verdict.message)
            return
        if verdict.what == "cancelled":
            self._cancelled = verdict.message
            self._withdraw(self._cancelled, Outcome.CANCELLED)
        elif self._fruitless >= _FRUITLESS:
            self._fruitless = 0
            self._withdraw(verdict.message, Outcome.FAILED)
        elif self._works and not self._stopped:
            self._note(f"{verdict.message}; another one is asked for")

    def _take_back(self, number: int, verdict: Verdict) -> None:
        work = self._works[number]
        history = attempts_at(work, verdict.message)
        settled = is_settled(history, self._session.retries)
        ended = self._stopped or verdict.what == "cancelled"
        if settled or ended or number in self._again:
            outcome = Outcome.CANCELLED if ended else Outcome.LOST
            self._end(number, history or [unseen(work.key, verdict.message, outcome)])
        else:
            self._again.add(number)
            self._spool.put(number, replace(work, tried=tries(history)))
