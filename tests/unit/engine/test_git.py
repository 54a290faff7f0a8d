"""The state of the code, read with the user's git from real work trees."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from sweeplib.engine import git_state

if TYPE_CHECKING:
    from pathlib import Path


class Tree:
    """A git work tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", "-C", str(self.folder), *arguments], input=stdin, capture_output=True, check=True
        )
        return done.stdout.decode()

    def write(self, name: str, content: bytes = b"one\n") -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "a commit")
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    (tmp_path / "gitconfig").write_text("[user]\nname = A\nemail = a@example.org\n")


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


def test_no_work_tree(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None


def test_no_commit_yet(tree: Tree) -> None:
    tree.write("a.txt")
    assert git_state(tree.folder) is None


def test_no_git(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.write("a.txt")
    tree.commit()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(tree.folder) is None


def test_a_git_that_hangs(tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow.parent}:/usr/bin:/bin")
    monkeypatch.setattr("sweeplib.engine.git._TIMEOUT", 0.1)
    assert git_state(tree.folder) is None


def test_clean(tree: Tree) -> None:
    tree.write("a.txt")
    commit = tree.commit()
    state = git_state(tree.folder)
    assert (state.commit, state.branch, state.dirty, state.patch) == (commit, "main", False, None)
    assert state.to_json() == {"commit": commit, "branch": "main", "dirty": False}


def test_a_detached_head(tree: Tree) -> None:
    tree.write("a.txt")
    tree.commit()
    tree.git("checkout", "-q", "--detach")
    assert git_state(tree.folder).branch == "HEAD"


def test_from_a_folder_inside(tree: Tree) -> None:
    tree.write("a.txt")
    tree.write("inside/b.txt")
    commit = tree.commit()
    tree.write("a.txt", b"two\n")
    state = git_state(tree.folder / "inside")
    assert (state.commit, state.dirty) == (commit, True)
    assert b"+two\n" in state.patch


def test_files_that_git_does_not_know(tree: Tree) -> None:
    tree.write("a.txt")
    tree.commit()
    tree.write("new.txt")
    state = git_state(tree.folder)
    assert (state.dirty, state.patch) == (True, None)


SETTINGS = {
    "none": "",
    "colours": "[color]\nui = always\n",
    "another tool for diffs": "[diff]\nexternal = echo not a patch\n",
    "no prefixes": "[diff]\nnoprefix = true\n",
    "paths from here": "[diff]\nrelative = true\n",
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_patch_makes_the_same_files(tree: Tree, tmp_path: Path, settings: str) -> None:
    """Whatever the user's git is set to: text, binary, staged, removed, and names with blanks."""
    before = {"a.txt": b"one\n", "b.bin": bytes(range(256)), "inside/c d.txt": b"x\n", "gone": b"g\n"}
    for name, content in before.items():
        tree.write(name, content)
    tree.commit()
    tree.git("clone", "-q", str(tree.folder), str(tmp_path / "copy"))
    after = {"a.txt": b"two\r\n\xff\n", "b.bin": bytes(range(255, -1, -1)) * 2, "inside/c d.txt": b""}
    for name, content in after.items():
        tree.write(name, content)
    (tree.folder / "gone").unlink()
    tree.write("staged.txt")
    tree.git("add", "staged.txt")
    with (tmp_path / "gitconfig").open("a") as config:
        config.write(settings)
    state = git_state(tree.folder / "inside")
    assert state.dirty
    (tmp_path / "gitconfig").write_text("")
    apply = ["git", "-C", str(tmp_path / "copy"), "apply", "-"]
    subprocess.run(apply, input=state.patch, check=True)
    copy = {
        str(path.relative_to(tmp_path / "copy")): path.read_bytes()
        for path in (tmp_path / "copy").rglob("*")
        if path.is_file() and ".git" not in path.parts
    }
    assert copy == after | {"staged.txt": b"one\n"}
