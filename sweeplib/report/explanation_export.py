"""What is true of a plan's combinations, written for a person or for a program, as it is found out."""

from __future__ import annotations

import csv
import json
from collections import Counter
from typing import TYPE_CHECKING, TextIO

from sweeplib.plan.rows import names_of
from sweeplib.report.explanation import Verdict, grouped, headline
from sweeplib.report.table import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sweeplib.plan import Plan
    from sweeplib.report.explanation import Explained, Group

__all__ = ["Tally", "group_lines", "list_lines", "write_csv", "write_groups_json", "write_json"]

_GROUPS = 20  # shown to a person
_WIDTH = max(map(len, Verdict))
_FIXED = ("verdict", "reason", "kind", "sweep", "key")


class Tally:
    """Counts what it passes on."""

    def __init__(self, explained: Iterable[Explained]) -> None:
        self._explained = explained
        self.counts: Counter[tuple[Verdict, str]] = Counter()

    def __iter__(self) -> Iterator[Explained]:
        for one in self._explained:
            self.counts[one.verdict, one.kind] += 1
            yield one

    def by_verdict(self) -> dict[str, int]:
        """Return how many there were of each verdict, be it none."""
        found = dict.fromkeys(map(str, Verdict), 0)
        for (verdict, _), count in self.counts.items():
            found[verdict] += count
        return found


def list_lines(job: str, explained: Iterable[Explained]) -> Iterator[str]:
    """Yield a line a combination, and at the end how many there are."""
    tally = Tally(explained)
    for one in tally:
        yield printable(f"{one.verdict:<{_WIDTH}}  {one.label}: {one.reason}")
    yield ""
    yield headline(job, tally.counts)


def group_lines(job: str, explained: Iterable[Explained]) -> Iterator[str]:
    """Yield how many combinations there are, and then why so many of them are so, with examples."""
    tally = Tally(explained)
    groups = grouped(tally)
    yield headline(job, tally.counts)
    yield ""
    width = max((len(f"{group.count:,}") for group in groups), default=0)
    for group in groups[:_GROUPS]:
        yield printable(f"{group.verdict:<{_WIDTH}}  {group.count:>{width},}  {group.reason}")
        yield f"{'':{_WIDTH + width + 4}}{printable(_examples(group))}"
    rest = groups[_GROUPS:]
    if rest:
        yield f"and {len(rest):,} more reasons, for {sum(group.count for group in rest):,} combinations"


def _examples(group: Group) -> str:
    return "; ".join(group.examples) + ("; …" if group.count > len(group.examples) else "")


def write_json(job: str, explained: Iterable[Explained], out: TextIO) -> None:
    """Write an object: the job, the combinations, one a line, and at its end how many there are."""
    tally = Tally(explained)
    out.write(f'{{"job": {json.dumps(job)}, "combinations": [')
    separator = "\n"
    for one in tally:
        fields = {
            "position": one.position,
            "key": one.key,
            "verdict": one.verdict,
            "kind": one.kind,
            "reason": one.reason,
            "sweep": one.sweep or None,
            "parameters": dict(one.parameters),
        }
        out.write(separator + json.dumps(fields))
        separator = ",\n"
    out.write(f'\n], "counts": {json.dumps(tally.by_verdict())}}}\n')


def write_groups_json(job: str, explained: Iterable[Explained], out: TextIO) -> None:
    """Write an object: the job, how many combinations there are, and why so many of them are so."""
    tally = Tally(explained)
    groups = [
        {
            "verdict": group.verdict,
            "kind": group.kind,
            "reason": group.reason,
            "count": group.count,
            "examples": group.examples,
        }
        for group in grouped(tally)
    ]
    out.write(json.dumps({"job": job, "counts": tally.by_verdict(), "groups": groups}, indent=2) + "\n")


def write_csv(plan: Plan, explained: Iterable[Explained], out: TextIO) -> None:
    """Write a heading and a line a combination; its parameters come last, a column each.

    A parameter that is called as another column gets ``parameters.`` before it. The lines of a file have one
    column, `command`.
    """
    names = list(dict.fromkeys(name for set_ in plan.sets for name in names_of(set_))) or ["command"]
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_FIXED, *[f"parameters.{name}" if name in _FIXED else name for name in names]])
    for one in explained:
        values = [one.parameters.get(name, "") for name in names] if plan.sets else [one.label]
        row = [one.verdict, one.reason, one.kind, one.sweep, one.key, *values]
        writer.writerow([text.encode("utf-8", "backslashreplace").decode("utf-8") for text in row])
