"""How much of a machine one command needs.

A module of its own, since who runs commands has no use for job files.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Amounts"]


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much one command needs; None where nothing is said. Memory is in bytes."""

    cpu: float | None = None
    memory: int | None = None
    gpu: float | None = None

    def __bool__(self) -> bool:
        return (self.cpu, self.memory, self.gpu) != (None, None, None)
