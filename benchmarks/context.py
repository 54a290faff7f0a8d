"""What every case gets handed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.peers import Peers

__all__ = ["Context"]


@dataclass(frozen=True, slots=True)
class Context:
    """A folder to work in, the peers, how often to repeat (None: as the case likes), where notes go."""

    folder: Path
    peers: Peers
    repeat: int | None
    note: Callable[[str], None]

    def rounds(self, usual: int) -> int:
        """Return how many rounds to measure, `usual` if nothing else is asked for."""
        return self.repeat or usual

    def project(self, name: str, *, jobs: str = "", both: str) -> Path:
        """Make a project and return its folder.

        `both` becomes its ``hydraflow.yaml``, which both tools read; where `jobs` are given, they are its
        ``sweeps.yaml``, which `sweep` prefers.
        """
        folder = self.folder / name
        folder.mkdir()
        (folder / "hydraflow.yaml").write_text(both, encoding="utf-8")
        if jobs:
            (folder / "sweeps.yaml").write_text(jobs, encoding="utf-8")
        return folder
