"""A plan whose commands are given one by one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

from sweeplib.plan.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sweeplib.jobs import Job

__all__ = ["Command", "ListPlan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: its place in the plan, its identity, what it is called, and its argument vector.

    `values` are its parameters as the command sees them, any that JSON can hold.
    """

    position: int
    key: str
    label: str
    argv: tuple[str, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    description: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters as texts."""
        return {name: str(value) for name, value in self.values.items()}


class ListPlan(Plan):
    """A plan of commands that are there already; `job` says how they are run."""

    def __init__(self, job: Job, commands: Sequence[Command]) -> None:
        self.job = job
        self.arguments = ()
        self.only = ""
        self.sets = ()
        self.parts = ()
        self._commands = commands

    def __len__(self) -> int:
        return len(self._commands)

    @overload
    def __getitem__(self, index: int) -> Command: ...
    @overload
    def __getitem__(self, index: slice) -> list[Command]: ...
    def __getitem__(self, index: int | slice) -> Command | list[Command]:
        return list(self._commands[index]) if isinstance(index, slice) else self._commands[index]

    def __iter__(self) -> Iterator[Command]:
        return iter(self._commands)
