"""Notices: lines that commands have for whoever runs their sweep, as files in the sweep's folder.

Those who run commands may be threads, workers of a cluster or flow runs in a pool: all have the folder.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from sweeplib.run.files import write_atomically
from sweeplib.run.verdict import file_problem

if TYPE_CHECKING:
    from sweeplib.run.model import SweepPaths

__all__ = ["leave", "take"]

_logger = logging.getLogger(__name__)


def leave(paths: SweepPaths, key: str, text: str) -> None:
    """Leave the notice of a combination; where the disk is full there is none."""
    try:
        write_atomically(str(paths.notices / f"{key}.txt"), text)
    except OSError as error:
        _logger.warning("%s", file_problem("a notice could not be left", error))


def take(paths: SweepPaths) -> list[str]:
    """Return the notices that were left, each text once, and take them away."""
    found = []
    for path in sorted(paths.notices.glob("*.txt")):
        with contextlib.suppress(OSError):
            found.append(path.read_text("utf-8", "surrogateescape"))
            path.unlink()
    return list(dict.fromkeys(found))
