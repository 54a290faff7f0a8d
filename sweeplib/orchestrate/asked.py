"""What the commands of a plan ask of a machine, on the whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from sweeplib.amounts import Amounts
from sweeplib.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweeplib.plan import Combination, Command, Line, Plan

__all__ = ["Asked"]

_SAMPLE = 32  # combinations that are looked at for what they need on average


@dataclass(frozen=True, slots=True)
class Asked:
    """The fewest processors that are said of a command, None where none are, and what a `sample` needs.

    `env` is what every command has in its environment; `gpu` says whether any may need a GPU, or part of one.
    """

    least_cpu: float | None = None
    sample: tuple[Amounts, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    gpu: bool = False

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Return what a plan's commands ask for."""
        step = max(1, -(-len(plan) // _SAMPLE))
        sample = tuple(_amounts(plan, each) for each in plan[::step])
        return cls(plan.least_cpu, sample, dict(plan.job.env), plan.names_gpu)


def _amounts(plan: Plan, combination: Combination | Line | Command) -> Amounts:
    try:
        return plan.needs(combination).resources.of(combination.parameters)
    except InputError:  # told when it is its turn
        return Amounts()
