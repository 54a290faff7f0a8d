"""The models of a job file: jobs, their sets and what stands under every job."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from sweeplib.errors import InputError, UnknownJobError, nearest
from sweeplib.interpreter import head_length
from sweeplib.jobs import fields
from sweeplib.jobs.commands import read_commands
from sweeplib.jobs.expansion import expanded, hold_apart
from sweeplib.jobs.groups import Group, groups
from sweeplib.jobs.origin import Origin
from sweeplib.jobs.packages import packages
from sweeplib.jobs.resources import Resources, resources
from sweeplib.jobs.schema import Mistake, Mistakes, Model, key
from sweeplib.jobs.where import read_where
from sweeplib.jobs.words import merge_add, split_words
from sweeplib.syntax import Argument, Drawing, Entries, Steps, parse_all, parse_each
from sweeplib.syntax.condition import Condition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sweeplib.jobs.fields import ClusterSpec, Metric
    from sweeplib.jobs.units import FailureLimit, Multiple
    from sweeplib.syntax import Cell
    from sweeplib.where import Where

__all__ = ["Deployment", "Job", "JobFile", "Policy", "Set", "too_many_dashes", "unknown_job"]


@dataclass(frozen=True, kw_only=True)
class Set(Model):
    """One independent group of parameters, with its texts read.

    `each` makes a product of its values, and of it and those of `zip`, whose parameters go in step. `all`
    stands in every combination as it is, `add` is appended and merged over the job's own `add`. Random values
    in `each` are drawn `n` times with `seed`. Of all this, what `exclude` says is left out, `sample` takes so
    many, or `cover` a selection in which any so many values meet, and `include` adds combinations of its own.
    `packages` (``with``) and `resources` are what its combinations need beyond what the job says, `where` is
    the place they run at, if not the job's. The values of the job's `groups` have the parameters of their
    variants beside them.
    """

    each: str = key(fields.each, "")
    zip: str = key(fields.in_step, "")
    all: str = key(fields.all_, "")
    add: str = key(fields.add, "")
    n: int | None = key(fields.optional(fields.whole(1)), None)
    seed: int = key(fields.whole(0), 0)
    exclude: tuple[str, ...] = key(fields.condition, ())
    sample: int | None = key(fields.optional(fields.whole(1)), None)
    cover: int | None = key(fields.optional(fields.whole(1, 6)), None)
    include: tuple[str, ...] = key(fields.included, ())
    packages: tuple[str, ...] = key(packages, (), name="with")
    resources: Resources = key(resources, Resources())
    where: Where | None = key(read_where, None)
    job_add: str = field(default="", repr=False)
    groups: Mapping[str, Group] = field(default_factory=dict, repr=False, compare=False)
    origin: Origin = field(default=Origin(), repr=False, compare=False)

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """The parameters of `each`, a column of values each."""
        return parse_each(self.each, drawing=Drawing(self.n or 1, self.seed))

    @cached_property
    def steps(self) -> tuple[Argument, ...]:
        """The parameters of `zip`, equally many values each."""
        return parse_each(self.zip)

    @cached_property
    def columns(self) -> tuple[Argument | Steps | Entries, ...]:
        """What is multiplied; all that is drawn is one column, the last is that of `zip`, or groups in `all`.

        Raises what `sweeplib.jobs.expansion.expanded` raises, and `PlanError` where a variant brings a
        parameter that is there already.
        """
        found: list[Argument | Steps | Entries] = []
        seen = {cell.key: "" for cell in self.cells}
        for where, column in self._written_columns():
            with self.origin.of(where):
                expansion, names = expanded(column, self.groups)
                hold_apart(seen, names)
            found.append(expansion)
            seen |= names
        return tuple(found)

    def _written_columns(self) -> Iterator[tuple[str, Argument | Steps | Entries]]:
        """Yield what is multiplied as it is written, with the key that it is of."""
        drawn = tuple(argument for argument in self.arguments if argument.drawn)
        for argument in self.arguments:
            if not argument.drawn or argument is drawn[0]:
                yield "each", _together(drawn) if argument.drawn else argument
        if self.steps:
            yield "zip", _together(self.steps)
        for cell in self.constants:
            if self._varies(cell):
                yield "all", Entries(((cell,),))

    @cached_property
    def constants(self) -> tuple[Cell, ...]:
        """The parameters of `all`, their values joined by commas."""
        return parse_all(self.all)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The parameters of `all` that are the same in every combination: groups bring others along."""
        return tuple(cell for cell in self.constants if not self._varies(cell))

    def _varies(self, cell: Cell) -> bool:
        return cell.key in self.groups

    @property
    def names(self) -> list[str]:
        """All parameters, as they are written; variants may bring others."""
        swept = (key for argument in (*self.arguments, *self.steps) for key in argument.keys)
        return list(dict.fromkeys([*swept, *(cell.key for cell in self.constants)]))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What must not hold of a combination."""
        return tuple(map(Condition.read, self.exclude))

    @property
    def included(self) -> tuple[Self, ...]:
        """The sets that `include` adds, with the parameters of `all` that they do not have themselves."""
        return tuple(self._including(text) for text in self.include)

    @property
    def members(self) -> tuple[Self, ...]:
        """This set, unless it is there for what it includes alone, and those."""
        return self.included if self.include and not self.each and not self.zip else (self, *self.included)

    def _including(self, text: str) -> Self:
        other = type(self)(
            each=text,
            add=self.add,
            packages=self.packages,
            resources=self.resources,
            where=self.where,
            job_add=self.job_add,
            groups=self.groups,
            origin=self.origin.renamed("each", "include"),
        )
        said = {name for argument in other.arguments for name in argument.keys}
        object.__setattr__(other, "all", self.all)
        other.__dict__["constants"] = tuple(cell for cell in self.constants if cell.key not in said)
        return other

    @property
    def extra(self) -> list[str]:
        """What is appended to every command: the job's `add` with the set's merged over it."""
        of_job = split_words(self.job_add)
        return merge_add(of_job, split_words(self.add)) if self.add else of_job

    def under(self, add: str, groups: Mapping[str, Group], origin: Origin) -> Self:
        """Return this set as it is in a job with that `add` and those groups, at that place."""
        if add == self.job_add and groups == self.groups and origin == self.origin:
            return self
        other = copy.copy(self)  # with the texts that have been read already
        object.__setattr__(other, "job_add", add)
        object.__setattr__(other, "groups", groups)
        object.__setattr__(other, "origin", origin)
        other.__dict__.pop("columns", None)
        return other

    def contradictions(self, wrong: set[str]) -> Iterator[Mistake]:
        """Yield two ways to choose, parameters that a set has twice or not at all, draws without number."""
        if self.sample is not None and self.cover is not None and not wrong & {"sample", "cover"}:
            text = "'sample' of this set chooses among its combinations as well; keep one of the two"
            yield Mistake(("cover",), InputError(text))
        if wrong & {"each", "zip", "all", "n", "seed"}:
            return
        seen: dict[str, str] = {}
        for where, cells in (("each", self.arguments), ("zip", self.steps), ("all", self.constants)):
            names = [name for one in cells for name in (one.keys if isinstance(one, Argument) else [one.key])]
            for name in names:
                if name in seen:
                    also = f"the parameter {name!r} is in {seen[name]!r} of this set as well"
                    yield Mistake((where,), InputError(f"{also}; keep one of the two"))
            seen |= dict.fromkeys(names, where)
        drawn = [argument.keys[0] for argument in self.arguments if argument.drawn]
        if drawn and self.n is None:
            text = f"draws {' and '.join(drawn)} at random; say how many times beside it, such as n: 20"
            yield Mistake(("each",), InputError(text))
        if self.n is not None and not drawn:
            text = "is the number of draws, and nothing is drawn; draw in each, as in lr=~uniform(0,1)"
            yield Mistake(("n",), InputError(text))


def _together(arguments: tuple[Argument, ...]) -> Argument | Steps:
    return arguments[0] if len(arguments) == 1 else Steps(arguments)


_NO_SETS = "has no sets, so it would run nothing; add one, such as sets: [{each: 'lr=0.1,0.01'}]"


def _sets(value: object) -> tuple[Set, ...]:
    if value is None or value == []:
        raise InputError(_NO_SETS)
    if not isinstance(value, (list, tuple)):
        raise InputError("must be a list; begin every set with '- ', as in\n    - each: model=small,large")
    sets: list[Set] = []
    mistakes: list[Mistake] = []
    for number, item in enumerate(value):
        try:
            sets.append(_set(item))
        except Mistakes as error:
            mistakes += error.below(number)
        except InputError as error:
            mistakes.append(Mistake((number,), error))
    if mistakes:
        raise Mistakes(mistakes)
    return tuple(sets)


def _set(value: object) -> Set:
    if isinstance(value, Set):
        return value
    if isinstance(value, Mapping):
        return Set.read(value)
    if isinstance(value, str):
        raise InputError(f"a set is a mapping; write - each: {value}")
    raise InputError("a set is a mapping with each, all or add, such as - each: model=small,large")


@dataclass(frozen=True, kw_only=True)
class Policy(Model):
    """How a job's commands are made and run: what `defaults` may hold.

    `timeout` and `retry_delay` are in seconds, or the first is a multiple of the time that is expected.
    `order` tells which combinations begin first, `canary` how many have to complete before the others
    begin, True for as many as it takes for every value to be in one. `parallel` is the number of commands
    at once, None for the machine's CPU count; `where` is the place at which they run, `cluster` that of
    what has none: a Dask scheduler's address, or a cluster to start. Up to `task_runs` combinations have a
    task run each in Prefect, more share them. `metric` is what combinations are ranked by, None for the
    first in the order of the alphabet. `groups` are folders of variants, by parameter (see
    `sweeplib.jobs.groups`), `packages` (``with``) what is installed for the commands, `resources` how much
    of a machine each needs. `preload` names modules that every command finds loaded, None where nothing is
    said about it. `tracking` tells whether combinations are recorded in MLflow; "own" that the commands
    open their own runs.
    """

    style: Literal["hydra", "plain", "flags", "kwargs"] = key(fields.style, "hydra")
    add: str = key(fields.add, "")
    parallel: int | None = key(fields.parallel, None)
    timeout: float | Multiple | None = key(fields.timeout, None)
    retries: int = key(fields.whole(0), 0)
    retry_delay: tuple[float, ...] = key(fields.delays, ())
    max_failures: FailureLimit | None = key(fields.max_failures, None)
    canary: int | Literal[True] | None = key(fields.canary, None)
    order: Literal["auto", "plan", "longest"] = key(fields.order, "auto")
    env: Mapping[str, str] = key(fields.environment, {})
    tags: tuple[str, ...] = key(fields.tags, ())
    groups: Mapping[str, str] = key(groups, {})
    packages: tuple[str, ...] = key(packages, (), name="with")
    resources: Resources = key(resources, Resources())
    cluster: str | ClusterSpec | None = key(fields.cluster, None)
    where: Where | None = key(read_where, None)
    task_runs: int = key(fields.whole(1), 10_000)
    metric: Metric | None = key(fields.metric, None)
    preload: tuple[str, ...] | None = key(fields.preload, None)
    tracking: bool | Literal["own"] = key(fields.tracking, True)  # noqa: FBT003  (the default of a key)


def too_many_dashes(name: str) -> str:
    """Return what is wrong with a parameter's name where the style is ``flags``; nothing if it is right."""
    if not name.startswith("-"):
        return ""
    return f"the style flags writes the dashes; write {name.lstrip('-')}=… for {name}=…"


@dataclass(frozen=True, kw_only=True)
class Deployment(Model):
    """How Prefect is to run a job: when, and with which parameters of its flow.

    `cron` and `timezone` say when (None: by hand), `paused` that the schedule waits to be switched on. The
    others are the parameters of `sweeplib.sweep_flow` that a run has if it is not given other ones.
    """

    cron: str | None = key(fields.optional(fields.cron), None)
    timezone: str | None = key(fields.optional(fields.timezone), None)
    paused: bool = key(fields.flag, default=False)
    arguments: tuple[str, ...] = key(fields.texts, ())
    only: str = key(fields.selection, "")
    mode: Literal["fresh", "resume", "changed", "script"] = key(fields.mode, "fresh")
    parallel: int | None = key(fields.parallel, None)
    max_failures: FailureLimit | None = key(fields.max_failures, None)
    cluster: str | None = key(fields.address, None)

    def contradictions(self, wrong: set[str]) -> Iterator[Mistake]:
        """Yield what a schedule needs and there is none for."""
        for name in sorted({"timezone", "paused"} - wrong):
            if self.cron is None and "cron" not in wrong and getattr(self, name):
                text = "is for a schedule, and there is none; write cron: '0 2 * * *'"
                yield Mistake((name,), InputError(text))

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the flow that are not left out."""
        return {name: value for name, value in self.written().items() if name not in _SCHEDULE}


_SCHEDULE = ("cron", "timezone", "paused")


def _deployments(value: object) -> dict[str, Deployment]:
    if not isinstance(value, Mapping):
        but = "" if value is None else "; begin every deployment with its name"
        raise InputError(f"must be a mapping such as {{nightly: {{cron: '0 2 * * *'}}}}{but}")
    found: dict[str, Deployment] = {}
    mistakes: list[Mistake] = []
    for name, content in value.items():
        try:
            found[_deployment_name(name)] = _deployment(content)
        except Mistakes as error:
            mistakes += error.below(name)
        except InputError as error:
            mistakes.append(Mistake((name,), error))
    if mistakes:
        raise Mistakes(mistakes)
    return found


def _deployment_name(name: str) -> str:
    try:
        return fields.name(name)
    except InputError as error:
        raise InputError(str(error).replace("a job's name", "a deployment's name")) from None


def _deployment(content: object) -> Deployment:
    if isinstance(content, Deployment):
        return content
    if content is None:
        return Deployment()
    if isinstance(content, Mapping):
        return Deployment.read(content)
    raise InputError("must be a mapping such as {cron: '0 2 * * *', timezone: Europe/Berlin}, or {}")


_KINDS = ("run", "call", "submit", "launch")
Kind = Literal["run", "call", "submit", "launch"]


@dataclass(frozen=True, kw_only=True)
class Job(Policy):
    """A command with its sets and its policy.

    One of `run`, `call`, `submit` and `launch` has a text, the others are empty. `launch` is a file of shell
    lines, below `folder`; it has no sets. `name` is what Hydra calls the job; it is the job's entry in the
    file unless the job says otherwise. `entry` is what it is known by everywhere else. `clusters` are those
    that the file has names for.
    """

    name: str = key(fields.name, "")
    run: str = key(fields.command, "")
    call: str = key(fields.call, "")
    submit: str = key(fields.command, "")
    launch: str = key(fields.file, "")
    sets: tuple[Set, ...] = key(_sets, ())
    deployments: Mapping[str, Deployment] = key(_deployments, {})
    entry: str = ""
    folder: str = field(default="", compare=False, repr=False)
    clusters: Mapping[str, str | ClusterSpec] = field(default_factory=dict, compare=False, repr=False)
    origin: Origin = field(default=Origin(), compare=False, repr=False)

    def __post_init__(self) -> None:
        """Read the values, and let every set know the job's `add`."""
        super().__post_init__()
        if self.launch:
            object.__setattr__(self, "style", "plain")
        object.__setattr__(self, "entry", self.entry or self.name)
        self._bring_up_sets()

    def _bring_up_sets(self) -> None:
        """Let every set know what of the job concerns it."""
        place = self.origin.place
        known = {
            name: Group(name, path, self.folder, place("groups", name)) for name, path in self.groups.items()
        }
        origins = self.origin.sets or (Origin(),) * len(self.sets)
        found = (one.under(self.add, known, origin) for one, origin in zip(self.sets, origins, strict=True))
        object.__setattr__(self, "sets", tuple(found))

    def contradictions(self, wrong: set[str]) -> Iterator[Mistake]:
        """Yield what is wrong with the command unless it is exactly one; one that is `wrong` counts."""
        given = [kind for kind in _KINDS if kind in wrong or getattr(self, kind)]
        if not given:
            text = "has no command; give it one of run, call or submit, such as run: python train.py"
            yield Mistake((), InputError(text))
        elif given != ["launch"] and not self.sets and "sets" not in wrong:
            yield Mistake(("sets",), InputError(_NO_SETS))
        elif given == ["launch"] and self.sets:
            text = "the lines of a 'launch' job are its combinations; take the sets out"
            yield Mistake(("sets",), InputError(text))
        elif given == ["launch"] and self.groups and "groups" not in wrong:
            text = "are for parameters of sets, and a 'launch' job has none; take the key out"
            yield Mistake(("groups",), InputError(text))
        elif len(given) > 1:
            text = f"has {len(given)} commands, {' and '.join(map(repr, given))}; keep one"
            yield Mistake((), InputError(text))
        elif self.style == "kwargs" and "style" not in wrong and given != ["call"]:
            text = f"kwargs is for 'call' jobs, and this is a {given[0]!r} job; use hydra, plain or flags"
            yield Mistake(("style",), InputError(text))

        if self.preload and len(given) == 1 and not wrong & {"preload", *_KINDS} and not self.is_python:
            what = f"this one is {self.run!r}" if self.run else f"this is a {given[0]!r} job"
            text = f"is for commands such as python train.py or python -m train, and {what}; take the key out"
            yield Mistake(("preload",), InputError(text))

        if self.style == "flags" and not wrong & {"style", "sets"}:
            yield from self._with_dashes()
        if not wrong & {"sets", "groups"}:
            yield from self._unknown_in_conditions()
        if self.submit and not wrong & {"submit", "sets"}:
            yield from self._needs_of_one()

    def _with_dashes(self) -> Iterator[Mistake]:
        for number, set_ in enumerate(self.sets):
            named = [
                *(("each", name) for argument in set_.arguments for name in argument.keys),
                *(("zip", name) for argument in set_.steps for name in argument.keys),
                *(("all", cell.key) for cell in set_.constants),
                *(
                    ("include", name)
                    for each in set_.included
                    for argument in each.arguments
                    for name in argument.keys
                ),
            ]
            for where, name in named:
                if text := too_many_dashes(name):
                    yield Mistake(("sets", number, where), InputError(text))

    def _unknown_in_conditions(self) -> Iterator[Mistake]:
        """Yield what `exclude` is about and a set does not have; what variants bring is not known yet."""
        for number, set_ in enumerate(self.sets):
            seen = set_.names
            if not set_.exclude or not self.groups.keys().isdisjoint(seen):
                continue
            for name in dict.fromkeys(name for each in set_.conditions for name in each.names):
                if name not in seen:
                    close = nearest(name, seen) or f"; the parameters are {', '.join(seen)}"
                    error = InputError(f"no parameter {name!r} in this set{close}")
                    yield Mistake(("sets", number, "exclude"), error)

    def _needs_of_one(self) -> Iterator[Mistake]:
        for number, set_ in enumerate(self.sets):
            for name in ("with", "resources", "where"):
                if set_.written().get(name):
                    text = "a 'submit' job is one command, and no set has one of its own; say it of the job"
                    yield Mistake(("sets", number, name), InputError(text))

    def at(
        self,
        entry: str,
        folder: str = "",
        clusters: Mapping[str, str | ClusterSpec] | None = None,
        origin: Origin | None = None,
    ) -> Self:
        """Return this job as it stands under `entry` in a file of that folder, with those clusters.

        `origin` is that file, for messages.
        """
        other = copy.copy(self)
        object.__setattr__(other, "entry", entry)
        object.__setattr__(other, "folder", folder)
        object.__setattr__(other, "clusters", dict(clusters or {}))
        object.__setattr__(other, "origin", origin or Origin())
        other._bring_up_sets()  # noqa: SLF001  (a copy of this one)
        return other

    @property
    def kind(self) -> Kind:
        """Which kind of command the job has."""
        if self.run:
            return "run"
        if self.call:
            return "call"
        return "submit" if self.submit else "launch"

    @property
    def command(self) -> tuple[Kind, str]:
        """The kind of command and its text."""
        return self.kind, self.run or self.call or self.submit or self.launch

    @cached_property
    def lines(self) -> Sequence[str]:
        """The shell lines of a `launch` job; raises `JobFileError` if its file cannot be read."""
        return read_commands(Path(self.folder, self.launch))

    @property
    def is_python(self) -> bool:
        """Whether the commands run a Python function, a script or a module, and so may have a preload."""
        return bool(self.call) or (bool(self.run) and head_length(self.words) is not None)

    @property
    def preloaded(self) -> tuple[str, ...]:
        """The modules that every command finds loaded, a called function's own among them."""
        if not self.call:
            return self.preload or ()
        if self.preload == ():
            return ()
        module = self.words[0].rpartition(".")[0]
        return tuple(dict.fromkeys(("sweeplib.run.call", *(self.preload or ()), module)))

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
        raise unknown_job(self.path.name, name, self.jobs)


def unknown_job(file: str, name: str, known: Collection[str]) -> UnknownJobError:
    """Return what is raised for a job that a file does not have among those that are `known`."""
    close = get_close_matches(name, known, n=len(known), cutoff=0.6)
    names = [*close, *(other for other in known if other not in close)]
    return UnknownJobError(f"{file} has no job {name!r}{nearest(name, names)} (jobs: {', '.join(names)})")
