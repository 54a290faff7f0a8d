"""The workers of a Dask cluster: the resources that they declare, and what commands ask of these.

Dask counts resources of a worker in floating-point numbers, and has no task run that asks for more than is
left. So amounts are rounded down to numbers whose sums are exact: what was given back is all there again.
"""

from __future__ import annotations

import math
import time
from asyncio import run_coroutine_threadsafe
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from distributed.client import ClosedClientError

from sweeplib.errors import ClusterError
from sweeplib.orchestrate.asked import Asked
from sweeplib.orchestrate.capacity import Capacity
from sweeplib.orchestrate.declaration import CPU, GPU, MEMORY
from sweeplib.orchestrate.room import thousandths
from sweeplib.run.verdict import size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from distributed import Client

    from sweeplib.amounts import Amounts

__all__ = ["PATIENCE", "Fleet", "Request", "Terms", "Workers", "fleet", "gone"]

PATIENCE = 30.0
"""Seconds in which a worker may come that has what a command needs, and none has."""

_INTERVAL = 2.0  # seconds between looks at the workers
_ABSENT = 5.0  # seconds without any worker after which that is worth a word
_FEWEST = 2  # pieces of work that are submitted however few workers there are: adaptive clusters grow by them
_STEPS = 1024  # in a processor, or a device
_ENDLESS = 10**18
_EXAMPLES = {CPU: "8", MEMORY: "32e9", GPU: "1"}

Request = tuple[tuple[str, float], ...]
"""What a task asks of a worker, by the names of its resources."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a sweep wants of a cluster: room for what is `asked`, for `parallel` commands at once at most.

    None: as many as there is room for. With `plain`, a command of which no processors are said asks for one.
    `lacking` is what to say where the cluster has no worker; the workers of one that is `ours` declare all
    that they have.
    """

    asked: Asked = field(default_factory=Asked)
    parallel: int | None = None
    plain: bool = False
    lacking: str = ""
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Fleet:
    """The workers of a cluster at one moment: their threads, and what each declares."""

    threads: int
    declared: tuple[Mapping[str, float], ...]

    @classmethod
    def of(cls, identity: Mapping[str, Any]) -> Self:
        """Return what a scheduler tells of its workers."""
        each = identity["workers"].values()
        return cls(sum(one["nthreads"] for one in each), tuple(one["resources"] for one in each))

    def window(self, terms: Terms) -> int:
        """Return how much work to keep submitted."""
        most = max(_FEWEST, 2 * self.threads)
        return min(terms.parallel or most, most)

    def at_once(self, terms: Terms) -> int:
        """Return about how many commands run at once; one at least."""
        threads = min(terms.parallel or self.threads, self.threads)
        return self.capacity(max(1, threads), plain=terms.plain).at_once(terms.asked)

    def capacity(self, threads: int, *, plain: bool) -> Capacity:
        """Return what the workers have together; of what none declares, without end."""
        names = (CPU, MEMORY, GPU)
        there = {name: sum(each.get(name, 0) for each in self.declared) or math.inf for name in names}
        return Capacity(
            places=threads,
            cpu=thousandths(min(there[CPU], _ENDLESS)),
            memory=int(min(there[MEMORY], _ENDLESS)),
            plain=thousandths(1) if plain else 0,
            devices=int(min(there[GPU], _ENDLESS)),
        )


class Workers:
    """The workers of a cluster, as of a moment ago; `note` is told what users should know.

    The scheduler is asked anew beside, so that nobody waits for it; where it does not answer, what was there
    is taken to be there still. Raises `ClusterError` at the beginning if the cluster has gone away.
    """

    def __init__(self, client: Client, note: Callable[[str], None], terms: Terms) -> None:
        self._client = client
        self._note = note
        self._terms = terms
        self._known: set[str] = set(_EXAMPLES) if terms.ours else set()
        self._take(fleet(client))
        self._asked: Future[Fleet] | None = None
        self._looked = -math.inf
        self._absent: float | None = None
        self._missing: dict[Request, float] = {}
        self._told: set[str] = set()

    def _take(self, found: Fleet) -> None:
        self._declared = found.declared
        self._known |= {name for each in found.declared for name in each}
        self.threads = found.threads
        """How many commands the workers have threads for."""
        self.window = found.window(self._terms)
        """How much work to keep submitted."""
        self.at_once = found.at_once(self._terms)
        """About how many commands run at once; one at least."""

    def look(self) -> bool:
        """Have the scheduler asked every now and then; return whether it has answered since."""
        now = time.monotonic()
        if self._asked is None:
            if now - self._looked >= _INTERVAL and self._client.status == "running":
                self._looked = now
                loop: Any = self._client.loop
                self._asked = run_coroutine_threadsafe(_ask(self._client), loop.asyncio_loop)
            return False
        if not self._asked.done():
            return False
        asked, self._asked = self._asked, None
        if asked.exception() is not None:
            return False
        self._take(asked.result())
        self._tell_of_absence(now)
        return True

    def _tell_of_absence(self, now: float) -> None:
        """Say, once it has been so for some time, that there is no worker at all."""
        if self.threads:
            self._absent = None
        elif self._absent is None:
            self._absent = now
        elif now - self._absent >= _ABSENT:
            self._absent = math.inf
            self._note(self._terms.lacking)

    def request(self, amounts: Amounts) -> Request:
        """Return what to ask Dask for: what workers declare, or did; that the rest bounds nothing is told."""
        wanted = _request(amounts, plain=self._terms.plain)
        if not wanted:
            return ()
        missing = [name for name, _ in wanted if name not in self._known and (name != CPU or amounts.cpu)]
        self._tell_of(missing)
        return tuple((name, amount) for name, amount in wanted if name in self._known)

    def _tell_of(self, missing: list[str]) -> None:
        names = [name for name in missing if name not in self._told]
        if names and self._declared:
            self._told.update(names)
            example = " ".join(f"{name}={_EXAMPLES[name]}" for name in names)
            self._note(
                f"the workers of the Dask cluster declare no {' and no '.join(names)}, so that resources do "
                f"not bound there what runs at once; start them with: dask worker … --resources '{example}'"
            )

    def lack(self, request: Request) -> str:
        """Return what no worker has enough of, once it has been so for `PATIENCE` seconds; else nothing."""
        if not self._declared or any(_has(each, request) for each in self._declared):
            self._missing.pop(request, None)
            return ""
        now = time.monotonic()
        since = self._missing.setdefault(request, now)
        problem = self._problem(request)
        if since == now:
            self._note(f"a command {problem}; waiting {PATIENCE:g} s for one that has")
        return problem if now - since >= PATIENCE else ""

    def _problem(self, request: Request) -> str:
        most = {name: max((each.get(name, 0) for each in self._declared), default=0) for name, _ in request}
        short = [(name, amount) for name, amount in request if amount > most[name]]
        needed = " and ".join(_words(name, amount) for name, amount in short or request)
        there = ", ".join(_words(name, most[name]) for name, _ in short)
        text = f"needs {needed} (resources), and no worker of the Dask cluster has as much"
        return f"{text} (the most is {there})" if there else text


def gone(error: Exception) -> ClusterError:
    """Return what to say of a cluster that does not answer any more."""
    why = "" if isinstance(error, KeyError) else f" ({error})"
    return ClusterError(
        f"the Dask cluster has gone away{why}; what is done is kept: run again when it is back"
    )


def fleet(client: Client) -> Fleet:
    """Return the workers of a cluster; raises `ClusterError` if it has gone away."""
    try:
        return Fleet.of(client.scheduler_info(n_workers=-1))
    except (KeyError, OSError, RuntimeError, ClosedClientError) as error:  # by how far it has been cut off
        raise gone(error) from error


async def _ask(client: Client) -> Fleet:
    scheduler: Any = client.scheduler
    return Fleet.of(await scheduler.identity(n_workers=-1))


def _request(amounts: Amounts, *, plain: bool) -> Request:
    cpu = 1.0 if amounts.cpu is None and plain else amounts.cpu
    wanted = ((CPU, _exact(cpu)), (MEMORY, float(amounts.memory or 0)), (GPU, _exact(amounts.gpu)))
    return tuple((name, amount) for name, amount in wanted if amount)


def _exact(amount: float | None) -> float:
    """Return an amount rounded down to a sum of powers of two, but to something."""
    return 0.0 if amount is None else max(1, math.floor(amount * _STEPS)) / _STEPS


def _has(declared: Mapping[str, float], request: Request) -> bool:
    return all(declared.get(name, 0) >= amount for name, amount in request)


def _words(name: str, amount: float) -> str:
    if name == MEMORY:
        return f"{size(amount)} of memory"
    what = "processor" if name == CPU else "GPU"
    return f"{amount:.3g} {what}{'' if amount == 1 else 's'}"
