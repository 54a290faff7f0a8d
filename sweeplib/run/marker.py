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

__all__ = ["last_begun", "read_marker", "read_markers", "write_marker"]


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


def read_markers(paths: SweepPaths, key: str, after: int = 0) -> list[Attempt]:
    """Return the attempts at a combination after number `after` that have a marker, first to last."""
    attempts = (read_marker(paths.marker(key, number)) for number in _numbers(paths, key, after))
    return [attempt for attempt in attempts if attempt and attempt.key == key]


def last_begun(paths: SweepPaths, key: str, after: int = 0) -> int:
    """Return the number of the last attempt at a combination that has begun; `after` if none has since."""
    return max(_numbers(paths, key, after), default=after)


def _numbers(paths: SweepPaths, key: str, after: int = 0) -> Iterator[int]:
    """Yield the numbers of all attempts: each has a log, or a marker where logs were cleared away."""
    for number in count(after + 1):
        if not paths.log(key, number).exists() and not paths.marker(key, number).exists():
            return
        yield number
