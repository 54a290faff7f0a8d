"""Laws of a covering selection: whatever values can meet, so many at a time, do."""

from __future__ import annotations

import itertools
from math import prod
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeplib.errors import PlanError
from sweeplib.plan import Plan
from sweeplib.plan.cover import Allowed, cover
from tests.plans import job

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sweeplib.plan.cover import Places

laws = settings(deadline=None, max_examples=150)

sizes = st.lists(st.integers(1, 4), min_size=1, max_size=6)
strengths = st.integers(1, 6)


def met(rows: Collection[Places], columns: int, strength: int) -> set[tuple[tuple[int, int], ...]]:
    """Return all that stands together in a row, `strength` places at a time."""
    at_once = min(strength, columns)
    return {cells for row in rows for cells in itertools.combinations(enumerate(row), at_once)}


def held(found: Sequence[Places], allowed: Sequence[Places], strength: int) -> None:
    """Assert that some rows are sorted ones of those allowed, and cover these."""
    assert list(found) == sorted(set(found))
    assert set(found) <= set(allowed)
    columns = len(allowed[0])
    assert met(found, columns, strength) == met(allowed, columns, strength)


@laws
@given(sizes, strengths)
def test_all_meet(lengths: list[int], strength: int) -> None:
    found = cover(Allowed(lengths), strength)
    held(found, list(itertools.product(*map(range, lengths))), strength)
    assert found == cover(Allowed(lengths), strength)
    longest = sorted(lengths, reverse=True)[:strength]
    assert len(found) >= prod(longest)
    if strength >= sum(length > 1 for length in lengths):
        assert len(found) == prod(lengths)


@laws
@given(sizes, strengths, st.data())
def test_all_that_are_allowed_to_meet_do(lengths: list[int], strength: int, data: st.DataObject) -> None:
    columns = sorted(data.draw(st.sets(st.sampled_from(range(len(lengths))), min_size=1)))
    count = prod(lengths[column] for column in columns)
    numbers = sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1)))
    pairs = [places for n, places in enumerate(_product(lengths, columns)) if n in set(numbers)]
    every = list(itertools.product(*map(range, lengths)))
    allowed = [row for row in every if tuple(row[column] for column in columns) in pairs]
    found = cover(Allowed(lengths, columns, numbers), strength)
    held(found, allowed, strength)
    assert found == cover(Allowed(lengths, columns, numbers), strength)


def _product(lengths: list[int], columns: list[int]) -> list[Places]:
    return list(itertools.product(*(range(lengths[column]) for column in columns)))


def grid(lengths: list[int]) -> str:
    """Return parameters a, b, … of so many values each, from 0."""
    return " ".join(f"{name}=0:{length - 1}" for name, length in zip("abcdef", lengths, strict=False))


def rows(plan: Plan) -> list[Places]:
    return [tuple(map(int, one.parameters.values())) for one in plan]


terms = st.tuples(st.sampled_from("abcdef"), st.sampled_from(["==", "<", "!="]), st.sampled_from("abcdef123"))


@laws
@given(sizes, strengths, st.lists(st.lists(terms, min_size=1, max_size=2), max_size=3), st.data())
def test_a_plan_covers_what_its_set_does_not_exclude(
    lengths: list[int], strength: int, drawn: list[list[tuple[str, str, str]]], data: st.DataObject
) -> None:
    names = "abcdef"[: len(lengths)]
    known = [[each for each in one if set(each) & set("abcdef") <= set(names)] for one in drawn]
    conditions = [" and ".join(map(" ".join, one)) for one in known if one]
    fields = {"each": grid(lengths), "exclude": conditions}
    one = job({**fields, "cover": strength})
    try:
        whole = Plan(job(fields))
    except PlanError:
        with pytest.raises(
            PlanError, match=r"^job 'train' has no combinations: its sets exclude all of theirs$"
        ):
            Plan(one)
        return
    found, allowed = Plan(one), rows(whole)
    held(rows(found), allowed, strength)
    assert [found[i] for i in range(len(found))] == list(found)
    assert {each.key for each in found} <= {each.key for each in whole}
    value = data.draw(st.sampled_from(sorted({row[0] for row in allowed})))
    selected = [row for row in rows(found) if row[0] == value]
    assert rows(Plan(one, only=f"a={value}")) == selected
