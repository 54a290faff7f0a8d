"""What all runners share: the commands to run, running one, and telling how long all took."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["argvs", "run", "tell", "tell_span"]


def argvs() -> list[list[str]]:
    """Return the argument vectors in the file that is named first on the command line."""
    found: list[list[str]] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    return found


def run(argv: list[str]) -> tuple[float, float]:
    """Run a command; return its start and end in seconds since the epoch. Raises `CalledProcessError`."""
    started = time.time()
    subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return started, time.time()


def tell_span(spans: Iterable[tuple[float, float]], **more: Any) -> None:
    """Tell the seconds from the first command's start to the last one's end."""
    starts, ends = zip(*spans, strict=True)
    tell(seconds=max(ends) - min(starts), **more)


def tell(**answer: Any) -> None:
    """Print the runner's answer."""
    print(json.dumps(answer))
