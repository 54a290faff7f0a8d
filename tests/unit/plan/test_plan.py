"""A plan is a sequence of all combinations, whose length and items cost nothing."""

from __future__ import annotations

import sys
import time
import tracemalloc
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from sweeplib.errors import InputError, PlanError
from sweeplib.syntax import Cell
from tests.plans import plan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweeplib.plan import Combination

BILLION = "a=1:1000 b=1:1000 c=1:1000"


def written(combinations: Iterable[Combination]) -> list[str]:
    return [" ".join(f"{key}={value}" for key, value in one.cells) for one in combinations]


def test_the_last_parameter_is_the_fastest() -> None:
    assert written(plan("model=svc,knn C=1,2 k=x,y")) == [
        "model=svc C=1 k=x",
        "model=svc C=1 k=y",
        "model=svc C=2 k=x",
        "model=svc C=2 k=y",
        "model=knn C=1 k=x",
        "model=knn C=1 k=y",
        "model=knn C=2 k=x",
        "model=knn C=2 k=y",
    ]


def test_all_stands_after_each_in_every_combination() -> None:
    found = plan({"each": "model=svc,knn", "all": "seed=1:3 epochs=5"})
    assert written(found) == ["model=svc seed=1,2,3 epochs=5", "model=knn seed=1,2,3 epochs=5"]
    assert found[1].cells == (Cell("model", "knn"), Cell("seed", "1,2,3"), Cell("epochs", "5"))


def test_sets_follow_each_other() -> None:
    found = plan("a=1,2", {"all": "b=3"}, "c=4|d=5,6")
    assert written(found) == ["a=1", "a=2", "b=3", "c=4", "d=5,6"]
    assert [one.position for one in found] == [0, 1, 2, 3, 4]
    assert [len(part) for part in found.parts] == [2, 1, 2]


def test_a_set_without_parameters_is_one_combination() -> None:
    found = plan({"add": "--quick"})
    assert written(found) == [""]
    assert found[0].part.add == ("--quick",)


def test_access_by_index() -> None:
    found = plan("a=1,2 b=1:3", "c=7,8")
    every = list(found)
    assert len(found) == len(every) == 8
    assert [found[i] for i in range(8)] == every
    assert [found[i] for i in range(-8, 0)] == every
    assert found[2:7:2] == every[2:7:2]
    assert found[::-1] == every[::-1] == list(reversed(found))
    assert found[8:] == []


@pytest.mark.parametrize("index", [8, -9, 10**30, -(10**30)])
def test_beyond_its_ends(index: int) -> None:
    found = plan("a=1,2 b=1:3", "c=7,8")
    with pytest.raises(IndexError):
        found[index]


def test_a_part_is_a_sequence_too() -> None:
    (part,) = plan({"each": "a=1,2 b=1:3", "all": "c=4"}).parts
    rows = list(part)
    assert [part[i] for i in range(len(part))] == rows
    assert part[-1] == rows[-1] == (Cell("a", "2"), Cell("b", "3"), Cell("c", "4"))
    assert part[1:3] == rows[1:3]
    with pytest.raises(IndexError):
        part[6]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        (BILLION, "a=1000 b=1000 c=1000"),
        ("a=1:1000000000", "a=1000000000"),
        ("a=0:99999.9999:0.0001", "a=99999.9999"),
        ("a=(1:1000)e(1:1000)x(1:1000)", "a=1000e1000x1000"),
    ],
)
def test_a_plan_of_a_billion_costs_nothing(text: str, last: str) -> None:
    def made() -> float:
        """Return the seconds for making the plan, its length and its last item."""
        began = time.process_time()
        found = plan(text)
        length, end = len(found), found[-1]
        seconds = time.process_time() - began
        assert length == 1_000_000_000
        assert written([end]) == [last]
        return seconds

    assert min(made() for _ in range(5)) < 0.05
    tracemalloc.start()
    made()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100_000


def test_iteration_of_a_billion_begins_at_once() -> None:
    tracemalloc.start()
    found = plan(BILLION.replace("1000", "50000"))
    beginning = written(islice(found, 3))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert beginning == ["a=1 b=1 c=1", "a=1 b=1 c=2", "a=1 b=1 c=3"]
    assert most < 200_000


def test_the_largest_plan() -> None:
    found = plan("a=1:4294967296 b=1:2147483647", "c=1:4294967295")
    assert len(found) == sys.maxsize == 2**63 - 1
    assert written([found[2**63 - 2**32 - 1]]) == ["a=4294967296 b=2147483647"]
    assert written([found[2**63 - 2**32], found[-1]]) == ["c=1", "c=4294967295"]


def test_more_than_a_sequence_can_have() -> None:
    with pytest.raises(PlanError) as caught:
        plan("a=1:10000000000 b=1:1000000000")
    assert str(caught.value) == (
        "job 'train' has 10,000,000,000,000,000,000 combinations, more than a plan can hold "
        "(9,223,372,036,854,775,807); sweep fewer values"
    )
    assert isinstance(caught.value, InputError)
    assert caught.value.exit_code == 2


def test_sets_that_are_too_many_together() -> None:
    half = "a=1:2147483648 b=1:2147483648"  # 2**62
    assert len(plan(half)) == 2**62
    with pytest.raises(PlanError, match=r"^job 'train' has 9,223,372,036,854,775,808 combinations, "):
        plan(half, half)


def test_extra_arguments_are_kept() -> None:
    assert plan("a=1", arguments=["epochs=5", "--verbose"]).arguments == ("epochs=5", "--verbose")


def test_one_command_has_no_resources_of_a_parameter() -> None:
    assert len(plan("a=1,2", submit="sbatch", resources={"cpu": 2})) == 2
    with pytest.raises(PlanError) as caught:
        plan("a=1,2", submit="sbatch", resources={"cpu": "${a}", "gpu": 1})
    assert str(caught.value) == (
        "job 'train' is one command, so its resources (cpu ${a}, gpu 1) cannot be a parameter's; "
        "write a number"
    )
