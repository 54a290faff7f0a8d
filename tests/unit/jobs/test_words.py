"""Words of commands, and `add` merged over `add`."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeplib.errors import SweepSyntaxError
from sweeplib.jobs import merge_add
from sweeplib.jobs.words import split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("python train.py", ["python", "train.py"]),
        ("a='x y'  b", ["a=x y", "b"]),
        (r"a\ b", ["a b"]),
        ("a\nb", ["a", "b"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'python "a.py',
            '  python "a.py\n         ^\nexpected a closing "; to mean the character itself, write \\"',
        ),
        (
            "a 'b' it's",
            "  a 'b' it's\n          ^\nexpected a closing '; to mean the character itself, write \\'",
        ),
        (
            '"a\\"b',
            '  "a\\"b\n  ^\nexpected a closing "; to mean the character itself, write \\"',
        ),
        ("a\\", "  a\\\n   ^\nexpected a character after the backslash; take it out"),
    ],
)
def test_an_open_quote_has_a_caret_under_it(text: str, message: str) -> None:
    with pytest.raises(SweepSyntaxError) as caught:
        split_words(text)
    assert str(caught.value) == message


@given(st.text(alphabet="ab= '\"\\\n"))
def test_words_are_those_of_a_shell_or_an_error_with_a_caret(text: str) -> None:
    try:
        expected = shlex.split(text)
    except ValueError:
        with pytest.raises(SweepSyntaxError) as caught:
            split_words(text)
        start, end = caught.value.span
        assert text[start:end] in {"'", '"', "\\"}
    else:
        assert split_words(text) == expected


@pytest.mark.parametrize(
    ("first", "second", "merged"),
    [
        ([], [], []),
        (["a=1", "b=2"], ["a=3"], ["a=3", "b=2"]),
        (["a=1"], ["b=2", "a=3", "c=4"], ["a=3", "b=2", "c=4"]),
        (["--flag", "a=1"], ["--flag"], ["--flag", "a=1"]),
        (["a=1=2"], ["a=3=4"], ["a=3=4"]),
        (["a"], ["a=1"], ["a=1"]),
        (["--verbose", "a=1", "-n", "3"], ["b=2", "-n", "4"], ["--verbose", "a=1", "-n", "4", "b=2"]),
        (["-n", "3", "x"], ["-n", "-q"], ["-n", "x", "-q"]),
        (
            ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"],
            ["hydra/launcher=submitit", "hydra.job.num_nodes=1"],
            ["hydra/launcher=submitit", "hydra.launcher.n_jobs=2", "hydra.job.num_nodes=1"],
        ),
    ],
)
def test_merge_add(first: list[str], second: list[str], merged: list[str]) -> None:
    assert merge_add(first, second) == merged


ITEMS = st.lists(st.from_regex(r"[abc](=[123]?)?", fullmatch=True))


def key(item: str) -> str:
    return item.partition("=")[0]


@given(ITEMS, ITEMS)
def test_merging_keeps_every_key_once_with_its_last_value(first: list[str], second: list[str]) -> None:
    merged = merge_add(first, second)
    everything = first + second
    assert [key(item) for item in merged] == list(dict.fromkeys(map(key, everything)))
    last = {key(item): item for item in everything}
    assert merged == [last[key(item)] for item in merged]


@given(ITEMS, ITEMS)
def test_merging_again_changes_nothing(first: list[str], second: list[str]) -> None:
    merged = merge_add(first, second)
    assert merge_add(merged, second) == merged == merge_add([], merged)
