"""Families: combinations whose commands differ in nothing but parameters, of a plan and on record.

How long one took tells how long another of its family will take. What is on record is of a family if the job
as it is now would run the same command for those parameters. The key tells: it is another one with another
command, other arguments, another `add` or other packages, those of a variant among them.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING

from sweeplib.errors import PlanError
from sweeplib.plan.combination import Combination
from sweeplib.plan.identity import head_of
from sweeplib.plan.lines import Line, Lines
from sweeplib.syntax import Cell, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweeplib.plan.listed import Command
    from sweeplib.plan.part import Part
    from sweeplib.plan.plan import Plan

__all__ = ["Families"]

_LOOKED = 10_000  # values of a column that are looked through for quotes; nobody writes more by hand


class Families:
    """Tells the families of a plan's combinations, and of those on record, by a name for each."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._names: dict[bytes, str] = {}
        different: dict[tuple[bytes, frozenset[str]], Part] = {}
        for part in plan.parts:
            if not isinstance(part, Lines):
                self._names.setdefault(part.prefix, str(len(self._names)))
                different.setdefault((part.prefix, part.group_names), part)
        self._parts = tuple(different.values())
        self._groups = frozenset().union(*(part.group_names for part in self._parts))
        self._heads: dict[tuple[Cell, ...], dict[bytes, str]] = {}

    def of(self, each: Combination | Line | Command | None, parameters: Mapping[str, str]) -> str:
        """Return the family of a combination of the plan, which has these parameters.

        None stands for all of a plan that is one command.
        """
        if each is None:
            return self._plan.key
        if isinstance(each, Line):
            return _without_values(each.text, parameters)
        return self._names[each.part.prefix] if isinstance(each, Combination) else ""

    def on_record(self, key: str, parameters: Mapping[str, str], command: str) -> str | None:
        """Return the family of a combination on record; None where the plan would run another command."""
        if not self._plan.parts:
            return ""  # commands that are given one by one
        if self._plan.job.kind == "submit":
            return key if key == self._plan.key else None
        first = self._plan.parts[0]
        if isinstance(first, Lines):
            return _without_values(command, parameters) if first.makes(key, command) else None
        cells = [Cell(name, value) for name, value in parameters.items()]
        found = self._that_makes(key, cells)
        if found is None:
            quoted = [Cell(name, self._quoted.get((name, value), value)) for name, value in cells]
            found = self._that_makes(key, quoted) if quoted != cells else None
        return found

    def _that_makes(self, key: str, cells: Sequence[Cell]) -> str | None:
        """Return the family of which a combination with these cells would have this key."""
        chosen = tuple(cell for cell in cells if cell.key in self._groups)
        if chosen not in self._heads:
            self._heads[chosen] = self._heads_with(chosen)
        heads = self._heads[chosen]
        found = head_of(key, heads, cells)
        if found is None:
            return None
        if found != next(iter(heads)):  # is tried first from now on: the next one is likely to have it, too
            self._heads[chosen] = {found: heads[found]} | heads
        return heads[found]

    def _heads_with(self, chosen: Sequence[Cell]) -> dict[bytes, str]:
        """Return what keys are made of besides the parameters, with these variants, each with its family."""
        found: dict[bytes, str] = {}
        for part in self._parts:
            with suppress(PlanError):  # it is of a variant that is not there any more
                found.setdefault(part.head(chosen), self._names[part.prefix])
        return found

    @cached_property
    def _quoted(self) -> dict[tuple[str, str], str]:
        """The values as they are written, which keys are made of, by what they are without their quotes.

        Those that have some, of long columns the first.
        """
        parts = [part for part in self._plan.parts if not isinstance(part, Lines)]
        columns = [column for part in parts for column in (*part.rows.entries, [part.constant])]
        cells = chain.from_iterable(entry for column in columns for entry in islice(column, _LOOKED))
        return {(cell.key, text): cell.value for cell in cells if (text := unquote(cell.value)) != cell.value}


def _without_values(line: str, parameters: Mapping[str, str]) -> str:
    """Return a line without the values of its options: what else it runs."""
    for name, value in parameters.items():
        line = line.replace(f"--{name}={value}", f"--{name}=")
    return line
