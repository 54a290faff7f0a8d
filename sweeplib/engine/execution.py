"""One execution of a plan, made ready: its sweep in the ledger, its folder, its lock, its work."""

from __future__ import annotations

import json
import os
import shlex
import socket
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

from sweeplib.amounts import Amounts
from sweeplib.command import argv, environment, parameter_lines, submit_argv
from sweeplib.engine.code import Codes, Outdated
from sweeplib.engine.lock import Lock
from sweeplib.engine.remaining import Candidate, Standing, remaining
from sweeplib.engine.timeouts import timeout_of
from sweeplib.errors import InputError, LedgerError
from sweeplib.forecast import Expected, Forecasts
from sweeplib.ledger import Submission, Sweep, SweepState
from sweeplib.plan import Command, Line, Needs
from sweeplib.run import notices
from sweeplib.run.client import Guard
from sweeplib.run.marker import last_begun
from sweeplib.run.model import SweepPaths, Work
from sweeplib.run.threads import threads
from sweeplib.script import PARAMETERS
from sweeplib.ulids import ulid, ulids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from sweeplib.engine.code import Rerun
    from sweeplib.engine.git import GitState
    from sweeplib.engine.model import Summary
    from sweeplib.ledger import Ledger
    from sweeplib.plan import Combination, Plan

__all__ = ["Execution", "Item", "load_modules"]

_LONGEST = 100_000  # characters; the system takes no environment variable of more than 128 KiB
_CLOSED = 90.0  # seconds that the sweep to go on with may be looked after by another process


@dataclass(frozen=True, slots=True)
class Item(Standing):
    """Something to run: a combination, or the one command of a submit job; `expected` is how long."""

    submission: Submission
    argv: tuple[str, ...]
    needs: Needs
    values: Mapping[str, object] = field(default_factory=dict)
    expected: Expected | None = None


def _json(values: Mapping[str, object]) -> str | None:
    """Return a command's parameters for its environment; nothing where they are too long for that."""
    text = json.dumps(values, ensure_ascii=False)
    return text if len(text) < _LONGEST else None


def _amounts(item: Item) -> tuple[Amounts, str]:
    """Return how much a command needs; and what is wrong where its parameters do not tell.

    What a job file says is looked through when it is read, but not the last value of a very long one.
    """
    try:
        return item.needs.resources.of(item.submission.parameters), ""
    except InputError as error:
        return Amounts(), f"resources: {error}"


def _shared_environment(plan: Plan, project: Path, hidden: frozenset[str]) -> dict[str, str | None]:
    """Return what every command of a plan has in its environment; None takes a variable out."""
    return {**dict.fromkeys(hidden), **environment(project), **plan.job.env}


def load_modules(
    plan: Plan, project: Path, sweep: str, hidden: frozenset[str], more: Mapping[str, str]
) -> None:
    """Have this process begin to load the modules that the commands of a sweep are to find loaded.

    It takes seconds in which there is other work to do. `more` is what the sweep's tracker will add to the
    environment of every command; `sweep` the id that it will have. Where the first command has packages of
    its own, that waits for their environment.
    """
    if not plan.job.preloaded or not len(plan):
        return
    first = plan[0]
    needs = plan.needs(first)
    if not needs.packages:
        names = {"SWEEP_ID": sweep, "SWEEP_JOB": plan.job.entry}
        env = {**_shared_environment(plan, project, hidden), **needs.env, **more, **names}
        env |= threads(needs.resources.of(first.parameters).cpu, {**os.environ, **env})
        command = argv(plan, first, sweep)
        Guard.shared().prepare(list(command), str(project), env, list(plan.job.preloaded))


class Execution:
    """A sweep that this process owns: use it as a context manager around `run_sweep`.

    `project` is the folder of the job file. A sweep goes on with the job's latest lineage, where there is
    one; `fresh` begins a new one, without `retry` it leaves what failed as it is, and `rerun` says what of
    the done it runs again. One that is `isolated` (a deployed run) may go on with any other, and only such
    may go on with it. `resumes` is an ended sweep to go on with, as a retry of its flow run does: same id,
    same folder. `hidden` names variables of this process that commands are not to see; `new_id` is the ULID
    of a sweep that begins, where it is known already.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        project: Path,
        *,
        fresh: bool = False,
        retry: bool = True,
        rerun: Rerun | None = None,
        isolated: bool = False,
        resumes: Sweep | None = None,
        flow_run: str | None = None,
        hidden: frozenset[str] = frozenset(),
        new_id: str | None = None,
    ) -> None:
        self.plan = plan
        self.ledger = ledger
        self.project = project
        self.resumed = resumes is not None
        self.id = resumes.id if resumes else new_id or ulid()
        self.lineage = resumes.lineage if resumes else self.id
        self._fresh = fresh
        self._retry = retry
        self.rerun = rerun
        self.tag = f"{plan.job.entry}-{self.id[-8:].lower()}"
        self.paths = SweepPaths(project / ".sweep" / "sweeps" / self.id)
        self._lock = Lock(self.paths.owner_lock)
        self._isolated = isolated
        self._flow_run = flow_run
        self._env = _shared_environment(plan, project, hidden)
        self._codes = Codes(plan, project, ledger)
        self.sweep: Sweep
        self.summary: Summary | None = None

    def __enter__(self) -> Self:
        """Make the folder, take the lock and write the sweep into the ledger."""
        self.paths.folder.mkdir(parents=True, exist_ok=self.resumed)
        if not self._lock.acquire(_CLOSED if self.resumed else 0.0):
            msg = f"the sweep's folder {self.paths.folder} is locked by another process"
            raise LedgerError(msg)
        if self.resumed:
            self.paths.stop.unlink(missing_ok=True)
            self.paths.halt.unlink(missing_ok=True)
            notices.take(self.paths)
            with self.ledger.transaction():
                self.sweep = self.ledger.resume_sweep(self.id)
                self.ledger.add_code(self.id, time.time(), self._codes.now.to_text())
            return self
        state, code = self._codes.git, self._codes.now
        if state and state.patch:
            self.paths.patch.write_bytes(state.patch)
        with self.ledger.transaction():  # two runs that begin at once are of one lineage
            if not self._fresh:
                latest = self.ledger.latest_lineage(self.plan.job.entry, isolated=self._isolated)
                self.lineage = latest or self.id
            self.sweep = self._row(state)
            self.ledger.add_sweep(self.sweep)
            self.ledger.add_code(self.id, self.sweep.created, code.to_text())
        return self

    def _row(self, git: GitState | None) -> Sweep:
        job = self.plan.job
        return Sweep(
            id=self.id,
            job=job.entry,
            tag=self.tag,
            lineage=self.lineage,
            isolated=self._isolated,
            state=SweepState.RUNNING,
            total=self.total,
            arguments=self.plan.arguments,
            selection=self.plan.only,
            spec=json.dumps(job.written(), ensure_ascii=False),
            created=time.time(),
            host=socket.gethostname(),
            pid=os.getpid(),
            flow_run_id=self._flow_run,
            tracking={"tracker": "mlflow"} if job.tracking else None,
            git=git.to_json() if git else None,
        )

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    @property
    def total(self) -> int:
        """How many things there are to run: the plan's length, or one for a submit job."""
        return 1 if self.plan.job.kind == "submit" else len(self.plan)

    @cached_property
    def forecast(self) -> Forecasts:
        """How long combinations take, by what is on record when it is first asked for."""
        return Forecasts.of(self.ledger, self.plan)

    def items(self, chosen: Iterable[Combination | Line | Command] | None = None) -> Iterator[Item]:
        """Yield what there is to run in order, done or not; only those `chosen`, where some are."""
        if self.plan.job.kind == "submit":
            yield self._submit_item()
            return
        fresh = ulids()
        combinations = self.plan if chosen is None else chosen
        for found in remaining(
            combinations, self.ledger, self.id, self.lineage, retry=self._retry, rerun=self._outdated
        ):
            yield self._item(found, next(fresh) if found.free else "")

    @cached_property
    def _outdated(self) -> Outdated | None:
        return Outdated(self._codes, self.ledger, self.rerun, self.id) if self.rerun else None

    def _item(self, found: Candidate, ulid: str) -> Item:
        combination = found.combination
        command = argv(self.plan, combination, ulid) if found.free else ()
        submission = Submission(
            key=found.key,
            position=combination.position,
            label=combination.label,
            parameters=combination.parameters,
            command=combination.text if isinstance(combination, Line) else shlex.join(command),
            tags=combination.tags if isinstance(combination, Command) else (),
            description=combination.description if isinstance(combination, Command) else "",
        )
        return Item(
            submission,
            command,
            self.plan.needs(combination),
            combination.values if found.free else {},
            self.forecast.expected(combination, submission.parameters) if found.free else None,
            done=found.done,
            elsewhere=found.elsewhere,
            repeated=found.repeated,
            failed=found.failed,
            outdated=found.outdated,
        )

    def _submit_item(self) -> Item:
        key = self.plan.key
        done = key in self.ledger.done(self.lineage, [key])
        outdated = None
        if done and self._outdated is not None:
            outdated = self._outdated.of(self.lineage, [(key, None)], [key]).get(key)
            done = outdated is None
        label = f"{self.plan.job.entry}: {len(self.plan)} combinations"
        parameters = {"combinations": str(len(self.plan))}
        command = submit_argv(self.plan, str(self.paths.submit_file))
        submission = Submission(
            key=key, position=0, label=label, parameters=parameters, command=shlex.join(command)
        )
        if not done:
            with self.paths.submit_file.open("w", encoding="utf-8", errors="surrogateescape") as file:
                file.writelines(f"{line}\n" for line in parameter_lines(self.plan))
        expected = self.forecast.expected(None, parameters)
        needs = Needs.of(self.plan.job)
        return Item(submission, command, needs, done=done, expected=expected, outdated=outdated)

    def work(self, item: Item, env: dict[str, str | None], chunk: int | None = None) -> Work:
        """Return the item as a worker needs it, with `env` laid over the job's own."""
        job = self.plan.job
        timeout, note = timeout_of(item.needs.timeout, item.expected)
        amounts, refusal = _amounts(item)
        return Work(
            sweep=self.id,
            job=job.entry,
            key=item.submission.key,
            position=item.submission.position,
            label=item.submission.label,
            argv=item.argv,
            cwd=str(self.project),
            folder=str(self.paths.folder),
            env={PARAMETERS: _json(item.values), **self._env, **item.needs.env, **env},
            timeout=timeout,
            timeout_note=note,
            chunk=chunk,
            preload=job.preloaded,
            packages=item.needs.packages,
            amounts=amounts,
            refusal=refusal,
            where=item.needs.where,
            before=last_begun(self.paths, item.submission.key) if self.resumed else 0,
        )
