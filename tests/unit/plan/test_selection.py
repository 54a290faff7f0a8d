"""Selections: which combinations of a plan are left, and what is said where none is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.errors import PlanError, SweepSyntaxError
from sweeplib.jobs import Job, Set
from sweeplib.plan import Plan

JOB = Job(
    name="train",
    run="python train.py",
    style="plain",
    sets=(Set(each="model=a,b lr=1:3:m", all="seed=1"), Set(each="model=c k=1|z=3")),
)


def labels(only: str, job: Job = JOB) -> list[str]:
    plan = Plan(job, (), only)
    assert len(plan) == len(list(plan))
    return [" ".join(f"{key}={value}" for key, value in each.parameters.items()) for each in plan]


@pytest.mark.parametrize(
    ("only", "left"),
    [
        ("model=a lr=1m,0.0030", ["model=a lr=1e-3 seed=1", "model=a lr=3e-3 seed=1"]),
        ("lr=2e-3", ["model=a lr=2e-3 seed=1", "model=b lr=2e-3 seed=1"]),
        ("lr=2:9:m model=b", ["model=b lr=2e-3 seed=1", "model=b lr=3e-3 seed=1"]),
        ("k=1", ["model=c k=1"]),
        ("z=3", ["model=c z=3"]),
        ("model=c", ["model=c k=1", "model=c z=3"]),
        ("seed=1 model=a lr=1m", ["model=a lr=1e-3 seed=1"]),
    ],
)
def test_what_is_left(only: str, left: list[str]) -> None:
    assert labels(only) == left


def test_keys_and_labels_are_those_of_the_whole_plan() -> None:
    whole = {each.key: each.label for each in Plan(JOB)}
    found = Plan(JOB, (), " lr=2m ")
    assert found.only == "lr=2m"
    assert len(found) == 2
    assert all(whole[each.key] == each.label for each in found)
    assert [each.position for each in found] == [0, 1]


@pytest.mark.parametrize(
    ("only", "message"),
    [
        ("mdl=a", "the selection 'mdl=a': no parameter 'mdl'; did you mean 'model'?"),
        ("q=1", "the selection 'q=1': no parameter 'q'; the parameters are seed, model, lr, k, z"),
        ("model=x", "the selection 'model=x' leaves none of 8 combinations"),
        ("seed=2", "the selection 'seed=2' leaves none of 8 combinations"),
        ("model=a k=1", "the selection 'model=a k=1' leaves none of 8 combinations"),
    ],
)
def test_what_leaves_nothing(only: str, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        Plan(JOB, (), only)
    assert str(caught.value) == message


def test_a_selection_that_cannot_be_read() -> None:
    with pytest.raises(SweepSyntaxError, match="expected key=value"):
        Plan(JOB, (), "model")


def test_a_huge_plan_is_selected_from_by_another_parameter() -> None:
    job = Job(name="huge", run="x", style="plain", sets=(Set(each="i=1:1000000000 a=1,2,3"),))
    assert len(Plan(job, (), "a=2,3")) == 2_000_000_000
    assert Plan(job, (), "a=2")[-1].parameters == {"i": "1000000000", "a": "2"}
    with pytest.raises(PlanError, match=r"^i has 1,000,000,000 values, too many to select from; "):
        Plan(job, (), "i=5")
    with pytest.raises(PlanError, match=r"^the selection has 1,000,000,000 values of 'a'; name fewer$"):
        Plan(job, (), "a=1:1000000000")


@given(st.data())
def test_a_selected_plan_is_the_whole_one_without_the_others(data: st.DataObject) -> None:
    columns = {"a": "1,2,3", "b": "x,y", "c": "1:4"}
    values = {"a": ["1", "2", "3"], "b": ["x", "y"], "c": ["1", "2", "3", "4"]}
    names = data.draw(st.lists(st.sampled_from(sorted(columns)), unique=True, min_size=1))
    job = Job(
        name="p", run="x", style="plain", sets=(Set(each=" ".join(f"{k}={v}" for k, v in columns.items())),)
    )
    wanted = {
        name: data.draw(st.lists(st.sampled_from(values[name]), unique=True, min_size=1)) for name in names
    }
    only = " ".join(f"{name}={','.join(chosen)}" for name, chosen in wanted.items())
    expected = [
        each.parameters
        for each in Plan(job)
        if all(each.parameters[name] in chosen for name, chosen in wanted.items())
    ]
    assert [each.parameters for each in Plan(job, (), only)] == expected
