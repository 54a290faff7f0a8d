"""Identity by meaning: which combinations have one key, and which must not."""

from __future__ import annotations

import itertools
import re
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from sweeplib.jobs import load
from sweeplib.plan import Plan
from sweeplib.plan.identity import KEY_LENGTH, digest, head_of, meaning
from sweeplib.syntax import Cell
from tests.plans import plan

if TYPE_CHECKING:
    from pathlib import Path


def key(*sets: str | dict[str, str], **fields: Any) -> str:
    """Return the key of the first combination."""
    return plan(*sets, **fields)[0].key


def test_a_key_is_32_hexadecimal_digits() -> None:
    assert KEY_LENGTH == 32
    assert re.fullmatch(r"[0-9a-f]{32}", key("a=1"))


def test_a_key_does_not_change_from_release_to_release() -> None:
    # Ledgers hold keys: with another way to make them, all that was done would be run again.
    assert key({"each": "lr=1m model='a b'", "all": "seed=1,2", "add": "x=1"}, style="flags") == (
        "80c0ae55c16fd12f320bdd703c72e3dd"
    )


def test_the_head_that_a_key_is_made_of() -> None:
    cells = [Cell("a", "1"), Cell("b", "x")]
    key = digest(b"two", cells)
    assert head_of(key, [b"one", b"two", b"three"], iter(cells)) == b"two"  # they are looked at once
    assert head_of(key, [b"one", b"three"], iter(cells)) is None


ONE_THOUSANDTH = ["1m", "1e-3", "0.001", "1E-03", ".001", "+0.001", "1000u", "0.0010", "0.001e0", "10e-4"]


@pytest.mark.parametrize("text", ONE_THOUSANDTH)
def test_numbers_are_compared_as_numbers(text: str) -> None:
    assert key(f"lr={text}") == key("lr=1m")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("lr=1:3:m", "lr=0.001,0.002,0.003"),
        ("lr/m=1:3", "lr=1m,2m,3m"),
        ("lr=(1:3)e-3", "lr=1:3:m"),
        ("n=1k,2k", "n=1000:2000:1000"),
        ("n=-0", "n=0"),
        ("n=1|2,3", "n=1.0|2.0,3e0"),
    ],
)
def test_another_writing_of_the_same_values(one: str, other: str) -> None:
    assert [each.key for each in plan(one)] == [each.key for each in plan(other)]
    assert plan(one).key == plan(other).key


def test_values_of_all_are_compared_one_by_one() -> None:
    assert key({"all": "lr=1:3:m model=svc"}) == key({"all": "model=svc lr=0.001,2m,3e-3"})
    assert key({"all": "lr=1,2"}) != key({"all": "lr=2,1"})
    assert key({"all": "lr=1,2"}) != key({"all": "lr=12"})


def test_the_order_of_parameters_does_not_count() -> None:
    texts = ["lr=1m", "model=svc", "seed=1"]
    assert len({key(" ".join(order)) for order in itertools.permutations(texts)}) == 1
    assert key({"each": "lr=1m", "all": "seed=1 model=svc"}) == key("model=svc seed=1 lr=0.001")


def test_the_order_in_a_file_does_not_count(tmp_path: Path) -> None:
    files = [
        """\
        jobs:
          train:
            run: python train.py
            style: flags
            add: x=1 y=2
            sets:
              - each: model=svc,knn lr=1m
                all: seed=1
        """,
        """\
        defaults: {style: flags, retries: 3}
        jobs:
          other: {run: "true", sets: [{each: a=1}]}
          train:
            sets:
              - all: >-
                  seed=1
                each: >-
                  lr=0.001
                  model=svc,knn
            add: y=2 x=1
            run: "python   'train.py'"
        """,
    ]
    keys = []
    for number, text in enumerate(files):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "sweeps.yaml").write_text(text)
        keys.append([one.key for one in Plan(load(folder).job("train"))])
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "other"},
        {"parallel": 3},
        {"timeout": "2h"},
        {"retries": 2, "retry_delay": "10s"},
        {"max_failures": "10%"},
        {"env": {"OMP_NUM_THREADS": "1"}},
        {"tags": ["digits"]},
        {"cluster": "tcp://127.0.0.1:8786"},
        {"tracking": False},
        {"preload": ["sklearn"]},
    ],
)
def test_how_and_under_which_name_it_is_run_does_not_count(fields: dict[str, Any]) -> None:
    for style in ("hydra", "plain"):
        assert key("a=1", style=style, **fields) == key("a=1", style=style)
        assert plan("a=1,2", style=style, **fields).key == plan("a=1,2", style=style).key


def test_what_is_generated_does_not_count() -> None:
    found = plan("a=1,2", style="hydra")
    assert [one.key for one in found] == [one.key for one in found]


DIFFERENT = {
    "base": plan("a=1"),
    "value": plan("a=2"),
    "parameter": plan("b=1"),
    "one parameter more": plan("a=1 b=1"),
    "no parameter": plan(""),
    "text in quotes": plan("a='1'"),
    "word of the command": plan("a=1", run="python train.py --fast"),
    "words apart": plan("a=1", run="python train .py"),
    "kind": plan("a=1", call="package.train"),
    "other kind": plan("a=1", submit="python train.py"),
    "style": plan("a=1", style="flags"),
    "other style": plan("a=1", style="hydra"),
    "argument": plan("a=1", arguments=["epochs=5"]),
    "other argument": plan("a=1", arguments=["epochs=6"]),
    "two arguments": plan("a=1", arguments=["epochs=5", "x"]),
    "arguments the other way": plan("a=1", arguments=["x", "epochs=5"]),
    "two in one": plan("a=1", arguments=["epochs=5 x"]),
    "add of the job": plan("a=1", add="epochs=5"),
    "another add": plan("a=1", add="epochs=6"),
    "add with a flag": plan("a=1", add="epochs=5 --fast"),
    "option and value": plan("a=1", add="--in x --out y"),
    "option and other value": plan("a=1", add="--in y --out x"),
    "key twice": plan("a=1", add="epochs=5 epochs=6"),
    "key twice, the other way": plan("a=1", add="epochs=6 epochs=5"),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_means_something_else_has_another_key(what: str) -> None:
    key, whole = DIFFERENT[what][0].key, DIFFERENT[what].key
    assert [other for other, found in DIFFERENT.items() if found[0].key == key] == [what]
    assert [other for other, found in DIFFERENT.items() if found.key == whole] == [what]


def test_add_counts_as_it_is_merged() -> None:
    assert key({"each": "a=1", "add": "y=3"}, add="x=1 y=2") == key("a=1", add="x=1 y=3")
    assert key("a=1", add="x=1 y=2") == key("a=1", add="y=2 x=1")


def test_a_set_among_others_keeps_its_keys() -> None:
    alone = [one.key for one in plan("a=1,2")]
    assert [one.key for one in plan("b=7", "a=1,2", "a=3")][1:3] == alone


@pytest.mark.parametrize(
    "values",
    [
        ["12345678901234567890123456789012", "12345678901234567890123456789013"],
        ["1.0000000000000000000000000000001", "1.0000000000000000000000000000002", "1"],
        ["1e31", "10000000000000000000000000000001"],
        ["1e-999", "0", "1e-998"],
    ],
)
def test_numbers_are_compared_exactly(values: list[str]) -> None:
    assert len({key(f"a={value}") for value in values}) == len(values)


def test_a_range_of_long_numbers_has_a_key_for_each() -> None:
    found = plan("a=12345678901234567890123456789012:12345678901234567890123456789021")
    assert len({one.key for one in found}) == len(found) == 10


@pytest.mark.parametrize("text", ["007", "'1m'", '"1"', "inf", "nan", "1e1000", "1_000", "1mm", "m", "0x1"])
def test_what_is_no_number_means_its_text(text: str) -> None:
    assert meaning(text) == f"t{text}"


MEANINGS = [
    ("1000", "n1000"),
    ("1k", "n1000"),
    ("-0.0", "n0"),
    ("120.50", "n120.5"),
    ("abc", "tabc"),
    ("n1", "tn1"),
    ("1k,x", "l5:n1000,2:tx,"),
    ("[1k,2]", "t[1k,2]"),
    ("'a,b',1k", "t'a,b',1k"),
]


@pytest.mark.parametrize(("value", "expected"), MEANINGS)
def test_meaning(value: str, expected: str) -> None:
    assert meaning(value) == expected


def test_texts_cannot_run_into_each_other() -> None:
    assert key("a=1 b=2") != key("a='1 b=2'")
    assert key("a=1", arguments=["x", "y"]) != key("a=1", arguments=["x,1:y"])
    assert meaning("x,y") != meaning("x,1:y")


def test_what_is_no_utf8_has_a_key() -> None:
    # So Python hands over the byte 0xff of a command line.
    assert key("a=1", arguments=["\udcff"]) != key("a=1", arguments=["\udcfe"])


class TestPlanKey:
    """A submit job runs once, and is known by the key of its whole plan."""

    def test_is_32_hexadecimal_digits(self) -> None:
        assert re.fullmatch(r"[0-9a-f]{32}", plan("a=1", submit="python submit.py").key)

    def test_is_that_of_all_combinations(self) -> None:
        keys = {
            plan(*sets, submit="s").key for sets in (["a=1"], ["a=1,2"], ["a=1,1"], ["a=1", "a=2"], ["b=1,2"])
        }
        assert len(keys) == 5

    def test_does_not_depend_on_the_order_of_sets_parameters_and_values(self) -> None:
        assert plan("a=2,1", "b=1", submit="s").key == plan("b=1", "a=1,2", submit="s").key
        one = plan({"each": "a=1m,2 b=x,y", "all": "c=3"}, submit="s")
        assert plan({"each": "b=x,y a=0.001,2", "all": "c=3.0"}, submit="s").key == one.key
        assert plan("c=3 b=x,y a=0.001,2", submit="s").key == one.key

    def test_tells_columns_apart(self) -> None:
        assert plan("a=1,2 b=3", submit="s").key != plan("a=1 b=2,3", submit="s").key
        assert plan("a=1|b=2 c=3", submit="s").key != plan("a=1 c=3", "b=2 c=3", submit="s").key

    def test_is_made_in_little_memory(self) -> None:
        found = plan("a=1:50000", submit="s")
        tracemalloc.start()
        found.key  # noqa: B018 - it is made when it is first asked for
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 20_000_000
