"""Polars: as many threads as it is told before it is imported."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl


def load(path: Path, threads: int) -> pl.DataFrame:
    """Return the events in memory."""
    os.environ["POLARS_MAX_THREADS"] = str(threads)
    import polars as pl

    return pl.read_parquet(path)


def group(events: pl.DataFrame) -> list[tuple[int, ...]]:
    """Return each customer, with the number of events, their sum and the largest one."""
    import polars as pl

    amount = pl.col("amount")
    return events.group_by("customer").agg(pl.len(), amount.sum().alias("sum"), amount.max()).rows()
