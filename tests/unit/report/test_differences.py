"""What versions of a job say that is different: nothing that a job file may say goes unnoticed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.jobs import load
from sweeplib.jobs.groups import Variant
from sweeplib.jobs.models import Job, Set
from sweeplib.report import change
from sweeplib.report.change import PlanChange, compare_jobs

if TYPE_CHECKING:
    from pathlib import Path

CLUSTERS = {"big": "tcp://10.0.0.1:8786"}
"""What else there is in a job file."""


def compared(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> PlanChange:
    """Return what changes from one job to another; each may have the `variant` a of its group, `clusters`."""
    found = []
    for number, job in enumerate((before, now)):
        job = dict(job)
        place = folder / str(number)
        (place / "groups").mkdir(parents=True)
        (place / "groups" / "a.yaml").write_text(json.dumps(job.pop("variant", {})))
        clusters = job.pop("clusters", CLUSTERS)
        (place / "sweeps.yaml").write_text(json.dumps({"clusters": clusters, "jobs": {"t": job}}))
        found.append(load(place).jobs)
    told = compare_jobs(found[0], found[1], "t", None, None)
    assert isinstance(told, PlanChange)
    return told


def lines(told: PlanChange) -> list[str]:
    return [f"{each.name}: {each.before} → {each.now}" for each in (*told.command, *told.settings)]


OF_SETS: dict[str, tuple[Any, str]] = {
    "each": ("a=1,2", ""),
    "zip": ("c=1,2,3", ""),
    "all": ("c=1", ""),
    "add": ("--x", "add of set 1:  → --x"),
    "n": (3, ""),
    "seed": (5, ""),
    "exclude": ("a == 1", ""),
    "sample": (1, ""),
    "cover": (1, ""),
    "include": ("a=7", ""),
    "with": (["polars==1.0"], "with of set 1:  → polars==1.0"),
    "resources": ({"cpu": 2}, "resources of set 1:  → cpu 2"),
    "where": ("big", "where of set 1:  → cluster big, tcp://10.0.0.1:8786"),
}
OF_JOBS: dict[str, Any] = {
    "name": "other",
    "run": "python y.py",
    "call": "x.y",
    "submit": "sbatch x.sh",
    "launch": "lines.txt",
    "sets": [{"each": "a=9"}],
    "deployments": {"nightly": {}},
    "style": "plain",
    "add": "--x",
    "parallel": 2,
    "timeout": "1h",
    "retries": 1,
    "retry_delay": "1s",
    "max_failures": 1,
    "canary": True,
    "order": "plan",
    "env": {"A": "1"},
    "tags": ["x"],
    "groups": {"b": "groups/"},
    "with": ["polars==1.0"],
    "resources": {"cpu": 2},
    "cluster": "tcp://10.0.0.2:8786",
    "where": "big",
    "task_runs": 5,
    "metric": "loss",
    "preload": ["json"],
    "tracking": False,
}
OF_VARIANTS: dict[str, Any] = {
    "each": "x=1,2",
    "all": "x=1",
    "add": "--x",
    "with": ["polars==1.0"],
    "resources": {"cpu": 2},
    "timeout": "1h",
    "env": {"A": "1"},
    "where": "big",
}


def test_every_key_has_a_case() -> None:
    assert OF_SETS.keys() == Set.defaults().keys()
    assert OF_JOBS.keys() == Job.defaults().keys()
    assert OF_VARIANTS.keys() == Variant.defaults().keys()


@pytest.mark.parametrize("name", OF_SETS)
def test_what_a_set_says(tmp_path: Path, name: str) -> None:
    value, told = OF_SETS[name]
    set_ = {"each": "a=~uniform(0,1)", "n": 2} if name in ("n", "seed") else {"each": "a=1,2,3 b=1,2"}
    found = compared(
        tmp_path,
        {"run": "python x.py", "sets": [set_, {"each": "z=1"}]},
        {"run": "python x.py", "sets": [set_ | {name: value}, {"each": "z=1"}]},
    )
    assert not found.nothing
    assert lines(found) == ([told] if told else [])


@pytest.mark.parametrize("name", OF_JOBS)
def test_what_a_job_says(tmp_path: Path, name: str) -> None:
    before = {"run": "python x.py", "sets": [{"each": "a=1 b=a"}]}
    now = before | {name: OF_JOBS[name]}
    for other in ("run", "sets") if name == "launch" else ("run",) if name in ("call", "submit") else ():
        del now[other]
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "lines.txt").write_text("true\n")
    assert not compared(tmp_path, before, now).nothing


@pytest.mark.parametrize("name", OF_VARIANTS)
def test_what_a_variant_says(tmp_path: Path, name: str) -> None:
    job = {"run": "python x.py", "groups": {"b": "groups/"}, "sets": [{"each": "b=a"}]}
    assert not compared(tmp_path, job, job | {"variant": {name: OF_VARIANTS[name]}}).nothing


@pytest.mark.parametrize("place", ["job", "set", "variant"])
def test_what_a_cluster_is(tmp_path: Path, place: str) -> None:
    job = {"run": "python x.py", "groups": {"b": "groups/"}, "sets": [{"each": "b=a"}]}
    for said in {"job": [job], "set": job["sets"], "variant": [job.setdefault("variant", {})]}[place]:
        said["where"] = "big"
    title = {"job": "where: ", "set": "where of set 1: ", "variant": "b=a: where "}[place]
    found = compared(tmp_path, job, job | {"clusters": {"big": "tcp://10.0.0.2:8786", "new": "tcp://x:1"}})
    (each,) = lines(found)
    assert each.startswith(f"{title}cluster big, tcp://10.0.0.1:8786 → ")
    assert each.endswith("cluster big, tcp://10.0.0.2:8786")


def test_combinations_have_what_their_set_says_wherever_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big, small = {"each": "a=1:4", "where": "big"}, {"each": "a=5:6", "include": "a=7"}
    before = {"run": "python x.py", "sets": [big, small]}
    assert compared(tmp_path / "moved", before, before | {"sets": [small, big]}).nothing
    now = before | {"sets": [{"each": "a=3:7"}, big | {"each": "a=1:2"}]}
    was = "cluster big, tcp://10.0.0.1:8786"
    assert lines(compared(tmp_path / "one", before, now)) == [f"where of 2 of set 1: {was} → "]
    now = before | {"sets": [small | {"add": "--x"}, big]}
    assert lines(compared(tmp_path / "two", before, now)) == ["add of set 1:  → --x"]
    monkeypatch.setattr(change, "MOST", 3)
    now = before | {"sets": [big, small | {"where": "here"}]}
    assert lines(compared(tmp_path / "three", before, now)) == ["where of set 2:  → here"]
