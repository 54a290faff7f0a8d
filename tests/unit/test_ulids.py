"""ULIDs, read back as the specification has them."""

from __future__ import annotations

import re
import time
from itertools import islice, pairwise

from sweeplib.ulids import ulid, ulids

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def number(text: str) -> int:
    """Return the 128 bits that a ULID is."""
    bits = 0
    for digit in text:
        bits = bits * 32 + ALPHABET.index(digit)
    return bits


def test_they_are_valid() -> None:
    for text in (ulid(), ulid(), *islice(ulids(), 3)):
        assert re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", text)
        assert abs((number(text) >> 80) / 1000 - time.time()) < 60


def test_each_is_one_more_than_that_before() -> None:
    assert {number(later) - number(earlier) for earlier, later in pairwise(islice(ulids(), 3000))} == {1}


def test_they_count_upward_and_are_unique_beyond_a_million() -> None:
    last = ""
    counted = 0
    for text in islice(ulids(), 32**4 + 10):
        assert text > last
        last = text
        counted += 1
    assert counted == 1_048_586
    assert len(last) == 26


def test_those_of_two_sweeps_begun_at_once_differ() -> None:
    beginnings = [list(islice(ulids(), 100)) for _ in range(100)]
    assert len({text for beginning in beginnings for text in beginning}) == 10_000
