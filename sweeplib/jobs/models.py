"""The models of a job file: jobs, their sets and what stands under every job."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from sweeplib.errors import InputError, UnknownJobError, nearest
from sweeplib.jobs import fields
from sweeplib.jobs.words import merge_add, split_words
from sweeplib.syntax import Argument, Cell, parse_all, parse_each

__all__ = ["Job", "JobFile", "Policy", "Set"]

_CONFIG = ConfigDict(frozen=True, extra="forbid")


class Set(BaseModel):
    """One independent group of parameters, with its texts read.

    `each` makes a product of its values, `all` stands in every combination as it is, `add` is
    appended and merged over the job's own `add`.
    """

    model_config = _CONFIG

    each: fields.Each = ""
    all: fields.All = ""
    add: fields.Add = ""
    _job_add: str = ""

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """The parameters of `each`, a column of values each."""
        return parse_each(self.each)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The parameters of `all`, their values joined by commas."""
        return parse_all(self.all)

    @property
    def extra(self) -> list[str]:
        """What is appended to every command: the job's `add` with the set's merged over it."""
        of_job = split_words(self._job_add)
        return merge_add(of_job, split_words(self.add)) if self.add else of_job

    def under(self, add: str) -> Self:
        """Return this set as it is in a job with that `add`."""
        copy = self.model_copy()
        copy._job_add = add  # noqa: SLF001  this class's own
        return copy

    @model_validator(mode="after")
    def _once(self) -> Self:
        """Hold that no parameter is in `each` and in `all`."""
        swept = {key for argument in self.arguments for key in argument.keys}
        twice = [cell.key for cell in self.cells if cell.key in swept]
        if twice:
            text = "the parameter {!r} is in 'each' of this set as well; keep one of the two"
            raise fields.mistake([("all", InputError(text.format(key))) for key in twice])
        return self


NO_SETS = "has no sets, so it would run nothing; add one, such as sets: [{each: 'lr=0.1,0.01'}]"


def _sets(value: object) -> object:
    """Let a list with something in it through; its items are read as `Set`."""
    if isinstance(value, (list, tuple)) and value:
        return value
    if value is None or value == [] or value == ():
        raise InputError(NO_SETS)
    raise InputError("must be a list; begin every set with '- ', as in\n    - each: model=small,large")


_NO_COMMAND = "has no command; give it one of run, call or submit, such as run: python train.py"


class Policy(BaseModel):
    """How a job's commands are made and run: what `defaults` may hold.

    `timeout` and `retry_delay` are in seconds; `parallel` is the number of commands at once, None
    for the machine's CPU count; `cluster` is a Dask scheduler's address, or a cluster to start.
    `tracking` tells whether combinations are recorded in MLflow; "own" that the commands open their own runs.
    """

    model_config = _CONFIG

    style: fields.Style = "hydra"
    add: fields.Add = ""
    parallel: fields.Parallel = None
    timeout: fields.Timeout = None
    retries: fields.Count = 0
    retry_delay: fields.Delays = ()
    max_failures: fields.MaxFailures = None
    env: fields.Environment = {}
    tags: fields.Tags = ()
    cluster: fields.Cluster = None
    tracking: fields.Tracking = True


class Job(Policy):
    """A command with its sets and its policy.

    One of `run`, `call` and `submit` has a text, the others are empty. `name` is what Hydra calls the job;
    it is the job's entry in the file unless the job says otherwise.
    """

    name: fields.Name
    _entry: str = ""
    run: fields.Command = ""
    call: fields.Call = ""
    submit: fields.Command = Field(default="", validate_default=True)
    sets: Annotated[tuple[Set, ...], fields.check(_sets)]

    @field_validator("submit")
    @classmethod
    def _one_command(cls, submit: str, info: ValidationInfo) -> str:
        """Hold that there is one command; runs after `run` and `call`, of which a wrong one is left out."""
        texts = {key: info.data.get(key, "wrong") for key in ("run", "call")} | {"submit": submit}
        given = [key for key, text in texts.items() if text]
        if not given:
            raise fields.mistake([(None, InputError(_NO_COMMAND))], "no_command")
        if len(given) > 1:
            error = InputError(f"has {len(given)} commands, {' and '.join(map(repr, given))}; keep one")
            raise fields.mistake([(None, error)], "commands")
        if info.data.get("style") == "kwargs" and given != ["call"]:
            error = InputError(
                f"kwargs is for 'call' jobs, and this is a {given[0]!r} job; use hydra, plain or flags"
            )
            raise fields.mistake([("style", error)], "commands")
        return submit

    @field_validator("sets")
    @classmethod
    def _under_add(cls, sets: tuple[Set, ...], info: ValidationInfo) -> tuple[Set, ...]:
        """Let every set know the job's `add`."""
        return tuple(set_.under(info.data.get("add", "")) for set_ in sets)

    @property
    def entry(self) -> str:
        """The name that the job stands under in its file: what it is known by everywhere but in Hydra."""
        return self._entry or self.name

    def at(self, entry: str) -> Self:
        """Return this job as it stands under `entry`."""
        if entry == self.name:
            return self
        copy = self.model_copy()
        copy._entry = entry  # noqa: SLF001 - this class's own
        return copy

    @property
    def kind(self) -> Literal["run", "call", "submit"]:
        """Which of the three kinds of command the job has."""
        if self.run:
            return "run"
        return "call" if self.call else "submit"

    @property
    def command(self) -> tuple[Literal["run", "call", "submit"], str]:
        """The kind of command and its text."""
        return self.kind, self.run or self.call or self.submit

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the command, split as a shell would."""
        return tuple(split_words(self.command[1]))


@dataclass(frozen=True, slots=True)
class JobFile:
    """A job file that was read: where it is, and its jobs in the order they stand in."""

    path: Path
    jobs: Mapping[str, Job]

    def job(self, name: str) -> Job:
        """Return the job called `name`; raises `UnknownJobError` if there is none."""
        if name in self.jobs:
            return self.jobs[name]
        close = get_close_matches(name, self.jobs, n=len(self.jobs), cutoff=0.6)
        names = [*close, *(other for other in self.jobs if other not in close)]
        raise UnknownJobError(
            f"{self.path.name} has no job {name!r}{nearest(name, names)} (jobs: {', '.join(names)})"
        )
