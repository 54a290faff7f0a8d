"""What a sweep makes of the ends of helpers: its spool is a real one, and helpers die as they do."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sweeplib.engine import Execution
from sweeplib.ledger import Ledger
from sweeplib.orchestrate.combination import run_combination
from sweeplib.orchestrate.ended import attempts_at
from sweeplib.orchestrate.pooled import PooledSubmitter
from sweeplib.orchestrate.pools import Pool
from sweeplib.orchestrate.recorder import recorder
from sweeplib.orchestrate.spool import Spool
from sweeplib.run.marker import write_marker
from sweeplib.run.model import Attempt, Outcome, SweepPaths, Work
from tests.integration.prefect_api import new_session, task_runs
from tests.plans import plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweeplib.engine import Finished
    from sweeplib.orchestrate.session import Session


@contextmanager
def pooled(folder: Path, session: Session, notes: list[str]) -> Iterator[tuple[PooledSubmitter, Spool]]:
    """Have a submitter for a pool that is not there: whatever takes work is played by the test."""
    with (
        Ledger.open(folder / "ledger.db") as ledger,
        Execution(plan("i=1:9"), ledger, folder) as execution,
        PooledSubmitter(Pool("night"), session, execution, notes.append) as submitter,
    ):
        (spool,) = (execution.paths.folder / "pools").iterdir()
        yield submitter, Spool(spool)


def work(folder: Path, key: str) -> Work:
    return Work("s", "train", key, 0, f"i={key}", ("true",), "/", str(folder))


def attempt(key: str, number: int, outcome: Outcome) -> Attempt:
    now = time.time()
    return Attempt(key=key, number=number, outcome=outcome, started=now - 1, ended=now, message="exit code 3")


def dies(spool: Spool, helper: str, *seen: Attempt) -> list[tuple[int, Work]]:
    """Have a helper take all there is, see ends, and die; return what it had taken."""
    with suppress(RuntimeError), spool.signing(helper, 4):
        taken = spool.take(helper, 9)
        for number, each in taken:
            for one in (one for one in seen if one.key == each.key):
                write_marker(SweepPaths(Path(each.folder)).marker(one.key, one.number), one, each.argv)
            assert number in spool.held_by(helper)
        raise RuntimeError
    return taken


def until(submitter: PooledSubmitter, count: int) -> list[Finished]:
    """Return so many ends."""
    found: list[Finished] = []
    deadline = time.monotonic() + 20
    while len(found) < count:
        assert time.monotonic() < deadline, found
        found += submitter.wait(0.5)
    return found


def test_prefect_is_told_what_a_helper_that_died_has_not_told(tmp_path: Path, prefect_api: str) -> None:
    session = new_session(prefect_api)
    with pooled(tmp_path, session, []) as (submitter, spool):
        for key in "abc":
            submitter.submit(work(tmp_path, key))
        dies(spool, "h", attempt("a", 1, Outcome.COMPLETED), attempt("b", 1, Outcome.FAILED))
        ended = until(submitter, 2)
        assert {each.work.key: each.attempts[-1].outcome for each in ended} == {
            "a": Outcome.COMPLETED,
            "b": Outcome.FAILED,
        }
        assert [each.key for _, each in dies(spool, "h2")] == ["c"], "and what has no end is run again, once"
        (lost,) = until(submitter, 1)
        assert lost.attempts[-1].outcome is Outcome.LOST
    assert recorder(prefect_api).flush(20) == 0
    states = {each["dynamic_key"]: each["state_type"] for each in task_runs(prefect_api, session.tags[0])}
    assert states == {"a": "COMPLETED", "b": "FAILED", "c": "CRASHED"}


def test_what_an_earlier_helper_saw_counts_where_a_sweep_is_stopped(tmp_path: Path, prefect_api: str) -> None:
    session = new_session(prefect_api, retries=2)
    with pooled(tmp_path, session, []) as (submitter, spool):
        for key in "ab":
            submitter.submit(work(tmp_path, key))
        dies(spool, "h", attempt("a", 1, Outcome.FAILED))
        deadline = time.monotonic() + 20
        while spool.waiting() < 2:
            assert submitter.wait(0.5) == []
            assert time.monotonic() < deadline
        submitter.stop()
        ended = {each.work.key: each.attempts for each in until(submitter, 2)}
    assert [(each.number, each.outcome) for each in ended["a"]] == [(1, Outcome.FAILED)]
    assert [(each.number, each.outcome) for each in ended["b"]] == [(0, Outcome.CANCELLED)]


def test_retries_that_are_left_outlive_a_helper(tmp_path: Path, prefect_api: str) -> None:
    session = new_session(prefect_api, retries=1)
    with pooled(tmp_path, session, []) as (submitter, spool):
        folder = spool.folder.parents[1]
        submitter.submit(replace(work(folder, "a"), argv=("false",)))
        dies(spool, "h", attempt("a", 1, Outcome.FAILED), attempt("a", 2, Outcome.LOST))
        deadline = time.monotonic() + 20
        while not (taken := spool.take("h2", 1)):
            assert submitter.wait(0.5) == []
            assert time.monotonic() < deadline
        with spool.signing("h2", 1):
            last = run_combination(taken[0][1], session)
            assert isinstance(last, Attempt), "it was the last one"
            spool.give("h2", 0, attempts_at(taken[0][1], last))
            (ended,) = until(submitter, 1)
    assert [(each.number, each.outcome) for each in ended.attempts] == [
        (1, Outcome.FAILED),
        (2, Outcome.LOST),
        (3, Outcome.FAILED),
    ]
