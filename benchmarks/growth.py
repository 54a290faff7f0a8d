"""How time, memory and files grow with the number of combinations: ``python -m benchmarks.growth``.

A job of commands that do nothing is run at each count, two at a time, in a project of its own whose server is
up. What is completed is counted in the ledger. Prefect has fewer task runs where combinations are packed.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.growth_plot import draw
from benchmarks.machine import describe, load
from benchmarks.processes import ROOT, cost, sweep
from benchmarks.render import quantity
from benchmarks.server import peak_memory, serving
from benchmarks.session import begin, note, positive, write
from benchmarks.sweeps import run_sweep
from sweeplib.report.markdown import table_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.model import Unit

__all__ = ["COLUMNS", "Step", "as_json", "as_table", "main", "measure_step"]

_COUNTS = [100, 1_000, 10_000, 100_000]
COLUMNS: dict[str, tuple[str, Unit]] = {
    "combinations": ("combinations", ""),
    "completed": ("completed in the ledger", ""),
    "task_runs": ("task runs in Prefect", ""),
    "seconds": ("`sweep run`", "s"),
    "rate": ("commands a second", "/s"),
    "resume_seconds": ("again, nothing left", "s"),
    "status_seconds": ("`sweep status`", "s"),
    "flow_megabytes": ("peak memory of `sweep run`", "MB"),
    "server_megabytes": ("of the server", "MB"),
    "ledger_megabytes": ("ledger", "MB"),
    "prefect_megabytes": ("Prefect's database", "MB"),
}
"""The lines of the table: what each is called there, and its unit, by the field of `Step`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What was measured at one number of combinations.

    `completed` is counted in the ledger, `task_runs` (those that ended) in Prefect's database. `seconds` is
    the time of the process, `rate` commands a second from the first one's start to the last one's end.
    Megabytes are 10**6 bytes: at the peak for processes, at the end for databases.
    """

    combinations: int
    completed: int
    task_runs: int
    seconds: float
    rate: float
    resume_seconds: float
    status_seconds: float
    flow_megabytes: float
    server_megabytes: float
    ledger_megabytes: float
    prefect_megabytes: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every step, print a table, write JSON and the plot; return the exit code."""
    options = _parser().parse_args(arguments)
    steps = []
    with begin() as folder:
        machine = describe()
        machine["Load before"] = load()
        for count in options.counts:
            note(f"growth: {count:,} combinations")
            steps.append(measure_step(folder / str(count), count))
    machine["Load after"] = load()
    write(options.json, as_json(machine, steps))
    write(options.plot, draw(steps))
    sys.stdout.write(as_table(steps))
    return 0 if all(step.completed == step.combinations for step in steps) else 1


def measure_step(folder: Path, count: int) -> Step:
    """Run a job of `count` combinations in a new project in `folder`, and once more with nothing left."""
    folder.mkdir()
    job = f"{{run: 'true', tracking: false, sets: [{{each: 'n=1:{count}'}}]}}"
    (folder / "sweeps.yaml").write_text(f"jobs: {{noop: {job}}}\n", encoding="utf-8")
    with serving(folder, note):
        run = run_sweep(folder, "noop")
        return Step(
            combinations=count,
            completed=run.records.completed,
            task_runs=run.records.final,
            seconds=run.cost.seconds,
            rate=run.rate,
            flow_megabytes=run.cost.megabytes,
            server_megabytes=peak_memory(folder),
            ledger_megabytes=_size(folder / ".sweep", "ledger.db*"),
            prefect_megabytes=_size(folder / ".sweep" / "server", "prefect.db*"),
            resume_seconds=cost(sweep("run", "noop"), folder).seconds,
            status_seconds=cost(sweep("status", "noop"), folder).seconds,
        )


def as_json(machine: dict[str, str], steps: Sequence[Step]) -> str:
    """Return everything as JSON, with what each combination took of the whole."""
    rows = [{**asdict(step), "seconds_each": step.seconds / step.combinations} for step in steps]
    return json.dumps({"machine": machine, "steps": rows}, indent=2, ensure_ascii=False) + "\n"


def as_table(steps: Sequence[Step]) -> str:
    """Return the steps as a table in Markdown, a line a measure, as the documents show it."""
    rows = [
        [title, *(_cell(getattr(step, name), unit) for step in steps)]
        for name, (title, unit) in COLUMNS.items()
    ]
    titles, *lines = rows
    return "\n".join(table_lines(titles, lines)) + "\n"


def _cell(value: float, unit: Unit) -> str:
    return f"{value:,}" if isinstance(value, int) else quantity(value, unit)


def _size(folder: Path, pattern: str) -> float:
    """Return the size of the files of that name, a database and its write-ahead log, in megabytes."""
    return sum(file.stat().st_size for file in folder.glob(pattern)) / 1e6


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth", description="Measure how `sweep run` grows with the combinations."
    )
    parser.add_argument(
        "--counts", type=_counts, default=_COUNTS, metavar="N,N", help="[default: 100 to 100,000]"
    )
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "growth.json", metavar="FILE")
    parser.add_argument("--plot", type=Path, default=ROOT / "docs" / "growth.svg", metavar="FILE")
    return parser


def _counts(text: str) -> list[int]:
    return sorted({positive(part) for part in text.split(",")})


if __name__ == "__main__":
    sys.exit(main())
