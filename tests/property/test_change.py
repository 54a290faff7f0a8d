"""Laws of a change of a job: what is added, removed and kept is what sets of keys say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from sweeplib.plan import Plan
from sweeplib.plan.identity import meaning
from sweeplib.report.change import PlanChange, compare_jobs
from tests.plans import job

if TYPE_CHECKING:
    from sweeplib.jobs import Job

VALUES = st.sampled_from(["1", "2", "1e0", "3", "4m", "0.004", "x"])
COLUMNS = st.dictionaries(st.sampled_from("abc"), st.lists(VALUES, min_size=1, max_size=4), min_size=1)
SETS = st.lists(COLUMNS, min_size=1, max_size=3)


def made(sets: list[dict[str, list[str]]]) -> Job:
    return job(*[" ".join(f"{name}={','.join(values)}" for name, values in each.items()) for each in sets])


def compared(before: Job, now: Job, most: int | None = None) -> PlanChange:
    found = compare_jobs({"train": before}, {"train": now}, "train", None, most)
    assert isinstance(found, PlanChange)
    return found


@given(SETS, SETS)
def test_counts_are_those_of_sets_of_keys(
    before: list[dict[str, list[str]]], now: list[dict[str, list[str]]]
) -> None:
    old, new = made(before), made(now)
    change = compared(old, new)
    keys = [{each.key for each in Plan(one)} for one in (old, new)]
    assert change.added.count == len(change.added.labels) == len(keys[1] - keys[0])
    assert change.removed.count == len(change.removed.labels) == len(keys[0] - keys[1])
    assert change.kept.count == len(keys[0] & keys[1])
    back = compared(new, old)
    assert (back.added.labels, back.removed.labels) == (change.removed.labels, change.added.labels)


@given(SETS, st.randoms())
def test_another_order_changes_nothing(sets: list[dict[str, list[str]]], random: st.randoms) -> None:  # type: ignore[valid-type]
    moved = [dict(random.sample(list(each.items()), len(each))) for each in random.sample(sets, len(sets))]
    change = compared(made(sets), made(moved))
    assert change.nothing
    assert not change.values


@given(SETS, SETS)
def test_values_that_come_and_go(before: list[dict[str, list[str]]], now: list[dict[str, list[str]]]) -> None:
    def values(sets: list[dict[str, list[str]]]) -> set[tuple[str, str]]:
        return {(name, meaning(value)) for each in sets for name, held in each.items() for value in held}

    change = compared(made(before), made(now))
    added = {(each.name, meaning(value)) for each in change.values for value in each.added}
    removed = {(each.name, meaning(value)) for each in change.values for value in each.removed}
    assert added == values(now) - values(before)
    assert removed == values(before) - values(now)
