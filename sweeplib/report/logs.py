"""The output of one combination: which file holds it, and copying it while it grows."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from sweeplib.errors import InputError, SweepError, UnknownKeyError
from sweeplib.report.lookup import owner_died, paths_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweeplib.ledger import Combination, Ledger

__all__ = [
    "AttemptLog",
    "NoLogError",
    "await_log",
    "find_combination",
    "find_log",
    "follow",
    "has_ended",
    "is_open",
    "numbers_of",
]

_LEAST = 4  # digits of a key
_BLOCK = 1 << 20  # bytes


class NoLogError(SweepError):
    """A combination has no output yet, or none any more."""


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """The output of attempt `number` at a combination: the file `path`."""

    combination: Combination
    number: int
    path: Path


def find_combination(ledger: Ledger, key: str, job: str | None = None) -> Combination:
    """Return the combination whose key begins with `key`, as in the newest sweep (of `job`) that has it.

    Raises `UnknownKeyError` for none, for several, and for a beginning of less than four digits.
    """
    key = key.strip().lower()
    if len(key) < _LEAST:
        raise UnknownKeyError(f"{key!r} is too short for a key; give at least {_LEAST} digits of it")
    return ledger.find(key, job)


def numbers_of(project: Path, combination: Combination) -> list[int]:
    """Return the numbers of the attempts whose output is there, in order."""
    folder = paths_of(project, combination.sweep).log(combination.key, 0).parent
    found = (path.name.split(".") for path in folder.glob(f"{combination.key}.*.log"))
    return sorted(int(parts[1]) for parts in found if len(parts) == 3 and parts[1].isdecimal())


def find_log(project: Path, combination: Combination, number: int | None = None) -> AttemptLog:
    """Return the log of an attempt, the newest if `number` is None.

    Raises `NoLogError` where there is none at all, and `InputError` where that attempt has none.
    """
    numbers = numbers_of(project, combination)
    short = combination.key[:8]
    if not numbers:
        raise NoLogError(_nothing(combination, short))
    if number is not None and number not in numbers:
        there = ", ".join(map(str, numbers))
        raise InputError(f"combination {short} has no output of attempt {number} (attempts: {there})")
    chosen = numbers[-1] if number is None else number
    return AttemptLog(combination, chosen, paths_of(project, combination.sweep).log(combination.key, chosen))


def is_open(ledger: Ledger, project: Path, combination: Combination) -> bool:
    """Tell whether the combination has not ended, and the owner of its sweep lives to see it end."""
    if owner_died(project, combination.sweep):
        return False
    newest = _newest(ledger, combination)
    return newest.sweep == combination.sweep and newest.outcome is None


def has_ended(ledger: Ledger, project: Path, log: AttemptLog) -> bool:
    """Tell whether the attempt has ended, so that nothing is added to its log any more."""
    marker = paths_of(project, log.combination.sweep).marker(log.combination.key, log.number)
    return marker.exists() or not is_open(ledger, project, log.combination)


def await_log(
    ledger: Ledger, project: Path, combination: Combination, pause: Callable[[], None]
) -> Combination:
    """Wait, with `pause`, until the combination has output or has ended; return it as it is then."""
    while not numbers_of(project, combination) and is_open(ledger, project, combination):
        pause()
    return _newest(ledger, combination)


def _newest(ledger: Ledger, combination: Combination) -> Combination:
    """Return a combination as in the newest sweep of its job."""
    return ledger.find(combination.key, ledger.get_sweep(combination.sweep).job)


def follow(path: Path, out: BinaryIO, ended: Callable[[], bool], pause: Callable[[], None]) -> None:
    """Copy a file to `out`, and what is added to it, until `ended`.

    Waits with `pause` where there is nothing more to copy for now.
    """
    with path.open("rb") as file:
        while True:
            # asked before the last copy: what is written between the two is not missed
            over = ended()
            shutil.copyfileobj(file, out, _BLOCK)
            out.flush()
            if over:
                return
            pause()


def _nothing(combination: Combination, short: str) -> str:
    if combination.outcome is None:
        return (
            f"combination {short} has no output yet: it was not started; `sweep logs -f {short}` waits for it"
        )
    reason = combination.message or combination.outcome
    return f"combination {short} has no output ({reason}): it was not started, or its files were removed"
