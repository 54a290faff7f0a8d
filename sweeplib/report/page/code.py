"""The states of the code that sweeps ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweeplib.report.detail import git_of, patch_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sweeplib.ledger import Sweep

__all__ = ["CodeState", "code_of"]

_LONGEST = 50_000  # bytes of a patch that is shown


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeState:
    """The state of the code that some sweeps ran.

    `git` is what `git_of` says of it, `dirty` whether something was not committed; `patch` is that, None
    where there was nothing that can be shown.
    """

    git: str
    dirty: bool
    tags: tuple[str, ...]
    patch: str | None


def code_of(project: Path, sweeps: Iterable[Sweep]) -> list[CodeState]:
    """Return the states of the code, each with the tags of all sweeps that ran it."""
    found: dict[tuple[str, bytes | None], list[Sweep]] = {}
    for sweep in sweeps:
        found.setdefault((git_of(sweep), patch_of(project, sweep)), []).append(sweep)
    return [
        CodeState(
            git=git,
            dirty=patch is not None,
            tags=tuple(sweep.tag for sweep in members),
            patch=_shown(patch),
        )
        for (git, patch), members in found.items()
    ]


def _shown(patch: bytes | None) -> str | None:
    """Return a patch as text; None where it is long, or no text."""
    if patch is None or len(patch) > _LONGEST:
        return None
    try:
        return patch.decode("utf-8")
    except UnicodeDecodeError:
        return None
