"""Resources: amounts, units, parameters, and what is none of these."""

from __future__ import annotations

import re

import pytest

from sweeplib.amounts import Amounts
from sweeplib.errors import InputError
from sweeplib.jobs import Resources
from sweeplib.jobs.resources import resources


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4GB", 4_000_000_000),
        ("4G", 4_000_000_000),
        ("4 GB", 4_000_000_000),
        ("0.5TB", 500_000_000_000),
        ("512MiB", 512 * 1024**2),
        ("512Mi", 512 * 1024**2),
        ("1.5GiB", 3 * 1024**3 // 2),
        ("64kB", 64_000),
        ("1e9B", 1_000_000_000),
        ("1024 B", 1024),
    ],
)
def test_memory(text: object, size: int) -> None:
    assert resources({"memory": text}).of({}) == Amounts(memory=size)


def test_processors_and_devices() -> None:
    assert resources({"cpu": 2, "gpu": 0.5}).of({}) == Amounts(cpu=2.0, gpu=0.5)
    assert resources({"cpu": 0.25}).of({}) == Amounts(cpu=0.25)
    assert resources({}).of({}) == Amounts()
    assert not Amounts()
    assert Amounts(gpu=1)


def test_amounts_from_parameters() -> None:
    said = resources({"cpu": "${n}", "memory": "${size} GiB", "gpu": "${g}"})
    assert said.of({"n": "8", "size": "2", "g": "1", "x": "?"}) == Amounts(8.0, 2 * 1024**3, 1.0)
    assert said.of({"n": "8"}) == Amounts(cpu=8.0), "of what is not there nothing is said"
    assert said.names == [("n", "cpu"), ("size", "memory"), ("g", "gpu")]
    assert resources({"memory": "${m}"}).of({"m": "2GB"}) == Amounts(memory=2_000_000_000)


def test_what_is_nearer_counts() -> None:
    job, own = resources({"cpu": 1, "memory": "1GB"}), resources({"cpu": 4, "gpu": 1})
    assert own.over(job) == Resources("4", "1GB", "1")
    assert str(own.over(job)) == "cpu 4, memory 1GB, gpu 1"
    assert resources(own.over(job).written()) == own.over(job)


def test_a_parameter_without_a_unit() -> None:
    with pytest.raises(InputError) as caught:
        resources({"memory": "${mem}"}).hold("mem", "memory", ["4GB", "4"], ["mem"])
    assert str(caught.value) == (
        "memory must be a size such as 4GB, or a parameter such as ${memory}; 4 has no unit: "
        "write ${mem}GB, or ${mem}B (mem=4 in this set)"
    )


CPU = "cpu must be a number such as 2, or a parameter such as ${cpu}"
MEMORY = "memory must be a size such as 4GB, or a parameter such as ${memory}"


def test_a_command_may_need_no_gpu() -> None:
    assert resources({"gpu": 0, "cpu": 2}).of({}) == Amounts(cpu=2)
    assert [resources({"gpu": "${g}"}).of({"g": value}).gpu for value in ("0", "1")] == [None, 1]
    with pytest.raises(InputError, match=re.escape("${gpu}, and not below 0; it is '-1'")):
        resources({"gpu": -1})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"cpus": 1}, "there is no resource 'cpus'; did you mean 'cpu'?"),
        ({"disk": 1}, "there is no resource 'disk'; the resources are cpu, memory, gpu"),
        ({"cpu": 0}, f"{CPU}, and above 0; it is '0'"),
        ({"cpu": -1}, f"{CPU}, and above 0; it is '-1'"),
        ({"cpu": "two"}, f"{CPU}, and above 0; it is 'two'"),
        ({"cpu": None}, CPU),
        ({"cpu": True}, CPU),
        ({"cpu": "2${n}"}, f"{CPU}, not '2${{n}}'"),
        ({"cpu": "${n}GB"}, f"{CPU}, not '${{n}}GB'"),
        ({"memory": "4QB"}, f"{MEMORY}, and above 0; it is '4QB'"),
        ({"memory": 4}, f"{MEMORY}; 4 has no unit: write 4GB, or 4B"),
        ({"memory": "1e9"}, f"{MEMORY}; 1e9 has no unit: write 1e9GB, or 1e9B"),
        ({"memory": "GB"}, f"{MEMORY}, and above 0; it is 'GB'"),
        ({"gpu": 1.5}, "gpu must be a share of one device, or a whole number of them; it is 1.5"),
        ({"cpu": "1e300"}, "cpu is 1e300, more than any machine has"),
        ({"memory": "2000000TB"}, "memory is 2000000TB, more than any machine has"),
        ([1], "must be a mapping such as {cpu: 2, memory: 4GB, gpu: 1}, not [1]"),
        (None, "must be a mapping such as {cpu: 2, memory: 4GB, gpu: 1}"),
    ],
)
def test_mistakes(value: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        resources(value)
    assert str(caught.value) == message
