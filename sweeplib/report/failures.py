"""What failed in a sweep, by cause: the failures that ended in one way, and what they have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from sweeplib.report.links import Link, Values, conditions, links
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["FAILURES", "Ended", "FailureGroup", "common", "explain", "form_of"]

FAILURES = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST)
"""The outcomes that need an explanation; what was cancelled has one."""

_EXAMPLES = 3
_LINKED = 20  # groups, at most, for which links are looked for: the largest

_PASSING = re.compile(
    r"0[xX][0-9a-fA-F]+"  # an address
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"  # a UUID
    r"|(?<![0-9A-Za-z])(?=[0-9a-fA-F]{0,31}[0-9])[0-9a-fA-F]{8,64}(?![0-9A-Za-z])"  # a key, a hash
    r"|(?<![0-9A-Za-z])0[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}(?![0-9A-Za-z])"  # a ULID
    r"|(?<![\w/])/(?:[^\s/'\":,()]+/)+"  # the folders of a path
    r"|(?<![0-9A-Za-z])tmp[a-z0-9_]{6,}"  # a temporary file, as Python calls it
    r"|[0-9]+(?:[.][0-9]+)*(?:[eE][+-]?[0-9]+)?"  # a number, also within a word: gpu03
)
_SERIES = re.compile(r"[+-]?#(?:[\s,x]*[+-]?#)*")
_WORD = re.compile(r"\w+(?:[.+/-]\w+)*")
_OWN = "…"


class Ended(Protocol):
    """What is known of a combination: as `sweeplib.report.results.Result` and the ledger's rows have it."""

    @property
    def key(self) -> str:
        """Its identity."""

    @property
    def label(self) -> str:
        """What it is called."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """Its values by parameter."""

    @property
    def outcome(self) -> Outcome | None:
        """How it ended, None: not yet."""

    @property
    def exit_code(self) -> int | None:
        """That of its command, None: it had none."""

    @property
    def message(self) -> str:
        """Why it did not complete, in one line."""


_Row = TypeVar("_Row", bound=Ended)


@dataclass(frozen=True, slots=True)
class FailureGroup(Generic[_Row]):
    """Failures that ended in one way: with one outcome, one exit code and, but for details, one message.

    `message` has an ellipsis for each word in which theirs differ, `rows` are the first few, and `shared` is
    what nearly all have and few of the others: the strongest first, nothing where no link is strong.
    """

    outcome: Outcome
    exit_code: int | None
    message: str
    count: int
    rows: tuple[_Row, ...]
    shared: tuple[Link, ...]

    def __str__(self) -> str:
        """Say how many ended how: ``18 failed: exit code 1: CUDA out of memory``."""
        return f"{self.count:,} {self.outcome}" + (f": {self.message}" if self.message else "")


def explain(rows: Iterable[_Row], examples: int = _EXAMPLES) -> list[FailureGroup[_Row]]:
    """Return the failures among `rows` by how they ended, the largest group first, each with `examples` rows.

    Give all combinations that have ended: what failures have in common is told by comparison with the
    others. Rows that were cancelled, or have not ended, say nothing. The order of the rows decides only
    which of them are the examples.
    """
    ended = [row for row in rows if row.outcome in FAILURES or row.outcome is Outcome.COMPLETED]
    failed = [row for row in ended if row.outcome in FAILURES]
    if not failed:
        return []
    groups = sorted(_grouped(failed).items(), key=lambda item: (-len(item[1]), item[0]))
    every = Values(row.parameters for row in ended)
    tested = conditions(every)
    linked = [Values(row.parameters for row in members) for _, members in groups[:_LINKED]]
    shared = [links(values, every, tested, len(linked)) for values in linked]
    shared += [()] * (len(groups) - len(linked))
    return [_group(members, of_all, examples) for (_, members), of_all in zip(groups, shared, strict=True)]


def form_of(message: str) -> str:
    """Return a message without what differs from run to run: numbers, addresses, keys, folders.

    ``exit code 1: worker 3 at 0x7f12: 12.5 MB`` becomes ``exit code #: worker # at #: # MB``.
    """
    return _SERIES.sub("#", _PASSING.sub("#", message))


def _group(members: Sequence[_Row], shared: tuple[Link, ...], examples: int) -> FailureGroup[_Row]:
    first = members[0]
    assert first.outcome is not None  # noqa: S101  (it is a failure)
    return FailureGroup(
        outcome=first.outcome,
        exit_code=first.exit_code,
        message=common(list(dict.fromkeys(row.message for row in members))),
        count=len(members),
        rows=tuple(members[:examples]),
        shared=shared,
    )


def common(messages: Sequence[str]) -> str:
    """Return what messages have in common, word by word; the first where they have not as many words."""
    texts = [message.split(" ") for message in messages]
    if len({len(words) for words in texts}) > 1:
        return messages[0]
    return " ".join(words[0] if len(set(words)) == 1 else _OWN for words in zip(*texts, strict=True))


def _grouped(failed: Sequence[_Row]) -> dict[tuple[str, int, str], list[_Row]]:
    """Return failures by outcome, exit code and form of message.

    Forms that differ only by values of the combinations' own parameters are one: that of ``no model svm``
    with model=svm and that of ``no model knn`` with model=knn. A value that is a common word joins what else
    would be apart, and parts nothing.
    """
    forms: dict[str, str] = {}
    joined: dict[str, str] = {}
    for row in failed:
        message = row.message
        if message not in forms:
            forms[message] = form_of(message)
        own = _without_own_values(message, row.parameters)
        if own != message:
            _join(joined, forms[message], form_of(own))
    groups: dict[tuple[str, int, str], list[_Row]] = {}
    for row in failed:
        code = -1 << 32 if row.exit_code is None else row.exit_code
        place = (str(row.outcome), code, _root(joined, forms[row.message]))
        groups.setdefault(place, []).append(row)
    return groups


def _without_own_values(message: str, parameters: Mapping[str, str]) -> str:
    """Return a message with the values in it that the combination was given taken out."""
    own = {value for value in parameters.values() if value and value in message}
    if not own:
        return message
    for value in sorted(own, key=lambda value: (-len(value), value)):
        if _WORD.fullmatch(value) is None:
            message = message.replace(value, _OWN)
    return _WORD.sub(lambda found: _OWN if found[0] in own else found[0], message)


def _join(joined: dict[str, str], one: str, other: str) -> None:
    """Make two forms one, which is called as the first of both in the alphabet."""
    first, second = sorted((_root(joined, one), _root(joined, other)))
    if first != second:
        joined[second] = first


def _root(joined: Mapping[str, str], form: str) -> str:
    while form in joined:
        form = joined[form]
    return form
