"""What a flow run's page shows of a sweep."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import pytest

from sweeplib.engine import Progress
from sweeplib.ledger import Sweep, SweepState
from sweeplib.report.live import describe_live
from sweeplib.report.overview import describe_progress, describe_table, failures_first, table_rows
from sweeplib.report.plot import plot
from sweeplib.report.ranking import rank
from sweeplib.report.results import Result
from sweeplib.report.standing import Standing
from sweeplib.run.model import Outcome

DONE, FAILED, LOST = Outcome.COMPLETED, Outcome.FAILED, Outcome.LOST


def result(key: str, outcome: Outcome | None = DONE, metrics: Any = None, **parameters: str) -> Result:
    return Result(
        key=key * 32,
        outcome=outcome,
        duration=None if outcome is None else 1.25,
        parameters=parameters,
        metrics=metrics or {},
        label=" ".join(f"{name}={value}" for name, value in parameters.items()),
        exit_code=None if outcome is None else int(outcome is not DONE),
        log=f"/logs/{key}.1.log",
        message="" if outcome in (DONE, None) else "exit code 1: *bad*",
    )


RESULTS = [
    result("a", metrics={"score": 0.5, "steps": 3}, lr="1e-3", model="m", log="x"),
    result("b", FAILED, lr="1e-2", model="m", log="y"),
    result("c", metrics={"score": 0.75}, lr="1e-1", model="m", log="|"),
    result("d", None, lr="1", model="m", log="z"),
]


def test_the_rows_of_a_table() -> None:
    ranking = rank(RESULTS, "score")
    shown = failures_first(ranking, 3)
    assert [each.key[0] for each in shown] == ["b", "c", "a"]
    rows = table_rows(ranking, shown, lambda each: f"[log]({each.key[0]})")
    assert rows[0] == {
        "rank": "",
        "key": "bbbbbbbb",
        "lr": "1e-2",
        "parameters.log": "y",
        "outcome": "failed",
        "exit code": "1",
        "duration": "1.2 s",
        "score": "",
        "message": "exit code 1: \\*bad\\*",
        "log": "[log](b)",
    }
    assert [(row["rank"], row["score"], row["parameters.log"]) for row in rows[1:]] == [
        ("1", "0.7500", "\\|"),
        ("2", "0.5000", "x"),
    ]
    assert describe_table("train", ranking, shown, "`there`") == (
        "**train: 4 combinations (2 completed, 1 failed, 1 submitted); by score, highest first**\n\n"
        "- 1 failed: exit code 1: \\*bad\\*\n\n"
        "In all of them: model=m\n\n"
        "These are 3 of 4: what failed, then the best. All of them: `there`"
    )


def test_rows_without_a_metric_or_a_message() -> None:
    ranking = rank([result("a", lr="1"), result("b", lr="2")])
    rows = table_rows(ranking, failures_first(ranking, 9), lambda _: "")
    assert [list(row) for row in rows] == [
        ["rank", "key", "lr", "outcome", "exit code", "duration", "log"]
    ] * 2
    assert describe_table("train", ranking, ranking.results, "`there`") == (
        "**train: 2 combinations (2 completed); no metric was logged, so in the order of the plan**\n\n"
        "As a file: `there`"
    )


def test_a_metric_that_is_called_as_a_column() -> None:
    ranking = rank(
        [result("a", metrics={"duration": 2.0}, lr="1"), result("b", metrics={"duration": 1.0}, lr="2")]
    )
    rows = table_rows(ranking, ranking.results, lambda _: "")
    assert [row["metrics.duration"] for row in rows] == ["1", "2"]
    assert [row["duration"] for row in rows] == ["1.2 s", "1.2 s"]


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress(total=5, before=0, running=2, outcomes={}), "0 of 5 done, 2 running"),
        (
            Progress(total=5, before=1, running=2, outcomes={DONE: 1, LOST: 1}),
            ("2 of 5 done, 1 failed, 2 running, about 10.0 s left"),
        ),
        (Progress(total=12_000, before=0, running=0, outcomes={DONE: 12_000}), "12,000 of 12,000 done"),
    ],
)
def test_progress(progress: Progress, text: str) -> None:
    assert describe_progress(progress, 10.0) == text


def standing(**outcomes: int) -> Standing:
    return Standing(
        sweep=Sweep(id="01", job="train", lineage="01", total=5, created=0.0, tag="train-x_y"),
        state=SweepState.RUNNING,
        duration=65.0,
        outcomes=dict.fromkeys(Outcome, 0) | {Outcome(name): count for name, count in outcomes.items()},
        running=1,
    )


def test_live_results() -> None:
    page = describe_live(
        standing(completed=2, failed=1), rank(RESULTS, "score"), "data:x", "http://h/r.csv", 1_700_000_000.0
    )
    assert page == (
        "# train-x_y: 2 of 5 done, 1 failed, 1 running, about 43.3 s left\n\n"
        "Running; drawn at 2023-11-14 22:13:20 UTC, after 1m 05s.\n\n"
        "**Best so far: score 0.7500** (highest of 2) with lr=1e-1 model=m log=\\|\n\n"
        "![score over the parameters](data:x)\n\n"
        "The highest score over lr and log:\n\n"
        "| lr \\\\ log | x | \\| |\n"
        "| --- | --- | --- |\n"
        "| 1e-3 | 0.5000 · |  |\n"
        "| 1e-1 |  | 0.7500 █ |\n\n"
        "| rank | key | lr | log | **score** | duration |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| 1 | `cccccccc` | 1e-1 | \\| | 0.7500 | 1.2 s |\n"
        "| 2 | `aaaaaaaa` | 1e-3 | x | 0.5000 | 1.2 s |\n\n"
        "## 1 not completed\n\n"
        "**1 failed: exit code 1: \\*bad\\***\n\n"
        "- lr=1e-2 model=m log=y (`bbbbbbbb`)\n\n"
        "[All results as CSV](http://h/r.csv)\n"
    )


MANY = [
    result(f"{number:02}", FAILED if number % 4 == 3 else DONE, batch=str(64 << number % 4), seed=str(number))
    for number in range(40)
]


def test_failures_are_explained() -> None:
    apart = [replace(each, message=f"exit code 1: {'abcdefg'[place]}") for place, each in enumerate(MANY[:7])]
    others = [replace(each, key=f"x{each.key}", outcome=LOST) for each in apart]
    ranking = rank([*MANY, *others])
    page = describe_live(standing(failed=10, lost=7), ranking, None, None, 1_700_000_000.0)
    assert page.partition("## ")[2] == (
        "17 not completed\n\n"
        "**10 failed: exit code 1: \\*bad\\***\n\n"
        "- **10 of 10 failures have batch=512, and 1 of 37 others**\n"
        "- batch=512 seed=3 (`03030303`)\n"
        "- batch=512 seed=7 (`07070707`)\n"
        "- batch=512 seed=11 (`11111111`)\n"
        "- and 7 more\n\n"
        "**1 lost: exit code 1: a**\n\n"
        "- batch=64 seed=0 (`x0000000`)\n\n"
        "**1 lost: exit code 1: b**\n\n"
        "- batch=128 seed=1 (`x0101010`)\n\n"
        "**1 lost: exit code 1: c**\n\n"
        "- batch=256 seed=2 (`x0202020`)\n\n"
        "**1 lost: exit code 1: e**\n\n"
        "- batch=64 seed=4 (`x0404040`)\n\n"
        "And 3 more, that ended in other ways.\n"
    )
    assert describe_table("train", ranking, ranking.results, "`there`").split("\n\n")[1] == (
        "- 10 failed: exit code 1: \\*bad\\*; 10 of 10 failures have batch=512, and 1 of 37 others\n"
        "- 1 lost: exit code 1: a\n"
        "- 1 lost: exit code 1: b\n"
        "- 1 lost: exit code 1: c\n"
        "- 1 lost: exit code 1: e\n"
        "- 3 more that ended in other ways"
    )


def test_live_results_before_there_are_any() -> None:
    page = describe_live(standing(), rank([]), None, None, 1_700_000_000.0)
    assert page == (
        "# train-x_y: 0 of 5 done, 1 running\n\n"
        "Running; drawn at 2023-11-14 22:13:20 UTC, after 1m 05s.\n\n"
        "No combination has logged a metric yet.\n"
    )


@pytest.mark.parametrize("only", [result("a", metrics={"l*": math.nan}), result("b", FAILED, {"l*": 1.0})])
def test_live_results_that_cannot_be_ranked(only: Result) -> None:
    page = describe_live(standing(), rank([only]), None, None, 1_700_000_000.0)
    assert page.split("\n\n")[2].rstrip() == "No combination has a value of l\\* that can be ranked yet."


@pytest.mark.parametrize(
    "values",
    [
        ["1e-3", "1e-2", "1e-1"],
        ["1", "2", "3"],
        ["-1", "0", "1e300"],
        ["small", "large", "$x^2_{"],
        ["1", "two", "\udc80\n"],
        ["x" * 500, "y", "z"],
        ["-1e308", "1e308", "1e400"],
        ["9007199254740992", "9007199254740993", "1"],
    ],
)
def test_a_picture(values: list[str]) -> None:
    results = [
        result(key, metrics={"score$_": i}, v=value)
        for i, (key, value) in enumerate(zip("abc", values, strict=True))
    ]
    picture = plot(rank(results))
    assert picture is not None
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 100_000


def test_a_picture_of_many_parameters_and_points() -> None:
    results = [
        Result(
            key=f"{i:032x}",
            outcome=DONE,
            duration=1.0,
            parameters={f"p{n}": str(i % (n + 2)) for n in range(9)},
            metrics={"score": float(i)},
        )
        for i in range(5000)
    ]
    picture = plot(rank(results))
    assert picture is not None
    assert len(picture) < 400_000


@pytest.mark.parametrize(
    "results",
    [
        [],
        [result("a", lr="1"), result("b", lr="2")],
        [result("a", metrics={"score": 1.0}, lr="1")] * 2,
        [result("a", metrics={"score": float("nan")}, lr="1"), result("b", lr="2")],
    ],
)
def test_no_picture(results: list[Result]) -> None:
    assert plot(rank(results)) is None


@pytest.mark.parametrize("best", [float("inf"), 1.7e308])
def test_a_metric_that_no_axis_shows_is_left_out(best: float) -> None:
    results = [
        result("a", metrics={"score": best}, lr="1"),
        result("b", metrics={"score": 1.0}, lr="2"),
        result("c", metrics={"score": 0.0}, lr="3"),
    ]
    picture = plot(rank(results))
    assert picture is not None
    assert picture == plot(rank([*results[1:], result("d", lr="4")]))
    assert plot(rank([results[0], result("d", lr="2")])) is None


def test_a_picture_of_many_texts_is_drawn_at_once() -> None:
    results = [result(f"{i:04}", metrics={"score": i}, data=f"a/{i}.csv") for i in range(3000)]
    began = time.monotonic()
    assert plot(rank(results)) is not None
    assert time.monotonic() - began < 10  # it took 20 s with a tick a text
