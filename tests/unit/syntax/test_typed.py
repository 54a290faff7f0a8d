"""What the text of a parameter means to a called function."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.syntax.typed import typed


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-4", -4),
        ("+4", 4),
        ("1.0", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("1e-3", 0.001),
        ("1k", 1000),
        ("1.5k", 1500),
        ("4G", 4_000_000_000),
        ("1m", 0.001),
        ("inf", math.inf),
        ("-inf", -math.inf),
        ("true", True),
        ("False", False),
        ("null", None),
        ("None", None),
        ("'1'", "1"),
        ('"true"', "true"),
        ("'a, b'", "a, b"),
        ("", ""),
        ("''", ""),
        ("adam", "adam"),
        ("007", "007"),
        ("1,2", "1,2"),
        ("1x", "1x"),
        ("http://h:80", "http://h:80"),
        ("[]", []),
        ("{}", {}),
        ("[1, 2.5, a]", [1, 2.5, "a"]),
        ("[1m,'x, y',[none]]", [0.001, "x, y", [None]]),
        (
            "{lr: 1m, net: {sizes: [64, 32]}, name: 'a:b'}",
            {"lr": 0.001, "net": {"sizes": [64, 32]}, "name": "a:b"},
        ),
        ("{url: http://h:80}", {"url": "http://h:80"}),
        ("{1: one}", {1: "one"}),
        ("[f(a, b), c]", ["f(a, b)", "c"]),
        ('["a\\n", 1]', ["a\n", 1]),
        ("[1,", "[1,"),
        ("[1]x", "[1]x"),
        ("[1,,2]", "[1,,2]"),
        ("[(1, 2]", "[(1, 2]"),
        ("[1)]", "[1)]"),
        ("['a]", "['a]"),
        ("{a}", "{a}"),
        ("{[1]: a}", "{[1]: a}"),
        ("[1}", "[1}"),
        ("9" * 5000, "9" * 5000),
        ("[" * 100_000 + "]" * 100_000, "[" * 100_000 + "]" * 100_000),
    ],
)
def test_typed(text: str, value: object) -> None:
    assert typed(text) == value
    assert type(typed(text)) is type(value)


def test_not_a_number() -> None:
    value = typed("nan")
    assert isinstance(value, float)
    assert math.isnan(value)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(
    st.recursive(
        SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
    ).filter(lambda value: isinstance(value, list | dict))
)
def test_json_is_read_as_it_is(value: object) -> None:
    assert typed(json.dumps(value)) == value


@given(st.text())
def test_any_text_has_a_value(text: str) -> None:
    typed(text)
    typed(f"[{text}]")
    typed(f"{{{text}}}")
