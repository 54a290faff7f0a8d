"""Where a command's words go: results to standard output, notes to standard error."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from sweeplib.errors import InputError, SweepError
from sweeplib.report.table import write_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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

    A link stays, and what it leads to is replaced; a pipe or a device is written to as it is. What cannot be
    encoded is escaped. Raises `SweepError` where the file cannot be written, `InputError` where there is no
    folder for it.
    """
    if str(path) in ("", "."):
        raise InputError("the output has no name; write one, such as -o report.html")
    try:
        target = Path(os.path.realpath(path))
        if not target.parent.is_dir():
            raise InputError(f"{path} cannot be written: there is no folder {path.parent}")
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8", errors="backslashreplace") as file:
                yield file
        else:
            with _replacing(target) as file:
                yield file
    except OSError as error:
        raise SweepError(f"{path} cannot be written: {error.strerror or error}") from None


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
        unfinished.replace(path)
    finally:
        with suppress(OSError):
            unfinished.unlink()
