"""HydraFlow's sweep syntax means here what it means there, but for its defects.

`hydraflow-0.23.2.json` was recorded with that version's `expand` and `collect`: a text, its expansion
and its collection (null where pipes make one of no use). It has the cases of HydraFlow's own tests and
guide, and ranges drawn at random; only what HydraFlow computes rightly.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sweeplib.errors import SweepSyntaxError
from sweeplib.syntax import collect, expand

RECORDED = json.loads(Path(__file__).with_name("hydraflow-0.23.2.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("text", "expanded"), [(text, expanded) for text, expanded, _ in RECORDED])
def test_expands_as_hydraflow(text: str, expanded: list[list[str]]) -> None:
    assert list(expand(text)) == expanded


@pytest.mark.parametrize(
    ("text", "collected"), [(text, joined) for text, _, joined in RECORDED if joined is not None]
)
def test_collects_as_hydraflow(text: str, collected: list[str]) -> None:
    assert collect(text) == collected


# What HydraFlow 0.23.2 makes of the text stands beside each.
RIGHT_HERE = [
    # Floating point: ends lost, ends overrun, digits rounded away.
    ("a=0:0.3:0.1", ["a=0,0.1,0.2,0.3"]),  # 0,0.1,0.2
    ("a=1000000:1000003", ["a=1000000,1000001,1000002,1000003"]),  # goes on to 1000013
    ("a=-0.3:0.3:0.1", ["a=-0.3,-0.2,-0.1,0,0.1,0.2,0.3"]),  # 2.8e-17 in place of 0
    ("a=36.:12e1:25", ["a=36,61,86,111"]),  # 1.1e+02 in place of 111
    # An exponent after an exponent.
    ("a=1e3:2e3:1e3:k", ["a=1000e3,2000e3"]),  # 1e+03e3,2e+03e3
    ("a=1e3:k", ["a=1e6"]),  # 1e3e3
    ("lr/m=1e-3", ["lr=1e-6"]),  # 1e-3e-3
    # Names.
    ("db/mysql=a,b", ["db/mysql=a,b"]),  # db=amysql,bmysql
    ("hydra/launcher=joblib", ["hydra/launcher=joblib"]),  # hydra=jobliblauncher
    ("hydra/launcher/m=1", ["hydra/launcher=1e-3"]),  # too many values to unpack
    ("a=x=y", ["a=x=y"]),  # too many values to unpack
    # Colons that make no range.
    ("url=http://h:80", ["url=http://h:80"]),  # invalid literal for int()
    ("a={b:1,c:2}", ["a={b:1,c:2}"]),  # invalid literal for int()
    ("a=[1:3]x", ["a=[1:3]x"]),  # invalid literal for int()
    # Quotes and brackets protect.
    ("a='x,y'", ["a='x,y'"]),  # x,y: two values
    ('a="1:3"', ['a="1:3"']),  # 1,2,3
    ("a=[(1,2)]", ["a=[(1,2)]"]),  # [1],[2]
    # Parentheses.
    ("a=(small,large)m", ["a=smallm,largem"]),  # smalle-3,largee-3
    ("a=m(a,b)m(1:2)x", ["a=mam1x,mbm1x,mam2x,mbm2x"]),  # e-3ae-31x,…
    ("a=((1,2)k,5)", ["a=1e3,2e3,5"]),  # 1k,2k,15,25
    ("a=(1,2):k", ["a=1e3,2e3"]),  # invalid literal for int()
]


@pytest.mark.parametrize(("text", "collected"), RIGHT_HERE)
def test_is_right_where_hydraflow_is_not(text: str, collected: list[str]) -> None:
    assert collect(text) == collected


# Most of these pass without a word in HydraFlow, and make a sweep of another length.
ERRORS_HERE = [
    "a=",  # no combination at all
    "a=1,,2",  # an empty value
    "a=1,",  # the comma is dropped
    "a=1|",  # an empty value
    "a=(1,2",  # as if it were closed
    "a=((1,2)",  # as if it were closed
    "a=()",  # an empty value
    "a=1:2:3:4",  # 1
    "a=1:3tep",  # could not convert string to float
    "lr/m=abc",  # abce-3
    "a=1 a=2",  # both in one command
]


@pytest.mark.parametrize("text", ERRORS_HERE)
def test_refuses_what_hydraflow_misreads(text: str) -> None:
    with pytest.raises(SweepSyntaxError):
        expand(text)


def test_a_pipe_protected_by_quotes_is_text() -> None:
    assert list(expand("a='1|2'")) == [["a='1|2'"]]  # 1 and 2 in HydraFlow
