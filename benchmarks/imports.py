"""Case (f): 50 combinations of a script that imports much and does little, two at a time."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import tools
from benchmarks.expect import factor_at_least
from benchmarks.model import Measure, median_of
from benchmarks.processes import ROOT, runner
from benchmarks.rounds import Contestant, Sample, measure
from benchmarks.server import serving
from benchmarks.sweeps import run_sweep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.context import Context
    from benchmarks.model import Expectation, Row
    from benchmarks.tools import Commands

__all__ = ["TITLE", "expectations", "measure_case"]

_COUNT = 50
TITLE = f"{_COUNT} combinations of a script that imports mlflow, hydra and scikit-learn, two at a time"
_SPAN = Measure("from the first command's start to the last one's end", "s")
_WALL = Measure("time of the process", "s")
_SWEEP, _COLD, _HYDRAFLOW, _PARALLEL = (
    "sweep, preload",
    "sweep, without preload",
    "HydraFlow",
    "GNU parallel",
)
_FASTER = 8
_SCRIPT = ROOT / "benchmarks" / "runners" / "imports_much.py"


def measure_case(context: Context) -> list[Row]:
    """Measure `sweep` and two peers; the script runs in an environment of what it imports."""
    folder = context.project("imports", both="jobs: {}\n")
    with serving(folder, context.note):
        return measure("f", _contestants(_Bench(context, folder)), context.rounds(1), context.note)


class _Bench:
    """A project whose jobs are written when the environment of their script is known to be there."""

    def __init__(self, context: Context, folder: Path) -> None:
        self.context = context
        self.folder = folder

    @cached_property
    def commands(self) -> Commands:
        """The commands, which are the same with and without `preload`. Raises `UnavailableError`."""
        run = f"run: {json.dumps(shlex.join([self.context.peers.with_imports, str(_SCRIPT)]))}"
        sets = f"sets: [{{each: 'n=1:{_COUNT}'}}]"
        preload = "preload: [mlflow, hydra, sklearn.linear_model]"
        warm = f"  warm: {{{run}, tracking: false, {preload}, {sets}}}\n"
        cold = f"  cold: {{{run}, tracking: false, preload: false, {sets}}}\n"
        (self.folder / "sweeps.yaml").write_text(f"jobs:\n{warm}{cold}", encoding="utf-8")
        (self.folder / "hydraflow.yaml").write_text(f"jobs:\n  cold: {{{run}, {sets}}}\n", encoding="utf-8")
        return tools.prepare(self.folder, "cold", self.context.folder / "imports-of-peers")

    def sweep(self, job: str) -> Sample:
        """Run a job of the project."""
        run = run_sweep(self.commands.project, job, "--fresh")
        values = {_SPAN: run.records.seconds, _WALL: run.cost.seconds}
        remarks = [run.records.shortfall(_COUNT), *self._notes(run.records.sweep)]
        return Sample(values, "; ".join(filter(None, remarks)))

    def _notes(self, sweep: str) -> list[str]:
        """Return what attempts of a sweep have to say, such as why a command did not find modules loaded."""
        markers = (self.folder / ".sweep" / "sweeps" / sweep / "done").glob("*/*.json")
        notes = Counter(json.loads(marker.read_bytes()).get("note", "") for marker in markers)
        return [f"{count} {note}" for note, count in notes.items() if note]

    def hydraflow(self) -> Sample:
        """Run the job as `hydraflow run` does."""
        python = str(Path(self.context.peers.hydraflow).with_name("python"))
        told = runner(python, "with_hydraflow", "cold", folder=self.commands.project)
        return Sample({_SPAN: told.answer["seconds"], _WALL: told.seconds})

    def parallel(self) -> Sample:
        """Run the commands with GNU parallel."""
        spent = tools.gnu_parallel(self.commands, 2)
        return Sample({_SPAN: spent.span, _WALL: spent.wall})


def _contestants(bench: _Bench) -> list[Contestant]:
    both = (_SPAN, _WALL)
    return [
        Contestant(_SWEEP, both, lambda: bench.sweep("warm")),
        Contestant(_COLD, both, lambda: bench.sweep("cold")),
        Contestant(_HYDRAFLOW, both, bench.hydraflow, "`run`: one at a time"),
        Contestant(_PARALLEL, both, bench.parallel, "-j2 --joblog"),
    ]


def expectations(rows: Sequence[Row]) -> list[Expectation]:
    """Compare whole processes, start-up included."""
    ours, hydraflow, parallel = (median_of(rows, tool, _WALL) for tool in (_SWEEP, _HYDRAFLOW, _PARALLEL))
    return [
        factor_at_least("f", "HydraFlow's time", hydraflow, ours, _FASTER, "sweep's"),
        factor_at_least("f", "GNU parallel's time", parallel, ours, _FASTER, "sweep's"),
    ]
