"""The laws of the ledger, whatever is submitted, recorded, killed and resumed in whatever order."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from sweeplib.ledger import Ledger, Submission, Sweep, SweepState
from sweeplib.run.model import Attempt, Outcome

KEYS = [f"k{number}" for number in range(6)]
FINAL = [state for state in SweepState if state is not SweepState.RUNNING]


@dataclass
class Tried:
    """A combination in the model: its outcome, and the outcomes of its attempts by number."""

    outcome: Outcome | None = None
    attempts: dict[int, Outcome] = field(default_factory=dict)

    def record(self, number: int, outcome: Outcome) -> None:
        known = self.attempts.get(number)
        more = {
            Outcome.LOST: set(Outcome),
            Outcome.CANCELLED: {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.COMPLETED},
            Outcome.COMPLETED: set(),
        }
        if known is not None and outcome not in more.get(known, {Outcome.COMPLETED}) - {known}:
            return
        self.attempts[number] = outcome
        if Outcome.COMPLETED in self.attempts.values():
            self.outcome = Outcome.COMPLETED
        else:
            self.outcome = self.attempts[max(self.attempts)]


@dataclass
class Run:
    """A sweep in the model."""

    lineage: str
    isolated: bool
    state: SweepState = SweepState.RUNNING
    tried: dict[str, Tried] = field(default_factory=dict)


def attempt(key: str, number: int, outcome: Outcome) -> Attempt:
    return Attempt(key=key, number=number, outcome=outcome, started=1.0, ended=2.0)


class LedgerMachine(RuleBasedStateMachine):
    """Does the same to a ledger and to a dictionary of `Run`."""

    sweeps: Bundle[str] = Bundle("sweeps")
    records: Bundle[tuple[str, list[Attempt]]] = Bundle("records")

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp())
        self.folders = 0
        self.ledger = Ledger.open(self.root / "0" / "ledger.db")
        self.model: dict[str, Run] = {}
        self.done: dict[str, set[str]] = {}

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()
            shutil.rmtree(self.root)

    @rule(target=sweeps, isolated=st.booleans(), fresh=st.booleans())
    def add_sweep(self, isolated: bool, fresh: bool) -> str:
        own = f"01J{len(self.model):04d}"
        joined = None if isolated or fresh else self.ledger.latest_lineage("train")
        lineage = joined or own
        if joined:
            assert not self.model[joined].isolated
        self.ledger.add_sweep(
            Sweep(id=own, job="train", lineage=lineage, total=len(KEYS), created=1.0, isolated=isolated)
        )
        self.model[own] = Run(lineage, isolated)
        return own

    @rule(sweep=sweeps, keys=st.lists(st.sampled_from(KEYS), max_size=8))
    def submit(self, sweep: str, keys: list[str]) -> None:
        given = [Submission(key=key, position=KEYS.index(key), label=key, parameters={}) for key in keys]
        expected = []
        for key in keys:
            tried = self.model[sweep].tried.get(key)
            if tried is None or tried.outcome not in (None, Outcome.COMPLETED):
                self.model[sweep].tried.setdefault(key, Tried()).outcome = None
                expected.append(key)
        assert [submission.key for submission in self.ledger.submit(sweep, given)] == expected

    @rule(
        target=records,
        sweep=sweeps,
        ends=st.lists(
            st.tuples(st.sampled_from(KEYS), st.integers(1, 4), st.sampled_from(Outcome)), max_size=6
        ),
    )
    def record(self, sweep: str, ends: list[tuple[str, int, Outcome]]) -> tuple[str, list[Attempt]]:
        tried = self.model[sweep].tried
        attempts = [attempt(*end) for end in ends if end[0] in tried]
        self.ledger.record(sweep, attempts)
        for one in attempts:
            tried[one.key].record(one.number, one.outcome)
        return sweep, attempts

    @rule(record=records)
    def record_again(self, record: tuple[str, list[Attempt]]) -> None:
        sweep, attempts = record
        for one in attempts:
            self.model[sweep].tried[one.key].record(one.number, one.outcome)
        self.ledger.record(sweep, attempts)
        before = self.rows()
        self.ledger.record(sweep, [one for one in attempts if one.outcome is Outcome.COMPLETED])
        self.ledger.record(sweep, [])
        assert self.rows() == before

    @rule(sweep=sweeps, state=st.sampled_from(FINAL))
    def finish(self, sweep: str, state: SweepState) -> None:
        running = self.model[sweep].state is SweepState.RUNNING
        assert self.ledger.finish_sweep(sweep, state) is running
        if running:
            self.model[sweep].state = state

    @rule(sweep=sweeps)
    def resume(self, sweep: str) -> None:
        assert self.ledger.resume_sweep(sweep).state is SweepState.RUNNING
        self.model[sweep].state = SweepState.RUNNING

    @rule()
    def reopen(self) -> None:
        self.ledger.close()
        self.ledger = Ledger.open(self.ledger.path)

    @rule()
    def crash(self) -> None:
        """Go on with the files as a killed process leaves them: nothing closed, nothing copied back."""
        self.folders += 1
        folder = self.root / str(self.folders)
        folder.mkdir()
        for name in ("ledger.db", "ledger.db-wal"):
            shutil.copy(self.ledger.path.with_name(name), folder)
        self.ledger.close()
        self.ledger = Ledger.open(folder / "ledger.db")

    @rule()
    def fail(self) -> None:
        """Undo a transaction in which every open combination was ended."""
        try:
            with self.ledger.transaction():
                for sweep in self.model:
                    ends = [attempt(row.key, 9, Outcome.LOST) for row in self.ledger.open_combinations(sweep)]
                    self.ledger.record(sweep, ends)
                raise InterruptedError
        except InterruptedError:
            pass

    def rows(self) -> list[object]:
        return [
            (row, self.ledger.attempts(sweep, row.key))
            for sweep in self.model
            for row in self.ledger.combinations(sweep)
        ]

    @invariant()
    def same(self) -> None:
        for sweep, run in getattr(self, "model", {}).items():
            assert self.ledger.get_sweep(sweep).state is run.state
            found = {
                row.key: (
                    row.outcome,
                    {one.number: one.outcome for one in self.ledger.attempts(sweep, row.key)},
                )
                for row in self.ledger.combinations(sweep)
            }
            assert found == {key: (tried.outcome, tried.attempts) for key, tried in run.tried.items()}
            for row in self.ledger.combinations(sweep):
                assert row.attempts == len(run.tried[row.key].attempts)
            still_open = {key for key, tried in run.tried.items() if tried.outcome is None}
            assert {row.key for row in self.ledger.open_combinations(sweep)} == still_open

    @invariant()
    def counted(self) -> None:
        for sweep, run in getattr(self, "model", {}).items():
            counts = self.ledger.counts(sweep)
            assert sum(counts.values()) == len(run.tried)
            assert all(
                number == sum(tried.outcome is outcome for tried in run.tried.values())
                for outcome, number in counts.items()
            )

    @invariant()
    def done_only_grows(self) -> None:
        model = getattr(self, "model", {})
        for lineage in {run.lineage for run in model.values()}:
            tried = [run.tried for run in model.values() if run.lineage == lineage]
            completed = {key for one in tried for key in one if one[key].outcome is Outcome.COMPLETED}
            done = self.ledger.done(lineage, KEYS)
            assert done == completed
            assert done >= self.done.get(lineage, set())
            self.done[lineage] = done
            results = list(self.ledger.results("train", lineage))
            assert (
                len(results)
                == len({row.key for row in results})
                == len({key for one in tried for key in one})
            )
            assert {row.key for row in results if row.outcome is Outcome.COMPLETED} == done


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
