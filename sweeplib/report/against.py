"""The job file that another one is compared with: as a revision of git has it, or a file."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from posixpath import dirname, join, normpath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sweeplib.engine.git import commit_of, files_at, files_called, kind_at, prefix_of
from sweeplib.errors import InputError
from sweeplib.jobs import Job
from sweeplib.jobs.groups import SUFFIXES
from sweeplib.jobs.load import NAMES, load_each

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Against", "against"]

_SHORT = 7  # characters of a commit
_OTHERS = 3  # job files of other folders that are named


@dataclass(frozen=True, slots=True)
class Against:
    """Jobs to compare with: what they are called, and of each that cannot be read what is wrong with it.

    `lacking` says that there is no job file, and why there are no jobs; else it is empty. `folder` is where
    the files of a revision are meanwhile, and `shown` what messages call it.
    """

    name: str
    jobs: Mapping[str, Job | InputError]
    lacking: str = ""
    folder: str = ""
    shown: str = ""

    def told(self, error: InputError) -> str:
        """Return the text of an error in these jobs, with files of a revision called as git does."""
        return str(error).replace(self.folder, self.shown) if self.folder else str(error)


@contextmanager
def against(project: Path, what: str) -> Iterator[Against]:
    """Give the jobs of a job file, or of that which the project has at a revision, for the block.

    A revision may have a path behind it as in git, ``main:old/sweeps.yaml``: that of a job file, or of a
    folder with one, from the top of the work tree, or with ``./`` from the project's folder.

    Raises `InputError` where `what` is neither, and what `sweeplib.jobs.load.load_each` does.
    """
    path = Path(what)
    if path.is_file():
        yield Against(what, load_each(path, what), shown=f"{what}:")
        return
    try:
        commit, revision, below = _revision(project, what)
    except InputError:
        if path.is_dir():
            wanted = next((name for name in NAMES if (path / name).is_file()), NAMES[0])
            raise InputError(
                f"{what!r} is a folder, and no revision of git; give a job file, such as {path / wanted}"
            ) from None
        raise
    name = what if commit.startswith(what) else f"{what} ({commit[:_SHORT]})"
    with TemporaryDirectory(prefix="sweep-") as folder:
        yield _Revision(project, commit, revision, Path(folder)).jobs(name, below)


def _revision(project: Path, what: str) -> tuple[str, str, str | None]:
    """Return a commit, what it was called, and the path behind it from the top, None where there is none."""
    try:
        return commit_of(project, what), what, None
    except InputError as error:
        revision, _, path = what.partition(":")
        if revision in ("", what):
            raise
        try:
            commit = commit_of(project, revision)
        except InputError:
            raise error from None
    here = prefix_of(project)
    below = normpath(f"{here}{path}" if path.startswith(("./", "../")) else path or ".")
    if below.startswith(("../", "/")) or below == "..":
        raise InputError(f"{what!r} leads out of the work tree of git")
    return commit, revision, below


class _Revision:
    """A revision of the project's work tree, whose files are put into a folder as they are needed."""

    def __init__(self, project: Path, commit: str, revision: str, folder: Path) -> None:
        self._project = project
        self._commit = commit
        self._revision = revision
        self._folder = folder
        self._prefix = prefix_of(project)

    def jobs(self, name: str, below: str | None) -> Against:
        """Return the jobs of the job file at `below`, or in that folder; None: in that of the project."""
        told = f"{self._folder}{os.sep}", f"{self._revision}:"
        files = [normpath(join(self._prefix if below is None else below, each)) for each in NAMES]
        if below is not None and self._kind(below) != "tree":
            files = [below]
        for file in files:
            if self._kind(file) == "blob" and self._put(file):
                return Against(name, self._read(file), "", *told)
        if files == [below]:
            raise InputError(
                f"{self._revision!r} has no file or folder {below!r}; give a path from the top, or ./PATH"
            )
        lacking = f"{name} has no {' or '.join(NAMES)} in this folder, so all is new"
        others = files_called(self._project, self._commit, NAMES)[:_OTHERS]
        if others:
            lacking += (
                f"; it has others: --against {' or '.join(f'{self._revision}:{file}' for file in others)}"
            )
        return Against(name, {}, lacking, *told)

    def _read(self, file: str) -> Mapping[str, Job | InputError]:
        jobs = load_each(self._folder / file, f"{self._revision}:{file}")
        return {name: self._with_files(file, job) for name, job in jobs.items()}

    def _with_files(self, file: str, job: Job | InputError) -> Job | InputError:
        """Put the files that a job is made of into the folder; return it, or what is wrong with them."""
        try:
            if isinstance(job, Job):
                for path in filter(None, [*job.groups.values(), job.launch]):
                    self._put(normpath(join(dirname(file), path)))
        except InputError as error:
            return error
        return job

    def _kind(self, path: str) -> str | None:
        with self._links():
            return kind_at(self._project, self._commit, path)

    def _put(self, path: str) -> Mapping[str, bytes]:
        """Put the file at a path from the top into the folder, or what may be variants there; return them."""
        with self._links():
            found = files_at(self._project, self._commit, path, SUFFIXES)
        if not found and self._kind(path) == "tree":
            (self._folder / path).mkdir(parents=True, exist_ok=True)
        for name, content in found.items():
            file = self._folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return found

    @contextmanager
    def _links(self) -> Iterator[None]:
        """Give what is raised of a link the revision that has it."""
        try:
            yield
        except InputError as error:
            raise InputError(f"{self._revision}:{error}") from None
