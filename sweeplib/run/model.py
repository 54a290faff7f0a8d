"""What goes into the running of one command, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from sweeplib.amounts import Amounts

if TYPE_CHECKING:
    from pathlib import Path

    from sweeplib.where import Where

__all__ = ["Attempt", "Outcome", "SweepPaths", "Work"]


class Outcome(StrEnum):
    """How an attempt ended."""

    COMPLETED = "completed"
    """The command exited with code 0."""
    FAILED = "failed"
    """The command exited with another code, was killed by a signal, or could not be started."""
    TIMED_OUT = "timed out"
    """The command ran longer than its timeout and its process tree was ended."""
    CANCELLED = "cancelled"
    """The command was ended, or never started, because the sweep was cancelled or interrupted."""
    LOST = "lost"
    """Nobody saw the command's end: a process of ours, or the machine, died under it."""


@dataclass(frozen=True, slots=True)
class Work:
    """One combination as a worker needs it: picklable, small, and complete.

    Times are in seconds. `env` is laid over the worker's own environment; a value of None takes a variable
    out. `chunk` is the number of the chunk that stands for it in Prefect, None where it has a task run of its
    own. `folder` is the sweep's folder, on a file system that every worker of the sweep sees. `preload` names
    modules that the command, one of Python, finds loaded: it is forked from a process that has them.
    `packages` are installed for it, on top of what its interpreter has; `amounts` is how much of a machine it
    needs. `where` is the place at which it runs, None for that of all for which none is said. `timeout_note`
    says where the timeout comes from, if it is not just what the job says; `refusal` says why the command is
    not to run at all, if it is not. `before` is the number of the last attempt at it before it was submitted:
    what came of that is known. `tried` is how many attempts have come to an end of their own since, where it
    is submitted once more: it has so many retries less.
    """

    sweep: str
    job: str
    key: str
    position: int
    label: str
    argv: tuple[str, ...]
    cwd: str
    folder: str
    env: dict[str, str | None] = field(default_factory=dict)
    timeout: float | None = None
    grace: float = 5.0
    chunk: int | None = None
    preload: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    amounts: Amounts = field(default_factory=Amounts)
    timeout_note: str = ""
    refusal: str = ""
    where: Where | None = None
    before: int = 0
    tried: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How one try at one combination ended.

    `started` and `ended` are seconds since the epoch; `exit_code` is negative for a signal,
    as in `subprocess`, and None where the command never ended by itself; `message` is one
    line that says why an attempt did not complete; `metrics` are what a called function returned;
    `note` is a line that whoever runs the sweep should know, whatever came of the attempt.
    """

    key: str
    number: int
    outcome: Outcome
    started: float
    ended: float
    exit_code: int | None = None
    log: str = ""
    message: str = ""
    metrics: dict[str, float] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class SweepPaths:
    """All files of one sweep, as one object: `folder` is ``.sweep/sweeps/<ULID>``."""

    folder: Path

    @property
    def owner_lock(self) -> Path:
        """Locked exclusively by the process that owns the sweep, as long as it lives."""
        return self.folder / "owner.lock"

    @property
    def workers_lock(self) -> Path:
        """Locked shared by every guard that runs a command of the sweep."""
        return self.folder / "workers.lock"

    @property
    def halt(self) -> Path:
        """A file that is there once nothing more is to be started; what runs goes on, its retries too."""
        return self.folder / "halt"

    @property
    def stop(self) -> Path:
        """Its existence tells every worker to end the sweep's commands and start no more."""
        return self.folder / "stop"

    @property
    def notices(self) -> Path:
        """A folder of lines that commands have for whoever runs the sweep (see `sweeplib.run.notices`)."""
        return self.folder / "notices"

    @property
    def submit_file(self) -> Path:
        """The file of a submit job: a shell-quoted line a combination."""
        return self.folder / "submit.txt"

    @property
    def patch(self) -> Path:
        """What git's work tree had that was not committed when the sweep began."""
        return self.folder / "git.patch"

    def log(self, key: str, number: int) -> Path:
        """Return the file that holds all output of attempt `number` at combination `key`."""
        return self.folder / "logs" / key[:2] / f"{key}.{number}.log"

    def marker(self, key: str, number: int) -> Path:
        """Return the done-marker of attempt `number` at combination `key`."""
        return self.folder / "done" / key[:2] / f"{key}.{number}.json"
