"""Where a deployment finds the flow of its job."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.flows import load_flow_from_entrypoint

from sweeplib.orchestrate import deployed
from sweeplib.orchestrate.deployed import entrypoint, leads_to

HOME = "sweeplib.orchestrate.deployed"


@pytest.mark.parametrize(
    "job", [*vars(deployed), "__class__", "__dict__", "__train", "_", "train", "v1.2.py"]
)
def test_prefect_finds_the_flow_of_any_job(job: str) -> None:
    assert load_flow_from_entrypoint(entrypoint(job)).name == job
    assert leads_to(entrypoint(job), job)


@given(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", fullmatch=True))
def test_an_entrypoint_is_of_one_job(job: str) -> None:
    assert getattr(deployed, entrypoint(job).removeprefix(f"{HOME}.")).name == job
    assert leads_to(entrypoint(job), job)
    assert not leads_to(entrypoint(job), f"{job}-x")


def test_entrypoints() -> None:
    assert entrypoint("train") == f"{HOME}.train"
    assert entrypoint("train.small") == f"{HOME}.train%2Esmall"
    assert entrypoint("Path") == f"{HOME}.%50ath"
    assert entrypoint("__all__") == f"{HOME}.%5F_all__"
    assert leads_to(f"{HOME}.Path", "Path"), "as it was deployed by a version that did not have the name"
    assert not leads_to(None, "train")
    assert not leads_to("flows/train.py:train", "train")
