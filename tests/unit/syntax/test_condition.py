"""Conditions: what they say of values, and every message about them."""

from __future__ import annotations

import pytest

from sweeplib.errors import PlanError, SweepSyntaxError
from sweeplib.syntax.condition import Condition

VALUES = {"lr": 0.01, "model": "large", "n": 3, "model.depth": 2, "db/mysql": "a", "none": None, "flag": True}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("lr == 0.01", True),
        (" lr > 1e-2 ", False),
        ("lr >= 1e-2 and model == 'large'", True),
        ('model in ("small", "large")', True),
        ("model not in ['small']", True),
        ("not (n < 3 or n > 3)", True),
        ("1 < n < 3", False),
        ("1 < n <= 3", True),
        ("n % 2 == 1", True),
        ("n * lr + 1 - 2 / n // 1 != 1.03", False),
        ("model.depth == 2", True),
        ('params["db/mysql"] == "a"', True),
        ("none is None", None),
        ("none == None", True),
        ("none > 3", False),
        ("none and none > 3", False),
        ("n / none > 1", False),
        ("flag", True),
        ("not flag", False),
        ("n == -3", False),
        ("'arg' in model", True),
        ("(n == 3\n and lr < 1)", True),
    ],
)
def test_holds(text: str, holds: bool | None) -> None:
    if holds is None:
        with pytest.raises(SweepSyntaxError):
            Condition.read(text)
    else:
        assert Condition.read(text).holds(VALUES) is holds


@pytest.mark.filterwarnings("default")
def test_what_is_doubtful_in_a_text_is_not_told(recwarn: pytest.WarningsRecorder) -> None:
    assert Condition.read(r"a == '\d'").holds({"a": r"\d"})
    # What the collector finds meanwhile of other tests is not of this one.
    assert [str(each.message) for each in recwarn if each.category is not ResourceWarning] == []


def test_names_are_those_of_parameters_in_order() -> None:
    assert Condition.read("b < a.c and params['x/y'] > b").names == ("b", "a.c", "x/y")


@pytest.mark.parametrize(
    ("text", "spot"),
    [
        ("lr >", "lr ^>^"),
        ("lr = 1", "lr ^=^ 1"),
        ("lr < f(1)", "lr < ^f(1)^"),
        ("lr if n else 1", "^lr if n else 1^"),
        ("lr ** 2 > 1", "^lr ** 2^ > 1"),
        ("lr < 1j", "lr < ^1j^"),
        ("n is 3", "^n is 3^"),
        ("other['a'] == 1", "^other['a']^ == 1"),
        ("é == 1 and f()", "é == 1 and ^f()^"),
    ],
)
def test_what_is_no_condition(text: str, spot: str) -> None:
    with pytest.raises(SweepSyntaxError) as caught:
        Condition.read(text)
    error = caught.value
    start, end = error.span
    assert f"{text[:start]}^{text[start:end]}^{text[end:]}" == spot
    assert error.expected == 'expected a condition on parameters, such as lr > 0.01 and model == "large"'


def test_a_condition_is_about_something() -> None:
    with pytest.raises(SweepSyntaxError, match="this names no parameter"):
        Condition.read("1 < 2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "model < 1",
            (
                "the condition 'model < 1' cannot be told for model=large: "
                "'<' not supported between instances of 'str' and 'int'"
            ),
        ),
        ("lr", "the condition 'lr' cannot be told for lr=0.01: it is 0.01, and must be true or false"),
        (
            "n and flag",
            "the condition 'n and flag' cannot be told for n=3 flag=True: 3 is neither true nor false",
        ),
        (
            "model * 1000000000 == 'x'",
            (
                "the condition \"model * 1000000000 == 'x'\" cannot be told for model=large: "
                "'large' is no number to compute with"
            ),
        ),
        ("n / 0 > 1", "the condition 'n / 0 > 1' cannot be told for n=3: division by zero"),
    ],
)
def test_what_cannot_be_told(text: str, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        Condition.read(text).holds(VALUES)
    assert str(caught.value) == message
