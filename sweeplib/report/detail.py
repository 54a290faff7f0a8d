"""One combination, or one sweep, in all that is known of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sweeplib.report.duration import humanise
from sweeplib.report.lookup import paths_of
from sweeplib.report.table import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweeplib.ledger import Combination, Sweep

__all__ = ["combination_lines", "git_of", "patch_of", "sweep_lines"]

_LABEL = 14  # the width of what stands left
_UNKNOWN = "not recorded: there was no git, or no commit"


def combination_lines(sweep: Sweep, row: Combination) -> Iterator[str]:
    """Yield what is known of a combination as the newest sweep has it."""
    yield printable(row.label)
    if row.description:
        yield _line("description", printable(row.description))
    yield _line("key", row.key)
    yield _line("job", sweep.job)
    yield _line("sweep", f"{sweep.tag} ({sweep.id})")
    outcome = str(row.outcome or "running")
    tried = f", attempt {row.attempts}" if row.attempts > 1 else ""
    yield _line("outcome", f"{outcome}{tried}")
    if row.tags:
        yield _line("tags", printable(", ".join(row.tags)))
    if row.message:
        yield _line("message", printable(row.message))
    if row.started is not None:
        yield _line("started", _local(row.started))
        if row.ended is not None:
            yield _line("duration", humanise(row.ended - row.started))
    if row.command:
        yield _line("command", printable(row.command))
    title = "parameters"
    for name, value in row.parameters.items():
        yield _line(title, printable(f"{name}={value}"))
        title = ""
    title = "metrics"
    for name, found in sorted((row.metrics or {}).items()):
        yield _line(title, f"{printable(name)}={found:.6g}")
        title = ""
    yield _line("git", git_of(sweep))
    if row.run_id:
        yield _line("MLflow run", row.run_id)
    if row.log:
        yield _line("output", row.log)


def sweep_lines(sweep: Sweep) -> Iterator[str]:
    """Yield what is known of a sweep."""
    yield sweep.tag
    yield _line("id", sweep.id)
    yield _line("job", sweep.job)
    yield _line("state", sweep.state)
    yield _line("started", _local(sweep.created))
    if sweep.ended is not None:
        yield _line("duration", humanise(max(0.0, sweep.ended - sweep.created)))
    yield _line("combinations", f"{sweep.total:,}")
    if sweep.arguments:
        yield _line("arguments", printable(" ".join(sweep.arguments)))
    if sweep.selection:
        yield _line("only", printable(sweep.selection))
    if tags := json.loads(sweep.spec).get("tags"):
        yield _line("tags", printable(", ".join(tags)))
    yield _line("git", git_of(sweep))
    yield _line("on", f"{sweep.host}, process {sweep.pid}")


def git_of(sweep: Sweep) -> str:
    """Return the state of the code that a sweep ran, in words."""
    if not sweep.git:
        return _UNKNOWN
    changes = ", with uncommitted changes" if sweep.git["dirty"] else ""
    return f"{sweep.git['commit']} on {sweep.git['branch']}{changes}"


def patch_of(project: Path, sweep: Sweep) -> bytes | None:
    """Return what was not committed when a sweep began, as a patch; None where there was nothing."""
    path = paths_of(project, sweep.id).patch
    return path.read_bytes() if path.exists() else None


def _line(title: str, text: str) -> str:
    return f"  {title:<{_LABEL}}{text}"


def _local(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
