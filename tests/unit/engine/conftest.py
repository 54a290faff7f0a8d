"""A project whose sweeps the engine runs in this process, and collaborators that write down what they see."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.engine import (
    Acknowledged,
    EndedRun,
    Execution,
    Finished,
    LocalSubmitter,
    Progress,
    Summary,
    TrackedRun,
    TrackedSweep,
    run_sweep,
)
from sweeplib.ledger import Combination, Ledger, Sweep
from sweeplib.run.client import Guard
from sweeplib.run.model import Attempt, Outcome, SweepPaths, Work
from sweeplib.track import NullTracker
from tests.plans import plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sweeplib.engine import Observer, Submitter, Tracker
    from sweeplib.plan import Plan
    from sweeplib.where import Where


@dataclass
class Heard:
    """An observer that keeps what it was told; `act` is called with every end."""

    act: Callable[[Work, Attempt], object] = lambda *_: None
    shown: list[Progress] = field(default_factory=list)
    ends: list[tuple[str, Outcome]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    chunks: list[int | None] = field(default_factory=list)

    def progress(self, progress: Progress) -> None:
        self.shown.append(progress)

    def ended(self, work: Work, attempt: Attempt) -> None:
        self.ends.append((work.label, attempt.outcome))
        self.act(work, attempt)

    def submitted(self, work: Work) -> None:
        self.chunks.append(work.chunk)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def log(self, text: str) -> None:
        self.logged.append(text)


class Counted:
    """A real submitter with a window of its choice, that counts what is out; `before` is called with each."""

    def __init__(
        self,
        parallel: int = 2,
        window: int | None = None,
        before: Callable[[Work], object] = lambda _: None,
    ) -> None:
        self._inner = LocalSubmitter(parallel)
        self._before = before
        self.parallel = parallel
        self.window = window or self._inner.window
        self.batch = 1
        self.works: list[Work] = []
        self.out = 0
        self.most = 0
        self.stops = 0

    @property
    def running(self) -> int:
        return self._inner.running

    def at(self, _: Where | None) -> Counted:
        return self

    def submit(self, work: Work) -> None:
        self._before(work)
        self.works.append(work)
        self.out += 1
        self.most = max(self.most, self.out)
        self._inner.submit(work)

    def wait(self, timeout: float) -> list[Finished]:
        finished = self._inner.wait(timeout)
        self.out -= len(finished)
        return finished

    def stop(self, *, at_once: bool = False) -> None:
        self.stops += 1
        self._inner.stop(at_once=at_once)


@dataclass
class Diary:
    """A tracker that keeps its calls; `knows` says which combinations it acknowledges."""

    knows: bool = True
    env: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    _ready: list[Acknowledged] = field(default_factory=list)
    _sweep: str = ""

    def begin(self, sweep: TrackedSweep) -> None:
        self._sweep = sweep.id
        self.calls.append(("begin", sweep))

    def open(self, runs: Sequence[TrackedRun]) -> None:
        self.calls.append(("open", [run.label for run in runs]))

    def environment(self, key: str) -> Mapping[str, str]:
        self.calls.append(("environment", key))
        return {"OWN_KEY": key, **self.env}

    def end(self, attempt: Attempt) -> None:
        self.calls.append(("end", attempt.key))
        self._acknowledge(self._sweep, attempt.key)

    def report(self, sweep: TrackedSweep, ended: Sequence[EndedRun]) -> None:
        self.calls.append(("report", (sweep, list(ended))))
        for each in ended:
            self._acknowledge(sweep.id, each.key)

    def _acknowledge(self, sweep: str, key: str) -> None:
        if self.knows:
            run = f"run-{key[:4]}"
            self._ready.append(Acknowledged(sweep=sweep, key=key, run_id=run, metrics={"score": 0.5}))

    def drain(self) -> list[Acknowledged]:
        ready, self._ready = self._ready, []
        return ready

    def finish(self, state: str, timeout: float, note: Callable[[str], None] | None = None) -> list[str]:
        assert timeout > 0
        self.calls.append(("finish", state if note else f"{state} in a hurry"))
        return [] if self.knows else ["nothing could be stored"]

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def reports(self) -> list[tuple[TrackedSweep, list[EndedRun]]]:
        return [value for name, value in self.calls if name == "report"]


@dataclass
class Lab:
    """A project's folder with its ledger; its command is ``sh work.sh PARAMETERS``."""

    folder: Path
    ledger: Ledger

    def script(self, text: str) -> None:
        (self.folder / "work.sh").write_text(text + "\n")

    def plan(self, *sets: str | dict[str, str], **fields: Any) -> Plan:
        if not {"call", "submit"} & fields.keys():
            fields.setdefault("run", "sh work.sh")
        return plan(*sets, **fields)

    def execution(self, made: Plan, **options: Any) -> Execution:
        return Execution(made, self.ledger, self.folder, **options)

    def run(
        self,
        made: Plan,
        *,
        submitter: Submitter | None = None,
        tracker: Tracker | None = None,
        observer: Observer | None = None,
        **options: Any,
    ) -> Summary:
        with self.execution(made, **options) as execution:
            return run_sweep(
                execution, submitter or LocalSubmitter(2), tracker or NullTracker(), observer or Heard()
            )

    def newest(self) -> Sweep:
        return self.ledger.sweeps(limit=1)[0]

    def rows(self, sweep: str | None = None) -> dict[str, Combination]:
        return {row.label: row for row in self.ledger.combinations(sweep or self.newest().id)}

    def outcomes(self, sweep: str | None = None) -> dict[str, Outcome | None]:
        return {label: row.outcome for label, row in self.rows(sweep).items()}

    def ran(self) -> Counter[str]:
        """Return the lines that the commands wrote to the file ``ran``."""
        path = self.folder / "ran"
        return Counter(path.read_text().splitlines() if path.exists() else [])

    def paths(self, sweep: str) -> SweepPaths:
        return SweepPaths(self.folder / ".sweep" / "sweeps" / sweep)


@dataclass(frozen=True)
class Kit:
    """The classes above, for tests that cannot import this file."""

    heard: type[Heard] = Heard
    counted: type[Counted] = Counted
    diary: type[Diary] = Diary

    @staticmethod
    def interrupt(*_: object) -> None:
        """Do what Ctrl-C does."""
        signal.raise_signal(signal.SIGINT)

    @staticmethod
    def await_true(condition: Callable[[], bool], what: str) -> None:
        """Look until `condition` holds: a file that a command writes cannot be awaited otherwise."""
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, f"waited too long for {what}"
            time.sleep(0.01)

    @staticmethod
    def soon(act: Callable[[], object]) -> threading.Thread:
        """Do something in a thread of its own."""
        thread = threading.Thread(target=act)
        thread.start()
        return thread


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A project outside of any git work tree."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "project"
    folder.mkdir()
    with Ledger.open(folder / ".sweep" / "ledger.db") as ledger:
        made = Lab(folder, ledger)
        made.script('echo "$1" >> ran')
        yield made
    Guard.shared().close()
