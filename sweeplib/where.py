"""Where a command runs: on this machine, on a Dask cluster, or in a work pool of Prefect.

A module of its own, since who runs commands has no use for job files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["HERE", "Where"]


@dataclass(frozen=True, slots=True, order=True)
class Where:
    """A place, by its kind and by the name of the cluster or the work pool."""

    kind: Literal["here", "cluster", "pool"]
    name: str = ""

    def __str__(self) -> str:
        """Return the place for a person."""
        return f"{self.kind} {self.name}".strip()

    def written(self) -> str | dict[str, str]:
        """Return the place as it is written in a job file."""
        if self.kind == "pool":
            return {"pool": self.name}
        return self.name or self.kind


HERE = Where("here")
"""The machine on which the sweep's own process runs."""
