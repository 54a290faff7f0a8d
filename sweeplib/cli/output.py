"""Where a command's words go: results to standard output, notes to standard error."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

import click

from sweeplib.errors import SweepError
from sweeplib.report.table import write_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sweeplib.report.table import Column

__all__ = ["note", "print_table", "say", "written"]


def note(text: str) -> None:
    """Tell the user something on standard error."""
    say(f"sweep: {text}", sys.stderr)


def say(text: str, stream: TextIO) -> None:
    """Write a line to standard output or error.

    Where SIGPIPE is ignored and the stream's reader has gone (`| head`), the line is dropped, and so is
    what comes later: Python would make the text that stays behind an error at its exit.
    """
    try:
        click.echo(text, file=stream)
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def print_table(columns: Sequence[Column], styles: Sequence[str] | None = None) -> None:
    """Print a table, with a note of the columns that the terminal has no room for."""
    left_out = write_table(columns, sys.stdout, styles)
    if left_out:
        sys.stdout.flush()
        note(
            f"left out, as the terminal is too narrow: {', '.join(left_out)}; a pipe or a file gets them all"
        )


@contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """Open a file that takes the place of `path` at the end of the block, whole, if that does not raise.

    What cannot be encoded is escaped. Raises `SweepError` where the file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
        unfinished.replace(path)
    except OSError as error:
        raise SweepError(f"{path} cannot be written: {error.strerror or error}") from None
    finally:
        with suppress(OSError):
            unfinished.unlink()
