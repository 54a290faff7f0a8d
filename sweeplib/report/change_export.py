"""What a change of a job file does, as text for a terminal, as Markdown for a comment, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweeplib.report.change import MOST, PlanChange, Untold
from sweeplib.report.duration import humanise
from sweeplib.report.markdown import literal, table_lines
from sweeplib.report.table import Column, plain_lines, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sweeplib.report.against import Against
    from sweeplib.report.change import Share, ValueChange
    from sweeplib.report.differences import Difference

__all__ = ["lines_of", "to_json", "wrong_with"]

_VALUES = 8  # of a parameter that are shown
_TITLES = ("", "combinations", "done", "to run", "time to run", "time in all")
_INDENT = "  "


def lines_of(changes: Iterable[PlanChange | Untold], old: Against, form: str) -> Iterator[str]:
    """Yield the lines of several changes against `old`: ``text`` for a person, ``markdown`` for a comment."""
    lines = _text_lines if form == "text" else _markdown_lines
    for number, change in enumerate(changes):
        if number:
            yield ""
        elif old.lacking:
            yield old.lacking if form == "text" else literal(old.lacking)
            yield ""
        yield from lines(change, old)


def _text_lines(change: PlanChange | Untold, old: Against) -> Iterator[str]:
    """Yield what a person reads of a job's change against `old`."""
    if isinstance(change, Untold):
        yield _untold(change, old)
        for side, text in _wrong(change, old):
            yield ""
            yield f"{side}:"
            yield from (f"{_INDENT}{printable(line)}" for line in text.splitlines())
        return
    yield _headline(change, old.name)
    if change.nothing:
        return
    if change.compared:
        yield ""
        rows = list(zip(*_rows(change), strict=True))
        columns = [
            Column(title, list(cells), right=place > 0)
            for place, (title, cells) in enumerate(zip(_TITLES, rows, strict=True))
        ]
        yield from plain_lines(columns)
    notes = [*_notes(change)]
    if notes:
        yield ""
        yield from notes
    for title, lines in _said(change):
        yield ""
        yield f"{title}:"
        yield from (f"{_INDENT}{printable(line)}" for line in lines)
    for title, share in _shares(change):
        if share.labels:
            yield ""
            yield f"{title}:"
            yield from (f"{_INDENT}{printable(label)}" for label in share.labels)
            if more := share.count - len(share.labels):
                yield f"{_INDENT}… and {more:,} more"


def _markdown_lines(change: PlanChange | Untold, old: Against) -> Iterator[str]:
    """Yield what is fit for a comment on a change of a job against `old`."""
    if isinstance(change, Untold):
        yield f"#### {literal(_untold(change, old))}"
        for side, text in _wrong(change, old):
            yield ""
            yield f"{literal(side[:1].upper() + side[1:])}:"
            yield ""
            yield from (f"    {printable(line)}" for line in text.splitlines())
        return
    yield f"#### {literal(_headline(change, old.name))}"
    if change.nothing:
        return
    if change.compared:
        yield ""
        rows = [[f"**{name}**", *cells] for name, *cells in _rows(change)]
        yield from table_lines(_TITLES, rows)
    for note in _notes(change):
        yield ""
        yield literal(note)
    for title, lines in _said(change):
        yield ""
        yield f"{title.capitalize()}:"
        yield ""
        yield from (f"- {literal(line)}" for line in lines)
    for title, share in _shares(change):
        if share.labels:
            yield ""
            yield f"<details><summary>{title.capitalize()} ({share.count:,})</summary>"
            yield ""
            yield from (f"- {literal(label)}" for label in share.labels)
            if more := share.count - len(share.labels):
                yield f"- … and {more:,} more"
            yield ""
            yield "</details>"


def to_json(change: PlanChange | Untold, old: Against) -> dict[str, Any]:
    """Return what a program reads: times in seconds, None where nothing is known of them."""
    if isinstance(change, Untold):
        before, now = change.before, change.now
        wrong = {"before": before and old.told(before), "now": now and str(now)}
        return {"job": change.job, "error": wrong}
    shares: dict[str, Any] = {}
    if change.compared:
        shares = {
            name: {
                "combinations": share.count,
                "done": share.done,
                "seconds": share.seconds if share.known or not share.count else None,
                "seconds_to_run": share.to_run if share.known_to_run or not share.left else None,
                "known": share.known,
                "guessed": share.guessed,
                "sampled": share.sampled,
                **({"labels": share.labels} if name != "kept" else {}),
            }
            for name, share in (*_shares(change), ("kept", change.kept))
        }
    return {
        "job": change.job,
        "before": change.before,
        "now": change.now,
        "renamed_from": (change.renamed or None) if change.before is None else None,
        "renamed_to": (change.renamed or None) if change.now is None else None,
        "compared": change.compared,
        **shares,
        "rewritten": change.rewritten,
        "earlier_attempts": change.basis,
        "values": [
            {"parameter": each.name, "added": list(each.added), "removed": list(each.removed)}
            for each in change.values
        ],
        "command": [_difference(each) for each in change.command],
        "settings": [_difference(each) for each in change.settings],
    }


def _difference(each: Difference) -> dict[str, str | None]:
    return {"name": each.name, "before": each.before or None, "now": each.now or None}


def wrong_with(change: Untold, old: Against) -> str:
    """Return what is wrong with a job, and on which side."""
    said = [] if change.now is None else [str(change.now)]
    if change.before is not None:
        text = old.told(change.before)
        said.insert(0, text if text.startswith(old.shown) else f"{old.name}: {text}")
    return "\n".join(said)


def _wrong(change: Untold, old: Against) -> Iterator[tuple[str, str]]:
    """Yield the sides on which something is wrong, with what it is."""
    if change.before is not None:
        yield f"in {old.name}", old.told(change.before)
    if change.now is not None:
        yield "now", str(change.now)


def _untold(change: Untold, old: Against) -> str:
    return f"{change.job} cannot be compared with {old.name}"


def _headline(change: PlanChange, old: str) -> str:
    if change.before is None:
        begin = f"{change.job} is new against {old}"
    elif change.now is None:
        begin = f"{change.job} is gone against {old}"
    elif change.nothing:
        return f"{change.job}: as in {old}, {_count(change.now)}"
    else:
        begin = f"{change.job} against {old}"
    if not change.compared:
        return f"{begin}: {change.before or 0:,} combinations before, {change.now or 0:,} now"
    shares = [*_shares(change), ("kept", change.kept)]
    return f"{begin}: " + ", ".join(f"{share.count:,} {name}" for name, share in shares if share.count)


def _rows(change: PlanChange) -> list[tuple[str, ...]]:
    rows = [_row("added", change.added, change)] if change.added.count else []
    if change.removed.count:
        _, count, done, _, _, time = _row("removed", change.removed, change)
        rows.append(("removed", count, done, "", "", time))
    return rows + ([_row("kept", change.kept, change)] if change.kept.count else [])


def _row(name: str, share: Share, change: PlanChange) -> tuple[str, ...]:
    if change.one_command:
        return name, f"{share.count:,}", f"{share.done:,}", f"{share.left:,}", "", ""
    return (
        name,
        f"{share.count:,}",
        f"{share.done:,}",
        f"{share.left:,}",
        _time(share.to_run, share.known_to_run, share.left, share),
        _time(share.seconds, share.known, share.count, share),
    )


def _time(seconds: float, known: int, count: int, share: Share) -> str:
    """Return what some combinations take one after the other; and of how many that is, if not of all."""
    if not count:
        return "0 s"
    if not known:
        return "unknown"
    text = f"{'about ' if share.sampled else ''}{humanise(seconds)}"
    return text if share.sampled or known >= count else f"{text} for {known:,}"


def _notes(change: PlanChange) -> Iterator[str]:
    if not change.compared:
        yield f"more than {MOST:,} combinations are not compared one by one"
    if change.renamed:
        if change.before is None:
            which, this, that = "gone, was", "that name", "this one"
        else:
            which, this, that = "new, is", "this name", "that one"
        yield (
            f"the job {change.renamed!r}, which is {which} the same; what is done under {this} "
            f"does not count under {that}"
        )
    if change.one_command:
        yield "a submit job is one command: with another combination it runs as a whole"
    elif change.compared and change.command and not change.kept.count and change.before and change.now:
        yield "the command is another one, so no combination is kept"
    if change.rewritten and change.rewritten == change.added.count:
        yield "all that are added have the parameters of a removed one, and another command"
    elif change.rewritten:
        yield f"{change.rewritten:,} of those added have the parameters of a removed one, and another command"
    if change.compared and not change.one_command:
        yield _basis(change)


def _basis(change: PlanChange) -> str:
    if not change.basis:
        return "nothing of this job has completed yet, so nothing is known of how long it takes"
    guessed = change.added.guessed + change.kept.guessed
    text = f"times are those of commands one after the other, from {change.basis:,} earlier attempts"
    if not guessed:
        return text
    have = "combination has a value" if guessed == 1 else "combinations have values"
    return f"{text}; {guessed:,} {have} that none of these had"


def _said(change: PlanChange) -> Iterator[tuple[str, list[str]]]:
    """Yield the titles of what has changed besides the combinations, with its lines."""
    if change.command:
        yield "command", [_line(each) for each in change.command]
    if change.settings:
        yield "settings", [_line(each) for each in change.settings]
    if change.values:
        yield "values", [_values(each) for each in change.values]


def _line(each: Difference) -> str:
    return f"{each.name}: {each.before or 'nothing'} → {each.now or 'nothing'}"


def _values(each: ValueChange) -> str:
    parts = [f"+ {_some(each.added)}"] if each.added else []
    parts += [f"- {_some(each.removed)}"] if each.removed else []
    return f"{each.name}: {'; '.join(parts)}"


def _some(values: Sequence[str]) -> str:
    more = len(values) - _VALUES
    return ", ".join(values[:_VALUES]) + (f" and {more:,} more" if more > 0 else "")


def _shares(change: PlanChange) -> tuple[tuple[str, Share], ...]:
    return ("added", change.added), ("removed", change.removed)


def _count(number: int) -> str:
    return f"{number:,} combination{'s' if number != 1 else ''}"
