"""One combination of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.plan.identity import digest
from sweeplib.syntax import unquote

if TYPE_CHECKING:
    from sweeplib.plan.part import Part
    from sweeplib.syntax import Cell

__all__ = ["Combination"]

_LABEL_LENGTH = 160


@dataclass(frozen=True, slots=True)
class Combination:
    """A command that a job expands to: its place in the plan and its parameters.

    `cells` are the parameters in the order they were written, `each` before `all`, with their
    values as Hydra wants them (quotes kept).
    """

    part: Part
    position: int
    cells: tuple[Cell, ...]

    @property
    def key(self) -> str:
        """The combination's identity (see `sweeplib.plan.identity`)."""
        return digest(self.part.head(self.cells), self.cells)

    @property
    def parameters(self) -> dict[str, str]:
        """Values by parameter, without the quotes that protected them."""
        return {cell.key: unquote(cell.value) for cell in self.cells}

    @property
    def values(self) -> dict[str, object]:
        """What the values mean, by parameter, as a called function would get them."""
        from sweeplib.syntax.typed import typed  # which a dry run does without

        return {cell.key: typed(cell.value) for cell in self.cells}

    @property
    def label(self) -> str:
        """The parameters that vary within the job, for a person: ``model=svc C=10``."""
        varying = self.part.varying
        text = " ".join([f"{cell.key}={cell.value}" for cell in self.cells if cell.key in varying])
        text = text or self.part.job_name
        return text if len(text) <= _LABEL_LENGTH else text[: _LABEL_LENGTH - 1] + "…"
