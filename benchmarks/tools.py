"""The commands of a job, as `sweep` makes them, run by tools that take a file of commands."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import peers
from benchmarks.processes import cost, output, sweep

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Commands", "Spent", "batchrun", "gnu_parallel", "prepare", "xargs"]


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds from the first command's start to the last one's end, and those of the whole process."""

    span: float
    wall: float


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands of a job of `project`, in the forms that peers take, and where these are kept.

    `argvs` is a file with a JSON list of argument vectors, `lines` one with a shell-quoted command a line.
    """

    project: Path
    folder: Path
    count: int

    @property
    def argvs(self) -> Path:
        """The file of argument vectors."""
        return self.folder / "commands.json"

    @property
    def lines(self) -> Path:
        """The file of shell-quoted lines."""
        return self.folder / "commands.txt"


def prepare(project: Path, job: str, folder: Path) -> Commands:
    """Write the job's commands into files in `folder`, a new one."""
    folder.mkdir()
    printed = output(sweep("run", job, "--dry-run"), project)
    found = Commands(project, folder, len(printed.splitlines()))
    found.lines.write_text(printed, encoding="utf-8")
    found.argvs.write_text(json.dumps([shlex.split(line) for line in printed.splitlines()]), encoding="utf-8")
    return found


def gnu_parallel(commands: Commands, at_once: int) -> Spent:
    """Run GNU parallel; its log has a start (seconds since the epoch) and a run time a command."""
    peers.gnu_parallel()
    log = commands.folder / "joblog"
    options = ["--will-cite", f"-j{at_once}", "--joblog", str(log), "--arg-file", str(commands.lines)]
    took = cost([_path("parallel"), *options], commands.project)
    rows = [line.split("\t") for line in log.read_text(encoding="utf-8").splitlines()[1:]]
    return Spent(_span((float(row[2]), float(row[3])) for row in rows), took.seconds)


def xargs(commands: Commands, at_once: int) -> Spent:
    """Run xargs on commands that all begin with the same word, which it starts without a shell.

    It keeps no log: what its process takes is all that there is to know.
    """
    peers.xargs()
    lines = commands.lines.read_text(encoding="utf-8").splitlines()
    arguments = commands.folder / "arguments.txt"
    arguments.write_text("".join(f"{line.partition(' ')[2]}\n" for line in lines), encoding="utf-8")
    options = ["--arg-file", str(arguments), "-L1", f"-P{at_once}", lines[0].partition(" ")[0]]
    took = cost([_path("xargs"), *options], commands.project)
    return Spent(took.seconds, took.seconds)


def batchrun(commands: Commands, at_once: int, program: str) -> Spent:
    """Run batchrun; its metadata have a start (seconds since the epoch) and a run time a command."""
    folder = commands.folder / "batchrun"
    options = ["--n_jobs", str(at_once), "--mode", "overwrite", "--accounting_dir", str(folder)]
    took = cost([program, "launch", str(commands.lines), *options], commands.project)
    rows = json.loads((folder / "metadata.json").read_text(encoding="utf-8")).values()
    shutil.rmtree(folder)
    return Spent(_span((row["start"], row["runtime"]) for row in rows), took.seconds)


def _path(program: str) -> str:
    return shutil.which(program) or program


def _span(rows: Iterable[tuple[float, float]]) -> float:
    """Return the time from the first start to the last end of commands, each told by start and run time."""
    starts, ends = zip(*((start, start + seconds) for start, seconds in rows), strict=True)
    return float(max(ends) - min(starts))
