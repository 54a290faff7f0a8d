"""Live results: a flow that draws what a sweep has found so far, for an automation to start as it goes on."""

from __future__ import annotations

import base64
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger

from sweeplib.engine import Lock
from sweeplib.errors import InputError, LedgerError
from sweeplib.jobs.fields import Metric
from sweeplib.orchestrate.addresses import results_address
from sweeplib.orchestrate.pages import key_of, ui_of
from sweeplib.orchestrate.pulse import Artifact
from sweeplib.report.live import describe_live
from sweeplib.report.lookup import find_sweep, metric_of, open_ledger, paths_of
from sweeplib.report.plot import plot
from sweeplib.report.ranking import rank_by
from sweeplib.report.results import gather
from sweeplib.report.standing import standing_of

if TYPE_CHECKING:
    import os

    from prefect.client.orchestration import SyncPrefectClient

    from sweeplib.ledger import Ledger, Sweep

__all__ = ["ENTRYPOINT", "NAME", "analytics_flow", "draw"]

NAME = "analytics"
"""The flow's name."""

ENTRYPOINT = f"{__name__}.{NAME}"
"""Where a deployment finds the flow of its working folder."""

_PATIENCE = 60.0  # seconds for another drawing of the same sweep to be done


def analytics_flow(project: str | os.PathLike[str] | None = None) -> Flow[Any, Any]:
    """Return the flow that draws one sweep's results so far, as an artifact on the page of its flow run.

    `project` is the folder of ``sweeps.yaml``, by default the working folder at the time the flow runs.
    """
    folder = None if project is None else str(Path(project).resolve())

    def run(tag: str, metric: str = "") -> str:
        """Draw the results of a sweep so far: a ranked table, and the metric over the parameters.

        Args:
            tag: The sweep's tag, such as train-5cv7v09r.
            metric: What to rank by and draw. Empty: the job's metric, or the first in the alphabet.
        """
        return draw(Path(folder) if folder else Path.cwd(), tag, metric)

    return Flow(run, name=NAME, persist_result=False)


def __getattr__(name: str) -> Flow[Any, Any]:
    """Return the flow ``analytics`` of the working folder, for deployments that name this module."""
    if name == NAME:
        return analytics_flow(Path.cwd())
    raise AttributeError(name)


def draw(project: Path, tag: str, metric: str) -> str:
    """Draw the sweep with this tag; return the key of the artifact.

    One drawing at a time, each from what the ledger holds then: the last one to be seen is the newest. Raises
    `InputError` where there is no such sweep.
    """
    with open_ledger(project) as ledger:
        if ledger is None:
            raise InputError(f"nothing has run in {project} yet, so there is no sweep {tag!r} to draw")
        sweep = find_sweep(ledger, tag)
        with Lock(paths_of(project, sweep.id).folder / "analytics.lock") as lock:
            if not lock.acquire(_PATIENCE):
                raise LedgerError(f"another process has been drawing sweep {tag} for too long")
            return _draw(project, ledger, sweep, metric)


def _draw(project: Path, ledger: Ledger, sweep: Sweep, metric: str) -> str:
    moment = time.time()
    standing = standing_of(ledger, project, ledger.get_sweep(sweep.id), moment)
    wanted = Metric(metric) if metric else metric_of(project, sweep)
    ranking = rank_by(gather(ledger.combinations(sweep.id), lambda _: {}), wanted)
    picture = plot(ranking)
    image = None if picture is None else f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    key = f"{key_of(sweep.tag)}-results"
    with get_client(sync_client=True) as client:
        ui = ui_of(project, str(client.api_url))
        page = describe_live(standing, ranking, image, results_address(ui, sweep.id) if ui else None, moment)
        _put(client, sweep, Artifact(key, "markdown", page, f"Results of {sweep.tag}, {standing.state}"))
    get_run_logger().info("drew the artifact %s", key)
    return key


def _put(client: SyncPrefectClient, sweep: Sweep, artifact: Artifact) -> None:
    """Show an artifact on the page of the sweep's flow run, in the place of the one of that key."""
    body = {"data": artifact.data, "description": artifact.description}
    found = client._client.post(  # noqa: SLF001 - the client has no calls for these
        "/artifacts/filter", json={"artifacts": {"key": {"any_": [artifact.key]}}, "limit": 1}
    )
    there = found.raise_for_status().json()
    if there:
        client._client.patch(f"/artifacts/{there[0]['id']}", json=body).raise_for_status()  # noqa: SLF001
        return
    new = {**body, "key": artifact.key, "type": artifact.type, "flow_run_id": sweep.flow_run_id}
    client._client.post("/artifacts/", json=new).raise_for_status()  # noqa: SLF001
