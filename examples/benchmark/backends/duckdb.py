"""DuckDB: a database in memory, asked in SQL."""

from pathlib import Path

import duckdb


def load(path: Path, threads: int) -> duckdb.DuckDBPyConnection:
    """Return a database that has the events in memory."""
    database = duckdb.connect(config={"threads": threads})
    database.execute("CREATE TABLE events AS SELECT * FROM read_parquet(?)", [str(path)])
    return database


def group(database: duckdb.DuckDBPyConnection) -> list[tuple[int, ...]]:
    """Return each customer, with the number of events, their sum and the largest one."""
    query = "SELECT customer, count(*), sum(amount), max(amount) FROM events GROUP BY customer"
    return database.execute(query).fetchall()
