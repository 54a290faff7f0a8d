"""A job as it is understood, in words; nothing is expanded."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from sweeplib.command import argv, call_text
from sweeplib.errors import InputError, TooManyError
from sweeplib.jobs import Multiple
from sweeplib.plan import Combination, Line, Part, Plan
from sweeplib.report.duration import humanise
from sweeplib.report.table import Column, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sweeplib.jobs import ClusterSpec, Job, Set, Variant
    from sweeplib.plan import Command, Lines
    from sweeplib.syntax import Argument
    from sweeplib.where import Where

__all__ = ["describe", "jobs_columns", "needs_of", "policy_of", "said_of"]

_SHOWN = 8  # values of a parameter
_LABEL = 14  # the width of what stands left, the longest of which is max_failures, and a gap
_ULID = "ULID"  # stands for what is generated when a combination runs


def jobs_columns(jobs: Iterable[Job], mistakes: list[InputError] | None = None) -> list[Column]:
    """Return the columns of a table of jobs: name, kind, command, how many combinations.

    Why a job is wrong is added to `mistakes`, each reason once.
    """
    held = list(jobs)
    found: list[InputError] = [] if mistakes is None else mistakes
    return [
        Column("job", [job.entry for job in held]),
        Column("kind", [job.kind for job in held]),
        Column("combinations", [_count_of(job, found) for job in held], right=True),
        Column("command", [printable(job.command[1]) for job in held]),
    ]


def describe(plan: Plan) -> Iterator[str]:
    """Yield the lines that tell a job: its command and policy, its sets with their counts, its commands."""
    job = plan.job
    yield job.entry
    yield _line(job.kind, job.command[1])
    for name, text in policy_of(job):
        yield _line(name, text)
    parts = iter(plan.parts)
    for number, own in enumerate(job.sets, 1):
        for set_ in own.members:
            part = next(parts)
            yield ""
            yield f"set {number}{'' if set_ is own else ', included'}: {_combinations(part.size)}"
            yield from _set(set_, part, job)
    yield ""
    yield (
        _combinations(len(plan))
        + " in all"
        + ("" if job.kind != "submit" else ", in one file with a line each")
    )
    yield _line("first" if len(plan) > 1 else "only", _command(plan, plan[0]))
    if len(plan) > 1:
        yield _line("last", _command(plan, plan[-1]))


def policy_of(job: Job) -> Iterator[tuple[str, str]]:
    """Yield what the job says, or `defaults` does for it, about how its commands are made and run."""
    if job.name != job.entry:
        yield "name", job.name
    yield "style", job.style
    if job.add:
        yield "add", job.add
    if job.parallel is not None:
        yield "parallel", f"{job.parallel} at once"
    if job.timeout is not None:
        yield "timeout", _timeout(job.timeout)
    if job.retries:
        yield "retries", str(job.retries)
    if job.retry_delay:
        yield "retry_delay", ", ".join(map(_duration, job.retry_delay))
    if job.max_failures is not None:
        yield "max_failures", str(job.max_failures)
    if job.canary is not None:
        yield "canary", "until every value was in one" if job.canary is True else f"up to {job.canary}"
    if job.order != "auto":
        yield "order", job.order
    if job.env:
        yield "env", shlex.join(f"{name}={value}" for name, value in job.env.items())
    if job.tags:
        yield "tags", ", ".join(job.tags)
    for name, folder in job.groups.items():
        yield "groups" if name == next(iter(job.groups)) else "", f"{name} = {folder}"
    if job.packages:
        yield "with", ", ".join(job.packages)
    if job.resources:
        yield "resources", str(job.resources)
    if job.cluster is not None:
        yield "cluster", _cluster(job.cluster)
    if job.where is not None:
        yield "where", _where(job.where, job)
    if job.task_runs != job.defaults()["task_runs"]:
        yield "task_runs", f"up to {job.task_runs:,}"
    if job.metric is not None:
        order = {None: "", True: ", lowest first", False: ", highest first"}[job.metric.ascending]
        yield "metric", f"{job.metric.name}{order}"
    if job.preload is not None:
        yield "preload", ", ".join(job.preload) or "off"
    if job.tracking is not True:
        yield "tracking", job.tracking or "off"


def _set(set_: Set, part: Part | Lines, job: Job) -> Iterator[str]:
    title = "each"
    for argument in set_.arguments:
        yield _line(title, _variants(argument, part) or _values(argument))
        title = ""
    title = "zip"
    for argument in set_.steps:
        yield _line(title, _values(argument))
        title = ""
    title = "all"
    for cell in set_.cells:
        yield _line(title, f"{cell.key}={cell.value}")
        title = ""
    if set_.n is not None:
        yield _line("n", f"{set_.n:,} random draws, seed {set_.seed}")
    title = "exclude"
    for text in set_.exclude:
        yield _line(title, text)
        title = ""
    if set_.sample is not None:
        yield _line("sample", f"{set_.sample:,} at random, seed {set_.seed}")
    if set_.cover is not None and isinstance(part, Part):
        yield _line("cover", f"{set_.cover} ({part.size:,} of {_combinations(part.rows.total)})")
    if isinstance(part, Part) and part.add:
        yield _line("add", shlex.join(part.add))
    for name, text in said_of(set_, job):
        if name != "add":
            yield _line(name, text)
    if isinstance(part, Part):
        for name, variant in part.variants.items():
            if texts := list(needs_of(variant, job)):
                yield f"    {printable(name)}: {printable('; '.join(texts))}"


def said_of(set_: Set, job: Job) -> Iterator[tuple[str, str]]:
    """Yield what a set of the job says besides its parameters."""
    if set_.add:
        yield "add", set_.add
    if set_.packages:
        yield "with", ", ".join(set_.packages)
    if set_.resources:
        yield "resources", str(set_.resources)
    if set_.where is not None:
        yield "where", _where(set_.where, job)


def needs_of(variant: Variant, job: Job) -> Iterator[str]:
    """Yield what combinations of a variant get and need besides its parameters."""
    if variant.packages:
        yield f"with {', '.join(variant.packages)}"
    if variant.resources:
        yield str(variant.resources)
    if variant.timeout is not None:
        yield f"timeout {_timeout(variant.timeout)}"
    if variant.env:
        yield shlex.join(f"{name}={value}" for name, value in variant.env.items())
    if variant.add:
        yield f"add {variant.add}"
    if variant.where is not None:
        yield f"where {_where(variant.where, job)}"


def _variants(argument: Argument, part: Part | Lines) -> str:
    """Return the variants that a group's values mean; nothing for another parameter."""
    name, *more = argument.keys
    known = part.variants if isinstance(part, Part) and not more else {}
    values = [each.removeprefix(f"{name}=") for each in known if each.startswith(f"{name}=")]
    return f"{name} = {', '.join(values)}" if values else ""


def _values(argument: Argument) -> str:
    """Return the parameter with its values: all of a few, the first and the last of many."""
    count = len(argument)
    piped = len(argument.alternatives) > 1
    shown = range(count) if count <= _SHOWN else range(_SHOWN - 2)
    cells = [argument[index] for index in shown]
    texts = [f"{cell.key}={cell.value}" if piped else cell.value for cell in cells]
    if count > _SHOWN:
        last = argument[-1]
        texts += ["…", f"{last.key}={last.value}" if piped else last.value]
    text = (" | " if piped else ", ").join(texts)
    text = text if piped else f"{argument.keys[0]} = {text}"
    return text if count <= _SHOWN else f"{text} ({count:,} values)"


def _command(plan: Plan, combination: Combination | Line | Command) -> str:
    """Return the command of one combination as a person would write it."""
    if isinstance(combination, Line):
        return combination.text
    if plan.job.kind == "call" and isinstance(combination, Combination):
        return call_text(plan, combination, _ULID)
    words = argv(plan, combination, _ULID)
    return shlex.join(words[len(plan.job.words) :] if plan.job.kind == "submit" else words)


def _timeout(timeout: float | Multiple) -> str:
    return f"{timeout} the expected time" if isinstance(timeout, Multiple) else _duration(timeout)


def _duration(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 60 else humanise(seconds)


def _cluster(cluster: str | ClusterSpec) -> str:
    if isinstance(cluster, str):
        return cluster
    return f"{cluster.class_}({', '.join(f'{name}={value!r}' for name, value in cluster.arguments.items())})"


def _where(where: Where, job: Job) -> str:
    found = job.clusters.get(where.name) if where.kind == "cluster" else None
    return f"{where}, {_cluster(found)}" if found else str(where)


def _combinations(count: int) -> str:
    return f"{count:,} combination{'s' if count != 1 else ''}"


def _count_of(job: Job, mistakes: list[InputError]) -> str:
    try:
        return f"{len(Plan(job)):,}"
    except TooManyError:
        return "too many"
    except InputError as error:
        if str(error) not in map(str, mistakes):
            mistakes.append(error)
        return "wrong"


def _line(title: str, text: str) -> str:
    return f"  {title:{_LABEL}}{printable(text)}".rstrip()
