"""Which combinations of a plan are not done: asked for in batches."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING

from sweeplib.engine import remaining

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweeplib.engine.remaining import Candidate
    from tests.unit.engine.conftest import Lab

OBJECTS = 1.1
"""What a combination that was seen may leave behind: its key."""


def labels(found: Iterable[Candidate]) -> list[str]:
    return [each.combination.label for each in found]


def test_all_are_free_in_a_new_lineage(lab: Lab) -> None:
    found = list(remaining(lab.plan("a=1:2 b=1:2"), lab.ledger, "", "none"))
    assert labels(found) == ["a=1 b=1", "a=1 b=2", "a=2 b=1", "a=2 b=2"]
    assert all(each.free for each in found)
    assert [each.combination.position for each in found] == [0, 1, 2, 3]


def test_done_claimed_and_free(lab: Lab) -> None:
    made = lab.plan("i=1:4")
    lab.run(lab.plan("i=1"))
    with lab.execution(made) as other:
        submission = list(other.items())[2].submission
        lab.ledger.submit(other.id, [submission])
        found = list(remaining(made, lab.ledger, "", other.lineage))
        assert [each.done for each in found] == [True, False, False, False]
        assert [each.elsewhere for each in found] == [None, None, other.id, None]
        assert labels(each for each in found if each.free) == ["i=2", "i=4"]
        own = remaining(made, lab.ledger, other.id, other.lineage)
        assert all(each.elsewhere is None for each in own)


def test_a_key_that_stands_twice_is_free_once(lab: Lab) -> None:
    made = lab.plan({"each": "i=1,2,1e0"}, {"each": "i=2:700"}, {"all": "i=0.5e1"})
    found = list(remaining(made, lab.ledger, "", "none"))
    assert len(found) == len(made)
    repeated = [each for each in found if each.repeated]
    assert [each.combination.position for each in repeated] == [2, 3, 702]
    assert not any(each.free or each.done for each in repeated)
    free = [each.key for each in found if each.free]
    assert len(set(free)) == len(free) == 700


def test_nothing_is_asked_before_it_is_needed(lab: Lab) -> None:
    first = next(remaining(lab.plan("a=1:1000000000"), lab.ledger, "", "none"))
    assert first.combination.position == 0


def test_memory_grows_by_the_keys_alone(lab: Lab) -> None:
    """Of 200,000 combinations: measured over the first tenth and over the rest."""
    source = remaining(lab.plan("a=1:2000 b=1:100"), lab.ledger, "", "none")
    begin = sum(1 for _ in islice(source, 20_000))
    before = sys.getallocatedblocks()
    rest = sum(1 for _ in source)
    grown = sys.getallocatedblocks() - before
    assert (begin, rest) == (20_000, 180_000)
    assert grown / rest < OBJECTS
