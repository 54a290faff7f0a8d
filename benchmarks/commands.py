"""Case (d): 1,000 commands that do nothing, two at a time."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import tools
from benchmarks.expect import factor_at_least
from benchmarks.model import Expectation, Measure, median_of
from benchmarks.processes import runner
from benchmarks.records import final_task_runs
from benchmarks.rounds import Contestant, Sample, measure
from benchmarks.server import serving
from benchmarks.sweeps import run_sweep
from sweeplib.orchestrate.server import prefect_server

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.context import Context
    from benchmarks.model import Row
    from benchmarks.tools import Commands, Spent

__all__ = ["TITLE", "expectations", "measure_case"]

_COUNT = 1000
_STOCK = 100
_SUBMITIT = 50
TITLE = (
    f"{_COUNT:,} commands `true`, two at a time; a rate is from the first one's start to the last one's end, "
    "a time has the start-up of the process in it"
)
_SET = "sets: [{each: 'a=1:10 b=1:100'}]"
_BOTH = f"jobs: {{noop: {{run: 'true', {_SET}}}}}\n"
_JOBS = f"""\
jobs:
  noop: {{run: 'true', tracking: false, {_SET}}}
  tracked: {{run: 'true', {_SET}}}
"""
_RATE = Measure("commands a second", "/s")
_WALL = Measure(f"time of the process, {_COUNT:,} commands", "s")
_WALL_STOCK = Measure(f"time of the process, {_STOCK} commands", "s")
_WALL_SUBMITIT = Measure(f"time of the process, {_SUBMITIT} commands", "s")
_WALL_FIRST = Measure("time of the process, server start included", "s")
_OURS, _TRACKED, _FIRST = _SWEEPS = (
    "sweep, tracking off",
    "sweep, MLflow on SQLite",
    "sweep, in a new project",
)
_PARALLEL = "GNU parallel"
_STOCK_TOOL = "prefect-dask, stock"
_PATIENCE = 20.0  # seconds that the stock runner's records may come in late; ours have to be there
_MISSING = Measure("records missing when the process has ended", "")


@dataclass(frozen=True, slots=True)
class _Bench:
    """A project whose server is up, and the job's commands in the forms that peers take."""

    context: Context
    folder: Path
    api: str
    commands: Commands


def measure_case(context: Context) -> list[Row]:
    """Measure `sweep` and its peers with the same commands."""
    folder = context.project("commands", jobs=_JOBS, both=_BOTH)
    with serving(folder, context.note) as api:
        commands = tools.prepare(folder, "noop", context.folder / "commands-of-peers")
        bench = _Bench(context, folder, api, commands)
        return measure("d", [*_sweeps(bench), *_peers(bench)], context.rounds(3), context.note)


def _sweeps(bench: _Bench) -> list[Contestant]:
    ours = (_RATE, _WALL, _MISSING)
    return [
        Contestant(_OURS, ours, lambda: _sweep(bench.folder, "noop")),
        Contestant(_TRACKED, ours, lambda: _sweep(bench.folder, "tracked")),
        Contestant(_FIRST, (_WALL_FIRST, _MISSING), lambda: _first_sweep(bench)),
    ]


def _peers(bench: _Bench) -> list[Contestant]:
    both = (_RATE, _WALL)
    peers, commands = bench.context.peers, bench.commands
    return [
        Contestant("HydraFlow", both, lambda: _hydraflow(bench), "one at a time; records nothing"),
        Contestant("joblib", both, lambda: _told("joblib", bench), "2 processes; records nothing"),
        Contestant(
            "Dask", both, lambda: _told("dask", bench), "Client.map, 2 threads in-process; records nothing"
        ),
        Contestant(
            "xargs", both, lambda: _sample(tools.xargs(commands, 2)), "-P2; no log, so the process's time"
        ),
        Contestant(
            _PARALLEL,
            both,
            lambda: _sample(tools.gnu_parallel(commands, 2)),
            "-j2 --joblog; starts a shell a command",
        ),
        Contestant(
            "batchrun",
            both,
            lambda: _sample(tools.batchrun(commands, 2, peers.batchrun)),
            "--n_jobs 2; waits for both before the next two",
        ),
        Contestant(
            _STOCK_TOOL,
            (_RATE, _WALL_STOCK, _MISSING),
            lambda: _prefect_dask(bench),
            f"from {_STOCK} commands, on sweep's server; {_PATIENCE:g} s for late records",
        ),
        Contestant(
            "submitit",
            (_RATE, _WALL_SUBMITIT),
            lambda: _submitit(bench),
            f"local executor, from {_SUBMITIT} commands; it has no limit, so two by two",
        ),
    ]


def _sweep(folder: Path, job: str) -> Sample:
    run = run_sweep(folder, job, "--fresh")
    values = {_RATE: run.rate, _WALL: run.cost.seconds, _MISSING: run.records.missing(_COUNT)}
    return Sample(values, run.records.shortfall(_COUNT))


def _first_sweep(bench: _Bench) -> Sample:
    """Run the job in a new project, where `sweep run` has to start a server first."""
    folder = bench.context.folder / "new"
    shutil.copytree(bench.folder, folder, ignore=shutil.ignore_patterns(".sweep", "mlflow.db*"))
    try:
        sample = _sweep(folder, "noop")
    finally:
        prefect_server(folder).stop()
        shutil.rmtree(folder)
    values = {_WALL_FIRST: sample.values[_WALL], _MISSING: sample.values[_MISSING]}
    return Sample(values, sample.remark)


def _sample(spent: Spent) -> Sample:
    return Sample({_RATE: _COUNT / spent.span, _WALL: spent.wall})


def _hydraflow(bench: _Bench) -> Sample:
    python = str(Path(bench.context.peers.hydraflow).with_name("python"))
    told = runner(python, "with_hydraflow", "noop", folder=bench.folder)
    return Sample({_RATE: _COUNT / told.answer["seconds"], _WALL: told.seconds})


def _told(library: str, bench: _Bench) -> Sample:
    arguments = (str(bench.commands.argvs),)
    told = runner(bench.context.peers.python, f"with_{library}", *arguments, folder=bench.folder)
    return Sample({_RATE: _COUNT / told.answer["seconds"], _WALL: told.seconds})


def _submitit(bench: _Bench) -> Sample:
    arguments = (str(bench.commands.argvs), str(_SUBMITIT), str(bench.context.folder / "submitit"))
    told = runner(bench.context.peers.python, "with_submitit", *arguments, folder=bench.folder)
    return Sample({_RATE: _SUBMITIT / told.answer["seconds"], _WALL_SUBMITIT: told.seconds})


def _prefect_dask(bench: _Bench) -> Sample:
    variables = {"PREFECT_API_URL": bench.api}
    arguments = (str(bench.commands.argvs), str(_STOCK))
    told = runner(sys.executable, "with_prefect_dask", *arguments, folder=bench.folder, variables=variables)
    final = final_task_runs(bench.api, told.answer["flow_run"], expected=_STOCK, patience=_PATIENCE)
    values = {_RATE: _STOCK / told.answer["seconds"], _WALL_STOCK: told.seconds, _MISSING: _STOCK - final}
    return Sample(values)


def expectations(rows: Sequence[Row]) -> list[Expectation]:
    """Compare with what is expected of the runner."""
    ours, parallel, stock = (median_of(rows, tool, _RATE) for tool in (_OURS, _PARALLEL, _STOCK_TOOL))
    return [
        factor_at_least("d", "rate with tracking off", ours, parallel, 1, "GNU parallel's"),
        factor_at_least("d", "rate with tracking off", ours, stock, 15, "the stock runner's"),
        _all_records(rows),
    ]


def _all_records(rows: Sequence[Row]) -> Expectation:
    """Expect that no sweep of any round misses a record."""
    found = [row for row in rows if row.measure == _MISSING and row.tool in _SWEEPS]
    missing = sum(sum(row.samples) for row in found)
    text = "every combination completed in the ledger, every task run final in Prefect"
    if not all(row.samples for row in found):
        return Expectation("d", text, "a sweep did not run", None)
    return Expectation("d", text, f"{missing:,.0f} records missing", not missing)
