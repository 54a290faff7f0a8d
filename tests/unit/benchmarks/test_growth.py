"""The table, the JSON and the plot of growth, from given steps."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from benchmarks.growth import Step, as_json, as_table, main
from benchmarks.growth_plot import draw

if TYPE_CHECKING:
    from pathlib import Path


def step(combinations: int, task_runs: int) -> Step:
    return Step(
        combinations=combinations,
        completed=combinations,
        task_runs=task_runs,
        seconds=combinations / 200,
        rate=250.0,
        resume_seconds=0.5,
        status_seconds=0.0625,
        flow_megabytes=150.0,
        server_megabytes=260.4,
        ledger_megabytes=combinations / 1000,
        prefect_megabytes=20.0,
    )


STEPS = [step(100, 100), step(100_000, 1_563)]


def test_table() -> None:
    assert as_table(STEPS) == (
        "| combinations | 100 | 100,000 |\n"
        "| --- | --- | --- |\n"
        "| completed in the ledger | 100 | 100,000 |\n"
        "| task runs in Prefect | 100 | 1,563 |\n"
        "| `sweep run` | 0.5 s | 500 s |\n"
        "| commands a second | 250 /s | 250 /s |\n"
        "| again, nothing left | 0.5 s | 0.5 s |\n"
        "| `sweep status` | 62.5 ms | 62.5 ms |\n"
        "| peak memory of `sweep run` | 150 MB | 150 MB |\n"
        "| of the server | 260 MB | 260 MB |\n"
        "| ledger | 0.1 MB | 100 MB |\n"
        "| Prefect's database | 20 MB | 20 MB |\n"
    )


def test_json_has_every_step() -> None:
    found = json.loads(as_json({"Date": "today"}, STEPS))
    assert found["machine"] == {"Date": "today"}
    assert [each["combinations"] for each in found["steps"]] == [100, 100_000]
    assert found["steps"][1]["seconds_each"] == 0.005


def test_the_plot_is_a_small_picture_and_the_same_again() -> None:
    drawn = draw(STEPS)
    texts = "".join(ET.fromstring(drawn).itertext())  # noqa: S314 - of our own making
    assert "sweep run again, nothing left" in texts
    assert "Prefect's database" in texts
    assert len(drawn) < 60_000
    assert draw(STEPS) == drawn


def test_counts_are_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--counts", "10,0"])
    assert capsys.readouterr().err.endswith("argument --counts: must be 1 or more\n")
