"""What every command line of the benchmarks does: a place to work in, an orderly end, notes, files."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import isolate

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["begin", "note", "positive", "write"]


@contextmanager
def begin() -> Iterator[Path]:
    """Yield an empty folder, in an environment that leads Prefect, MLflow and Dask nowhere else.

    SIGTERM ends this process by an exception, so that the servers that were started are stopped.
    """
    signal.signal(signal.SIGTERM, _end)
    with tempfile.TemporaryDirectory(prefix="sweep-bench-") as name:
        folder = Path(name).resolve()
        isolate(folder / "home")
        yield folder


def note(text: str) -> None:
    """Tell the user, on standard error, what goes on."""
    print(f"benchmarks: {text}", file=sys.stderr, flush=True)


def positive(text: str) -> int:
    """Return the number, 1 or more, that an option gives (a type of argparse)."""
    number = int(text)
    if number < 1:
        msg = "must be 1 or more"
        raise argparse.ArgumentTypeError(msg)
    return number


def write(file: Path, text: str) -> None:
    """Write a file of results, and make its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _end(number: int, _: object) -> None:
    sys.exit(128 + number)
