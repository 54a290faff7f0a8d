"""The command line of the benchmarks: measure, print one table, say what is as expected."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import commands, dry_run, first_command, imports, makespan, many, plan_length, resume, startup
from benchmarks.context import Context
from benchmarks.machine import describe, load
from benchmarks.model import Report
from benchmarks.peers import Peers
from benchmarks.render import as_json, as_table
from benchmarks.session import begin, note, positive, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.model import Expectation, Row

CASES = {
    "a": startup,
    "b": dry_run,
    "c": plan_length,
    "d": commands,
    "e": many,
    "f": imports,
    "g": first_command,
    "h": makespan,
    "i": resume,
}
"""The cases by their letters."""

_ALONE = {"c", "e", "g", "i"}
"""Cases without peers, for which no environment is made."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; return the exit code."""
    options = _parser().parse_args(arguments)
    report = run(options.only, options.repeat)
    sys.stdout.write(as_table(report))
    if options.json:
        write(options.json, as_json(report))
    return 1 if options.check and not report.ok else 0


def run(letters: Sequence[str], repeat: int | None) -> Report:
    """Measure the cases with these letters."""
    rows: list[Row] = []
    expectations: list[Expectation] = []
    peers = Peers(note)
    with begin() as folder:
        machine = describe(peers.versions if set(letters) - _ALONE else "")
        machine["Load before"] = load()
        context = Context(folder, peers, repeat, note)
        for letter in letters:
            found = CASES[letter].measure_case(context)
            rows += found
            expectations += CASES[letter].expectations(found)
    machine["Load after"] = load()
    titles = {letter: CASES[letter].TITLE for letter in letters}
    return Report(machine, titles, tuple(rows), tuple(expectations))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Compare sweep with other tools."
    )
    parser.add_argument(
        "--only", type=_letters, default=list(CASES), metavar="a,b", help=f"cases: {_contents()}"
    )
    parser.add_argument("--repeat", type=positive, metavar="N", help="rounds [default: 1 to 10]")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything there as JSON")
    parser.add_argument("--check", action="store_true", help="exit with 1 if an expectation is not met")
    return parser


def _contents() -> str:
    return "; ".join(f"{letter}: {case.TITLE}" for letter, case in CASES.items())


def _letters(text: str) -> list[str]:
    letters = [part.strip() for part in text.split(",")]
    unknown = [letter for letter in letters if letter not in CASES]
    if unknown:
        msg = f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}"
        raise argparse.ArgumentTypeError(msg)
    return sorted(set(letters))


if __name__ == "__main__":
    sys.exit(main())
