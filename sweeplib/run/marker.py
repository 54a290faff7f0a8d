"""Done-markers: the files that tell how the attempts at a combination ended.

The guard writes one before anybody learns of a command's end; it is never changed. A file that is
torn, empty or of another shape counts as absent.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import count
from typing import TYPE_CHECKING, Any

from sweeplib.run.files import write_atomically
from sweeplib.run.model import Attempt, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sweeplib.run.model import SweepPaths

__all__ = ["find_completed", "read_marker", "read_markers", "was_started", "write_marker"]


def read_marker(path: Path) -> Attempt | None:
    """Return the attempt that a marker tells of; None if there is no whole marker at `path`."""
    try:
        with path.open(encoding="utf-8") as file:
            data = json.load(file)
        return _attempt(data)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _attempt(data: dict[str, Any]) -> Attempt:
    """Build the attempt, with the types it declares; raises ValueError, KeyError or TypeError."""
    metrics = data["metrics"]
    exit_code = data["exit_code"]
    return Attempt(
        key=str(data["key"]),
        number=int(data["number"]),
        outcome=Outcome(data["outcome"]),
        started=float(data["started"]),
        ended=float(data["ended"]),
        exit_code=None if exit_code is None else int(exit_code),
        log=str(data["log"]),
        message=str(data["message"]),
        metrics=None if metrics is None else {str(k): float(v) for k, v in dict(metrics).items()},
        note=str(data.get("note", "")),
    )


def write_marker(path: Path, attempt: Attempt, argv: tuple[str, ...]) -> None:
    """Write the marker of an attempt that no guard could write one for; raises OSError."""
    write_atomically(str(path), json.dumps({**asdict(attempt), "pid": None, "argv": argv}))


def read_markers(paths: SweepPaths, key: str) -> list[Attempt]:
    """Return all attempts at a combination that have a marker, first to last."""
    attempts = (read_marker(paths.marker(key, number)) for number in _numbers(paths, key))
    return [attempt for attempt in attempts if attempt and attempt.key == key]


def was_started(paths: SweepPaths, key: str) -> bool:
    """Tell whether an attempt at a combination has begun, of which there may be no end."""
    return next(_numbers(paths, key), None) is not None


def find_completed(paths: SweepPaths, key: str) -> Attempt | None:
    """Return the attempt that completed the combination, if there is one."""
    attempts = read_markers(paths, key)
    return next((attempt for attempt in attempts if attempt.outcome is Outcome.COMPLETED), None)


def _numbers(paths: SweepPaths, key: str) -> Iterator[int]:
    """Yield the numbers of all attempts: each has a log, or a marker where logs were cleared away."""
    for number in count(1):
        if not paths.log(key, number).exists() and not paths.marker(key, number).exists():
            return
        yield number
