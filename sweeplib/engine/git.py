"""The state of the code that a sweep ran: git's commit, branch, and what was not committed."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from posixpath import join
from typing import TYPE_CHECKING

from sweeplib.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

__all__ = [
    "GitState",
    "between",
    "commit_of",
    "contents",
    "files_at",
    "files_called",
    "git_state",
    "kind_at",
    "modified",
    "prefix_of",
]

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
_SHALLOW = (
    "; this clone has not all of the history: get it with git fetch --unshallow, or in a workflow with "
    "fetch-depth: 0 of actions/checkout"
)
_BROKEN = {"dangling": "to nothing", "loop": "that leads back to itself"}
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


def _git(folder: Path, *arguments: str, given: bytes = b"") -> bytes | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],  # noqa: S607 - the user's git is the right one
            input=given,
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


def commit_of(folder: Path, revision: str) -> str:
    """Return the commit that a revision of the work tree of `folder` means; raises `InputError`."""
    asked = ["rev-list", "-1", "--end-of-options", revision, "--"]
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *asked],  # noqa: S607
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
        )
    except ValueError:
        raise InputError(f"{revision!r} is no revision") from None
    except FileNotFoundError:
        raise InputError("git is not installed, so there is no revision to look at; give a file") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"git did not answer: {error}") from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0].removeprefix("fatal: ")
        msg = f"there is no file {revision!r}, and git says: {said or 'no such commit'}"
        raise InputError(msg + (_SHALLOW if _is_shallow(folder) else ""))
    return done.stdout.decode().strip()


def _is_shallow(folder: Path) -> bool:
    return _git(folder, "rev-parse", "--is-shallow-repository") == b"true\n"


def prefix_of(folder: Path) -> str:
    """Return the path of `folder` from the top of its work tree, with a slash behind it; empty at the top."""
    return os.fsdecode((_git(folder, "rev-parse", "--show-prefix") or b"").removesuffix(b"\n"))


def kind_at(folder: Path, commit: str, path: str) -> str | None:
    """Return what a commit has at `path`, from the top: a ``blob`` (a file), a ``tree``; None for nothing.

    Links are followed; raises `InputError` for one that leads to nothing that the commit has.
    """
    found = _object_at(folder, commit, path)
    return found and found[0]


def files_at(folder: Path, commit: str, path: str, endings: tuple[str, ...]) -> dict[str, bytes]:
    """Return the file that a commit has at `path`, or those in that folder with one of the endings.

    By their paths, all from the top. Links are followed as in `kind_at`.
    """
    kind, name = _object_at(folder, commit, path) or ("", "")
    if kind == "tree":
        told = _git(folder, "ls-tree", "-z", "--full-tree", "--name-only", name) or b""
        names = (os.fsdecode(each) for each in told.split(b"\0"))
        paths = [join(path, each) for each in names if each.endswith(endings)]
        objects = {each: _object_at(folder, commit, each) for each in paths}
    else:
        objects = {path: (kind, name)}
    blobs = {each: found[1] for each, found in objects.items() if found and found[0] == "blob"}
    contents = {each: _git(folder, "cat-file", "blob", blob) for each, blob in blobs.items()}
    return {each: content for each, content in contents.items() if content is not None}


def _object_at(folder: Path, commit: str, path: str) -> tuple[str, str] | None:
    """Return the kind and the name of what a commit has at `path`; see `kind_at`."""
    if f"{path}/".startswith(("/", "../")):
        return None  # it leads out of the work tree
    asked = os.fsencode(f"{commit}:{'' if path == '.' else path}\n")
    told = _git(folder, "cat-file", "--batch-check", "--follow-symlinks", given=asked)
    head, _, more = os.fsdecode(told or b"").partition("\n")
    first, _, second = head.partition(" ")
    if first == "symlink":
        raise InputError(f"{path} is a link that leads out of the commit, to {more.removesuffix(chr(10))}")
    if first in _BROKEN and second.isdecimal():
        raise InputError(f"{path} is a link {_BROKEN[first]}")
    kind = second.partition(" ")[0]
    return (kind, first) if kind in ("blob", "tree") else None


def files_called(folder: Path, commit: str, names: Collection[str]) -> list[str]:
    """Return the paths, from the top, of the files of a commit that are called so, in whatever folder."""
    told = _git(folder, "ls-tree", "-r", "-z", "--full-tree", "--name-only", commit) or b""
    return [path for path in map(os.fsdecode, told.split(b"\0")) if path.rpartition("/")[2] in names]


def modified(folder: Path) -> dict[str, str | None]:
    """Return what git tracks in `folder` and is not as the commit has it, by its path from there.

    With a name of its content as it is now; None: it is gone. That is the name that git gives to a file's
    content, or to the path that a link leads to; that of a submodule is its commit, with a digest of what is
    modified in it. What has the content that the commit has, and another mode, is not modified.
    """
    told = _git(folder, "diff", "--raw", "-z", "--no-abbrev", "--relative", "--no-renames", "HEAD") or b""
    committed = {path: before for path, (before, _) in _differences(told)}
    return {path: name for path, name in contents(folder, committed).items() if name != committed[path]}


def contents(folder: Path, paths: Iterable[str]) -> dict[str, str | None]:
    """Return a name of the content of each of the paths in `folder`; None: nothing is there."""
    found: dict[str, str | None] = {}
    files = []
    for path in paths:
        place = folder / path
        found[path] = None
        if place.is_symlink():
            found[path] = _hashed(folder, os.fsencode(place.readlink()))
        elif place.is_file() and "\n" not in path:
            files.append(path)
        elif (place / ".git").exists():
            found[path] = _of_submodule(place)
    prefix = os.fsencode(prefix_of(folder)) if files else b""
    given = b"\n".join(prefix + os.fsencode(path) for path in files)  # from the top of the work tree
    named = _git(folder, "hash-object", "--stdin-paths", given=given) if files else None
    return found | dict(zip(files, (named or b"").decode().split(), strict=False))


def _of_submodule(folder: Path) -> str | None:
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    changed = modified(folder)
    digest = _hashed(folder, repr(sorted(changed.items())).encode()) if changed else ""
    return f"{commit.decode().strip()}{digest}"


def _hashed(folder: Path, content: bytes) -> str | None:
    named = _git(folder, "hash-object", "--stdin", given=content)
    return None if named is None else named.decode().strip()


def between(folder: Path, before: str, after: str) -> dict[str, tuple[str | None, str | None]] | None:
    """Return the files of `folder` that differ from one commit to another, with the names of their contents.

    By their paths from there; None stands for a file that is not there. None, if git does not have both.
    """
    if before == after:
        return {}
    told = _git(folder, "diff-tree", "-r", "-z", "--relative", "--no-renames", before, after)
    return None if told is None else dict(_differences(told))


def _differences(told: bytes) -> Iterator[tuple[str, tuple[str | None, str | None]]]:
    """Yield what git's raw differences tell: ``:MODE MODE NAME NAME STATUS``, a NUL, the path, a NUL."""
    fields = iter(told.split(b"\0"))
    for head, path in zip(fields, fields, strict=False):
        _, _, old, new, *_ = head.decode().split()
        yield os.fsdecode(path), (_named(old), _named(new))


def _named(name: str) -> str | None:
    return name if name.strip("0") else None
