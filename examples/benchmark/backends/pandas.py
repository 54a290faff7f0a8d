"""pandas: one thread."""

from pathlib import Path

import pandas as pd


def load(path: Path, threads: int) -> pd.DataFrame:  # noqa: ARG001  (it has but one)
    """Return the events in memory."""
    return pd.read_parquet(path)


def group(events: pd.DataFrame) -> list[tuple[int, ...]]:
    """Return each customer, with the number of events, their sum and the largest one."""
    amounts = events.groupby("customer")["amount"].agg(["size", "sum", "max"])
    return list(amounts.itertuples(name=None))
