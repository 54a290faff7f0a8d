"""Where a command's words go: results to standard output, notes to standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from sweeplib.report.table import write_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweeplib.report.table import Column

__all__ = ["note", "print_table"]


def note(text: str) -> None:
    """Tell the user something on standard error."""
    click.echo(f"sweep: {text}", err=True)


def print_table(columns: Sequence[Column], styles: Sequence[str] | None = None) -> None:
    """Print a table, with a note of the columns that the terminal has no room for."""
    left_out = write_table(columns, sys.stdout, styles)
    if left_out:
        sys.stdout.flush()
        note(
            f"left out, as the terminal is too narrow: {', '.join(left_out)}; a pipe or a file gets them all"
        )
