"""`sweep expand` writes for a grid specification the lines that `batchrun sweep` writes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from hypothesis import given, settings

from sweeplib.cli.app import cli
from tests.property.batchrun_cases import INTERPRETER, RECORDED, Batchrun, grids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CASES = json.loads(RECORDED.read_text(encoding="utf-8"))

PYTHON = os.environ.get(INTERPRETER)  # read now: fixtures of other tests clean the environment


def ours(folder: Path, text: str) -> list[str]:
    path = folder / "grid.yml"
    path.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(cli, ["expand", str(path)], catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize("number", range(len(CASES)))
def test_as_recorded(number: int, tmp_path: Path) -> None:
    assert ours(tmp_path, CASES[number]["grid"]) == CASES[number]["lines"]


def test_enough_is_recorded() -> None:
    text = "\n".join(case["grid"] for case in CASES)
    assert len(CASES) >= 30
    assert all(text.count(f"    {key}:") >= 8 for key in ("values", "value", "min", "max", "step"))


@pytest.fixture(scope="module")
def batchrun() -> Iterator[Batchrun]:
    """Return batchrun itself."""
    if not PYTHON:
        pytest.skip(f"{INTERPRETER} names no interpreter that has batchrun; the recorded cases are tested")
    with Batchrun(PYTHON) as process:
        yield process


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all examples are written to, one after the other."""
    return tmp_path_factory.mktemp("grids")


@pytest.mark.outside
@settings(deadline=None, max_examples=300)
@given(text=grids())
def test_as_batchrun_itself(batchrun: Batchrun, folder: Path, text: str) -> None:
    assert ours(folder, text) == batchrun.lines(text)
