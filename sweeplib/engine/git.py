"""The state of the code that a sweep ran: git's commit, branch, and what was not committed."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["GitState", "git_state"]

_AS_PATCH = (  # whatever the user's settings make of `git diff`, `git apply` takes this one
    "--binary",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-relative",
    "--submodule=short",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
_TIMEOUT = 10.0  # seconds; a work tree on a slow file system must not hold up a sweep


@dataclass(frozen=True, slots=True)
class GitState:
    """Commit and branch of the work tree, and its uncommitted changes as a patch (None if clean)."""

    commit: str
    branch: str
    dirty: bool
    patch: bytes | None

    def to_json(self) -> dict[str, str | bool]:
        """Return what the ledger keeps; the patch is kept as a file of the sweep."""
        return {"commit": self.commit, "branch": self.branch, "dirty": self.dirty}


def _git(folder: Path, *arguments: str) -> bytes | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's git is the right one
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def git_state(folder: Path) -> GitState | None:
    """Return the state of the work tree that `folder` is in; None without git or without a commit."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    branch = _git(folder, "rev-parse", "--abbrev-ref", "HEAD") or b""
    status = _git(folder, "status", "--porcelain")
    patch = _git(folder, "diff", *_AS_PATCH, "HEAD") if status else None
    return GitState(commit.decode().strip(), branch.decode().strip(), bool(status), patch or None)
