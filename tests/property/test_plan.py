"""Laws of plans: a plan is the sequence that its iteration tells, and a key is what a combination means."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plans import plan

if TYPE_CHECKING:
    from random import Random

    from sweeplib.plan import Combination, Plan

Meaning = Decimal | str | tuple[Decimal | str, ...]
Value = tuple[str, Decimal | str]
"""How a value is written, and what it means."""
Group = list[tuple[str, list[Value], bool]]
"""The parameters of one set: name, values, and whether they are swept over or stand there as one list."""

SUFFIXES = {"": 0, "m": -3, "u": -6, "k": 3, "M": 6, "e2": 2, "e-4": -4}
KEYS = ("a", "b.c", "d/e", "f_g")

laws = settings(deadline=None, max_examples=150)


@st.composite
def numbers(draw: st.DrawFn) -> Value:
    """Draw a small number in one of many writings."""
    whole, fraction = draw(st.integers(-12, 12)), draw(st.sampled_from(["", ".0", ".5", ".25", ".10"]))
    suffix = draw(st.sampled_from(sorted(SUFFIXES)))
    text = f"{whole}{fraction}"
    return text + suffix, Decimal(text).scaleb(SUFFIXES[suffix])


texts = st.sampled_from(["svc", "1x", "007", "'1'", "'1m'", "'a b'", '"x,y"', "[1,2]", "m"]).map(
    lambda text: (text, text)
)
values = numbers() | texts
columns = st.lists(values, min_size=1, max_size=4)


@st.composite
def groups(draw: st.DrawFn) -> Group:
    """Draw up to three parameters."""
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=3, unique=True))
    return [(key, draw(columns), draw(st.booleans())) for key in keys]


def written(group: Group) -> dict[str, str]:
    """Return a set as it stands in a job file."""
    parts: dict[str, list[str]] = {"each": [], "all": []}
    for key, found, swept in group:
        parts["each" if swept else "all"].append(f"{key}={','.join(text for text, _ in found)}")
    return {name: " ".join(part) for name, part in parts.items()}


def listed(found: list[Value]) -> Meaning:
    """Return what the values mean as one list; text with quotes or brackets in it means its text."""
    if len(found) == 1:
        return found[0][1]
    text = ",".join(text for text, _ in found)
    return text if set(text) & set("'\"[]") else tuple(meaning for _, meaning in found)


def meant(group: Group) -> list[frozenset[tuple[str, Meaning]]]:
    """Return what the combinations of a set mean, in the order of a product."""
    swept = [[(key, meaning) for _, meaning in found] for key, found, each in group if each]
    fixed = [(key, listed(found)) for key, found, each in group if not each]
    return [frozenset([*row, *fixed]) for row in itertools.product(*swept)]


def planned(drawn: list[Group]) -> Plan:
    return plan(*map(written, drawn))


sets = st.lists(groups(), min_size=1, max_size=3)


@laws
@given(sets)
def test_length_is_the_count_and_items_are_those_of_iteration(drawn: list[Group]) -> None:
    found = planned(drawn)
    every = list(found)
    size = len(every)
    assert len(found) == size
    assert [one.position for one in every] == list(range(size))
    assert [found[i] for i in range(size)] == every
    assert [found[i - size] for i in range(size)] == every
    assert list(reversed(found)) == every[::-1]
    for beyond in (size, -size - 1):
        with pytest.raises(IndexError):
            found[beyond]


@laws
@given(sets, st.data())
def test_a_slice_is_that_of_the_list(drawn: list[Group], data: st.DataObject) -> None:
    found = planned(drawn)
    chosen = data.draw(st.slices(len(found)))
    assert found[chosen] == list(found)[chosen]


@laws
@given(sets)
def test_order_is_that_of_the_sets_and_of_their_products(drawn: list[Group]) -> None:
    expected = []
    for group in drawn:
        swept = [[(key, text) for text, _ in found] for key, found, each in group if each]
        fixed = [(key, ",".join(text for text, _ in found)) for key, found, each in group if not each]
        expected += [(*row, *fixed) for row in itertools.product(*swept)]
    assert [one.cells for one in planned(drawn)] == expected


@laws
@given(sets)
def test_keys_are_equal_exactly_where_meanings_are(drawn: list[Group]) -> None:
    meanings = [meaning for group in drawn for meaning in meant(group)]
    keys = [one.key for one in planned(drawn)]
    pairs = set(zip(meanings, keys, strict=True))
    assert len(pairs) == len(set(meanings)) == len(set(keys))


@laws
@given(groups(), st.randoms(use_true_random=False))
def test_keys_do_not_depend_on_the_order_of_parameters(group: Group, random: Random) -> None:
    shuffled = random.sample(group, len(group))
    assert {one.key for one in planned([group])} == {one.key for one in planned([shuffled])}
    # The order of the combinations is another then, unless there is one way only.
    if sum(each for _, _, each in group) < 2:
        assert planned([group]).key == planned([shuffled]).key


@laws
@given(sets)
def test_labels_tell_combinations_apart_as_their_texts_do(drawn: list[Group]) -> None:
    def as_set(one: Combination) -> frozenset[tuple[str, str]]:
        return frozenset(one.cells)

    found = list(planned(drawn))
    assert all(0 < len(one.label) <= 160 for one in found)
    for one, other in itertools.combinations(found, 2):
        if as_set(one) != as_set(other):
            assert one.label != other.label
