"""What a machine has for a sweep's commands, and what each takes of it."""

from __future__ import annotations

from typing import Any

import pytest

from sweeplib.amounts import Amounts
from sweeplib.orchestrate.asked import Asked
from sweeplib.orchestrate.capacity import Capacity
from sweeplib.orchestrate.room import NOTHING, Need
from sweeplib.run import machine, open_files
from sweeplib.run.model import Work
from tests.plans import plan

GB = 10**9


@pytest.fixture(autouse=True)
def eight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of eight processors, 32 GB and two devices."""
    monkeypatch.setattr(machine, "processors", lambda: 8)
    monkeypatch.setattr(machine, "memory", lambda: 32 * GB)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")


def work(**fields: Any) -> Work:
    return Work("s", "train", "k", 0, "", ("true",), "/", "/", **fields)


def of(*sets: Any, parallel: int | None = None, **resources: Any) -> Capacity:
    return Capacity.of(Asked.of(plan(*sets, resources=resources)), parallel)


def test_without_resources_a_command_takes_a_place_and_nothing_else() -> None:
    capacity = of("a=1:9")
    assert capacity.places == 8
    assert capacity.need(work()) is NOTHING
    assert of("a=1:9", parallel=30).places == 30


def test_processors_are_places_where_parallel_is_not_said() -> None:
    assert of("cpu=0.25,2", cpu="${cpu}").places == 32
    assert of("a=1", cpu=0.0001).places == 500
    assert of("a=1", cpu=4).places == 8, "others may need less"
    assert of("a=1", cpu=0.25, parallel=3).places == 3


def test_what_says_nothing_of_processors_takes_one_beside_those_that_do() -> None:
    some = ({"each": "a=1", "resources": {"cpu": 4}}, "b=1")
    assert of(*some).need(work()) == Need(1000)
    assert of(*some, parallel=4).need(work()) is NOTHING
    assert of("a=1", memory="1GB").need(work()) is NOTHING


def test_what_a_command_takes() -> None:
    capacity = of("a=1", cpu=1)
    assert capacity.need(work(amounts=Amounts(1.5, 2 * GB))) == Need(1500, 2 * GB)
    assert capacity.need(work(amounts=Amounts(gpu=0.5))) == Need(1000, 0, 0.5, ("0", "1"))
    own = work(amounts=Amounts(gpu=1), env={"CUDA_VISIBLE_DEVICES": "1"})
    assert capacity.need(own).devices == ("1",)


def test_more_processors_than_there_are_is_all_of_them() -> None:
    assert of("a=1", cpu=64).need(work(amounts=Amounts(cpu=64))) == Need(8000)


@pytest.mark.parametrize(
    "fields",
    [
        {"amounts": Amounts(memory=33 * GB)},
        {"amounts": Amounts(gpu=3)},
        {"amounts": Amounts(cpu=8), "refusal": "no"},
    ],
)
def test_what_cannot_run_waits_for_nothing(fields: dict[str, Any]) -> None:
    assert of("a=1", cpu=1).need(work(**fields)) is NOTHING


def test_no_more_run_at_once_than_files_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(open_files, "room", lambda: 100)
    assert of("a=1", parallel=1150).places == 100
    assert of("a=1", cpu=0.0001).places == 100


def test_devices_are_looked_for_where_some_ask_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []
    monkeypatch.setattr(machine, "devices", lambda env: looked.append(env) or ("0", "1"))
    assert of("a=1:9", cpu=1, memory="1GB").devices == 0
    assert looked == []
    asked = Asked.of(plan({"each": "a=1:16", "resources": {"gpu": 1}}, "b=1:16"))
    assert Capacity.of(asked, None).devices == 2
    assert Capacity.of(asked, None).at_once(asked) == 4, "every second one needs a device"


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, 8),
        ({"cpu": 4}, 2),
        ({"cpu": "${cpu}"}, 3),  # 2.5 on the mean
        ({"cpu": 64}, 1),
        ({"memory": "10GB"}, 3),
        ({"gpu": 1}, 2),
        ({"gpu": 0.5, "cpu": 0.5}, 4),
        ({"gpu": 4}, 1),
    ],
)
def test_about_how_many_fit_at_once(resources: dict[str, Any], expected: int) -> None:
    made = plan("cpu=1,4 i=1:50", resources=resources)
    asked = Asked.of(made)
    assert Capacity.of(asked, None).at_once(asked) == expected
    assert Capacity.of(asked, 1).at_once(asked) == 1
