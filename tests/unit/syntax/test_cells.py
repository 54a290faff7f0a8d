"""Arguments as lazy sequences of cells."""

from __future__ import annotations

import pickle

import pytest

from sweeplib.syntax import Argument, Cell, parse_each


def argument(text: str) -> Argument:
    return parse_each(text)[0]


MIXED = "a=x,1:3,(p,q)_(1:2),y,(5,6)k"


def test_an_argument_is_a_sequence_of_cells() -> None:
    found = argument(MIXED)
    values = ["x", "1", "2", "3", "p_1", "q_1", "p_2", "q_2", "y", "5e3", "6e3"]
    assert list(found) == [Cell("a", value) for value in values]
    assert len(found) == len(values)
    assert [found[i] for i in range(len(found))] == list(found)
    assert found[-1] == Cell("a", "6e3")
    assert found[2:9:3] == [Cell("a", "2"), Cell("a", "q_1"), Cell("a", "y")]
    assert Cell("a", "q_2") in found


@pytest.mark.parametrize("index", [11, -12])
def test_an_index_out_of_range_is_an_index_error(index: int) -> None:
    with pytest.raises(IndexError, match=f"^index {index} is out of range for 11 entries$"):
        argument(MIXED)[index]


def test_parts_of_a_pipe_are_cells_of_their_own() -> None:
    found = argument("a/k=1:2|3|b=x,y|a=z")
    assert list(found) == [("a", "1e3,2e3"), ("a", "3e3"), ("b", "x,y"), ("a", "z")]
    assert [found[i] for i in range(4)] == list(found)
    assert found.keys == ("a", "b")


def test_keys_without_a_pipe_are_one() -> None:
    assert argument(MIXED).keys == ("a",)


def test_a_cell_names_its_parts() -> None:
    cell = argument("a=1")[0]
    assert (cell.key, cell.value) == ("a", "1")


@pytest.mark.parametrize("text", [MIXED, "a=1|b=2", "a/m=(1,2)0"])
def test_arguments_go_to_other_processes(text: str) -> None:
    assert pickle.loads(pickle.dumps(argument(text))) == argument(text)  # noqa: S301 - our own bytes
