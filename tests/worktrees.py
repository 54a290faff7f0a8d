"""Real work trees of git, in folders of tests, whatever the user's git is set to."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["Tree", "own_git"]


def own_git(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give git settings of its own, in `folder`, beyond which it looks for no work tree."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    (folder / "gitconfig").write_text("[user]\nname = A\nemail = a@example.org\n")


class Tree:
    """A git work tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", "-C", str(self.folder), *arguments], input=stdin, capture_output=True, check=True
        )
        return done.stdout.decode()

    def write(self, name: str, content: bytes | str = b"one\n") -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "a commit")
        return self.git("rev-parse", "HEAD").strip()
