"""The SQL files beside this module, as statements."""

from __future__ import annotations

import sqlite3
from functools import cache
from pathlib import Path

__all__ = ["named", "script"]

_FOLDER = Path(__file__).parent
_MARK = "-- name:"


@cache
def named() -> dict[str, str]:
    """Return the statements of ``queries.sql`` by name: a block starts with ``-- name: NAME``."""
    blocks = (_FOLDER / "queries.sql").read_text("utf-8").split(_MARK)[1:]
    pairs = (block.partition("\n") for block in blocks)
    return {name.strip(): statement.strip() for name, _, statement in pairs}


def script(file: str) -> list[str]:
    """Return the statements of the SQL file `file`, in order.

    `sqlite3.Connection.executescript` would end the transaction that it is called in.
    """
    statements = []
    lines: list[str] = []
    for line in (_FOLDER / file).read_text("utf-8").splitlines(keepends=True):
        lines.append(line)
        if line.rstrip().endswith(";") and sqlite3.complete_statement("".join(lines)):
            statements.append("".join(lines))
            lines.clear()
    return statements
