"""Case (d): 1,000 commands that do nothing, two at a time."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.expect import factor_at_least
from benchmarks.model import Expectation, Measure, UnavailableError, median_of
from benchmarks.processes import output, runner, sweep
from benchmarks.records import final_task_runs, records_of_last_sweep
from benchmarks.rounds import Contestant, Sample, measure
from sweeplib.orchestrate.server import prefect_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from benchmarks.context import Context
    from benchmarks.model import Row

__all__ = ["TITLE", "expectations", "measure_case"]

_COUNT = 1000
_STOCK = 100
TITLE = (
    f"{_COUNT:,} commands `true`, two at a time; the rate is from the first one's start to the last one's end"
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
_OURS, _THEIRS = "sweep, tracking off", "prefect-dask, stock"
_COMPLETE = "every combination completed in the ledger, every task run final in Prefect"


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
    return [
        Contestant(_OURS, both, lambda: _sweep(bench.folder, "noop")),
        Contestant("sweep, MLflow on SQLite", both, lambda: _sweep(bench.folder, "tracked")),
        Contestant("sweep, in a new project", (_WALL_FIRST,), lambda: _first_sweep(bench)),
        Contestant("HydraFlow", both, lambda: _hydraflow(bench), "one at a time; records nothing"),
        Contestant("joblib", both, lambda: _joblib(bench), "2 processes; records nothing"),
        Contestant("Dask", both, lambda: _dask(bench), "Client.map, 2 threads in-process; records nothing"),
        Contestant("GNU parallel", both, lambda: _parallel(bench), "-j2 --joblog; starts a shell a command"),
        Contestant(_THEIRS, (_RATE, _WALL_STOCK), lambda: _prefect_dask(bench)),
    ]


def _sweep(folder: Path, job: str) -> Sample:
    began = time.perf_counter()
    output(sweep("run", job, "--fresh", "--parallel", "2"), folder)
    wall = time.perf_counter() - began
    records = records_of_last_sweep(folder, job)
    remark = records.shortfall(_COUNT) or _COMPLETE
    return Sample({_RATE: _COUNT / records.seconds, _WALL: wall}, remark)


def _first_sweep(bench: _Bench) -> Sample:
    """Run the job in a new project, where `sweep run` has to start a server first."""
    folder = bench.context.folder / "new"
    shutil.copytree(bench.folder, folder, ignore=shutil.ignore_patterns(".sweep", "mlflow.db*"))
    try:
        sample = _sweep(folder, "noop")
    finally:
        prefect_server(folder).stop()
        shutil.rmtree(folder)
    return Sample({_WALL_FIRST: sample.values[_WALL]}, sample.remark)


def _spans(told_by: str, name: str, *arguments: str, bench: _Bench) -> Sample:
    told = runner(told_by, name, *arguments, folder=bench.folder)
    return Sample({_RATE: _COUNT / told.answer["seconds"], _WALL: told.seconds})


def _hydraflow(bench: _Bench) -> Sample:
    python = str(bench.context.peers.python) if bench.context.peers.hydraflow else ""
    return _spans(python, "with_hydraflow", "noop", bench=bench)


def _joblib(bench: _Bench) -> Sample:
    return _spans(bench.context.peers.python, "with_joblib", str(bench.argvs), bench=bench)


def _dask(bench: _Bench) -> Sample:
    return _spans(bench.context.peers.python, "with_dask", str(bench.argvs), bench=bench)


def _parallel(bench: _Bench) -> Sample:
    """Run GNU parallel; its log has a start (seconds since the epoch) and a run time a command."""
    if not is_gnu_parallel():
        msg = "not available: scripts/install-test-packages installs it where it can"
        raise UnavailableError(msg)
    log = bench.context.folder / "joblog"
    command = ["parallel", "--will-cite", "-j2", "--joblog", str(log), "--arg-file", str(bench.lines)]
    began = time.perf_counter()
    output(command, bench.folder)
    wall = time.perf_counter() - began
    rows = [line.split("\t") for line in log.read_text(encoding="utf-8").splitlines()[1:]]
    starts, ends = zip(*[(float(row[2]), float(row[2]) + float(row[3])) for row in rows], strict=True)
    return Sample({_RATE: len(rows) / (max(ends) - min(starts)), _WALL: wall})


def is_gnu_parallel() -> bool:
    """Return whether `parallel` is GNU's: moreutils has another tool of that name."""
    try:
        done = subprocess.run(
            ["parallel", "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except OSError:
        return False
    return done.stdout.startswith(b"GNU parallel")


def _prefect_dask(bench: _Bench) -> Sample:
    variables = {"PREFECT_API_URL": bench.api}
    arguments = (str(bench.argvs), str(_STOCK))
    told = runner(sys.executable, "with_prefect_dask", *arguments, folder=bench.folder, variables=variables)
    final = final_task_runs(bench.api, told.answer["flow_run"], patience=20)
    remark = f"rate from {_STOCK} commands; {final} task runs final in Prefect, on the same server"
    return Sample({_RATE: _STOCK / told.answer["seconds"], _WALL_STOCK: told.seconds}, remark)


def expectations(rows: Sequence[Row]) -> list[Expectation]:
    """Compare with what is expected of the runner."""
    ours, theirs = (median_of(rows, tool, _RATE) for tool in (_OURS, _THEIRS))
    remarks = [row.note for row in rows if row.tool.startswith("sweep") and row.samples]
    kept = all(remark == _COMPLETE for remark in remarks) if remarks else None
    return [
        factor_at_least("d", "rate with tracking off", ours, theirs, 10, "the stock runner's"),
        Expectation("d", "all records", "all there" if kept else "see the remarks", kept),
    ]
