"""Arguments and options that several commands share, with their completion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweeplib.errors import SweepError

if TYPE_CHECKING:
    from pathlib import Path

    import click

__all__ = ["complete_job", "project_of"]


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
