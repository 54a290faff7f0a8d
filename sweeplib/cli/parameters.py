"""Arguments and options that several commands share, with their completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sweeplib.errors import SweepError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["arguments_argument", "cluster_option", "complete_job", "only_option", "project_of"]


def _address(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse what cannot be an address, before anything is started."""
    if value is not None and ":" not in value:
        msg = f"{value!r} is no address of a Dask scheduler; it looks like tcp://127.0.0.1:8786"
        raise click.BadParameter(msg, ctx, param)
    return value


def _selection(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> str:
    """Return one selection of all that were given; an empty one is a variable that was not set."""
    if not all(text.strip() for text in value):
        raise click.BadParameter("the selection is empty; write one such as 'model=svc C=1,10'", ctx, param)
    return " ".join(value)


arguments_argument = click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARG]...")

only_option = click.option(
    "--only",
    metavar="SELECTION",
    multiple=True,
    callback=_selection,
    help="Take these combinations alone, such as 'model=svc C=1,10'.",
)

cluster_option = click.option(
    "--cluster",
    metavar="ADDRESS",
    callback=_address,
    help="Run on the Dask cluster with this scheduler address.",
)


def project_of(ctx: click.Context) -> Path:
    """Return the project's folder."""
    project: Path = ctx.obj
    return project


def complete_job(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    """Return the names of the project's jobs, for the shell's completion."""
    from pathlib import Path

    from sweeplib.jobs import load

    root = ctx.find_root()
    try:
        jobs = load(Path(root.params.get("project") or "").resolve()).jobs
    except (SweepError, OSError):
        return []
    return [name for name in jobs if name.startswith(incomplete)]
