"""What is said of a pool that starts nothing, and what becomes of flow runs in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeplib.orchestrate.helpers import Helpers, Verdict, verdict_of
from sweeplib.orchestrate.pools import Pool, describe
from sweeplib.orchestrate.session import Session

SESSION = Session("http://x/api", "f", 1, "train", ("one",), (), (), 0, ())


@pytest.mark.parametrize(
    ("pool", "workers", "words"),
    [
        (Pool("night"), 0, "has no worker online; start one with: prefect worker start --pool night"),
        (Pool("my pool"), 0, "has no worker online; start one with: prefect worker start --pool 'my pool'"),
        (Pool("night"), 1, "has started nothing for it yet: its flow run is PENDING"),
        (
            Pool("night", limit=2),
            1,
            "has started nothing for it yet: it runs 2 at once (its concurrency limit)",
        ),
        (Pool("night", needs_worker=False), 0, "has started nothing for it yet: its flow run is PENDING"),
    ],
)
def test_why_a_pool_starts_nothing(pool: Pool, workers: int, words: str) -> None:
    assert describe(pool, workers, "PENDING") == words


@pytest.mark.parametrize(
    ("state", "signed", "died", "what"),
    [
        ("SCHEDULED", False, False, None),
        ("PENDING", False, False, None),
        ("RUNNING", True, False, None),
        ("COMPLETED", False, False, "unable"),
        ("COMPLETED", True, False, None),
        ("FAILED", True, False, None),
        ("CANCELLED", True, False, None),
        ("RUNNING", True, True, "died"),
        ("CRASHED", True, True, "died"),
        ("CANCELLING", True, True, "cancelled"),
        ("CANCELLED", True, True, "cancelled"),
        ("CANCELLED", False, False, "cancelled"),
        ("CRASHED", False, False, "unable"),
        ("FAILED", False, False, "unable"),
    ],
)
def test_a_verdict(state: str, signed: bool, died: bool, what: str | None) -> None:
    found = verdict_of("id", "tag-night-1", state, "why", signed=signed, died=died)
    assert (found.what if found else None) == what
    if found:
        assert found.id == "id"
        assert found.message.startswith("the flow run tag-night-1 ")


def test_a_helper_that_nobody_asked_for_is_judged_at_once() -> None:
    helpers = Helpers(Pool("night"), SESSION, "tag", Path("/project"), Path("/spool"))
    helpers.died("7f")
    assert helpers.verdicts.get_nowait() == Verdict("7f", "died", "the flow run 7f has died")
