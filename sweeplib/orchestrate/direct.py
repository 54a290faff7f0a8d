"""A flow run started from this process: `sweep run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prefect import tags

from sweeplib.errors import SweepError
from sweeplib.orchestrate.flow import sweep_flow
from sweeplib.orchestrate.launch import launching
from sweeplib.orchestrate.records import settle
from sweeplib.orchestrate.server import TAG

if TYPE_CHECKING:
    from pathlib import Path

    from sweeplib.orchestrate.launch import Launch
    from sweeplib.plan import Plan

__all__ = ["run_directly"]


def run_directly(
    project: Path,
    plan: Plan,
    launch: Launch,
    *,
    fresh: bool,
    parallel: int | None,
    cluster: str | None,
) -> None:
    """Run the job's flow in this process; `launch` says how, and gets what came of it.

    What Prefect raises after the sweep has ended (its server has gone, say) changes nothing but a note.
    Raises what kept the sweep from being run.
    """
    flow = sweep_flow(plan.job.entry, project)
    with launching(launch), tags(TAG):  # the tag has to be there from the first: the server remembers it
        try:
            flow(
                arguments=list(plan.arguments),
                only=plan.only,
                mode="fresh" if fresh else "resume",
                parallel=parallel,
                cluster=cluster,
                return_state=True,
            )
        except SweepError:
            raise
        except Exception as error:
            if launch.summary is None and not launch.interrupted:
                raise
            launch.notes.append(f"Prefect could not record the end of the flow run: {error}")
            launch.unrecorded = True
    if launch.error is not None:
        raise launch.error
    if launch.flow_run is not None and not launch.unrecorded:
        missing = settle(launch.flow_run, launch.submitted)
        launch.notes += missing
        launch.unrecorded = bool(missing)
