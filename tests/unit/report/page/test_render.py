"""The page as HTML: what it says, that it is well-formed, and that nothing in it comes from a value."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from sweeplib.ledger import Sweep, SweepState
from sweeplib.report.page import GENERATOR, render
from sweeplib.report.page.code import CodeState
from sweeplib.report.standing import Standing
from sweeplib.run.model import Outcome

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}\x00\u202e"
VOID = {"meta", "link", "input"}
INLINE = {"span", "strong", "code", "button", "a"}


class Page(HTMLParser):
    """A page that was read: its elements, its texts by element, what it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.scripts: list[str] = []
        self.text = ""
        self.loads: list[str] = []
        self.policy = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.names.append(tag)
        self.text += "" if tag in INLINE else " "
        self.loads += [f"{tag} {given[name]}" for name in ("src", "href") if name in given and tag != "a"]
        assert not [name for name in given if name.startswith("on")]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        if tag not in VOID:
            self._open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            self.scripts[-1] += data
        elif self._open and self._open[-1] != "style":
            self.text += data

    @property
    def words(self) -> str:
        """The text with single spaces."""
        return " ".join(self.text.split())


def standing(tag: str = "train-1") -> Standing:
    sweep = Sweep(id="S1", job="train", lineage="S1", total=9, created=0.0, tag=tag)
    outcomes = dict.fromkeys(Outcome, 0) | {Outcome.COMPLETED: 2}
    return Standing(sweep=sweep, state=SweepState.FAILED, duration=90.0, outcomes=outcomes, running=0)


def test_what_it_says(report: Any, result: Any) -> None:
    results = [
        result(1, {"loss": 0.125}, lr="1m", seed="4"),
        result(2, {"loss": 0.25}, lr="2m", seed="4"),
        result(3, outcome=Outcome.FAILED, message="exit code 1: no memory", lr="3m", seed="4"),
    ]
    code = CodeState(git="c1 on main, with uncommitted changes", dirty=True, tags=("train-1",), patch=None)
    html = render(report(results, standings=[standing()], code=[code], narrowed=["--name 'a*'"]))
    page = Page(html)
    for text in (
        "3 combinations: 2 completed, 1 failed",
        "Only a part of the job's results: --name 'a*'",
        "Lowest loss 0.1250 lr=1m seed=4",
        "Run time of all together 4.5 s",
        "Parameters that vary lr",
        "In all of them seed=4",
        "train-1 failed 1970-01-01",
        "1m 30s 2 of 9 done",
        "Not told: needs 12 combinations with the metric, and there are 2.",
        "completed 2 1.5 s 1.5 s 1.5 s 3.0 s",
        "1 failed exit code 1: no memory 00000000 lr=3m seed=4",
        "c1 on main, with uncommitted changes Sweep train-1",
        "What was not committed: sweep show train-1 --patch",
    ):
        assert text in page.words
    assert GENERATOR in html[:1024]


def test_it_loads_nothing_and_runs_its_own_scripts_alone(report: Any, result: Any) -> None:
    page = Page(render(report([result(1, {"m": 1.0}, a="1")])))
    assert page.loads == ["link data:,"]
    data, *scripts = page.scripts
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert len(hashes) == 2
    assert page.policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}' 'sha256-{hashes[1]}' 'unsafe-eval'; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    assert json.loads(data)["job"] == "train"


def test_no_value_becomes_markup(report: Any, result: Any) -> None:
    plain = Page(
        render(report([result(1, {"m": 1.0}, a="x"), result(2, message="m", outcome=Outcome.FAILED)]))
    )
    results = [
        result(1, {EVIL: 1.0}, **{EVIL: EVIL}),
        result(2, message=EVIL, outcome=Outcome.FAILED),
    ]
    code = CodeState(git=EVIL, dirty=True, tags=(EVIL,), patch=EVIL)
    made = report(results, standings=[standing(EVIL)], code=[code], narrowed=[EVIL])
    page = Page(render(made))
    assert len(page.scripts) == 3
    assert "img" not in page.names
    assert page.scripts[1:] == plain.scripts[1:]
    assert json.loads(page.scripts[0])["axes"][0]["name"] == EVIL
    assert "49" not in re.findall(r"onerror=alert\(2\)>(..)", page.text)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda _: [], "No combination is on record yet."),
        (lambda result: [result(1, outcome=None, duration=None, a="1")], "1 combination: 1 running"),
        (lambda result: [result(1)], "none was logged, so all is in the order of the plan"),
        (lambda result: [result(1, {"m": 1.0})], "No parameter varies."),
        (
            lambda result: [result(1, {"m": float("nan")}, a="1")],
            "Metric no combination has a value of m that can be ranked, so all is in the order of the plan",
        ),
        (lambda result: [result(1, {"m": float("inf")}, a="1")], "Highest m inf"),
        (
            lambda result: [result(n, outcome=Outcome.LOST, message="gone", a=str(n)) for n in range(9)],
            "9 lost gone",
        ),
        (lambda result: [result(1, {"m": 1.0}, a="x" * 100_000), result(2, b="\udcff")], "2 combinations"),
    ],
)
def test_whatever_there_is(report: Any, result: Any, make: Any, said: str) -> None:
    html = render(report(make(result)))
    page = Page(html)
    assert said in page.words
    html.encode("utf-8", "backslashreplace")


def test_a_part_that_is_empty(report: Any) -> None:
    assert "No combination on record is so." in Page(render(report([], narrowed=["--tag a"]))).words


def test_many_failures_lead_to_the_table(report: Any, result: Any) -> None:
    ways = ["one", "two", "three"]
    results = [
        result(n, outcome=Outcome.FAILED, message=ways[n % 3] if n < 9 else "one", a=str(n))
        for n in range(20)
    ]
    words = Page(render(report(results))).words
    assert "14 failed one" in words
    assert "Show all 14 in the table" in words
    assert "Show all 3" not in words
