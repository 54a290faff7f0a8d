"""Packages: lists of requirements, and what replaces what."""

from __future__ import annotations

import pytest

from sweeplib.errors import InputError
from sweeplib.jobs import merge_packages
from sweeplib.jobs.packages import packages


def test_a_list() -> None:
    assert packages(["polars==1.17.1", " numpy >= 2 "]) == ("numpy>=2", "polars==1.17.1")
    assert packages([]) == ()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Tomli_W == 1.0", "tomli-w==1.0"),
        ("dask[distributed, array] >= 2025.1, <2026", "dask[array,distributed]<2026,>=2025.1"),
        ("numpy ; python_version < '3.12'", 'numpy; python_version < "3.12"'),
        ("torch == 1!2.0", "torch==1!2.0"),
        ("Own_Tools-1.0-py3-none-any.whl", "Own_Tools-1.0-py3-none-any.whl"),
        (".", "."),
        ("git+https://example.org/Own.git", "git+https://example.org/Own.git"),
        ("torch @ https://example.org/torch.whl", "torch @ https://example.org/torch.whl"),
        ("libs/own-1.0.whl", "libs/own-1.0.whl"),
    ],
)
def test_how_a_package_is_written_does_not_matter(written: str, meant: str) -> None:
    assert packages([written]) == (meant,)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("polars==1.17.1", "polars==1.18"),
        ("Scikit_Learn", "scikit-learn>=1.5"),
        ("dask[array]==2025.1", "dask"),
        ("torch @ https://example.org/torch.whl", "torch==2.5"),
        ("./own", "./own"),
    ],
)
def test_a_later_one_replaces_an_earlier_one_of_the_same_package(first: str, second: str) -> None:
    assert merge_packages([first, "numpy"], [second]) == tuple(sorted(["numpy", second]))


def test_other_packages_stay() -> None:
    assert merge_packages(["a", "./b"], ["a-b", "./c"]) == ("./b", "./c", "a", "a-b")


SUCH = "must be a list of packages such as [polars==1.17.1]"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("polars", f"{SUCH}; write [polars]"),
        (None, SUCH),
        ([1], f"{SUCH}, and 1 is none"),
        ([""], f"{SUCH}, and an empty one is none"),
        (["-r requirements.txt"], f"{SUCH}, and '-r requirements.txt' is none"),
        (
            ["tomli=w"],
            "'tomli=w' is no package; write one such as polars==1.17.1 or polars>=1,<2",
        ),
        (["polars 1.17"], "'polars 1.17' is no package; write one such as polars==1.17.1 or polars>=1,<2"),
        (["Polars==1", "polars==2"], "polars==1 and polars==2 are of one package; keep one"),
        (["a\nb"], "a package is written in one line, and 'a\\nb' is not"),
    ],
)
def test_mistakes(value: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        packages(value)
    assert str(caught.value) == message
