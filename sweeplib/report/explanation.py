"""What a next run of a plan would do with each combination, and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from sweeplib.engine import Codes
from sweeplib.ledger import SweepState
from sweeplib.plan.identity import meaning
from sweeplib.report.duration import ago
from sweeplib.report.failures import FAILURES, common, form_of
from sweeplib.report.lookup import owner_died
from sweeplib.report.precedents import Precedents
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping
    from pathlib import Path

    from sweeplib.ledger import Ledger, Past, Sweep
    from sweeplib.plan import Combination, Command, Line, Plan

__all__ = ["Explained", "Group", "Verdict", "explain_plan", "grouped", "headline"]

_BATCH = 512  # combinations a query
_EXAMPLES = 3
_TIMES = {1: "", 2: "twice"}
_SKIPPED = ("done", "running", "repeated")  # kinds of what would be skipped


class Verdict(StrEnum):
    """What a next run would do with a combination."""

    RUN = "run"
    """It is not done: it would run."""
    SKIP = "skip"
    """It is done, or another sweep is running it, or it stands in the plan twice."""
    CHANGED = "changed"
    """It is done, with other code: it would be skipped, and run with ``--rerun``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A combination, what would be done with it, and why.

    `reason` is for a person; `kind` is a word for it, `sweep` the tag of the sweep that it is about (empty:
    none). Those with the same `group` are told together, as `told`, with the details that each adds.
    """

    position: int
    key: str
    label: str
    parameters: Mapping[str, str]
    verdict: Verdict
    kind: str
    reason: str
    sweep: str = ""
    group: Hashable = None
    told: str = ""
    detail: str = ""


@dataclass(slots=True)
class Group:
    """Combinations of which the same is true: how many, a few of them, what they add to it."""

    verdict: Verdict
    kind: str
    told: str
    count: int = 0
    examples: list[str] = field(default_factory=list)
    details: dict[str, None] = field(default_factory=dict)

    def take(self, one: Explained) -> None:
        """Count a combination."""
        self.count += 1
        told = one.told or one.reason
        if told != self.told:
            self.told = common([self.told, told])
        if len(self.examples) < _EXAMPLES:
            self.examples.append(one.label)
        if one.detail and len(self.details) <= _EXAMPLES:
            self.details[one.detail] = None

    @property
    def reason(self) -> str:
        """What is true of all of them."""
        shown = list(self.details)[:_EXAMPLES] + (["…"] if len(self.details) > _EXAMPLES else [])
        return f"{self.told} {', '.join(shown)}" if shown else self.told


def grouped(explained: Iterable[Explained]) -> list[Group]:
    """Return the combinations by what is true of them: what would run first, the largest group first."""
    found: dict[Hashable, Group] = {}
    for one in explained:
        place = (one.verdict, one.group or one.reason)
        if place not in found:
            found[place] = Group(one.verdict, one.kind, one.told or one.reason)
        found[place].take(one)
    order = [Verdict.RUN, Verdict.CHANGED, Verdict.SKIP]
    return sorted(found.values(), key=lambda group: (order.index(group.verdict), -group.count))


def headline(job: str, counts: Mapping[tuple[Verdict, str], int]) -> str:
    """Say how many combinations there are of each verdict and kind."""
    total = sum(counts.values())
    run = sum(count for (verdict, _), count in counts.items() if verdict is Verdict.RUN)
    changed = sum(count for (verdict, _), count in counts.items() if verdict is Verdict.CHANGED)
    parts = [f"{run:,} to run"] if run else []
    parts += [f"{count:,} {kind}" for kind in _SKIPPED if (count := counts.get((Verdict.SKIP, kind), 0))]
    parts += [f"{changed:,} done with other code (--rerun changed runs them again)"] if changed else []
    return f"{job}: {total:,} combination{'s' if total != 1 else ''}: {', '.join(parts)}"


def explain_plan(plan: Plan, project: Path, ledger: Ledger | None, now: float) -> Iterator[Explained]:
    """Yield what a next run would do with each combination of a plan, in order; `now` is in seconds.

    The one command of a submit job counts as one combination. The ledger, None where nothing has run yet, is
    asked a batch at a time, so that memory does not grow with the plan, but for the keys seen.
    """
    name = plan.job.entry
    if plan.job.kind == "submit":
        label = f"{name}: {len(plan)} combinations"
        walk: Iterator[_Asked] = iter([_Asked(0, plan.key, label, {"combinations": str(len(plan))}, None)])
    else:
        walk = (_Asked(each.position, each.key, each.label, each.parameters, each) for each in plan)
    if ledger is None or not ledger.sweeps(name, limit=1):
        return _of_none(walk, plan)
    return _Explaining(plan, project, ledger, now).all(walk)


@dataclass(frozen=True, slots=True)
class _Asked:
    position: int
    key: str
    label: str
    parameters: Mapping[str, str]
    combination: Combination | Line | Command | None

    def answer(self, verdict: Verdict, kind: str, reason: str, **more: Hashable) -> Explained:
        """Return what is true of it."""
        return Explained(
            position=self.position,
            key=self.key,
            label=self.label,
            parameters=self.parameters,
            verdict=verdict,
            kind=kind,
            reason=reason,
            **more,  # type: ignore[arg-type]  # texts, but for the group
        )


def _of_none(walk: Iterable[_Asked], plan: Plan) -> Iterator[Explained]:
    job = plan.job.entry
    seen: dict[str, int] = {}
    for asked in walk:
        if asked.key in seen:
            yield _repeated(asked, plan[seen[asked.key]].label)
        else:
            seen[asked.key] = asked.position
            yield asked.answer(Verdict.RUN, "new", f"never ran: job {job} has no sweep yet")


def _repeated(asked: _Asked, first: str) -> Explained:
    reason = f"the same as {first}, which stands before it"
    return asked.answer(Verdict.SKIP, "repeated", reason, group="repeated", told="stands in the plan before")


class _Explaining:
    """Looks up what is on record of a job's combinations."""

    def __init__(self, plan: Plan, project: Path, ledger: Ledger, now: float) -> None:
        self._plan = plan
        self._job = plan.job.entry
        self._project = project
        self._ledger = ledger
        self._now = now
        self._codes = Codes(plan, project, ledger)
        self._lineage = ledger.latest_lineage(self._job)
        self._sweeps: dict[str, Sweep] = {}
        self._died: dict[str, bool] = {}

    def all(self, walk: Iterator[_Asked]) -> Iterator[Explained]:
        """Yield what is true of each."""
        seen: dict[str, int] = {}
        while batch := list(islice(walk, _BATCH)):
            keys = list(dict.fromkeys(asked.key for asked in batch if asked.key not in seen))
            history = self._ledger.history(self._lineage, keys) if self._lineage else {}
            missing = [key for key in keys if key not in history]
            elsewhere = self._ledger.last_known(missing) if missing else {}
            for asked in batch:
                if asked.key in seen:
                    yield _repeated(asked, self._plan[seen[asked.key]].label)
                    continue
                seen[asked.key] = asked.position
                if asked.key in history:
                    yield self._known(asked, history[asked.key])
                elif asked.key in elsewhere:
                    yield self._known_elsewhere(asked, elsewhere[asked.key])
                else:
                    yield self._new(asked)

    def _known(self, asked: _Asked, history: list[Past]) -> Explained:
        done = [past for past in history if past.outcome is Outcome.COMPLETED]
        running = [past for past in history if past.outcome is None and not self._over(past.sweep)]
        if running:
            tag = self._tag(running[0].sweep)
            return asked.answer(Verdict.SKIP, "running", f"running in sweep {tag} now", sweep=tag)
        last = history[-1]
        if done:
            return self._done(asked, done[-1], last)
        tag = self._tag(last.sweep)
        if last.outcome is None:
            reason = f"not completed in sweep {tag}, whose process has died"
            return asked.answer(Verdict.RUN, "lost", reason, sweep=tag)
        if last.outcome is Outcome.CANCELLED:
            reason, told = f"cancelled in sweep {tag} ({self._ago(last)})", f"cancelled in sweep {tag}"
            return asked.answer(Verdict.RUN, "cancelled", reason, sweep=tag, told=told, group=told)
        return self._failed(asked, history, tag)

    def _done(self, asked: _Asked, past: Past, last: Past) -> Explained:
        tag = self._tag(past.sweep)
        change = self._codes.change(asked.combination, past.sweep, past.started)
        if change:
            kind = "script changed" if change.scripts else "git state differs"
            reason = f"code changed since {tag}: {change}"
            if last.outcome in FAILURES:
                reason += f"; run again in sweep {self._tag(last.sweep)}, it {_ended(last)}"
            return asked.answer(Verdict.CHANGED, kind, reason, sweep=tag)
        told = f"done in sweep {tag}"
        reason = f"{told} ({self._ago(past)})" + ("" if change.known else "; its code is not on record")
        return asked.answer(Verdict.SKIP, "done", reason, sweep=tag, told=told, group=told)

    def _failed(self, asked: _Asked, history: list[Past], tag: str) -> Explained:
        last = history[-1]
        count = sum(max(1, past.attempts) for past in history if past.outcome in FAILURES)
        outcome = str(last.outcome)
        told = ended = _ended(last)
        if count > 1:
            ended = f"failed {_TIMES.get(count, f'{count:,} times')}, last: {last.message or outcome}"
        reason = f"{ended} (in sweep {tag}, {self._ago(last)})"
        return asked.answer(
            Verdict.RUN, outcome, reason, sweep=tag, group=(outcome, form_of(last.message)), told=told
        )

    def _known_elsewhere(self, asked: _Asked, past: Past) -> Explained:
        """Return what is true of a combination of which only sweeps are on record that do not count."""
        sweep = self._sweep(past.sweep)
        outcome = {None: "not completed", Outcome.COMPLETED: "done"}.get(past.outcome, str(past.outcome))
        if sweep.job != self._job:
            where = f"as one of job {sweep.job!r}"
        elif sweep.isolated:
            where = "by a deployment"
        else:
            where = "before the last --fresh"
        told = f"{outcome} {where}, in sweep {sweep.tag}"
        reason = f"{told} ({self._ago(past)})"
        return asked.answer(Verdict.RUN, "elsewhere", reason, sweep=sweep.tag, group=told, told=told)

    def _new(self, asked: _Asked) -> Explained:
        known = self._known_values
        new = {
            name: value
            for name, value in asked.parameters.items()
            if name not in known or meaning(value) not in known[name]
        }
        if asked.combination is None:
            return asked.answer(Verdict.RUN, "new", f"never ran as it is: {self._otherwise}")
        if new:
            parameters = [name for name in new if name not in known]
            shown = parameters or list(new)
            kind = f"new {'parameter' if parameters else 'value'}"
            told = f"{kind}{'s' if len(shown) > 1 else ''}"
            detail = " ".join(f"{name}={new[name]}" for name in shown)
            return asked.answer(
                Verdict.RUN, kind, f"{told} {detail}", group=(kind, *shown), told=told, detail=detail
            )
        found = self._precedents.of(asked.combination, asked.parameters)
        if found:
            sweep, reason = found
            return asked.answer(Verdict.RUN, "new command", reason, sweep=sweep.tag)
        return asked.answer(Verdict.RUN, "new", "never ran: a new combination of values that did")

    @cached_property
    def _known_values(self) -> dict[str, set[str]]:
        """What the values mean that combinations of the job have had, by parameter."""
        told = self._ledger.values(self._job)
        return {name: set(map(meaning, values)) for name, values in told.items()}

    @cached_property
    def _precedents(self) -> Precedents:
        """What ran in the lineage."""
        sweeps = [each for each in self._ledger.sweeps(self._job) if each.lineage == self._lineage]
        return Precedents(self._plan, self._ledger, sweeps)

    @property
    def _otherwise(self) -> str:
        """How the one command of all combinations differs from that of the newest sweep."""
        newest = self._ledger.sweeps(self._job, limit=1)[0]
        found = self._precedents.differing(newest)
        return f"{'; '.join(found)} (in sweep {newest.tag})" if found else "other combinations"

    def _sweep(self, identity: str) -> Sweep:
        if identity not in self._sweeps:
            self._sweeps[identity] = self._ledger.get_sweep(identity)
        return self._sweeps[identity]

    def _tag(self, identity: str) -> str:
        return self._sweep(identity).tag

    def _over(self, identity: str) -> bool:
        """Tell whether a sweep has ended, or its process has died."""
        if identity not in self._died:
            running = self._sweep(identity).state is SweepState.RUNNING
            self._died[identity] = not running or owner_died(self._project, identity)
        return self._died[identity]

    def _ago(self, past: Past) -> str:
        return ago(self._now - (past.ended or self._sweep(past.sweep).created))


def _ended(past: Past) -> str:
    """Say how it ended: ``failed: exit code 1``, ``timed out after 3 s``."""
    outcome = str(past.outcome)
    return past.message if past.message.startswith(outcome) else f"{outcome}: {past.message}".rstrip(": ")
