"""The table and the JSON of a benchmark run, from given numbers."""

import json
from dataclasses import replace

import pytest

from benchmarks.model import Expectation, Measure, Report, Row
from benchmarks.render import as_json, as_table, quantity

TIME = Measure("time of the process", "s")
MEMORY = Measure("peak memory", "MB")
RATE = Measure("commands a second", "/s")

REPORT = Report(
    machine={"Date": "2026-01-02 03:04 UTC", "Machine": "2 cores"},
    titles={"a": "start-up", "d": "commands"},
    rows=(
        Row("a", "sweep", TIME, (0.2, 0.25, 0.21)),
        Row("a", "HydraFlow", TIME, (1.6, 1.5, 1.55), "one file for both"),
        Row("a", "sweep", MEMORY, (35.04,)),
        Row("d", "sweep", RATE, (100.0, 120.0)),
        Row("d", "joblib", RATE, (), "not available: no network"),
        Row("d", "GNU parallel", RATE, (1234.5, 1100.0)),
    ),
    expectations=(
        Expectation("a", "start-up: at most 0.3 s", "0.21 s", met=True),
        Expectation("d", "rate: at least 10 times the stock runner's", "9.5 times", met=False),
        Expectation("d", "rate: at least that of joblib", "there is nothing to compare", met=None),
    ),
)


def test_table() -> None:
    assert as_table(REPORT) == (
        "Date: 2026-01-02 03:04 UTC\n"
        "Machine: 2 cores\n"
        "\n"
        "measure                tool            median     lowest to highest  to sweep's  remarks\n"
        "(a) start-up\n"
        "  time of the process  sweep           0.21 s       0.2 s to 0.25 s       1.00x\n"
        "  time of the process  HydraFlow       1.55 s        1.5 s to 1.6 s       7.38x  one file for both\n"
        "  peak memory          sweep            35 MB                             1.00x\n"
        "(d) commands\n"
        "  commands a second    sweep           110 /s      100 /s to 120 /s       1.00x\n"
        "  commands a second    joblib               -                                    "
        "not available: no network\n"
        "  commands a second    GNU parallel  1,167 /s  1,100 /s to 1,234 /s      10.61x\n"
        "\n"
        "Expected:\n"
        "  (a) start-up: at most 0.3 s: 0.21 s: met\n"
        "  (d) rate: at least 10 times the stock runner's: 9.5 times: NOT MET\n"
        "  (d) rate: at least that of joblib: there is nothing to compare: not measured\n"
    )


def test_table_of_nothing() -> None:
    assert as_table(Report({"Date": "today"}, {}, (), ())) == "Date: today\n\n\nExpected:\n"


def test_json_has_every_sample() -> None:
    found = json.loads(as_json(REPORT))
    assert found["machine"] == REPORT.machine
    assert found["cases"] == REPORT.titles
    assert found["rows"][1] == {
        "case": "a",
        "tool": "HydraFlow",
        "measure": "time of the process",
        "unit": "s",
        "median": 1.55,
        "ratio": pytest.approx(7.38, abs=0.01),
        "samples": [1.6, 1.5, 1.55],
        "note": "one file for both",
    }
    assert found["rows"][4]["median"] is None
    assert found["rows"][4]["ratio"] is None
    assert [each["met"] for each in found["expectations"]] == [True, False, None]


def test_a_report_is_ok_unless_something_is_not_met() -> None:
    met, missed, unknown = REPORT.expectations
    assert replace(REPORT, expectations=(met, unknown)).ok
    assert not replace(REPORT, expectations=(met, missed)).ok


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.00425, "s", "4.25 ms"),
        (0.0996, "s", "99.6 ms"),
        (0.1, "s", "0.1 s"),
        (12.345, "s", "12.3 s"),
        (441.2, "MB", "441 MB"),
        (1234.5, "/s", "1,234 /s"),
        (0, "", "0"),
    ],
)
def test_quantity(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text
