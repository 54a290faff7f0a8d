"""What variants bring is counted before it is written out, and made once."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from sweeplib.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from sweeplib.jobs import Set
    from tests.unit.jobs.conftest import Read


def written(read: Read, folder: Path, each: str, variants: dict[str, str]) -> Set:
    """Return a set in a job with these variants of the groups `v` and `e`."""
    for name, text in variants.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    groups = f"{{{', '.join(f'{name}: {name}/' for name in sorted({name[0] for name in variants}))}}}"
    return read(f"jobs: {{b: {{run: x, groups: {groups}, sets: [{{{each}}}]}}}}").job("b").sets[0]


def test_what_is_too_much_is_not_written_out(read: Read, folder: Path) -> None:
    nested = {f"e/{name}": "each: k=1:100000" for name in "ab"}
    set_ = written(read, folder, "each: v=*", {f"v/{n:02}": "each: e=*" for n in range(30)} | nested)
    tracemalloc.start()
    try:
        with pytest.raises(InputError) as caught:
            _ = set_.columns
        assert tracemalloc.get_traced_memory()[1] < 10**7  # bytes; of 1,200,000 rows they would be 10**8
    finally:
        tracemalloc.stop()
    assert str(caught.value) == (
        "sweeps.yaml:1: jobs.b.sets[0].each: at least 1,200,000 combinations are made of what stands in "
        "v/00.yaml and e/b.yaml, more than 1,000,000; sweep fewer values there, or sweep them in a set of "
        "the job"
    )


def test_rows_of_one_variant_share_what_it_brings(read: Read, folder: Path) -> None:
    variants = {"v/a": "each: e=a,b y=1|z=2,3", "v/b": "", "e/a": "{each: 'k=1,2', all: m=5}", "e/b": ""}
    (column,) = written(read, folder, "zip: 'v=a,b,a x=1:3'", variants).columns
    rows = [tuple(f"{cell.key}{cell.value}" for cell in row) for row in column]
    own = [
        ("ea", "k1", "m5", "y1"),
        ("ea", "k1", "m5", "z2,3"),
        ("ea", "k2", "m5", "y1"),
        ("ea", "k2", "m5", "z2,3"),
        ("eb", "y1"),
        ("eb", "z2,3"),
    ]
    first, last = ([("va", *each, f"x{n}") for each in own] for n in (1, 3))
    assert rows == [*first, ("vb", "x2"), *last]
    for one, other in zip(column[:6], column[7:], strict=True):
        assert all(mine is theirs for mine, theirs in zip(one[1:-1], other[1:-1], strict=True))


def test_a_variant_is_looked_at_anew_with_other_parameters_beside_it(read: Read, folder: Path) -> None:
    variants = {"v/a": "each: e=a", "v/b": "each: e=a k=1", "e/a": "all: k=2"}
    set_ = written(read, folder, "each: 'v=a,b'", variants)
    with pytest.raises(InputError) as caught:
        _ = set_.columns
    assert str(caught.value) == (
        "v/b.yaml:1: each: v/b.yaml and e/a.yaml both bring the parameter 'k'; keep one of the two"
    )
