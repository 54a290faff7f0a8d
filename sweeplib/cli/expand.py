"""`sweep expand`: write the commands of a grid specification."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import click

from sweeplib.cli.output import note, written
from sweeplib.errors import InputError

__all__ = ["command"]

_BLOCK = 1000


@click.command(name="expand")
@click.argument("gridspec", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the commands there instead of to standard output.",
)
def command(gridspec: Path, output: Path | None) -> None:
    """Write the commands of GRIDSPEC, one a line, as `sweep launch` runs them.

    A grid specification is a YAML file with a program and its parameters, each with values, or a value, or
    max, with min and step (max itself is left out). For example: sweep expand grid.yml -o grid.runfile
    """
    from sweeplib.jobs.commands import is_grid, read_grid

    if not is_grid(gridspec):
        raise InputError(f"{gridspec} is no grid specification, which ends in .yml or .yaml")
    lines = read_grid(gridspec)
    stream = iter(lines)
    if output is None:
        while block := "\n".join(islice(stream, _BLOCK)):
            sys.stdout.write(block + "\n")
        sys.stdout.flush()
        return
    if output.exists() and output.samefile(gridspec):
        raise InputError(f"{output} is the grid specification itself; write to another file")
    with written(output) as file:
        while block := "\n".join(islice(stream, _BLOCK)):
            file.write(block + "\n")
    note(f"wrote {len(lines):,} commands to {output}; run them with: sweep launch {output}")
