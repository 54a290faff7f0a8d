"""Experiments from Python: a list of specifications, run as one sweep.

The same engine, ledger, flow and tracking as for a job of ``sweeps.yaml``; the job is called as the script
that runs them.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sweeplib.errors import ExperimentError
from sweeplib.plan.listed import Command, ListPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sweeplib.engine import Observer
    from sweeplib.jobs import Job
    from sweeplib.ledger import Combination

__all__ = ["ExperimentResult", "ExperimentResults", "ExperimentSpec", "run_multiple"]

_LARGEST = 100_000  # characters of the parameters: the system takes no longer text into an environment
_ID = 8  # hexadecimal digits of an experiment's id, with which its key begins
_Status = Literal["completed", "failed", "cancelled"]
_STATUS: dict[str, _Status] = {"completed": "completed", "cancelled": "cancelled"}


@dataclass(frozen=True)
class ExperimentSpec:
    """One experiment: a script, or a function, with its parameters.

    A script is run by this Python with `script_args` as its arguments; it reads `config` with
    `sweeplib.params()`. A function is called with `config` as its keyword arguments, in a process of its own;
    a mapping of names to numbers that it returns are its metrics. `config` may hold whatever JSON can, for a
    function whatever can be pickled. `name` is what the experiment is called in Prefect, in MLflow and in
    results; `tags` and `description` go there, too.

    Raises `ExperimentError`, which is a ValueError, if there is not exactly one of script and function.
    """

    script_path: str | os.PathLike[str] | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    script_args: Sequence[str] = ()
    name: str | None = None
    tags: Sequence[str] = ()
    description: str | None = None
    function: Callable[..., object] | None = None

    def __post_init__(self) -> None:
        """Hold that there is something to run."""
        if (self.script_path is None) == (self.function is None):
            what = "neither" if self.function is None else "both"
            raise ExperimentError(f"an experiment has a script_path or a function; this one has {what}")
        if self.function is not None and self.script_args:
            raise ExperimentError("script_args are for a script; a function gets what is in config")
        if self.function is not None and not callable(self.function):
            raise ExperimentError(f"function is no function but of type {type(self.function).__name__}")
        if isinstance(self.script_args, str) or isinstance(self.tags, str):
            raise ExperimentError("script_args and tags are lists of texts, not one text")

    @property
    def label(self) -> str:
        """What the experiment is called: its name, or else its parameters."""
        text = " ".join(f"{name}={value}" for name, value in self.config.items())
        return self.name or text or (Path(self.script_path).stem if self.script_path else self._function_name)

    @property
    def _function_name(self) -> str:
        return str(getattr(self.function, "__name__", "function"))


@dataclass(frozen=True)
class ExperimentResult:
    """What came of an experiment.

    `experiment_id` are eight hexadecimal digits, which `sweep logs` and `sweep show` take as well. `duration`
    is in seconds, None where it never began. `metrics` are what a function returned and what MLflow has been
    seen to hold; `log` is the file with its output.
    """

    experiment_id: str
    status: _Status
    error_message: str | None = None
    duration: float | None = None
    name: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    log: str | None = None
    spec: ExperimentSpec | None = field(default=None, repr=False)


class ExperimentResults(list[ExperimentResult]):
    """The results of experiments, in the order in which they were given."""

    def failed(self) -> list[ExperimentSpec]:
        """Return the specifications of those that failed, to be run again."""
        return [each.spec for each in self if each.status == "failed" and each.spec is not None]


def run_multiple(
    experiments: Sequence[ExperimentSpec], parallel: int | None = None, *, verbose: bool = False
) -> ExperimentResults:
    """Run experiments, each in a process of its own, and return what came of them, in the order given.

    One after the other, or `parallel` at once; 0 is the number of processors. Returns when all have ended:
    one that fails does not stop the others. With `verbose`, progress and failures are told on standard error.
    In the project of the working folder, as everything of sweeplib.

    Raises `ExperimentError` for what cannot be run, and where this is an experiment itself; KeyboardInterrupt
    after an interrupt, when what ran has been ended and recorded.
    """
    if "SWEEP_KEY" in os.environ:
        msg = "run_multiple was called by a running experiment; call it from a script of its own"
        raise ExperimentError(msg)
    specs = list(experiments)
    if not specs:
        raise ExperimentError("there are no experiments to run")
    for spec in specs:
        if not isinstance(spec, ExperimentSpec):
            raise ExperimentError(f"an experiment is an ExperimentSpec, not of type {type(spec).__name__}")
    if isinstance(parallel, bool) or (parallel is not None and parallel < 0):
        raise ExperimentError(f"parallel is None, 0 or a number of processes, not {parallel}")
    with tempfile.TemporaryDirectory(prefix="sweep-functions-") as folder:
        return _run(specs, 1 if parallel is None else parallel or None, Path(folder), verbose=verbose)


def _run(
    specs: list[ExperimentSpec], parallel: int | None, folder: Path, *, verbose: bool
) -> ExperimentResults:
    from sweeplib.engine import recover
    from sweeplib.ledger import Ledger
    from sweeplib.orchestrate.start import Start, restored
    from sweeplib.ulids import ulid

    project = Path.cwd()
    job, sweep = _job(project), ulid()
    commands = [_command(spec, number, sweep, folder) for number, spec in enumerate(specs)]
    with Ledger.open(project / ".sweep" / "ledger.db") as ledger:
        recover(ledger, project, job.entry)
    with restored():
        start = Start(
            project,
            ListPlan(job, commands),
            note=_teller(verbose=verbose),
            observed=lambda: _observed(job.entry, len(specs), verbose=verbose),
            fresh=True,
            parallel=parallel,
            sweep=sweep,
        )
        start.run()
    launch = start.launch
    if launch is None or launch.summary is None or launch.interrupted:
        raise KeyboardInterrupt
    with Ledger.open(project / ".sweep" / "ledger.db") as ledger:
        rows = {row.key: row for row in ledger.combinations(launch.summary.sweep)}
    return ExperimentResults(
        _result(spec, command, rows.get(command.key)) for spec, command in zip(specs, commands, strict=True)
    )


def _job(project: Path) -> Job:
    """Return the job that the experiments are: called as this script, with its ending where a job is so."""
    from sweeplib.jobs import Job, Set, load
    from sweeplib.jobs.load import has_file

    main = getattr(sys.modules.get("__main__"), "__file__", None)
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(main).stem if main else "").strip("-.") or "experiments"
    run = Path(main).name if main else name
    if has_file(project) and name in load(project).jobs:
        name = f"{name}.py"  # what is done of that job is its own
    return Job(name=name, run=run, style="plain", sets=(Set(),), folder=str(project))


def _command(spec: ExperimentSpec, number: int, sweep: str, folder: Path) -> Command:
    """Return the command of an experiment; its key is no other's, as each call runs all anew."""
    key = hashlib.blake2b(f"{sweep}:{number}".encode(), digest_size=16).hexdigest()
    if spec.function is not None:
        path = folder / f"{number}.pickle"
        _keep_function(spec, path)
        argv: tuple[str, ...] = (sys.executable, "-m", "sweeplib.run.function", str(path))
        values: Mapping[str, Any] = {name: _plain(value) for name, value in spec.config.items()}
    else:
        assert spec.script_path is not None  # noqa: S101  (`ExperimentSpec` has seen to that)
        script = Path(spec.script_path)
        if not script.is_file():
            raise ExperimentError(f"there is no script {script}")
        argv = (sys.executable, str(script), *map(str, spec.script_args))
        values = spec.config
        try:
            text = json.dumps(dict(values))
        except (TypeError, ValueError) as error:
            msg = f"the config of {spec.label} is nothing that JSON can hold: {error}"
            raise ExperimentError(msg) from None
        if len(text) > _LARGEST:
            msg = f"the config of {spec.label} has {len(text):,} characters; put what is large into a file"
            raise ExperimentError(msg)
    return Command(
        position=number,
        key=key,
        label=spec.label,
        argv=argv,
        values=values,
        tags=tuple(spec.tags),
        description=spec.description or "",
    )


def _keep_function(spec: ExperimentSpec, path: Path) -> None:
    import cloudpickle

    try:
        content = cloudpickle.dumps((spec.function, dict(spec.config)))
    except Exception as error:
        raise ExperimentError(f"{spec.label} cannot be sent to a process of its own: {error}") from error
    path.write_bytes(pickle.dumps(list(sys.path)) + content)


def _plain(value: object) -> object:
    """Return a value that JSON can hold, or else its text, for the record."""
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return repr(value)
    return value


def _teller(*, verbose: bool) -> Callable[[str], None]:
    def tell(text: str) -> None:
        if verbose:
            sys.stderr.write(f"sweep: {text}\n")

    return tell


@contextmanager
def _observed(job: str, total: int, *, verbose: bool) -> Iterator[Observer]:
    if not verbose:
        from sweeplib.orchestrate.launch import Quiet

        yield Quiet()
        return
    from sweeplib.cli.progress import make_progress

    with make_progress(job, total) as view:
        yield view
    for work, attempt in view.failures:
        sys.stderr.write(f"sweep: {attempt.outcome}: {work.label}: {attempt.message}\n")


def _result(spec: ExperimentSpec, command: Command, row: Combination | None) -> ExperimentResult:
    if row is None or row.outcome is None:
        return ExperimentResult(command.key[:_ID], "cancelled", "was not started", name=spec.name, spec=spec)
    status: _Status = _STATUS.get(row.outcome, "failed")
    began, ended = row.started, row.ended
    return ExperimentResult(
        experiment_id=command.key[:_ID],
        status=status,
        error_message=None if status == "completed" else row.message or str(row.outcome),
        duration=None if began is None or ended is None else ended - began,
        name=spec.name,
        metrics=dict(row.metrics or {}),
        log=row.log or None,
        spec=spec,
    )
