"""What a change of a job file does to a job: which combinations it adds, removes and keeps, and their time.

Combinations are compared by what they mean, so one that is written in another way, or elsewhere, is kept.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from sweeplib.errors import InputError
from sweeplib.forecast import Forecasts
from sweeplib.plan import Plan
from sweeplib.plan.identity import digest, digest_text, meaning
from sweeplib.report.differences import differences

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sweeplib.jobs import Job
    from sweeplib.ledger import Ledger
    from sweeplib.plan import Combination, Command, Line
    from sweeplib.report.differences import Difference

    Jobs = Mapping[str, Job | InputError]

__all__ = ["MOST", "PlanChange", "Share", "Untold", "ValueChange", "compare_jobs"]

MOST = 1_000_000
"""Combinations, before and now, that are compared one by one."""

_BATCH = 512  # combinations a query
_ALL = 10_000  # combinations of which each is asked for its time; of more, one of …
_EVERY = 16


@dataclass(slots=True)
class Share:
    """Some combinations: how many, how many of them are done, and what they are expected to take.

    `seconds` is what all take, one after the other, whose time is `known`; `to_run` is that of those which
    are not done. `guessed` have values that no earlier attempt had. Of very many these are estimates by a
    sample (`sampled`). `labels` are the first `most` of them, None: all.
    """

    most: int | None
    count: int = 0
    done: int = 0
    seconds: float = 0.0
    to_run: float = 0.0
    known: int = 0
    known_to_run: int = 0
    guessed: int = 0
    sampled: bool = False
    labels: list[str] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many are not done."""
        return self.count - self.done


@dataclass(frozen=True, slots=True)
class ValueChange:
    """The values of a parameter that there were not before, and those that there are no more."""

    name: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """What a change does to a job.

    `before` and `now` count the combinations, None: there is no such job. `command` has what makes other
    combinations of all that there are, or of all of a set, `settings` the rest of what the job says.
    `rewritten` counts those added that have the parameters of a removed one. `renamed` is, of a new job, the
    one that has gone and was the same; of one that has gone, the new one that is the same. Of more than
    `MOST` combinations only the numbers are known (`compared`). The times rest on `basis` attempts.
    """

    job: str
    before: int | None
    now: int | None
    added: Share
    removed: Share
    kept: Share
    command: tuple[Difference, ...] = ()
    settings: tuple[Difference, ...] = ()
    values: tuple[ValueChange, ...] = ()
    rewritten: int = 0
    renamed: str = ""
    basis: int = 0
    compared: bool = True
    one_command: bool = False

    @property
    def nothing(self) -> bool:
        """Whether nothing has changed."""
        counts = self.added.count or self.removed.count
        return not (counts or self.command or self.settings or self.before is None or self.now is None)


@dataclass(frozen=True, slots=True)
class Untold:
    """A job of which no change can be told, and what is wrong with it before and now, None: nothing."""

    job: str
    before: InputError | None
    now: InputError | None


def compare_jobs(
    before: Jobs,
    now: Jobs,
    name: str,
    ledger: Ledger | None,
    most: int | None,
) -> PlanChange | Untold:
    """Compare the job of that name, which one of both has; `most` labels of each kind are kept (None: all).

    `before` and `now` have, of a job that cannot be read, what is wrong with it.
    """
    earlier, later = _plan(before.get(name)), _plan(now.get(name))
    if isinstance(earlier, InputError) or isinstance(later, InputError):
        wrong = (each if isinstance(each, InputError) else None for each in (earlier, later))
        return Untold(name, *wrong)
    plans = earlier, later
    renamed = ""
    if earlier is None and later is not None:
        renamed = _same_elsewhere(later, before, now)
    elif later is None and earlier is not None:
        renamed = _same_elsewhere(earlier, now, before)
    tally = _Tally(name, ledger, most)
    sizes = [None if plan is None else len(plan) for plan in plans]
    compared = max(size or 0 for size in sizes) <= MOST
    if compared:
        tally.compare(*plans)
    elif earlier is not None and later is not None:
        tally.pairs.update((n, n) for n in range(1, 1 + min(len(earlier.job.sets), len(later.job.sets))))
    command, settings = differences(*plans, tally.pairs)
    present = plans[1] or plans[0]
    return PlanChange(
        job=name,
        before=sizes[0],
        now=sizes[1],
        added=tally.added,
        removed=tally.removed,
        kept=tally.kept,
        command=command,
        settings=settings,
        values=tuple(tally.values()) if None not in sizes else (),
        rewritten=tally.rewritten,
        renamed=renamed,
        basis=tally.basis,
        compared=compared,
        one_command=present is not None and present.job.kind == "submit",
    )


def _plan(job: Job | InputError | None) -> Plan | InputError | None:
    try:
        return job if job is None or isinstance(job, InputError) else Plan(job)
    except InputError as error:
        return error


def _same_elsewhere(plan: Plan, there: Jobs, here: Jobs) -> str:
    """Return the name of a job that is only `there` and has the same combinations; empty for none."""
    for name, job in there.items():
        if name in here or isinstance(job, InputError) or job.command != plan.job.command:
            continue
        other = _plan(job)
        same = isinstance(other, Plan) and len(other) == len(plan) and other.key == plan.key
        if same and (job.kind != "launch" or list(job.lines) == list(plan.job.lines)):
            return name
    return ""


class _Tally:
    """Compares two plans combination by combination."""

    def __init__(self, job: str, ledger: Ledger | None, most: int | None) -> None:
        self._ledger = ledger
        self._lineage = ledger.latest_lineage(job) if ledger is not None else None
        self.basis = 0
        self.added, self.removed, self.kept = Share(most), Share(most), Share(0)
        self.rewritten = 0
        self.pairs: Counter[tuple[int, int]] = Counter()
        self._before: dict[str, dict[str, str]] = {}
        self._now: dict[str, dict[str, str]] = {}

    def compare(self, before: Plan | None, now: Plan | None) -> None:
        """Sort the combinations of both plans into added, removed and kept."""
        old, new = _numbers(before), _numbers(now)
        of_before, of_now = self._forecast(before), self._forecast(now)
        left: dict[bytes, int] = {}
        for each in before or ():
            left.setdefault(bytes.fromhex(each.key), _number(each, old))
            _note(self._before, each.parameters)
        met: set[bytes] = set()
        added: dict[bytes, int] = {}
        for batch in _batches(now):
            keys = [each.key for each in batch]
            done = self._done(now, keys)
            for each, key in zip(batch, keys, strict=True):
                _note(self._now, each.parameters)
                place = bytes.fromhex(key)
                if place in met:
                    continue
                met.add(place)
                if place in left:
                    self.pairs[left.pop(place), _number(each, new)] += 1
                    self._take(self.kept, each, place, of_now, done=key in done)
                else:
                    self._take(self.added, each, place, of_now, done=key in done)
                    if before is not None:
                        added.setdefault(_parameters(each), _number(each, new))
        for batch in _batches(before if left else None):
            keys = [each.key for each in batch]
            done = self._done(before, keys)
            for each, key in zip(batch, keys, strict=True):
                place = bytes.fromhex(key)
                if place in left:
                    number = left.pop(place)
                    self._take(self.removed, each, place, of_before, done=key in done)
                    other = added.get(_parameters(each))
                    if other is not None:
                        self.rewritten += 1
                        self.pairs[number, other] += 1

    def values(self) -> Iterator[ValueChange]:
        """Yield the parameters of which values have come or gone."""
        for name in dict.fromkeys([*self._now, *self._before]):
            before, now = self._before.get(name, {}), self._now.get(name, {})
            added = tuple(text for value, text in now.items() if value not in before)
            removed = tuple(text for value, text in before.items() if value not in now)
            if added or removed:
                yield ValueChange(name, added, removed)

    def _done(self, plan: Plan | None, keys: list[str]) -> set[str]:
        if self._ledger is None or self._lineage is None or plan is None:
            return set()
        if plan.job.kind == "submit":
            return set(keys) if self._ledger.done(self._lineage, [plan.key]) else set()
        return self._ledger.done(self._lineage, keys)

    def _forecast(self, plan: Plan | None) -> Forecasts | None:
        if self._ledger is None or plan is None:
            return None
        found = Forecasts.of(self._ledger, plan)
        self.basis = max(self.basis, found.basis)
        return found

    def _take(
        self,
        share: Share,
        each: Combination | Line | Command,
        key: bytes,
        forecast: Forecasts | None,
        *,
        done: bool,
    ) -> None:
        share.count += 1
        share.done += done
        if share.most is None or len(share.labels) < share.most:
            share.labels.append(each.label)
        weight = 1
        if share.count > _ALL:
            share.sampled = True
            weight = 0 if key[0] % _EVERY else _EVERY
        expected = forecast.expected(each, each.parameters) if weight and forecast else None
        if expected is not None:
            share.seconds += expected.seconds * weight
            share.known += weight
            share.guessed += 0 if expected.known else weight
            if not done:
                share.to_run += expected.seconds * weight
                share.known_to_run += weight


def _batches(plan: Plan | None) -> Iterator[list[Combination | Line | Command]]:
    walk = iter(plan or ())
    while batch := list(islice(walk, _BATCH)):
        yield batch


def _numbers(plan: Plan | None) -> dict[int, int]:
    """Return the numbers of the sets, from 1, by the identities of the parts that these are in the plan."""
    sets = enumerate(plan.job.sets if plan else (), 1)
    numbers = [number for number, set_ in sets for _ in set_.members]
    return {id(part): number for part, number in zip(plan.parts, numbers, strict=False)} if plan else {}


def _number(each: Combination | Line | Command, numbers: Mapping[int, int]) -> int:
    """Return the number of the set that a combination is of, 0 for what is of none."""
    return numbers.get(id(getattr(each, "part", None)), 0)


def _note(values: dict[str, dict[str, str]], parameters: Mapping[str, str]) -> None:
    for name, value in parameters.items():
        values.setdefault(name, {}).setdefault(meaning(value), value)


def _parameters(each: Combination | Line | Command) -> bytes:
    """Return what a combination is without its command."""
    cells = getattr(each, "cells", None)
    return bytes.fromhex(digest_text(b"", each.label) if cells is None else digest(b"", cells))
