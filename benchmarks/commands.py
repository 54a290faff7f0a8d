"""Case (d): 1,000 commands that do nothing, two at a time."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.expect import factor_at_least
from benchmarks.model import Expectation, Measure, median_of
from benchmarks.peers import gnu_parallel
from benchmarks.processes import output, runner, sweep
from benchmarks.records import final_task_runs, records_of_last_sweep
from benchmarks.rounds import Contestant, Sample, measure
from sweeplib.orchestrate.server import prefect_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.context import Context
    from benchmarks.model import Row

__all__ = ["TITLE", "expectations", "measure_case"]

_COUNT = 1000
_STOCK = 100
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
_WALL_FIRST = Measure("time of the process, server start included", "s")
_OURS, _TRACKED, _FIRST = _SWEEPS = (
    "sweep, tracking off",
    "sweep, MLflow on SQLite",
    "sweep, in a new project",
)
_STOCK_TOOL = "prefect-dask, stock"
_PATIENCE = 20.0  # seconds that the stock runner's records may come in late; ours have to be there
_MISSING = Measure("records missing when the process has ended", "")


@dataclass(frozen=True, slots=True)
class _Bench:
    """A project whose server is up, and its commands, as `sweep` makes them, in the forms that peers take."""

    context: Context
    folder: Path
    api: str
    argvs: Path
    lines: Path


def measure_case(context: Context) -> list[Row]:
    """Measure `sweep` and its peers with the same commands."""
    folder = context.project("commands", jobs=_JOBS, both=_BOTH)
    with _serving(folder, context.note) as api:
        bench = _prepare(context, folder, api)
        return measure("d", _contestants(bench), context.rounds(3), context.note)


@contextmanager
def _serving(folder: Path, note: Callable[[str], None]) -> Iterator[str]:
    """Have the project's own server up; yield the address of its API."""
    server = prefect_server(folder)
    try:
        yield f"{server.start(note)}/api"
    finally:
        server.stop()


def _prepare(context: Context, folder: Path, api: str) -> _Bench:
    lines, argvs = context.folder / "commands.txt", context.folder / "commands.json"
    printed = output(sweep("run", "noop", "--dry-run"), folder)
    lines.write_text(printed, encoding="utf-8")
    argvs.write_text(json.dumps([shlex.split(line) for line in printed.splitlines()]), encoding="utf-8")
    return _Bench(context, folder, api, argvs, lines)


def _contestants(bench: _Bench) -> list[Contestant]:
    both = (_RATE, _WALL)
    ours = (*both, _MISSING)
    return [
        Contestant(_OURS, ours, lambda: _sweep(bench.folder, "noop")),
        Contestant(_TRACKED, ours, lambda: _sweep(bench.folder, "tracked")),
        Contestant(_FIRST, (_WALL_FIRST, _MISSING), lambda: _first_sweep(bench)),
        Contestant("HydraFlow", both, lambda: _hydraflow(bench), "one at a time; records nothing"),
        Contestant("joblib", both, lambda: _joblib(bench), "2 processes; records nothing"),
        Contestant("Dask", both, lambda: _dask(bench), "Client.map, 2 threads in-process; records nothing"),
        Contestant("GNU parallel", both, lambda: _parallel(bench), "-j2 --joblog; starts a shell a command"),
        Contestant(
            _STOCK_TOOL,
            (_RATE, _WALL_STOCK, _MISSING),
            lambda: _prefect_dask(bench),
            f"from {_STOCK} commands, on sweep's server; {_PATIENCE:g} s for late records",
        ),
    ]


def _sweep(folder: Path, job: str) -> Sample:
    began = time.perf_counter()
    output(sweep("run", job, "--fresh", "--parallel", "2"), folder)
    wall = time.perf_counter() - began
    records = records_of_last_sweep(folder, job)
    values = {_RATE: _COUNT / records.seconds, _WALL: wall, _MISSING: records.missing(_COUNT)}
    return Sample(values, records.shortfall(_COUNT))


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


def _spans(told_by: str, name: str, *arguments: str, bench: _Bench) -> Sample:
    told = runner(told_by, name, *arguments, folder=bench.folder)
    return Sample({_RATE: _COUNT / told.answer["seconds"], _WALL: told.seconds})


def _hydraflow(bench: _Bench) -> Sample:
    python = str(Path(bench.context.peers.hydraflow).with_name("python"))
    return _spans(python, "with_hydraflow", "noop", bench=bench)


def _joblib(bench: _Bench) -> Sample:
    return _spans(bench.context.peers.python, "with_joblib", str(bench.argvs), bench=bench)


def _dask(bench: _Bench) -> Sample:
    return _spans(bench.context.peers.python, "with_dask", str(bench.argvs), bench=bench)


def _parallel(bench: _Bench) -> Sample:
    """Run GNU parallel; its log has a start (seconds since the epoch) and a run time a command."""
    gnu_parallel()
    log = bench.context.folder / "joblog"
    command = ["parallel", "--will-cite", "-j2", "--joblog", str(log), "--arg-file", str(bench.lines)]
    began = time.perf_counter()
    output(command, bench.folder)
    wall = time.perf_counter() - began
    rows = [line.split("\t") for line in log.read_text(encoding="utf-8").splitlines()[1:]]
    starts, ends = zip(*[(float(row[2]), float(row[2]) + float(row[3])) for row in rows], strict=True)
    return Sample({_RATE: len(rows) / (max(ends) - min(starts)), _WALL: wall})


def _prefect_dask(bench: _Bench) -> Sample:
    variables = {"PREFECT_API_URL": bench.api}
    arguments = (str(bench.argvs), str(_STOCK))
    told = runner(sys.executable, "with_prefect_dask", *arguments, folder=bench.folder, variables=variables)
    final = final_task_runs(bench.api, told.answer["flow_run"], expected=_STOCK, patience=_PATIENCE)
    values = {_RATE: _STOCK / told.answer["seconds"], _WALL_STOCK: told.seconds, _MISSING: _STOCK - final}
    return Sample(values)


def expectations(rows: Sequence[Row]) -> list[Expectation]:
    """Compare with what is expected of the runner."""
    ours, theirs = (median_of(rows, tool, _RATE) for tool in (_OURS, _STOCK_TOOL))
    return [
        factor_at_least("d", "rate with tracking off", ours, theirs, 10, "the stock runner's"),
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
