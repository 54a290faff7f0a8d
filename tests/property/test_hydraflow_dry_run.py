"""`sweep run JOB --dry-run` prints for a job file of HydraFlow what `hydraflow run JOB --dry-run` prints."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from sweeplib.cli.app import cli
from tests.property.hydraflow_cases import INTERPRETER, RECORDED, Case, HydraFlow, cases, normal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CASES = json.loads(RECORDED.read_text(encoding="utf-8"))


PYTHON = os.environ.get(INTERPRETER)  # read now: fixtures of other tests clean the environment


def ours(folder: Path, case: Case) -> list[str]:
    (folder / "hydraflow.yaml").write_text(case.file, encoding="utf-8")
    done = CliRunner().invoke(cli, ["-C", str(folder), "run", *case.arguments], catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, "")
    return normal(done.stdout.splitlines())


@pytest.mark.parametrize("number", range(len(CASES)))
def test_as_recorded(number: int, tmp_path: Path) -> None:
    recorded = CASES[number]
    case = Case(recorded["file"], tuple(recorded["arguments"]))
    assert ours(tmp_path, case) == recorded["lines"]


def test_enough_is_recorded() -> None:
    kinds = [line.split(":")[0].strip() for case in CASES for line in case["file"].splitlines()]
    assert len(CASES) >= 40
    assert all(kinds.count(kind) >= 8 for kind in ("run", "call", "submit"))
    assert all(kinds.count(kind) + kinds.count(f"- {kind}") >= 20 for kind in ("each", "all", "add"))


@pytest.fixture(scope="module")
def hydraflow() -> Iterator[HydraFlow]:
    """Return HydraFlow itself."""
    if not PYTHON:
        pytest.skip(f"{INTERPRETER} names no interpreter that has HydraFlow; the recorded cases are tested")
    with HydraFlow(PYTHON) as process:
        yield process


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project's folder that all examples are written to, one after the other."""
    return tmp_path_factory.mktemp("project")


@pytest.mark.outside
@settings(deadline=None, max_examples=300)
@given(case=cases())
def test_as_hydraflow_itself(hydraflow: HydraFlow, folder: Path, case: Case) -> None:
    assert ours(folder, case) == hydraflow.dry_run(case)
