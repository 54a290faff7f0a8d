"""The places that jobs, sets and variants name, and the clusters of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sweeplib.errors import InputError, PlanError
from sweeplib.jobs import ClusterSpec
from sweeplib.plan import Plan
from sweeplib.where import HERE, Where

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.jobs.conftest import Read

CLUSTERS = "clusters: {big: tcp://10.0.0.1:8786, own: {class: distributed.LocalCluster, n_workers: 2}}\n"
EXAMPLE = "here, the name of one of the file's clusters, or {pool: NAME} for a work pool of Prefect"


def text(where: str, *, clusters: str = CLUSTERS, level: str = "job") -> str:
    of_job = f"    where: {where}\n" if level == "job" else ""
    of_set = f", where: {where}" if level == "set" else ""
    return f"{clusters}jobs:\n  train:\n    run: x\n{of_job}    sets: [{{each: a=1{of_set}}}]\n"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("here", HERE),
        ("big", Where("cluster", "big")),
        ("{cluster: big}", Where("cluster", "big")),
        ("{pool: night}", Where("pool", "night")),
        ("{pool: my own pool}", Where("pool", "my own pool")),
        ("null", None),
    ],
)
@pytest.mark.parametrize("level", ["job", "set"])
def test_a_place(read: Read, written: str, meant: Where | None, level: str) -> None:
    job = read(text(written, level=level)).job("train")
    assert (job if level == "job" else job.sets[0]).where == meant
    assert Plan(job).needs(Plan(job)[0]).where == meant
    assert job.written().get("where") == (meant.written() if meant and level == "job" else None)


def test_the_clusters_of_a_file(read: Read) -> None:
    job = read(text("own")).job("train")
    assert job.clusters == {
        "big": "tcp://10.0.0.1:8786",
        "own": ClusterSpec("distributed.LocalCluster", {"n_workers": 2}),
    }


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("bigg", "there is no cluster 'bigg'; did you mean 'big'?"),
        ("hear", "there is no cluster 'hear'; did you mean 'here'?"),
        ("{cluster: here}", "there is no cluster 'here'; for this machine write where: here"),
        (
            "night",
            "there is no cluster 'night'; the clusters are big, own; a work pool is written {pool: night}",
        ),
        (
            "tcp://10.0.0.1:8786",
            (
                "'tcp://10.0.0.1:8786' is an address; name it at the top of the file, "
                "clusters: {big: tcp://10.0.0.1:8786}"
            ),
        ),
        ("'two words'", f"must be {EXAMPLE}, not 'two words'"),
        ("5", f"must be {EXAMPLE}, not 5"),
        ("[here]", f"must be {EXAMPLE}, not a list"),
        ("{}", f"must name one place: {EXAMPLE}"),
        ("{pool: a, cluster: big}", f"must name one place: {EXAMPLE}"),
        ("{pol: a}", "there is no place of kind 'pol'; did you mean 'pool'?"),
        ("{work: a}", "there is no place of kind 'work'; it is a cluster or a pool"),
        ("{pool: }", "needs the name of the pool, as in {pool: night}"),
    ],
)
@pytest.mark.parametrize("level", ["job", "set"])
def test_what_is_no_place(read: Read, where: str, message: str, level: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text(where, level=level))
    place = "5: jobs.train.where" if level == "job" else "5: jobs.train.sets[0].where"
    assert str(caught.value) == f"sweeps.yaml:{place}: {message}"
    assert caught.value.exit_code == 2


def test_a_cluster_where_there_are_none(read: Read) -> None:
    message = (
        "there is no cluster 'big'; say at the top of the file what it is, "
        "clusters: {big: tcp://10.0.0.1:8786}; a work pool is written {pool: big}"
    )
    with pytest.raises(InputError) as caught:
        read(text("big", clusters=""))
    assert str(caught.value) == f"sweeps.yaml:4: jobs.train.where: {message}"
    with pytest.raises(InputError) as caught:
        read("defaults: {where: big}\n" + text("here", clusters=""))
    assert str(caught.value) == f"sweeps.yaml:1: defaults.where: {message}", "told once, where it stands"
    with pytest.raises(InputError) as caught:
        read(text("{cluster: here}", clusters=""))
    message = "there is no cluster 'here'; for this machine write where: here"
    assert str(caught.value) == f"sweeps.yaml:4: jobs.train.where: {message}"


@pytest.mark.parametrize(
    ("clusters", "message"),
    [
        ("[big]", "clusters: must be a mapping from names to clusters, {big: tcp://10.0.0.1:8786}"),
        ("{here: tcp://a:1}", "clusters.here: 'here' is this machine; call the cluster something else"),
        (
            "{a b: tcp://a:1}",
            (
                "clusters.a b: 'a b' cannot be a cluster's name; use letters A-Z and a-z, digits, '_', '-' "
                "and '.', and begin with a letter, a digit or '_'"
            ),
        ),
        ("{big: }", "clusters.big: has no value; write an address, such as big: tcp://10.0.0.1:8786"),
        (
            "{big: local}",
            (
                "clusters.big: must be a scheduler's address such as tcp://127.0.0.1:8786, or "
                "{class: distributed.LocalCluster, n_workers: 2}, not 'local'"
            ),
        ),
    ],
)
def test_what_is_no_cluster(read: Read, clusters: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(text("here", clusters=f"clusters: {clusters}\n"))
    assert str(caught.value) == f"sweeps.yaml:1: {message}"


def test_a_submit_job_is_one_command(read: Read) -> None:
    with pytest.raises(InputError) as caught:
        read("jobs: {one: {submit: x, where: {pool: p}, sets: [{each: a=1, where: here}]}}\n")
    assert str(caught.value) == (
        "sweeps.yaml:1: jobs.one.sets[0].where: a 'submit' job is one command, "
        "and no set has one of its own; say it of the job"
    )
    job = read("jobs: {one: {submit: x, where: {pool: p}, sets: [{each: a=1}]}}\n").job("one")
    assert Plan(job).places == {Where("pool", "p")}


def test_a_variant_says_more_than_its_set(read: Read, folder: Path) -> None:
    backends = folder / "backends"
    backends.mkdir()
    (backends / "one.yaml").write_text("where: big\n")
    (backends / "two.yaml").write_text("")
    (backends / "three.yaml").write_text("where: {pool: night}\n")
    job = "  bench:\n    run: x\n    where: own\n    groups: {backend: backends/}\n    sets:\n"
    file = f"{CLUSTERS}jobs:\n{job}"
    plan = Plan(read(file + "    - each: backend=*\n    - each: a=1\n      where: here\n").job("bench"))
    assert [str(plan.needs(each).where) for each in plan] == [
        "cluster big",
        "pool night",
        "cluster own",
        "here",
    ]
    assert {str(place) for place in plan.places} == {"cluster big", "cluster own", "here", "pool night"}
    known = [each.key for each in plan]

    plan = Plan(read(file + "    - each: backend=one,three\n").job("bench"))
    assert plan.places == {Where("cluster", "big"), Where("pool", "night")}, "the job's own is not needed"
    assert [each.key for each in plan] == known[:2], "a key does not depend on the place"

    (backends / "one.yaml").write_text("where: bgi\n")
    with pytest.raises(PlanError) as caught:
        Plan(read(file + "    - each: backend=*\n").job("bench"))
    assert str(caught.value) == ("backends/one.yaml:1: where: there is no cluster 'bgi'; did you mean 'big'?")


def test_places_of_those_that_name_none(read: Read) -> None:
    assert Plan(read("jobs: {one: {run: x, sets: [{each: a=1}]}}\n").job("one")).places == {None}
    (plan := read("jobs: {two: {launch: lines, where: {pool: p}}}\n").job("two"))
    assert plan.where == Where("pool", "p")
