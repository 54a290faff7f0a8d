"""The project's own Prefect server, which also hands out the files of its sweeps.

Pages in Prefect link to them, and a browser opens no file of the machine from a page of a server.
``python -m sweeplib.orchestrate.web`` runs it in the foreground.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from sweeplib.errors import SweepError
from sweeplib.garbage import search_less_often
from sweeplib.orchestrate.addresses import LOG, RESULTS
from sweeplib.orchestrate.foundation import cached, lay
from sweeplib.report.export import write_csv
from sweeplib.report.lookup import metric_of, open_ledger, paths_of
from sweeplib.report.ranking import rank_by
from sweeplib.report.results import gather, names_of_metrics, names_of_parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

__all__ = ["main", "routes"]

_SWEEP = re.compile(r"[0-9A-Z]{26}")
_NAME = re.compile(r"(?P<key>[0-9a-f]+)\.(?P<number>[0-9]{1,9})\.log")


def routes(project: Path) -> list[Route]:
    """Return the routes to the files of a project's sweeps."""

    def results(request: Request) -> Response:
        tag, text = _csv(project, _sweep(request))
        headers = {"content-disposition": f'attachment; filename="{tag}.csv"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    def log(request: Request) -> Response:
        name = _NAME.fullmatch(request.path_params["name"])
        path = paths_of(project, _sweep(request)).log(name["key"], int(name["number"])) if name else None
        if path is None or not path.is_file():
            raise HTTPException(404, "there is no such log")
        headers = {"x-content-type-options": "nosniff"}  # what a command prints is no page of ours
        return FileResponse(path, media_type="text/plain; charset=utf-8", headers=headers)

    return [Route(RESULTS, results), Route(LOG, log)]


def _sweep(request: Request) -> str:
    found = str(request.path_params["sweep"])
    if not _SWEEP.fullmatch(found):
        raise HTTPException(404, "there is no such sweep")
    return found


def _csv(project: Path, sweep_id: str) -> tuple[str, str]:
    """Return a sweep's tag and its results, the best first, as the ledger has them."""
    try:
        with open_ledger(project) as ledger:
            if ledger is None:
                raise HTTPException(404, "there is no such sweep")
            sweep = ledger.get_sweep(sweep_id)
            results = gather(ledger.combinations(sweep_id), lambda _: {})
            metric = metric_of(project, sweep)
    except SweepError as error:
        raise HTTPException(404, str(error)) from error
    out = io.StringIO()
    ranked = rank_by(results, metric).results
    write_csv(ranked, names_of_parameters(results), names_of_metrics(results), out)
    return sweep.tag, out.getvalue()


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until a signal ends the process; Prefect's settings come from the environment."""
    search_less_often()
    import uvicorn
    from prefect import __version__
    from prefect.server.api.server import create_app
    from prefect.server.database import provide_database_interface
    from prefect.server.database.dependencies import set_database_config
    from prefect.settings import get_current_settings

    from sweeplib.orchestrate.database import OneWriter
    from sweeplib.orchestrate.intake import route as intake

    parser = argparse.ArgumentParser(prog="python -m sweeplib.orchestrate.web")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--project", type=Path, required=True, help="the folder of the job file")
    parser.add_argument("--database", type=Path, required=True, help="Prefect's, as its settings name it")
    options = parser.parse_args(argv)
    set_database_config(OneWriter(f"sqlite+aiosqlite:///{options.database}"))
    template = cached(f"prefect-{__version__}.db")
    lay(options.database, template, lambda: asyncio.run(provide_database_interface().create_db()))
    app = create_app(final=True)
    ours = routes(options.project)
    if not get_current_settings().server.api.auth_string:  # which Prefect's own route asks for
        ours.append(intake())
    app.router.routes[:0] = ours  # Prefect's own last route takes all that is left
    uvicorn.run(app, host=options.host, port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
