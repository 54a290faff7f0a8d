"""What a combination is called, and what its parameters are."""

from __future__ import annotations

import pytest

from tests.plans import plan


def labels(*sets: str | dict[str, str]) -> list[str]:
    return [one.label for one in plan(*sets)]


def test_a_label_tells_what_varies() -> None:
    found = labels({"each": "model=svc,knn C=1 seed=1:2", "all": "epochs=5"})
    assert found == ["model=svc seed=1", "model=svc seed=2", "model=knn seed=1", "model=knn seed=2"]


def test_what_several_sets_share_is_not_told() -> None:
    assert labels(
        {"each": "model=svc seed=1", "all": "epochs=5"}, {"each": "model=knn seed=1", "all": "epochs=5"}
    ) == [
        "model=svc",
        "model=knn",
    ]


def test_what_only_one_of_several_sets_has_is_told() -> None:
    assert labels("model=svc C=1,2", "model=knn neighbours=3") == [
        "model=svc C=1",
        "model=svc C=2",
        "model=knn neighbours=3",
    ]


def test_a_list_of_all_that_differs_between_sets_is_told() -> None:
    assert labels({"each": "a=1", "all": "seed=1:3"}, {"each": "a=1", "all": "seed=1:4"}) == [
        "seed=1,2,3",
        "seed=1,2,3,4",
    ]


def test_piped_parameters_vary() -> None:
    assert labels({"each": "a=1,2|b=3", "all": "c=4"}) == ["a=1,2", "b=3"]


def test_where_nothing_varies_the_job_names_it() -> None:
    assert labels({"each": "a=1", "all": "b=2"}) == ["train"]
    assert labels({"add": "--quick"}) == ["train"]


def test_quotes_stay_in_a_label() -> None:
    assert labels("name='a b',\"c,d\"") == ["name='a b'", 'name="c,d"']


@pytest.mark.parametrize(("length", "label"), [(154, f"a={'x' * 154} b=1"), (155, f"a={'x' * 155} b…")])
def test_a_long_label_is_cut(length: int, label: str) -> None:
    first = labels(f"a={'x' * length},y b=1:2")[0]
    assert first == label
    assert len(first) == 160


def test_parameters_are_values_without_their_quotes() -> None:
    found = plan({"each": "name='a b' lr=1m", "all": "x=[1,'2'] y=\"3,4\",5"})[0]
    assert found.parameters == {"name": "a b", "lr": "1m", "x": "[1,'2']", "y": "3,4,5"}
