"""The workers of a Dask cluster: the resources that they declare, and what commands ask of these.

Dask counts resources of a worker in floating-point numbers, and has no task run that asks for more than is
left. So amounts are rounded down to numbers whose sums are exact: what was given back is all there again.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from distributed.client import ClosedClientError

from sweeplib.errors import ClusterError
from sweeplib.orchestrate.capacity import Capacity
from sweeplib.orchestrate.declaration import CPU, GPU, MEMORY
from sweeplib.orchestrate.room import thousandths
from sweeplib.run.verdict import size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from distributed import Client

    from sweeplib.amounts import Amounts

__all__ = ["PATIENCE", "Request", "Workers", "capacity", "declared", "gone"]

PATIENCE = 30.0
"""Seconds in which a worker may come that has what a command needs, and none has."""

_INTERVAL = 2.0  # seconds between looks at the workers
_STEPS = 1024  # in a processor, or a device
_ENDLESS = 10**18
_EXAMPLES = {CPU: "8", MEMORY: "32e9", GPU: "1"}

Request = tuple[tuple[str, float], ...]
"""What a task asks of a worker, by the names of its resources."""


class Workers:
    """What the workers of a cluster declare, as of a moment ago; `note` is told what users should know.

    With `plain`, a command of which no processors are said asks for one.
    """

    def __init__(self, client: Client, note: Callable[[str], None], *, plain: bool) -> None:
        self._client = client
        self._note = note
        self._plain = plain
        self._declared: list[Mapping[str, float]] = []
        self._looked = -math.inf
        self._missing: dict[Request, float] = {}
        self._told: set[str] = set()

    def look(self) -> bool:
        """See what the workers declare, unless that was a moment ago; return whether it was looked."""
        now = time.monotonic()
        if now - self._looked < _INTERVAL:
            return False
        self._looked = now
        self._declared = declared(self._client)
        return True

    def request(self, amounts: Amounts) -> Request:
        """Return what to ask Dask for: what workers declare; that the rest bounds nothing is told once."""
        wanted = _request(amounts, plain=self._plain)
        if not wanted:
            return ()
        self.look()
        known = {name for each in self._declared for name in each}
        missing = [name for name, _ in wanted if name not in known and (name != CPU or amounts.cpu)]
        self._tell_of(missing)
        return tuple((name, amount) for name, amount in wanted if name in known)

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


def declared(client: Client) -> list[Mapping[str, float]]:
    """Return what each worker of a cluster declares; raises `ClusterError` if it has gone away."""
    try:
        workers = client.scheduler_info(n_workers=-1)["workers"]
    except (KeyError, OSError, RuntimeError, ClosedClientError) as error:  # by how far it has been cut off
        raise gone(error) from error
    return [each["resources"] for each in workers.values()]


def capacity(client: Client, threads: int, *, plain: bool) -> Capacity:
    """Return what the workers of a cluster have together; of what none declares, without end."""
    each = declared(client)
    there = {name: sum(worker.get(name, 0) for worker in each) or math.inf for name in (CPU, MEMORY, GPU)}
    return Capacity(
        places=threads,
        cpu=thousandths(min(there[CPU], _ENDLESS)),
        memory=int(min(there[MEMORY], _ENDLESS)),
        plain=thousandths(1) if plain else 0,
        devices=int(min(there[GPU], _ENDLESS)),
    )


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
