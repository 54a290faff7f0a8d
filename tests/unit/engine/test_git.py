"""The state of the code, read with the user's git from real work trees."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from sweeplib.engine import git_state
from sweeplib.engine.git import between, modified
from tests.worktrees import Tree, own_git

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own_git(tmp_path, monkeypatch)


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


def test_what_is_not_as_committed(tree: Tree) -> None:
    for name in ("same.txt", "edited.txt", "gone.txt", "a b\u00e9.txt", "inside/x.txt", "inside/y.txt"):
        tree.write(name)
    tree.commit()
    assert modified(tree.folder) == {}
    edited = tree.write("edited.txt", b"two\n")
    tree.write("a b\u00e9.txt", b"two\n")
    (tree.folder / "gone.txt").unlink()
    tree.write("unknown.txt", b"two\n")
    name = tree.git("hash-object", str(edited)).strip()
    assert modified(tree.folder) == {"edited.txt": name, "a b\u00e9.txt": name, "gone.txt": None}
    tree.write("inside/x.txt", b"two\n")
    assert modified(tree.folder / "inside") == {"x.txt": name}


def test_content_counts_and_the_mode_does_not(tree: Tree) -> None:
    script, link = tree.write("a.sh"), tree.folder / "link"
    link.symlink_to("a.sh")
    tree.commit()
    script.chmod(0o755)
    assert modified(tree.folder) == {}
    link.unlink()
    link.symlink_to("elsewhere")
    name = tree.git("hash-object", "--stdin", stdin=b"elsewhere").strip()
    assert modified(tree.folder) == {"link": name}


def test_the_content_of_a_submodule(tree: Tree) -> None:
    """Its commit, and whatever is not committed in it."""
    part = Tree(tree.folder / "inside")
    part.write("x.txt").chmod(0o644)
    first = part.commit()
    tree.commit()
    (part.folder / "x.txt").chmod(0o755)
    part.write("unknown.txt")
    assert modified(tree.folder) == {}
    seen = set()
    for content in (b"two\n", b"three\n"):
        part.write("x.txt", content)
        (name,) = modified(tree.folder).values()
        assert name is not None
        assert name.startswith(first)
        seen.add(name)
    assert len(seen) == 2
    second = part.commit()
    assert modified(tree.folder) == {"inside": second}


def test_what_differs_between_commits(tree: Tree) -> None:
    for name in ("same.txt", "edited.txt", "gone.txt", "inside/x.txt"):
        tree.write(name)
    first = tree.commit()
    tree.write("edited.txt", b"two\n")
    (tree.folder / "gone.txt").unlink()
    tree.write("new.txt", b"three\n")
    second = tree.commit()
    one, two, three = [
        tree.git("hash-object", "--stdin", stdin=text).strip() for text in (b"one\n", b"two\n", b"three\n")
    ]
    found = {"edited.txt": (one, two), "gone.txt": (one, None), "new.txt": (None, three)}
    assert between(tree.folder, first, second) == found
    assert between(tree.folder / "inside", first, second) == {}
    assert between(tree.folder, second, second) == {}
    assert between(tree.folder, "0" * 39 + "1", second) is None
