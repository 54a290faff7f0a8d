"""The best of a metric over one or two parameters."""

from __future__ import annotations

import math
import re

import pytest

from sweeplib.errors import InputError
from sweeplib.report.ranking import Ranking, rank
from sweeplib.report.results import Result
from sweeplib.report.surface import parse_over, surface, surface_columns, varying
from sweeplib.report.table import plain_lines
from sweeplib.run.model import Outcome


def ranking(*rows: tuple[dict[str, str], float | None], metric: str = "loss") -> Ranking:
    return rank(
        [
            Result(
                key=str(number),
                outcome=Outcome.COMPLETED if value is not None else None,
                duration=1.0,
                parameters=parameters,
                metrics={} if value is None else {metric: value},
            )
            for number, (parameters, value) in enumerate(rows)
        ]
    )


def drawn(of: Ranking, *names: str) -> list[str]:
    shown = surface(of, names)
    assert shown is not None
    return [shown.title, *plain_lines(surface_columns(shown))]


GRID = ranking(
    *[
        ({"lr": lr, "batch": batch, "seed": seed, "same": "x"}, value)
        for (lr, batch, seed), value in {
            ("1e-1", "64", "1"): 0.5,
            ("1e-1", "64", "2"): 0.25,
            ("1e-1", "8", "1"): 0.75,
            ("1m", "64", "1"): 100.0,
            ("1m", "128", "1"): None,
        }.items()
    ]
)


def test_the_best_over_two_parameters() -> None:
    assert varying(GRID) == ["lr", "batch", "seed"]
    assert drawn(GRID, "lr", "batch") == [
        "loss over lr and batch",
        "lr \\ batch         8        64",
        "        1m             100.0 ·",
        "      1e-1  0.7500 ▒  0.2500 █",
    ]


def test_the_best_over_one_parameter() -> None:
    assert drawn(GRID, "batch") == [
        "loss over batch",
        "batch    loss",
        "    8  0.7500  █",
        "   64  0.2500  ████████████████████",
    ]


def test_the_highest_where_that_is_the_best() -> None:
    assert drawn(ranking(({"m": "b"}, 1), ({"m": "a"}, 0), ({"m": "a"}, 3), metric="score"), "m") == [
        "score over m",
        "m  score",
        "a      3  ████████████████████",
        "b      1  █",
    ]
    assert drawn(ranking(({"m": "b"}, math.inf), ({"m": "a"}, 0)), "m")[2:] == [
        "a     0  ████████████████████",
        "b   inf  ████████████████████",
    ]


def test_many_values_share_places() -> None:
    of = ranking(*[({"x": str(number)}, float(number)) for number in range(30)])
    assert [line[:7].strip() for line in drawn(of, "x")[2:]] == [
        "0 … 3", "4 … 7", "8 … 11", "12 … 15", "16 … 19", "20 … 23", "24 … 27", "28 … 29",
    ]  # fmt: skip


def test_long_values_that_begin_alike_have_rows_of_their_own() -> None:
    folder = "/data/projects/vision/datasets"
    of = ranking(({"data": f"{folder}/a.csv"}, 1.0), ({"data": f"{folder}/b.csv"}, 2.0))
    assert drawn(of, "data")[2:] == [
        "/data/projec…asets/a.csv     1  ████████████████████",
        "/data/projec…asets/b.csv     2  █",
    ]


def test_numbers_come_before_texts() -> None:
    of = ranking(*[({"x": value}, 1.0) for value in ("10", "auto", "9", "1e400", "2e400", "1e-400", "a")])
    assert [line.split()[0] for line in drawn(of, "x")[2:]] == [
        "1e-400", "9", "10", "1e400", "2e400", "a", "auto",
    ]  # fmt: skip


def test_nothing_to_draw() -> None:
    assert surface(rank([]), ["lr"]) is None
    assert surface(GRID, []) is None
    assert surface(GRID, ["other"]) is None


def test_parameters_that_are_named() -> None:
    assert parse_over("batch, lr", GRID) == ["batch", "lr"]
    assert parse_over("yet", rank([])) == ["yet"]
    message = "there is no parameter 'bach'; did you mean 'batch'? (parameters: lr, batch, seed, same)"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        parse_over("lr,bach", GRID)
    for text in ("a,b,c", "lr,lr"):
        with pytest.raises(InputError) as caught:
            parse_over(text, GRID)
        assert str(caught.value) == f"{text!r} is not one or two parameters; write lr, or lr,batch"
