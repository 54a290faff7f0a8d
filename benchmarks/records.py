"""What is on record of a sweep: in the ledger, and in Prefect's database, asked through its API."""

from __future__ import annotations

import json
import math
import time
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from benchmarks.model import UnavailableError
from sweeplib.ledger import Ledger
from sweeplib.orchestrate.server import prefect_server
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Records", "final_task_runs", "flow_run_start", "records_of_last_sweep"]

_FINAL = ["COMPLETED", "FAILED", "CRASHED", "CANCELLED"]
_POLL = 0.5  # seconds; a count takes the server's time


@dataclass(frozen=True, slots=True)
class Records:
    """How many combinations are completed, task runs final, outcomes not tracked though they should be.

    `first` is the first command's start, `last` the last one's end, in seconds since the epoch; `flow_run` is
    the id of the flow run of `sweep`.
    """

    completed: int
    final: int
    untracked: int
    first: float
    last: float
    sweep: str
    flow_run: str

    @property
    def seconds(self) -> float:
        """The time from the first command's start to the last one's end."""
        return self.last - self.first

    def missing(self, expected: int) -> int:
        """Return how many records are missing where `expected` combinations were run."""
        return abs(expected - self.completed) + abs(expected - self.final) + self.untracked

    def shortfall(self, expected: int) -> str:
        """Return what is missing of `expected` records; empty if they are all there."""
        texts = []
        if self.completed != expected:
            texts.append(f"{self.completed:,} of {expected:,} combinations completed in the ledger")
        if self.final != expected:
            texts.append(f"{self.final:,} of {expected:,} task runs final in Prefect")
        if self.untracked:
            texts.append(f"{self.untracked:,} combinations not tracked")
        return "; ".join(texts)


def records_of_last_sweep(project: Path, job: str) -> Records:
    """Return what there is of the job's newest sweep now, without waiting for more."""
    api = prefect_server(project).api()
    completed, first, last = 0, math.inf, -math.inf
    with Ledger.open(project / ".sweep" / "ledger.db") as ledger:
        sweep = ledger.sweeps(job, limit=1)[0]
        for each in ledger.combinations(sweep.id, Outcome.COMPLETED):
            if each.started is not None and each.ended is not None:
                completed += 1
                first, last = min(first, each.started), max(last, each.ended)
        untracked = sum(1 for _ in ledger.untracked(sweep_id=sweep.id)) if sweep.tracking else 0
    if not completed or api is None or sweep.flow_run_id is None:
        msg = "failed: nothing completed, or the server has gone"
        raise UnavailableError(msg)
    final = final_task_runs(api, sweep.flow_run_id)
    return Records(completed, final, untracked, first, last, sweep.id, sweep.flow_run_id)


def final_task_runs(api: str, flow_run: str, *, expected: int = 0, patience: float = 0) -> int:
    """Return how many task runs of a flow run are final, waiting up to `patience` seconds for `expected`."""
    body = {
        "flow_runs": {"id": {"any_": [flow_run]}},
        "task_runs": {"state": {"type": {"any_": _FINAL}}},
    }
    deadline = time.monotonic() + patience
    while (found := int(_ask(f"{api}/task_runs/count", body))) < expected and time.monotonic() < deadline:
        time.sleep(_POLL)
    return found


def flow_run_start(api: str, flow_run: str) -> float:
    """Return when a flow run started, in seconds since the epoch."""
    return datetime.fromisoformat(_ask(f"{api}/flow_runs/{flow_run}")["start_time"]).timestamp()


def _ask(url: str, body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - an address of ours
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)
    except OSError as error:
        msg = f"failed: the Prefect server does not tell what it has: {error}"
        raise UnavailableError(msg) from error
