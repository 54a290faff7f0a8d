"""A flow run started from this process: `sweep run`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
from prefect import tags
from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from sweeplib.engine import Lock
from sweeplib.errors import ServerError, SweepError
from sweeplib.ledger import Ledger
from sweeplib.orchestrate.flow import sweep_flow
from sweeplib.orchestrate.launch import launching
from sweeplib.orchestrate.records import settle
from sweeplib.orchestrate.server import TAG
from sweeplib.report.lookup import paths_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweeplib.engine import Rerun
    from sweeplib.orchestrate.launch import Launch
    from sweeplib.plan import Plan

__all__ = ["at", "run_directly"]


def run_directly(
    project: Path,
    plan: Plan,
    launch: Launch,
    *,
    fresh: bool,
    rerun: Rerun | None = None,
    parallel: int | None,
    cluster: str | None,
) -> None:
    """Run the job's flow in this process; `launch` says how, and gets what came of it.

    What Prefect raises after the sweep has ended (its server has gone, say) changes nothing but a note.
    Raises `ServerError` where the API was gone before anything ran, and whatever else kept the sweep from
    being run.
    """
    launch.plan = plan
    flow = sweep_flow(plan.job.entry, project)
    settings = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}  # ours tells; Prefect's would take a second to end
    with (
        temporary_settings(settings),
        launching(launch),
        tags(TAG),
    ):  # the tag has to be there from the first: the server remembers it
        try:
            flow(
                arguments=list(plan.arguments),
                only=plan.only,
                mode="fresh" if fresh else rerun.value if rerun else "resume",
                parallel=parallel,
                cluster=cluster,
                return_state=True,
            )
        except SweepError:
            raise
        except Exception as error:
            if launch.flow_run is None and _is_away(error):
                raise ServerError(f"Prefect's API stopped answering: {error}") from error
            if launch.summary is None and not launch.interrupted:
                raise
            launch.notes.append(f"Prefect could not record the end of the flow run: {error}")
            launch.unrecorded = True
    if launch.error is not None:
        raise launch.error
    if launch.flow_run is None or launch.summary is None or launch.unrecorded:
        return
    sweep = launch.summary.sweep
    with Lock(paths_of(project, sweep).owner_lock) as lock:  # that nobody tells the rest for us
        lock.acquire()
        missing = settle(launch.flow_run, launch.submitted, launch.observer.note)
    launch.notes += missing
    launch.unrecorded = bool(missing)
    if not missing and launch.concluded:
        with Ledger.open(project / ".sweep" / "ledger.db") as ledger:
            ledger.set_reported(sweep)


@contextmanager
def at(api: str) -> Iterator[None]:
    """Have this process, which has talked to another, talk to the API at this address."""
    with temporary_settings({PREFECT_API_URL: api}):
        yield


def _is_away(error: BaseException | None) -> bool:
    """Tell whether an error, or what it came from, is that of an API that cannot be reached."""
    while error is not None:
        if isinstance(error, httpx.TransportError):
            return True
        error = error.__cause__ or error.__context__
    return False
