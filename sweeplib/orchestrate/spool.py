"""A spool: the folder by which a sweep hands work to its helpers in a work pool, and gets back its ends.

It is ``pools/ULID`` in the sweep's own folder: files that appear whole and move whole, on a file system that
all share.

``owner.lock``         locked by the sweep's process as long as it hands out work
``session``            what the task runs have in common
``asked``              what commands ask of a machine
``in/NUMBER``          work that nobody has taken
``taken/NUMBER.ID``    work that the helper ID has taken: the file was renamed, so nobody else has
``out/NUMBER``         the attempts at it, when it has ended
``helpers/ID``         locked by the helper ID as long as it lives; it takes the file away as it leaves
``closed``             no more work will come
``hurry``              what runs is to be ended at once
"""

from __future__ import annotations

import fcntl
import json
import os
import pickle
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from sweeplib.run.locks import is_free
from sweeplib.ulids import ulid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sweeplib.orchestrate.asked import Asked
    from sweeplib.orchestrate.session import Session
    from sweeplib.run.model import Attempt, SweepPaths, Work

__all__ = ["Signed", "Spool"]

_TICK = 0.1  # seconds between looks at whether a name is free


@dataclass(frozen=True, slots=True)
class Signed:
    """A helper that has signed in: how many commands it runs at once, and whether it lives."""

    id: str
    parallel: int
    alive: bool


class Spool:
    """The files of one spool. What is pickled is read by the same version of sweeplib alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.owner_lock = folder / "owner.lock"
        self._in = folder / "in"
        self._taken = folder / "taken"
        self._out = folder / "out"
        self._helpers = folder / "helpers"
        self._closed = folder / "closed"
        self._hurry = folder / "hurry"

    # The sweep's side.

    @classmethod
    def of(cls, paths: SweepPaths) -> Self:
        """Return a new spool of a sweep, yet to be made."""
        return cls(paths.folder / "pools" / ulid())

    def make(self, session: Session, asked: Asked) -> None:
        """Make the folder, for commands that ask for so much."""
        for each in (self._in, self._taken, self._out, self._helpers):
            each.mkdir(parents=True)
        self._write(self.folder / "session", session)
        self._write(self.folder / "asked", asked)

    def put(self, number: int, work: Work) -> None:
        """Lay work down for whoever takes it."""
        self._write(self._in / f"{number:09}", work)

    def waiting(self) -> int:
        """Return how many pieces of work nobody has taken."""
        return len(_names(self._in))

    def withdraw(self) -> list[int]:
        """Take back what nobody has taken; return its numbers."""
        found = []
        for name in _names(self._in):
            with suppress(FileNotFoundError):
                (self._in / name).unlink()
                found.append(int(name))
        return found

    def collect(self) -> list[tuple[int, list[Attempt]]]:
        """Return, and forget, what came of work."""
        found = []
        for name in _names(self._out):
            found.append((int(name), self._read(self._out / name)))
            (self._out / name).unlink()
        return found

    def signed(self) -> list[Signed]:
        """Return the helpers that have signed in and not out."""
        found = []
        for name in _names(self._helpers):
            path = self._helpers / name
            try:
                parallel = int(json.loads(path.read_text())["parallel"])
            except FileNotFoundError:
                continue
            free = is_free(path)
            if free is not None:
                found.append(Signed(name, parallel, alive=not free))
        return found

    def held_by(self, helper: str) -> list[int]:
        """Return the work that a helper has taken, and not given back."""
        names = (name.partition(".") for name in _names(self._taken))
        return [int(number) for number, _, owner in names if owner == helper]

    def taken(self) -> int:
        """Return how many pieces of work helpers have."""
        return len(_names(self._taken))

    def forget(self, helper: str) -> None:
        """Take a helper that has died off the list, and what it had."""
        for number in self.held_by(helper):
            (self._taken / f"{number:09}.{helper}").unlink(missing_ok=True)
        (self._helpers / helper).unlink(missing_ok=True)

    def close(self) -> None:
        """Say that no more work will come."""
        self._closed.touch()

    def hurry(self) -> None:
        """Say that what runs is to be ended at once."""
        self._hurry.touch()

    # A helper's side.

    @property
    def sweep(self) -> Path:
        """The sweep's folder, which stays when the spool is cleared away."""
        return self.folder.parents[1]

    def await_turn(self, helper: str) -> None:
        """Wait as long as the helper is on the list as dead: until the sweep has taken back what it had."""
        while (self._helpers / helper).exists() and not (self.orphaned or self.closed):
            time.sleep(_TICK)

    @contextmanager
    def signing(self, helper: str, parallel: int) -> Iterator[None]:
        """Be on the list while the block runs; one that is left by an exception counts as dead."""
        path = self._helpers / helper
        part = self.folder / f"{helper}.part"
        part.write_text(json.dumps({"parallel": parallel}))
        with part.open("rb+") as file:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
            part.rename(path)  # with its lock: nobody sees it free
            yield
            path.unlink(missing_ok=True)

    @property
    def session(self) -> Session:
        """What the task runs have in common."""
        return cast("Session", self._read(self.folder / "session"))

    @property
    def asked(self) -> Asked:
        """What the commands ask of a machine."""
        return cast("Asked", self._read(self.folder / "asked"))

    @property
    def orphaned(self) -> bool:
        """Whether the sweep's process has ended, or hands out no work any more."""
        return is_free(self.owner_lock) is not False

    @property
    def closed(self) -> bool:
        """Whether no more work will come."""
        return self._closed.exists()

    @property
    def hurried(self) -> bool:
        """Whether what runs is to be ended at once."""
        return self._hurry.exists()

    def take(self, helper: str, most: int) -> list[tuple[int, Work]]:
        """Take so much work at most, what was laid down first first."""
        found: list[tuple[int, Work]] = []
        for name in _names(self._in) if most > 0 else ():
            mine = self._taken / f"{name}.{helper}"
            with suppress(FileNotFoundError):  # another was faster
                (self._in / name).rename(mine)
                found.append((int(name), self._read(mine)))
            if len(found) == most:
                break
        return found

    def give(self, helper: str, number: int, attempts: Sequence[Attempt]) -> None:
        """Tell what came of work that was taken."""
        self._write(self._out / f"{number:09}", list(attempts))
        (self._taken / f"{number:09}.{helper}").unlink(missing_ok=True)

    def _write(self, path: Path, content: object) -> None:
        part = self.folder / f"{path.parent.name}-{path.name}.{os.getpid()}.part"
        part.write_bytes(pickle.dumps(content))
        part.replace(path)

    @staticmethod
    def _read(path: Path) -> Any:
        return pickle.loads(path.read_bytes())  # noqa: S301 - our own, in the project's folder


def _names(folder: Path) -> list[str]:
    """Return the names of the files in a folder, in order; none where it has been cleared away."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names alone, often
    except FileNotFoundError:
        return []
