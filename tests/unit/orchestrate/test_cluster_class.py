"""The class of a cluster: whether it is there, and takes what it is given."""

from __future__ import annotations

from typing import Any

import pytest

from sweeplib.errors import InputError
from sweeplib.jobs import ClusterSpec
from sweeplib.orchestrate.cluster_class import hold_class, refused

HERE = __name__
LOCAL = "distributed.LocalCluster"


class Narrow:
    """One that takes what it names."""

    def __init__(self, workers: int = 1) -> None:
        self.workers = workers


class Wide:
    """One that hands on what it does not know."""

    def __init__(self, jobs: int = 1, **others: Any) -> None:
        self.jobs = jobs
        Narrow(**others)


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        (LOCAL, {"n_workers": 2, "threads_per_worker": 1, "memory_limit": 0, "dashboard_address": ":0"}),
        (LOCAL, {"resources": {"gpu": 1}, "preload": [], "local_directory": "x", "death_timeout": 1}),
        (LOCAL, {"worker_class": "my.Worker", "whatever": 1}),
        (f"{HERE}.Narrow", {"workers": 2}),
        (f"{HERE}.Wide", {"jobs": 2, "whatever": 1}),
    ],
)
def test_what_is_right(path: str, arguments: dict[str, Any]) -> None:
    hold_class(ClusterSpec(path, arguments))


@pytest.mark.parametrize(
    ("path", "arguments", "message"),
    [
        (LOCAL, {"n_wrkers": 2}, f"{LOCAL} takes no argument 'n_wrkers'; did you mean 'n_workers'?"),
        (LOCAL, {"self": 2}, f"{LOCAL} takes no argument 'self'; take it out"),
        (f"{HERE}.Narrow", {"q": 2}, f"{HERE}.Narrow takes no argument 'q'; take it out"),
        (
            "distributed.LocalClustr",
            {},
            "there is no class 'LocalClustr' in distributed; did you mean 'LocalCluster'?",
        ),
        ("distributed.__version__", {}, "there is no class '__version__' in distributed; check the name"),
        (
            "nope.deep.Nope",
            {},
            "there is no module 'nope', for the class nope.deep.Nope; install it, or check the name",
        ),
    ],
)
def test_what_is_wrong(path: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        hold_class(ClusterSpec(path, arguments))
    assert str(caught.value) == message


def test_a_module_that_fails(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "failing_cluster.py").write_text("raise OSError('no such queue')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError) as caught:
        hold_class(ClusterSpec("failing_cluster.Cluster"))
    assert str(caught.value) == (
        "the module failing_cluster of the class failing_cluster.Cluster cannot be imported: "
        "OSError('no such queue')"
    )


def test_what_is_refused_as_it_starts() -> None:
    spec = ClusterSpec(f"{HERE}.Wide", {"job": 2})
    try:
        try:
            Wide(**spec.arguments)
        except TypeError as error:
            raise RuntimeError("Nanny failed to start.") from error
    except RuntimeError as error:
        found = refused(spec, error)
    assert str(found) == f"{HERE}.Wide takes no argument 'job'; did you mean 'jobs'?"
    assert refused(spec, RuntimeError("no room")) is None
    assert refused(spec, TypeError("f() got an unexpected keyword argument 'other'")) is None
