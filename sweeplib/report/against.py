"""The job file that another one is compared with: as a revision of git has it, or a file."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sweeplib.engine.git import commit_of, files_at, prefix_of
from sweeplib.jobs import load
from sweeplib.jobs.load import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sweeplib.jobs import Job

__all__ = ["Against", "against"]

_SHORT = 7  # characters of a commit


class Against:
    """Jobs to compare with: `name` is what they are called, `jobs` is empty where there is no job file."""

    def __init__(self, name: str, jobs: Mapping[str, Job]) -> None:
        self.name = name
        self.jobs = jobs


@contextmanager
def against(project: Path, what: str) -> Iterator[Against]:
    """Give the jobs of a job file, or of that which the project has at a revision, for the block.

    Raises `InputError` where `what` is neither, and whatever `sweeplib.jobs.load` does.
    """
    path = Path(what)
    if path.is_file():
        yield Against(what, load(path).jobs)
        return
    commit = commit_of(project, what)
    name = what if commit.startswith(what) else f"{what} ({commit[:_SHORT]})"
    with TemporaryDirectory(prefix="sweep-") as folder:
        yield Against(name, _jobs_at(project, commit, what, Path(folder)))


def _jobs_at(project: Path, commit: str, revision: str, folder: Path) -> Mapping[str, Job]:
    """Return the jobs at a commit, with the files that they need put into a folder."""
    here = folder / prefix_of(project)
    for name in NAMES:
        found = files_at(project, commit, name)
        if name in found:
            _put(here, found)
            jobs = load(here / name, f"{revision}:{name}").jobs
            for job in jobs.values():
                for path in filter(None, [*job.groups.values(), job.launch]):
                    _put(here, files_at(project, commit, path))
            return jobs
    return {}


def _put(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
