"""The Prefect server of a project: up while a case is measured, and what it has cost and lost."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.model import UnavailableError
from sweeplib.orchestrate.server import prefect_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["dropped_messages", "peak_memory", "serving"]

_DROPPED = "queue is full, dropping"
_PEAK = re.compile(r"^VmHWM:\s*(\d+) kB$", re.MULTILINE)


@contextmanager
def serving(project: Path, note: Callable[[str], None]) -> Iterator[str]:
    """Have the project's own server up; yield the address of its API."""
    server = prefect_server(project)
    try:
        yield f"{server.start(note)}/api"
    finally:
        server.stop()


def dropped_messages(project: Path) -> int:
    """Return how many lines of the server's log say that a message was dropped."""
    log = prefect_server(project).log
    with log.open(encoding="utf-8", errors="replace") as lines:
        return sum(_DROPPED in line for line in lines)


def peak_memory(project: Path) -> float:
    """Return the most memory that the running server has had, in megabytes."""
    try:
        state = json.loads(prefect_server(project).log.with_suffix(".json").read_text(encoding="utf-8"))
        status = Path(f"/proc/{state['pid']}/status").read_text(encoding="utf-8")
    except (OSError, KeyError) as error:
        msg = f"failed: the server has gone: {error}"
        raise UnavailableError(msg) from error
    found = _PEAK.search(status)
    if found is None:
        msg = "failed: the system does not tell the server's peak memory"
        raise UnavailableError(msg)
    return int(found[1]) * 1024 / 1e6
