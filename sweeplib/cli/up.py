"""`sweep up`: start the project's servers and say where they are."""

from __future__ import annotations

import click

from sweeplib.cli.parameters import project_of

__all__ = ["command"]


@click.command(name="up")
@click.option(
    "--api", "only_api", is_flag=True, help="Start Prefect alone, and print its API's address alone."
)
@click.pass_context
def command(ctx: click.Context, only_api: bool) -> None:  # noqa: FBT001 - click passes options by name
    """Start this project's Prefect server and MLflow's UI, and print their addresses.

    What runs already, or is configured (PREFECT_API_URL, MLFLOW_TRACKING_URI), is used as it is.

    For Prefect's own commands: export PREFECT_API_URL=$(sweep up --api)
    """
    from sweeplib.cli.output import note
    from sweeplib.orchestrate.api import connect
    from sweeplib.orchestrate.server import mlflow_ui, prefect_server
    from sweeplib.track import tracking_uri

    project = project_of(ctx)
    api = connect(project, note)
    if not api.local and api.url != prefect_server(project).api():
        note(f"the configured Prefect API is used, at {api.url}: none of this project's own is started")
    if only_api:
        click.echo(api.url)
        return
    click.echo(f"Prefect: {api.ui}")
    store = tracking_uri(project)
    address = store if store.startswith("http") else mlflow_ui(project, store).start(note)
    click.echo(f"MLflow:  {address}")
