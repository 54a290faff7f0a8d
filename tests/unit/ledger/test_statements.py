"""The statements fit the schema, are all used, and find rows by an index."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import sweeplib.ledger
from sweeplib.ledger import SweepState
from sweeplib.ledger.database import MIGRATIONS
from sweeplib.ledger.statements import named, script
from sweeplib.run.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(sweeplib.ledger.__file__).parent


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    for file in MIGRATIONS:
        for statement in script(file):
            connection.execute(statement)
    yield connection
    connection.close()


def test_the_schema_is_read_whole() -> None:
    statements = script("schema.sql")
    text = (FOLDER / "schema.sql").read_text("utf-8").rstrip()
    assert "".join(statements).rstrip() == text
    assert len(statements) == 12


def test_every_migration_is_a_file() -> None:
    assert [name for name in MIGRATIONS if not (FOLDER / name).is_file()] == []


def test_every_statement_is_used_once_defined() -> None:
    code = "".join(file.read_text("utf-8") for file in FOLDER.glob("*.py"))
    assert [name for name in named() if f'"{name}"' not in code] == []
    marks = re.findall(r"^-- name: (.+)$", (FOLDER / "queries.sql").read_text("utf-8"), re.MULTILINE)
    assert marks == list(named())


@pytest.mark.parametrize("name", list(named()))
def test_no_statement_walks_through_all_combinations(name: str, connection: sqlite3.Connection) -> None:
    statement = named()[name]
    parameters = defaultdict(str, dict.fromkeys(re.findall(r":(\w+)", statement), "[]"))
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert [step for step in plan if re.match(r"SCAN (combinations|attempts|c)\b", step)] == []


def test_the_checks_name_every_state_and_outcome() -> None:
    text = (FOLDER / "schema.sql").read_text("utf-8")
    states = [re.findall("'(.+?)'", found) for found in re.findall(r"state IN \((.+)\)\)", text)]
    outcomes = [re.findall("'(.+?)'", found) for found in re.findall(r"outcome IN \((.+)\)\)", text)]
    assert states == [[state.value for state in SweepState]]
    assert outcomes == [[outcome.value for outcome in Outcome]] * 2


def test_the_schema_itself_keeps_what_is_final(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO sweeps VALUES ('s','j','','s',0,'failed',1,0,'[]','{}',1,2,'h',1,NULL,NULL,NULL,0,'',1)"
    )
    connection.execute(
        "INSERT INTO combinations (sweep,key,lineage,position,label,parameters,outcome) "
        "VALUES ('s','k','s',0,'','{}','completed')"
    )
    with pytest.raises(sqlite3.IntegrityError, match=r"^a completed combination stays completed$"):
        connection.execute("UPDATE combinations SET outcome = NULL")
    with pytest.raises(sqlite3.IntegrityError, match=r"^an ended sweep can only be resumed$"):
        connection.execute("UPDATE sweeps SET state = 'completed'")
    connection.execute("UPDATE sweeps SET state = 'running'")
