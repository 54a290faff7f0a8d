"""Laws of what a set leaves out, takes and draws: as a list of everything would have it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeplib.errors import PlanError
from sweeplib.plan import Plan
from sweeplib.plan.picks import pick
from tests.plans import job, plan

if TYPE_CHECKING:
    from sweeplib.jobs import Job

laws = settings(deadline=None, max_examples=150)

sizes = st.lists(st.integers(1, 4), min_size=1, max_size=4)


def grid(lengths: list[int]) -> str:
    """Return parameters a, b, … of so many values each."""
    return " ".join(f"{name}=1:{size}" for name, size in zip("abcd", lengths, strict=False))


def rows(found: Plan) -> list[dict[str, str]]:
    return [one.parameters for one in found]


def every(lengths: list[int]) -> list[dict[str, str]]:
    """Return the whole product."""
    names = "abcd"[: len(lengths)]
    return [
        dict(zip(names, map(str, row), strict=True))
        for row in itertools.product(*(range(1, size + 1) for size in lengths))
    ]


def held(found: Plan) -> None:
    """Assert that the plan is the sequence that its iteration tells."""
    listed = list(found)
    assert len(found) == len(listed)
    assert [one.position for one in listed] == list(range(len(listed)))
    assert [found[i] for i in range(len(listed))] == listed


conditions = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["==", "<", ">", "!="]), st.integers(1, 4)),
    min_size=1,
    max_size=3,
)


def excluded(row: dict[str, str], terms: list[tuple[str, str, int]]) -> bool:
    """Tell whether all comparisons hold of a row."""
    compare: dict[str, Any] = {"==": int.__eq__, "<": int.__lt__, ">": int.__gt__, "!=": int.__ne__}
    return all(compare[sign](int(row[name]), value) for name, sign, value in terms)


@laws
@given(sizes, st.lists(conditions, min_size=1, max_size=2))
def test_excluded_is_what_a_condition_holds_of(
    lengths: list[int], drawn: list[list[tuple[str, str, int]]]
) -> None:
    names = "abcd"[: len(lengths)]
    terms = [[(name, sign, value) for name, sign, value in each if name in names] for each in drawn]
    terms = [each for each in terms if each]
    texts = [" and ".join(f"{name} {sign} {value}" for name, sign, value in each) for each in terms]
    expected = [row for row in every(lengths) if not any(excluded(row, each) for each in terms)]
    one = job({"each": grid(lengths), "exclude": texts})
    if not expected:
        with pytest.raises(PlanError, match="has no combinations: its sets exclude all of theirs"):
            Plan(one)
        return
    found = Plan(one)
    assert rows(found) == expected
    held(found)


@laws
@given(sizes, st.integers(1, 40), st.integers(0, 5), st.data())
def test_a_sample_is_some_of_all_in_order_and_a_selection_some_of_it(
    lengths: list[int], count: int, seed: int, data: st.DataObject
) -> None:
    one = job({"each": grid(lengths), "sample": count, "seed": seed})
    found = Plan(one)
    held(found)
    order = {tuple(row.items()): place for place, row in enumerate(every(lengths))}
    places = [order[tuple(row.items())] for row in rows(found)]
    assert places == sorted(set(places))
    assert len(places) == min(count, len(order))
    more = Plan(job({"each": grid(lengths), "sample": count + 3, "seed": seed}))
    assert {each.key for each in found} <= {each.key for each in more}
    value = data.draw(st.integers(1, lengths[0]))
    selected = [row for row in rows(found) if row["a"] == str(value)]
    if selected:
        chosen = Plan(one, only=f"a={value}")
        assert rows(chosen) == selected
        held(chosen)
    else:
        with pytest.raises(PlanError, match="leaves none"):
            Plan(one, only=f"a={value}")


@laws
@given(sizes, st.sampled_from(["sample", "cover", ""]), st.booleans(), st.data())
def test_what_is_picked_does_not_depend_on_the_writing(
    lengths: list[int], how: str, exclude: bool, data: st.DataObject
) -> None:
    """Neither on the order of parameters and values nor on how numbers are written."""
    names = "abcd"[: len(lengths)]
    values = {name: list(range(1, size + 1)) for name, size in zip(names, lengths, strict=True)}
    more: dict[str, Any] = {"exclude": ["a == 1 and d == 2" if "d" in names else "a == 2"]} if exclude else {}
    more |= {how: data.draw(st.integers(1, 6))} if how else {}
    texts = [" ".join(f"{name}={','.join(map(str, values[name]))}" for name in names)]
    other = {name: data.draw(st.permutations(values[name])) for name in data.draw(st.permutations(names))}
    texts.append(" ".join(f"{name}={','.join(f'{each}.0' for each in other[name])}" for name in other))
    try:
        first, second = (plan({"each": text, **more}) for text in texts)
    except PlanError:
        assert exclude, "a condition may leave nothing"
        return
    assert {each.key for each in first} == {each.key for each in second}
    assert first.key == second.key
    assert first.key != plan({"each": f"{texts[0]} z=1", **more}).key
    both = {"each": texts[0], **more}, {"each": f"{texts[0]} z=1", **more}
    assert plan(*both).key == plan(*reversed(both)).key != first.key


def test_what_goes_in_step_is_picked_in_whatever_order_it_is_written() -> None:
    first, second = (
        plan({"each": "c=1:5", "zip": steps, "sample": 20}) for steps in ("b=1:40 d=1:40", "d=1:40 b=1:40")
    )
    assert {each.key for each in first} == {each.key for each in second}


def test_conditions_about_different_parameters_make_different_plans() -> None:
    first, second = (plan({"each": "x=1,2 y=1,2", "exclude": [text]}) for text in ("x == 1", "y == 1"))
    assert first.key != second.key


@laws
@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 3))
def test_picks_differ_and_grow(count: int, size: int, seed: int) -> None:
    picks = list(pick(count, size, seed))
    assert picks == sorted(set(picks))
    assert len(picks) == min(count, size)
    assert set(picks) <= set(range(size))
    assert set(picks) <= set(pick(count + 1, size, seed))


def test_picks_are_even() -> None:
    hits = [0] * 10
    for seed in range(2_000):
        for place in pick(3, 10, seed):
            hits[place] += 1
    assert all(500 < count < 700 for count in hits)


@laws
@given(st.integers(1, 6), st.integers(1, 3), st.booleans())
def test_what_goes_in_step_is_one_column(count: int, others: int, swept: bool) -> None:
    one: dict[str, Any] = {"zip": f"p=1:{count} q=11:{10 + count}", "all": "z=0"}
    if swept:
        one["each"] = f"a=1:{others}"
    found = plan(one)
    held(found)
    heads = [{"a": str(a)} for a in range(1, others + 1)] if swept else [{}]
    assert rows(found) == [
        {**head, "p": str(i), "q": str(10 + i), "z": "0"} for head in heads for i in range(1, count + 1)
    ]


@laws
@given(st.integers(1, 5), st.integers(1, 3))
def test_all_that_is_drawn_is_one_column(count: int, others: int) -> None:
    found = plan({"each": f"x=~uniform(0,1) a=1:{others} y=~choice(p,q)", "n": count})
    held(found)
    listed = rows(found)
    assert len(listed) == count * others
    draws = list(dict.fromkeys((row["x"], row["y"]) for row in listed))
    assert [(row["x"], row["y"], row["a"]) for row in listed] == [
        (x, y, str(a)) for x, y in draws for a in range(1, others + 1)
    ]
    more = plan({"each": f"x=~uniform(0,1) a=1:{others} y=~choice(p,q)", "n": count + 2})
    assert [one.key for one in more][: len(listed)] == [one.key for one in found]


def _submitted(**fields: Any) -> Job:
    return job({"each": "a=1:4 b=1:3", **fields}, submit="sbatch", style="plain", run="")


def test_the_key_of_a_whole_plan_is_what_is_left_of_it() -> None:
    keys = {
        Plan(_submitted(**fields)).key
        for fields in (
            {},
            {"exclude": ["a == 1"]},
            {"exclude": ["a == 2"]},
            {"sample": 3},
            {"sample": 3, "seed": 1},
            {"sample": 4},
            {"cover": 1},
        )
    }
    assert len(keys) == 7
    assert Plan(_submitted(cover=2)).key == Plan(_submitted()).key
    assert Plan(_submitted(exclude=["a == 1"])).key == Plan(_submitted(exclude=["a < 2"])).key
    assert Plan(_submitted(zip="p=1,2 q=3,4")).key != Plan(_submitted(zip="p=1,2 q=4,3")).key


def test_a_set_that_only_includes_has_nothing_else() -> None:
    found = plan({"include": ["a=1 b=2", "a=3 b=4,5"], "all": "b=9 c=7"})
    assert rows(found) == [
        {"a": "1", "b": "2", "c": "7"},
        {"a": "3", "b": "4", "c": "7"},
        {"a": "3", "b": "5", "c": "7"},
    ]


def test_what_cannot_be_told_names_the_job() -> None:
    with pytest.raises(PlanError) as caught:
        plan({"each": "a=1:4", "exclude": 'a > "x"'})
    assert str(caught.value).startswith(
        "job 'train': exclude: the condition 'a > \"x\"' cannot be told for a=1: "
    )


def test_a_condition_on_few_parameters_costs_as_much_among_many() -> None:
    found = plan({"each": "a=1:1000 b=1:1000000000 c=1:1000", "exclude": ["a == c", "a == 1"]})
    assert len(found) == 999 * 999 * 10**9
    assert found[0].parameters == {"a": "2", "b": "1", "c": "1"}
    assert found[1].parameters == {"a": "2", "b": "1", "c": "3"}
    assert found[-1].parameters == {"a": "1000", "b": "1000000000", "c": "999"}
    assert found[999].parameters == {"a": "2", "b": "2", "c": "1"}
