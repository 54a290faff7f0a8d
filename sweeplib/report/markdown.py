"""Text that stands as it is in Markdown, and tables of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sweeplib.report.table import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["link", "literal", "table_lines"]

_MARKS = re.compile(r"[\\`*\[\]<>|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LEADING = re.compile(r"(?:[#+>=-]+|[0-9]+[.)])(?=\s|$)")


def literal(text: str) -> str:
    """Return `text` on one line, with escapes for what Markdown would take for a mark."""
    escaped = _MARKS.sub(r"\\\g<0>", printable(text).strip())
    found = _LEADING.match(escaped)
    if found is None:
        return escaped
    return f"{escaped[: found.end() - 1]}\\{escaped[found.end() - 1 :]}"


def link(text: str, address: str) -> str:
    """Return `text` as a link."""
    return f"[{literal(text)}]({address.replace(' ', '%20').replace(')', '%29')})"


def table_lines(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table; the cells are Markdown already."""
    lines = [f"| {' | '.join(titles)} |", f"|{' --- |' * len(titles)}"]
    return [*lines, *[f"| {' | '.join(cells)} |" for cells in rows]]
