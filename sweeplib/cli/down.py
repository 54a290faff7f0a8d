"""`sweep down`: stop the project's servers."""

from __future__ import annotations

import click

from sweeplib.cli.parameters import project_of

__all__ = ["command"]


@click.command(name="down")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Stop the Prefect server and the MLflow UI that were started for this project.

    What they have recorded is kept, and there again after the next sweep up or sweep run.
    """
    from sweeplib.orchestrate.server import mlflow_ui, prefect_server
    from sweeplib.track import tracking_uri

    project = project_of(ctx)
    stopped = [
        service.name
        for service in (prefect_server(project), mlflow_ui(project, tracking_uri(project)))
        if service.stop()
    ]
    click.echo(f"stopped: {', '.join(stopped)}" if stopped else "no server of this project is running")
