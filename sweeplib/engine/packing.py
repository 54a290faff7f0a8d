"""Which combinations of a large sweep share a chunk.

Prefect is told of a chunk as a whole: one task run. Only that is shared: every combination runs, is tried
again, times out, is cancelled and counts by itself.
"""

from __future__ import annotations

__all__ = ["Packing"]

_SPAN = 10.0  # seconds of commands that a chunk holds; a command that takes as long has a record of its own
_MOST = 1000  # combinations in a chunk, where fewer chunks than are allowed come of it
_FIRST = 16  # combinations in the first chunk; each next one may have twice as many as the one before
_WEIGHT = 0.05  # of the newest command in the mean of all
_TOLD = 4  # times as large or small has a chunk to be, for it to be worth a word


class Packing:
    """Gives each combination that is about to run the number of its chunk, or None for a record of its own.

    At most `total` combinations are to run, as far as is known `expected` (None: all of them); `limit` is
    the job's `task_runs`, `number` the last chunk's of an earlier run of the sweep. Where no more than
    `limit` are expected, so many have a record of their own: all of them, if that is right. Of others a chunk
    holds as many as take some ten seconds one after the other, and at least so many that there are no more
    than `limit` chunks. Commands that take ten seconds and more have a record of their own in any case: they
    are not so many an hour that it would cost anything.
    """

    def __init__(self, total: int, limit: int, number: int = 0, expected: int | None = None) -> None:
        expected = total if expected is None else expected
        self._least = -(-total // limit)
        self._alone = limit if expected <= limit else 0
        self._number = number
        self._members = 0
        self._allowed = _FIRST // 2
        self._mean: float | None = None
        self._told = 1
        self.news = (
            f"{expected:,} combinations are more than task_runs ({limit:,}): "
            "those whose commands are short share task runs"
            if expected > limit
            else f"a task run for each combination, {min(total, limit):,} at most"
        )
        """What there is to say of how combinations are packed, until it is taken."""

    @property
    def packs(self) -> bool:
        """Whether there may be chunks."""
        return self._least > 1

    def next(self) -> int | None:
        """Return the chunk of the next combination."""
        if self._alone:
            self._alone -= 1
            return None
        size = self._size()
        if size == 1:
            self._members = 0
            return None
        if not 0 < self._members < min(size, self._allowed):
            self._number += 1
            self._members = 0
            self._allowed = min(2 * self._allowed, size)
        self._members += 1
        return self._number

    def learn(self, seconds: float) -> None:
        """Take note of how long a command took."""
        self._mean = seconds if self._mean is None else self._mean + _WEIGHT * (seconds - self._mean)

    def _size(self) -> int:
        """Return how many combinations a chunk is to have now."""
        if not self.packs or self._mean is None:
            return 1
        most = max(_MOST, self._least)
        size = 1 if self._mean >= _SPAN else max(min(int(_SPAN / max(self._mean, 1e-9)), most), self._least)
        if (size == 1) != (self._told == 1) or not self._told / _TOLD < size < self._told * _TOLD:
            self._told = size
            what = "a task run each" if size == 1 else f"up to {size:,} in a task run"
            self.news = f"commands take about {self._mean:.3g} s: {what}"
        return size
