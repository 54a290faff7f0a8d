"""Interleaved rounds: every tool is measured once a round, so that a busy minute of the machine hits all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.model import Row, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.model import Measure

__all__ = ["Contestant", "Sample", "measure"]


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run gave, and what there is to say about it."""

    values: dict[Measure, float]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A tool: how it is run once, and what that measures. `run` raises `UnavailableError`."""

    tool: str
    measures: tuple[Measure, ...]
    run: Callable[[], Sample]
    note: str = ""


@dataclass(slots=True)
class _Found:
    samples: list[Sample] = field(default_factory=list)
    trouble: str = ""


def measure(
    case: str, contestants: Sequence[Contestant], rounds: int, note: Callable[[str], None]
) -> list[Row]:
    """Run every contestant `rounds` times, in turns; return the rows, those of one measure together.

    Every other round goes backwards. A contestant that is not available drops out, and its rows say why;
    other remarks stand in the row of its first measure.
    """
    found = [_Found() for _ in contestants]
    for number in range(rounds):
        turn = list(zip(contestants, found, strict=True))
        for contestant, so_far in reversed(turn) if number % 2 else turn:
            if so_far.trouble:
                continue
            note(f"({case}) round {number + 1} of {rounds}: {contestant.tool}: {contestant.measures[0].name}")
            try:
                so_far.samples.append(contestant.run())
            except UnavailableError as error:
                so_far.trouble = str(error)
    measures = list(dict.fromkeys(each for contestant in contestants for each in contestant.measures))
    return [
        _row(case, contestant, each, so_far)
        for each in measures
        for contestant, so_far in zip(contestants, found, strict=True)
        if each in contestant.measures
    ]


def _row(case: str, contestant: Contestant, measured: Measure, found: _Found) -> Row:
    texts: list[str] = [found.trouble]
    if measured == contestant.measures[0]:
        remarks = dict.fromkeys(sample.remark for sample in found.samples)
        texts = [contestant.note if found.samples else "", *remarks, found.trouble]
    samples = tuple(sample.values[measured] for sample in found.samples)
    return Row(case, contestant.tool, measured, samples, "; ".join(filter(None, texts)))
