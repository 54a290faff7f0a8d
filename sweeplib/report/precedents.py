"""What ran before with the parameters of a new combination, and how its command was another one."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

from sweeplib.errors import InputError
from sweeplib.jobs import Job
from sweeplib.plan import Combination, Part
from sweeplib.plan.identity import digest, meaning
from sweeplib.plan.rows import Grid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sweeplib.ledger import Ledger, Sweep
    from sweeplib.plan import Command, Line, Plan
    from sweeplib.plan.needs import Needs

__all__ = ["Precedents"]

_COMMAND = ("run", "call", "submit", "style")  # what of a job is in the key of each combination
_MORE = ("add", "with")  # and what sets and variants add to
_PLACE = 4  # bytes of a sweep's number
_TRIED = 32  # sets of a sweep that are tried
_UNKNOWN = "the same parameters ran with another command, add or packages (in sweep {})"


class Precedents:
    """Finds the combinations with given parameters that ran in `sweeps`, the newest first.

    Of several that in the sweep whose command is the most like that of the plan, and of these the newest. All
    are read once, when the first is asked for; memory grows with them, by some 200 bytes each.
    """

    def __init__(self, plan: Plan, ledger: Ledger, sweeps: Iterable[Sweep]) -> None:
        self._plan = plan
        self._ledger = ledger
        self._sweeps = sorted(sweeps, key=lambda each: len(self.differing(each, _COMMAND)))
        self._sets: dict[str, list[Part]] = {}
        self._strange: set[tuple[str, bytes]] = set()
        self._told: dict[tuple[str, Part | None, bytes], str] = {}

    def of(
        self, combination: Combination | Line | Command, parameters: Mapping[str, str]
    ) -> tuple[Sweep, str] | None:
        """Return the sweep that ran these parameters, and how that was another command; None: none did."""
        found = self._ran.get(_meant(parameters))
        if found is None:
            return None
        sweep = self._sweeps[int.from_bytes(found[:_PLACE])]
        if not isinstance(combination, Combination):
            return sweep, self._text(sweep, None, None)
        head = combination.part.head(combination.cells)
        then = self._set(sweep, combination, head, found[_PLACE:].decode())
        if (sweep.id, then, head) not in self._told:
            needs = then.needs(combination.cells) if then else None
            now = self._plan.needs(combination)
            self._told[sweep.id, then, head] = self._text(sweep, needs, now)
        return sweep, self._told[sweep.id, then, head]

    def differing(self, sweep: Sweep, names: Iterable[str] = (*_COMMAND, *_MORE)) -> list[str]:
        """Return how what a job says of its command differs from what it said in a sweep."""
        defaults = self._plan.job.defaults()
        then = defaults | json.loads(sweep.spec)
        now = defaults | self._plan.job.written()
        return [
            *_differing((name, then[name], now[name]) for name in names),
            *_differing([("arguments", sweep.arguments, self._plan.arguments)]),
        ]

    def _text(self, sweep: Sweep, then: Needs | None, now: Needs | None) -> str:
        if then is None or now is None:
            found = self.differing(sweep)
        else:
            more = ("add", then.add, now.add), ("with", then.packages, now.packages)
            found = [*self.differing(sweep, _COMMAND), *_differing(more)]
        if not found:
            return _UNKNOWN.format(sweep.tag)
        return f"the same parameters ran with another command: {'; '.join(found)} (in sweep {sweep.tag})"

    @cached_property
    def _ran(self) -> dict[int, bytes]:
        """The numbers of sweeps and the keys, by what the parameters mean."""
        return {
            _meant(parameters): number.to_bytes(_PLACE) + key.encode()
            for number, sweep in reversed([*enumerate(self._sweeps)])
            for key, parameters in self._ledger.ran(sweep.id)
        }

    def _set(self, sweep: Sweep, combination: Combination, head: bytes, key: str) -> Part | None:
        """Return the set of a sweep in which a combination had this key, None where that is not known."""
        if sweep.id not in self._sets:
            self._sets[sweep.id] = self._sets_of(sweep)
        sets = self._sets[sweep.id]
        if len(sets) == 1 and not sets[0].variants:
            return sets[0]
        if (sweep.id, head) in self._strange:
            return None  # a variant was another one then, most likely: others will not be found, too
        for place, part in enumerate(sets[:_TRIED]):
            try:
                found = digest(part.head(combination.cells), combination.cells) == key
            except InputError:
                continue  # there is no such variant
            if found:
                sets.insert(0, sets.pop(place))  # the next combination is of the same one, most likely
                return part
        self._strange.add((sweep.id, head))
        return None

    def _sets_of(self, sweep: Sweep) -> list[Part]:
        """Return the sets that a job had, without rows; nothing where they cannot be read any more."""
        now = self._plan.job
        try:
            job = Job.read(json.loads(sweep.spec)).at(now.entry, now.folder, now.clusters)
            parts = [
                Part(job, sweep.arguments, set_, frozenset(), Grid(()))
                for each in job.sets
                for set_ in each.members
            ]
        except InputError:
            return []
        return list({(part.prefix, *part.variants): part for part in parts}.values())


def _meant(parameters: Mapping[str, str]) -> int:
    """Return the same number for parameters that mean the same, and for no others among some millions."""
    return hash(frozenset([(name, meaning(value)) for name, value in parameters.items()]))


def _differing(compared: Iterable[tuple[str, object, object]]) -> list[str]:
    texts = ((name, _text(then) or "nothing", _text(now) or "nothing") for name, then, now in compared)
    return [f"{name} {now}, was {then}" for name, then, now in texts if then != now]


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
