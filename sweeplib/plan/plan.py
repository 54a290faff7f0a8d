"""A job's combinations as a lazy sequence with access by arithmetic."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, overload

from sweeplib.errors import PlanError, TooManyError
from sweeplib.plan.combination import Combination
from sweeplib.plan.families import Families
from sweeplib.plan.identity import digest_all
from sweeplib.plan.lines import Lines
from sweeplib.plan.needs import Needs
from sweeplib.plan.part import Part
from sweeplib.plan.picks import rows_of
from sweeplib.plan.selection import Selection
from sweeplib.syntax.cells import cells_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweeplib.jobs import Job, Set
    from sweeplib.plan.lines import Line
    from sweeplib.plan.listed import Command
    from sweeplib.where import Where

__all__ = ["Plan"]


class Plan(Sequence["Combination | Line | Command"]):
    """The combinations of a job, with extra command-line `arguments`, in order.

    `only` leaves those that it selects (see `sweeplib.plan.selection`). `sets` are the job's, each followed
    by those it includes; `parts` are what there is of them. `len(plan)` and `plan[i]` cost the same for ten
    combinations and for 10**9: nothing ever builds a list of all combinations.

    Raises `PlanError` if there are more than a sequence can have (2**63 - 1), or none is selected, and
    `SweepSyntaxError` if the selection cannot be read.
    """

    def __init__(self, job: Job, arguments: Sequence[str] = (), only: str = "") -> None:
        self.job = job
        self.arguments = tuple(arguments)
        self.only = only.strip()
        if job.style == "kwargs":
            _hold_keywords(job, self.arguments)
        if job.kind == "launch":
            _hold_nothing_more(job, self.arguments, self.only)
        self.sets = tuple(each for set_ in job.sets for each in set_.members)
        varying = _varying(self.sets)
        self.parts: tuple[Part | Lines, ...]
        if job.kind == "launch":
            self.parts = (Lines(job),)
        elif self.only:
            self.parts = self._selected(varying)
        else:
            self.parts = tuple(Part(job, self.arguments, set_, varying) for set_ in self.sets)
        self._ends = list(accumulate(part.size for part in self.parts))
        if not self._ends[-1]:
            raise PlanError(f"job {job.entry!r} has no combinations: its sets exclude all of theirs")
        if self._ends[-1] > sys.maxsize:
            msg = (
                f"job {job.entry!r} has {self._ends[-1]:,} combinations, more than a plan can hold "
                f"({sys.maxsize:,}); sweep fewer values"
            )
            raise TooManyError(msg)
        if job.kind == "submit":
            _hold_needs_of_one(job, self.parts)

    def _selected(self, varying: frozenset[str]) -> tuple[Part, ...]:
        selection = Selection.read(self.only)
        rows = [selection.of(set_) for set_ in self.sets]
        chosen = tuple(
            Part(self.job, self.arguments, set_, varying, found)
            for set_, found in zip(self.sets, rows, strict=True)
            if found is not None
        )
        if not chosen:
            known = [cell.key for set_ in self.sets for cell in set_.cells]
            known += [key for set_ in self.sets for column in set_.columns for key in column.keys]
            raise selection.nothing(known, sum(rows_of(set_).size for set_ in self.sets))
        return chosen

    def __len__(self) -> int:
        return self._ends[-1]

    @overload
    def __getitem__(self, index: int) -> Combination | Line | Command: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Combination | Line | Command]: ...
    def __getitem__(
        self, index: int | slice
    ) -> Combination | Line | Command | Sequence[Combination | Line | Command]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        position = range(len(self))[index]
        number = bisect_right(self._ends, position)
        start = self._ends[number - 1] if number else 0
        return self.parts[number].combination(position - start, position)

    def __iter__(self) -> Iterator[Combination | Line | Command]:
        position = 0
        for part in self.parts:
            yield from part.combinations(position)
            position += part.size

    def needs(self, combination: Combination | Line | Command) -> Needs:
        """Return what a combination's command gets and needs besides its parameters."""
        if isinstance(combination, Combination):
            return combination.part.needs(combination.cells)
        return self._needs

    @property
    def places(self) -> frozenset[Where | None]:
        """Where its combinations run, None for where all that have no place do."""
        if not self.parts or self.job.kind == "submit":
            return frozenset({self.job.where})
        return frozenset().union(*(part.places for part in self.parts))

    @cached_property
    def _needs(self) -> Needs:
        return Needs.of(self.job)

    @cached_property
    def families(self) -> Families:
        """Which combinations, here and on record, have commands that differ in nothing but parameters."""
        return Families(self)

    @property
    def least_cpu(self) -> float | None:
        """The fewest processors that is said of a command (``cpu`` of resources); None where none is."""
        return min((part.least_cpu for part in self.parts if part.least_cpu is not None), default=None)

    @property
    def names_gpu(self) -> bool:
        """Whether anything is said of GPUs that commands need (``gpu`` of resources)."""
        return self.job.resources.gpu is not None or any(part.names_gpu for part in self.parts)

    @cached_property
    def key(self) -> str:
        """The identity of the whole plan: what a submit job, which runs once, is known by."""
        return digest_all(
            (part.head_of_all(), [*part.rows.meaning(), *[[(cell,)] for cell in part.constant]])
            for part in self.parts
            if isinstance(part, Part)
        )


def _hold_nothing_more(job: Job, arguments: Sequence[str], only: str) -> None:
    """Raise `PlanError` for what the commands of a file cannot be given."""
    if arguments or only:
        what = f"arguments ({' '.join(arguments)})" if arguments else f"selection ({only})"
        msg = f"job {job.entry!r} runs the lines of {job.launch} as they are, and takes no {what}"
        raise PlanError(msg)


def _hold_keywords(job: Job, arguments: Sequence[str]) -> None:
    """Raise `PlanError` for an argument that cannot be a keyword argument of the called function."""
    extra = [word for set_ in job.sets for word in set_.extra]
    for word in (*job.words[1:], *arguments, *extra):
        if not word.partition("=")[0] or "=" not in word:
            msg = f"job {job.entry!r} gives keyword arguments: expected key=value, not {word!r}"
            raise PlanError(msg)


def _hold_needs_of_one(job: Job, parts: Iterable[Part | Lines]) -> None:
    """Raise `PlanError` for what the one command of a submit job cannot have for some combinations alone."""
    if job.resources.names:
        msg = f"job {job.entry!r} is one command, so its resources ({job.resources}) cannot be a parameter's"
        raise PlanError(f"{msg}; write a number")
    for part in parts:
        if isinstance(part, Part):
            part.hold_needs_of_one()


def _varying(sets: Sequence[Set]) -> frozenset[str]:
    """Return the parameters that do not have the same single value in every combination."""
    fixed: dict[str, set[str]] = {}
    present: dict[str, int] = {}
    varying: set[str] = set()
    for set_ in sets:
        for column in set_.columns:
            if len(column) > 1:
                varying.update(column.keys)
        single = [cell for column in set_.columns if len(column) == 1 for cell in cells_of(column[0])]
        for cell in (*single, *set_.cells):
            fixed.setdefault(cell.key, set()).add(cell.value)
            present[cell.key] = present.get(cell.key, 0) + 1
    several = {key for key, values in fixed.items() if len(values) > 1 or present[key] < len(sets)}
    return frozenset(varying | several)
