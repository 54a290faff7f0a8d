"""The artifacts that tell on a flow run's page what came of its sweep."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from sweeplib.orchestrate.addresses import log_address, results_address
from sweeplib.orchestrate.pulse import Artifact
from sweeplib.orchestrate.server import prefect_server
from sweeplib.report.markdown import link, literal
from sweeplib.report.overview import ROWS, describe_table, failures_first, table_rows
from sweeplib.report.ranking import rank_by
from sweeplib.report.results import gather

if TYPE_CHECKING:
    from pathlib import Path

    from sweeplib.jobs import Metric
    from sweeplib.ledger import Ledger, Sweep
    from sweeplib.report.results import Result

__all__ = ["combinations_artifact", "key_of", "ui_of"]


def key_of(tag: str) -> str:
    """Return what the keys of a sweep's artifacts begin with; Prefect takes a-z, 0-9 and '-'."""
    return re.sub(r"[^a-z0-9]+", "-", tag.lower()).strip("-")


def ui_of(project: Path, api: str) -> str | None:
    """Return the address of the project's own server, which has sweeps' files, if `api` is its API."""
    own = prefect_server(project)
    return own.address() if own.api() == api.rstrip("/") else None


def combinations_artifact(ledger: Ledger, sweep: Sweep, metric: Metric | None, ui: str | None) -> Artifact:
    """Return a table of a sweep's combinations: what failed first, then the best."""
    ranking = rank_by(gather(ledger.combinations(sweep.id), lambda _: {}), metric)
    shown = failures_first(ranking, ROWS)

    def log(result: Result) -> str:
        if not result.log:
            return ""
        return link("log", log_address(ui, sweep.id, result.log)) if ui else literal(result.log)

    command = f"`sweep results {sweep.job} --sweep {sweep.tag} --format csv`"
    more = f"{link('CSV', results_address(ui, sweep.id))}, or {command}" if ui else command
    return Artifact(
        key=f"{key_of(sweep.tag)}-combinations",
        type="table",
        data=json.dumps(table_rows(ranking, shown, log)),
        description=describe_table(sweep.job, ranking, shown, more),
    )
