"""What the tests of the commands share: a project with a past in its ledger, and `sweep` itself."""

from __future__ import annotations

import fcntl
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.cli import main
from sweeplib.ledger import Ledger, Submission, Sweep, SweepState
from sweeplib.run.model import Attempt, Outcome, SweepPaths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

BEGAN = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC


class History:
    """A project's past and present, told to a real ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = Ledger.open(folder / ".sweep" / "ledger.db")

    def id(self, number: int) -> str:
        return f"01J{number:023d}"

    def paths(self, number: int) -> SweepPaths:
        return SweepPaths(self.folder / ".sweep" / "sweeps" / self.id(number))

    def sweep(self, number: int, *, lineage: int | None = None, **fields: Any) -> Sweep:
        """Begin a sweep, tagged ``train-<number>``, whose owner is not there any more."""
        own = self.id(number)
        values: dict[str, Any] = {"job": "train", "total": 4, "created": BEGAN + number} | fields
        values.setdefault("tag", f"{values['job']}-{number}")
        sweep = Sweep(id=own, lineage=own if lineage is None else self.id(lineage), **values)
        self.ledger.add_sweep(sweep)
        paths = self.paths(number)
        paths.folder.mkdir(parents=True)
        paths.owner_lock.touch()
        return sweep

    def submit(self, number: int, *keys: str, first: int = 0, **parameters: Any) -> None:
        """Set combinations down as submitted; a parameter is a value for all, or a list of values."""
        submissions = []
        for place, key in enumerate(keys):
            each = {
                name: str(value[place] if isinstance(value, list) else value)
                for name, value in parameters.items()
            }
            label = " ".join(f"{name}={value}" for name, value in each.items()) or key[:1]
            submissions.append(Submission(key=key, position=first + place, label=label, parameters=each))
        self.ledger.submit(self.id(number), submissions)

    def end(
        self,
        number: int,
        key: str,
        outcome: Outcome = Outcome.COMPLETED,
        seconds: float = 1.5,
        metrics: Mapping[str, float] | None = None,
        **fields: Any,
    ) -> None:
        """Record an attempt; with `metrics`, the tracker has told of them."""
        attempt = Attempt(
            key=key,
            outcome=outcome,
            started=BEGAN,
            ended=BEGAN + seconds,
            **({"number": 1} | fields),
        )
        self.ledger.record(self.id(number), [attempt])
        if metrics is not None:
            self.ledger.set_tracked(self.id(number), [(key, None, metrics)])

    def finish(self, number: int, state: SweepState, seconds: float = 60) -> None:
        self.ledger.finish_sweep(self.id(number), state, BEGAN + number + seconds)

    @contextmanager
    def owned(self, number: int) -> Iterator[None]:
        """Own a sweep as the process that runs it does."""
        with self.paths(number).owner_lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def log(self, number: int, key: str, attempt: int, content: bytes) -> Path:
        """Write output of an attempt; return its path."""
        path = self.paths(number).log(key, attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def mark(self, number: int, key: str, attempt: int) -> None:
        """Write the done-marker of an attempt."""
        path = self.paths(number).marker(key, attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one `sweep` command."""

    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with two jobs that has run nothing."""
    path = tmp_path / "project"
    path.mkdir()
    (path / "sweeps.yaml").write_text(
        "jobs:\n"
        "  train: {run: python train.py, style: flags, sets: [{each: 'model=svc,knn C=1,2'}]}\n"
        "  other: {call: package.other, sets: [{each: a=1}]}\n",
        "utf-8",
    )
    return path


@pytest.fixture
def history(folder: Path) -> Iterator[History]:
    """The same project with a ledger."""
    made = History(folder)
    yield made
    made.ledger.close()


@pytest.fixture
def sweep(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Iterator[Callable[..., Done]]:
    """Run `sweep` in the project, in this process, in a pipe, with the clock of Greenwich."""
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["sweep", "-C", str(folder), *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        sys.stdout.flush()
        captured = capfdbinary.readouterr()
        assert isinstance(ended.value.code, int)
        return Done(ended.value.code, captured.out.decode(), captured.err.decode())

    yield run
    monkeypatch.delenv("TZ")
    time.tzset()
